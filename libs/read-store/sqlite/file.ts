import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ReadStoreUnavailable } from '../port.js';

/** Where a store lives, and how it is left. */
export interface Place {
  readonly path: string;
  /** Nothing of it is wanted after the store is closed. */
  readonly temporary: boolean;
  remove(): void;
}

/** Stands in the file's header ("SoRM"), so that no other program's database is taken for ours. */
export const APPLICATION_ID = 0x536f524d;
/** Of the tables that say what instances there are. Another number is another version of this program. */
export const FORMAT = 1;
export const IN_MEMORY = ':memory:';

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
/** Places of the header, sqlite.org/fileformat2.html#the_database_header. */
const AT = { pageSize: 16, changes: 24, pages: 28, format: 60, application: 68, validFor: 92 } as const;
const PAGE_SIZE_65536 = 1;

/**
 * Looks at a place before SQLite does, which would make a database of an empty file and write to one that is not ours.
 * What is refused here was not touched.
 *
 * `:memory:` becomes a file in the system's temporary folder: SQLite's own memory databases have one connection, or
 * readers that hold writers up.
 */
export function checkPlace(path: string): Place {
  if (path === IN_MEMORY) {
    const folder = mkdtempSync(join(tmpdir(), 'read-store-temporary-'));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    return { path: join(folder, 'read-models.db'), temporary: true, remove };
  }
  checkWritable(path);
  const header = headerOf(path);
  if (header !== null) checkHeader(path, header);
  return { path, temporary: false, remove: () => undefined };
}

function checkWritable(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    accessSync(dirname(path), constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new ReadStoreUnavailable('DATA_READ_ONLY', `${path} cannot be written`, { cause });
  }
}

/** The header of a file that holds anything; an empty one is as good as none. */
function headerOf(path: string): Buffer | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || (stat.isFile() && stat.size === 0)) return null;
  if (!stat.isFile()) throw new ReadStoreUnavailable('DATA_FOREIGN', `${path} is not a file`);
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(file);
  }
  return header;
}

function checkHeader(path: string, header: Buffer): void {
  const ours =
    header.toString('latin1', 0, MAGIC.length) === MAGIC && header.readUInt32BE(AT.application) === APPLICATION_ID;
  if (!ours) throw new ReadStoreUnavailable('DATA_FOREIGN', `${path} is not a file of read models`);
  const format = header.readUInt32BE(AT.format);
  if (format !== FORMAT) {
    throw new ReadStoreUnavailable('DATA_FOREIGN', `${path} is of format ${format}, and this program's is ${FORMAT}`);
  }
  // While a log beside it waits to be copied in, the file may rightly be shorter than it says.
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  const told = header.readUInt16BE(AT.pageSize);
  const bytes = header.readUInt32BE(AT.pages) * (told === PAGE_SIZE_65536 ? 65_536 : told);
  const current = header.readUInt32BE(AT.changes) === header.readUInt32BE(AT.validFor);
  if (current && statSync(path).size < bytes) {
    throw new ReadStoreUnavailable('DATA_DAMAGED', `${path} is shorter than it says: ${bytes} bytes`);
  }
}
