import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { StoreUnavailable } from '../port.js';
import { refusalOf, sqliteCode } from './errors.js';

export type Connection = Database.Database;

export interface OpenFile {
  readonly connection: Connection;
  /** Gives the file back, as one file without side files where nobody else reads it. */
  release(): void;
}

/** "SoCa" in the file's header: what tells an event file from any other database. */
const APPLICATION_ID = 0x536f4361;
/** The layout of the tables. A file of another one is refused rather than guessed at. */
const FORMAT_VERSION = 1;

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

/** How long a write waits for another process that is writing. The loop stands still meanwhile, so it is short. */
const BUSY_MS = 1_000;
/**
 * The log is copied into the file when it is this long: 32 MiB. Pages of the index are written again and again by
 * appends to scattered streams; a longer log copies each once. Measured at 150,000 streams, 64 appends a transaction:
 * 31,000 events/s at SQLite's 1,000 pages, 43,000 at 8,000 and beyond.
 */
const CHECKPOINT_PAGES = 8_000;
const CACHE_KIB = 65_536;
/** A file up to this size is checked from end to end when it is opened, within some tens of milliseconds. */
const CHECKED_WHOLE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * One row a stream, one an event. The number of a stream keeps the index small; `body` is the event as JSON in ASCII
 * with its position first. The index is what makes a revision unique within its stream.
 */
const TABLES = `
  CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE events (
    position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL
  );
  CREATE UNIQUE INDEX events_of_stream ON events (stream, revision);`;

export interface WriteOptions {
  readonly pagesMax: number | undefined;
  /** False: an append survives its process and not the machine's. */
  readonly synced: boolean;
}

/** Opens an event file to write to, and makes it when there is none. A file that is refused is left as it was. */
export function openToWrite(path: string, { pagesMax, synced }: WriteOptions): OpenFile {
  return named(path, () => {
    if (!existsSync(path)) create(path);
    checkHeader(path);
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(resolve(path)), constants.W_OK);
    probe(path);
    const connection = new Database(path);
    connection.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    // Full sync in write-ahead mode: the log is on the disk before an append is answered.
    connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synced ? 'FULL' : 'NORMAL'};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_KIB}`);
    if (pagesMax !== undefined) connection.exec(`PRAGMA max_page_count = ${pagesMax}`);
    return { connection, release: () => releaseWritten(connection) };
  });
}

/**
 * Opens an event file that is only read, in a directory that need not be writable. Three cases, tried in this order:
 *
 * 1. SQLite opens it: another process may be writing to it, and what that writes is seen.
 * 2. It cannot make its side file, and there is no log: the file is complete by itself and is opened as immutable.
 *    A writer that starts later on such a directory is not seen; open again.
 * 3. It cannot, and a killed writer left a log: file and log are copied to a temporary place, which is removed when the
 *    store is closed. This needs as much room there as the file has.
 */
export function openToRead(path: string): OpenFile {
  return named(path, () => {
    if (!existsSync(path)) {
      throw new StoreUnavailable(
        'DATA_READ_ONLY',
        `${path}: there is no event file, and one that is only read is not made`,
      );
    }
    checkHeader(path);
    try {
      return openAsIs(`${uri(path)}?mode=ro`, path);
    } catch (error) {
      if (refusalOf(error, path)?.code !== 'DATA_READ_ONLY') throw error;
    }
    const log = `${path}-wal`;
    return existsSync(log) && statSync(log).size > 0 ? openCopy(path, log) : openAsIs(`${uri(path)}?immutable=1`, path);
  });
}

/** Made beside its place and renamed into it: a file under the name is always a whole one. */
function create(path: string): void {
  const directory = dirname(resolve(path));
  const made = `${path}.new`;
  mkdirSync(directory, { recursive: true });
  for (const leftover of [made, `${made}-journal`]) rmSync(leftover, { force: true });
  const connection = new Database(made);
  connection.exec(`PRAGMA synchronous = FULL; BEGIN EXCLUSIVE;
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}; ${TABLES} COMMIT`);
  connection.close();
  renameSync(made, path);
  const handle = openSync(directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

/** Reads the header without SQLite, which would change a foreign file by opening it to write. */
function checkHeader(path: string): void {
  const header = Buffer.alloc(HEADER_BYTES);
  const handle = openSync(path, 'r');
  const read = readSync(handle, header, 0, HEADER_BYTES, 0);
  closeSync(handle);
  const ours = header.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID;
  const magic = header.toString('latin1', 0, MAGIC.length) === MAGIC;
  if (read < HEADER_BYTES || (ours && !magic)) {
    throw new StoreUnavailable('DATA_DAMAGED', `${path}: the file's header is damaged; restore it from a copy`);
  }
  if (!ours) throw new StoreUnavailable('DATA_FOREIGN', `${path}: this is no event file`);
  const version = header.readUInt32BE(USER_VERSION_AT);
  if (version !== FORMAT_VERSION) {
    throw new StoreUnavailable(
      'DATA_FOREIGN',
      `${path}: format ${version}; this program reads format ${FORMAT_VERSION}`,
    );
  }
}

