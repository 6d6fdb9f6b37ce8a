import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReadStoreUnavailable } from '../port.js';

/** Where a store lives, and how it is left. */
export interface Place {
  /** A directory: the catalogue, and a file an instance. */
  readonly path: string;
  /** Nothing of it is wanted after the store is closed. */
  readonly temporary: boolean;
  remove(): void;
}

/** Stands in each file's header ("SoRM"), so that no other program's database is taken for ours. */
export const APPLICATION_ID = 0x536f524d;
/** Of the tables that are ours in each file. Another number is another version of this program. */
export const FORMAT = 2;
export const IN_MEMORY = ':memory:';
const CATALOGUE = 'catalogue.db';

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
/** Places of the header, sqlite.org/fileformat2.html#the_database_header. */
const AT = { pageSize: 16, changes: 24, pages: 28, format: 60, application: 68, validFor: 92 } as const;
const PAGE_SIZE_65536 = 1;

export const catalogueIn = (directory: string): string => join(directory, CATALOGUE);

/** No two instances ever have one file: who still reads one that was dropped never meets what came after it. */
export const instanceIn = (directory: string, instance: string, id: number): string =>
  join(directory, `${instance}-${id}.db`);
const INSTANCE_FILE = /^[A-Za-z][A-Za-z0-9_.-]*-\d+\.db$/;

/**
 * Looks at a place before SQLite does, which would make a database of an empty file and write to one that is not ours.
 * What is refused here was not touched.
 *
 * `:memory:` becomes a directory in the system's temporary folder: SQLite's own memory databases have one connection,
 * or readers that hold writers up.
 */
export function checkPlace(path: string): Place {
  if (path === IN_MEMORY) {
    const folder = mkdtempSync(join(tmpdir(), 'read-store-temporary-'));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    return { path: folder, temporary: true, remove };
  }
  if (existsSync(path) && !statSync(path).isDirectory()) {
    throw new ReadStoreUnavailable('DATA_FOREIGN', `${path} is not a directory of read models`);
  }
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw new ReadStoreUnavailable('DATA_READ_ONLY', `${path} cannot be written`, { cause });
  }
  checkFile(catalogueIn(path));
  return { path, temporary: false, remove: () => undefined };
}

/** Refuses a file that holds anything but what this program wrote. One that is not there, or empty, passes. */
export function checkFile(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile()) throw new ReadStoreUnavailable('DATA_FOREIGN', `${path} is not a file`);
  if (stat === undefined || stat.size === 0) return;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new ReadStoreUnavailable('DATA_READ_ONLY', `${path} cannot be written`, { cause });
  }
  if (stat.size < HEADER_BYTES) checkIds(path, null);
  // Someone has it open, perhaps a thread of this process: closing a file lets go of all locks that the process has on
  // it (POSIX). Whoever opens it by SQLite calls `checkIds`.
  if (existsSync(`${path}-shm`)) return;
  const header = headerOf(path);
  checkIds(path, isDatabase(header) ? idsOf(header) : null);
  checkLength(path, header);
}

/** What a file says of itself, null where it is no database: see `checkFile`. */
export function checkIds(path: string, ids: { readonly application: number; readonly format: number } | null): void {
  if (ids?.application !== APPLICATION_ID) {
    throw new ReadStoreUnavailable('DATA_FOREIGN', `${path} is not a file of read models`);
  }
  if (ids.format !== FORMAT) {
    const told = `${path} is of format ${ids.format}, and this program's is ${FORMAT}`;
    throw new ReadStoreUnavailable('DATA_FOREIGN', told);
  }
}

/** Takes a database away with its log; whoever has it open keeps what it sees. */
export function removeFile(path: string): void {
  for (const each of [path, `${path}-wal`, `${path}-shm`]) rmSync(each, { force: true });
}

/** Removes what a killed process left of an instance that was being made or dropped: the catalogue has no such file. */
export function removeOrphans(directory: string, kept: ReadonlySet<string>): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (kept.has(path) || !INSTANCE_FILE.test(name)) continue;
    const stat = statSync(path);
    if (!stat.isFile()) continue;
    const header = stat.size === 0 ? null : headerOf(path);
    if (header === null || (isDatabase(header) && idsOf(header).application === APPLICATION_ID)) removeFile(path);
  }
}

function headerOf(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(file);
  }
  return header;
}

const isDatabase = (header: Buffer): boolean => header.toString('latin1', 0, MAGIC.length) === MAGIC;

const idsOf = (header: Buffer): { readonly application: number; readonly format: number } => ({
  application: header.readUInt32BE(AT.application),
  format: header.readUInt32BE(AT.format),
});

function checkLength(path: string, header: Buffer): void {
  // While a log beside it waits to be copied in, the file may rightly be shorter than it says.
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  const told = header.readUInt16BE(AT.pageSize);
  const bytes = header.readUInt32BE(AT.pages) * (told === PAGE_SIZE_65536 ? 65_536 : told);
  const current = header.readUInt32BE(AT.changes) === header.readUInt32BE(AT.validFor);
  if (current && statSync(path).size < bytes) {
    throw new ReadStoreUnavailable('DATA_DAMAGED', `${path} is shorter than it says: ${bytes} bytes`);
  }
}
