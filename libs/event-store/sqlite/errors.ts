import { StoreUnavailable } from '../port.js';

/** What SQLite says went wrong, by its own name (`SQLITE_FULL`), or undefined when something else was thrown. */
export function sqliteCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return CODES_OF_FILES.get(error.code) ?? error.code;
  // The library reports a failed open without a code: `ConnectionFailed("Unable to open … : 14")`.
  if ('message' in error && typeof error.message === 'string') {
    const number = /ConnectionFailed\(.*: (\d+)"?\)/.exec(error.message)?.[1];
    return number === undefined ? undefined : CODES_BY_NUMBER.get(Number(number));
  }
  return undefined;
}

/**
 * The refusal that an error of SQLite or of the file system stands for, or undefined when it is none of those: the
 * caller then knows only that it does not know.
 */
export function refusalOf(error: unknown, path: string): StoreUnavailable | undefined {
  if (error instanceof StoreUnavailable) return error;
  const code = sqliteCode(error);
  if (code === undefined) return undefined;
  const [refusal, text] = REFUSALS.find(([names]) => names.some((name) => code.startsWith(name)))?.[1] ?? [];
  if (refusal === undefined || text === undefined) return undefined;
  return new StoreUnavailable(refusal, `${path}: ${text} (${code})`, { cause: error });
}

const CODES_BY_NUMBER: ReadonlyMap<number, string> = new Map([
  [5, 'SQLITE_BUSY'],
  [8, 'SQLITE_READONLY'],
  [11, 'SQLITE_CORRUPT'],
  [13, 'SQLITE_FULL'],
  [14, 'SQLITE_CANTOPEN'],
  [26, 'SQLITE_NOTADB'],
]);

/** The file system's names for what SQLite has a name for as well. */
const CODES_OF_FILES: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'SQLITE_FULL'],
  ['EDQUOT', 'SQLITE_FULL'],
  ['EROFS', 'SQLITE_READONLY'],
  ['EACCES', 'SQLITE_READONLY'],
  ['EPERM', 'SQLITE_READONLY'],
]);

const REFUSALS: readonly (readonly [readonly string[], readonly [StoreUnavailable['code'], string]])[] = [
  [['SQLITE_FULL'], ['DISK_FULL', 'there is no room on the disk; nothing was written']],
  [
    ['SQLITE_CORRUPT', 'SQLITE_NOTADB'],
    ['DATA_DAMAGED', 'the file is damaged; restore it from a copy'],
  ],
  [
    ['SQLITE_READONLY', 'SQLITE_CANTOPEN'],
    ['DATA_READ_ONLY', 'the file or its directory cannot be written to'],
  ],
  [
    ['SQLITE_BUSY', 'SQLITE_LOCKED'],
    ['DATA_HELD', 'another process is writing to the file'],
  ],
];