/**
 * Looks for damage over a connection that cannot write, before one is opened that does: closing that one would already
 * copy the log into a damaged file.
 */
function probe(path: string): void {
  try {
    openAsIs(`${uri(path)}?mode=ro`, path).release();
  } catch (error) {
    // A log that has to be replayed first is no damage; the connection that writes will replay it.
    if (!sqliteCode(error)?.startsWith('SQLITE_READONLY')) throw error;
  }
}

function openAsIs(location: string, path: string): OpenFile {
  const connection = new Database(location);
  try {
    connection.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA cache_size = -${CACHE_KIB}`);
    lookForDamage(connection, path);
  } catch (error) {
    connection.close();
    throw error;
  }
  return { connection, release: () => connection.close() };
}

/**
 * Without prepared statements, as the library lets go of a file only when its last statement is collected, and a
 * forgotten reader would keep the writer from leaving one clean file.
 */
function lookForDamage(connection: Connection, path: string): void {
  try {
    connection.exec(
      'SELECT body FROM events ORDER BY position DESC LIMIT 1; SELECT * FROM streams ORDER BY id DESC LIMIT 1',
    );
    if (statSync(path).size > CHECKED_WHOLE_BYTES_MAX) return;
    // abs() of the smallest integer overflows: the one way to make a plain SELECT fail.
    connection.exec(`SELECT CASE (SELECT group_concat(quick_check) FROM pragma_quick_check)
      WHEN 'ok' THEN 0 ELSE abs(-9223372036854775808) END`);
  } catch (error) {
    if (sqliteCode(error) !== 'SQLITE_ERROR') throw error;
    throw new StoreUnavailable('DATA_DAMAGED', `${path}: the file is damaged; restore it from a copy`, {
      cause: error,
    });
  }
}

function openCopy(path: string, log: string): OpenFile {
  const directory = mkdtempSync(join(tmpdir(), 'socai-events-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    const copy = join(directory, basename(path));
    copyFileSync(path, copy);
    copyFileSync(log, `${copy}-wal`);
    const { connection } = openAsIs(`${uri(copy)}?mode=rw`, copy);
    return {
      connection,
      release() {
        connection.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * Leaves one complete file that a read-only directory can serve. The library keeps the descriptors until its statements
 * are collected, so the log is emptied and left here rather than by closing. Another reader prevents it: no harm.
 */
function releaseWritten(connection: Connection): void {
  try {
    connection.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE');
  } catch {
    // The log stays beside the file and the next to open it reads both.
  }
  connection.close();
}

const uri = (path: string): string => pathToFileURL(path).href;

/** Errors of SQLite and of the file system, as the refusals that they stand for. */
function named<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refusalOf(error, path) ?? error;
  }
}
