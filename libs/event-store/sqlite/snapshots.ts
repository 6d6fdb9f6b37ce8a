import { rmSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import Database from 'libsql';
import type { Snapshot, SnapshotStore } from '../port.js';

export interface SqliteSnapshotsOptions {
  /** The file, which is made when it is missing and made anew when it cannot be used. */
  readonly path: string;
  /** What made the snapshots: those of another maker are dropped. */
  readonly maker: string;
  /** Told of what went wrong with the file. It is then done without. */
  readonly onFault: (error: unknown) => void;
}

/** How many wait for one transaction, and how long at most. Measured: 25 µs each by 64, 60 µs one by one. */
const BATCH = 64;
const BATCH_MS = 250;
const CACHE_KIB = 16_384;

const TABLES = `CREATE TABLE maker (name TEXT NOT NULL);
  CREATE TABLE snapshots (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL, body BLOB NOT NULL);`;

/** Snapshots in a SQLite file beside the events. Nothing waits for the disk: a power cut may take the last of them. */
export function openSqliteSnapshots({ path, maker, onFault }: SqliteSnapshotsOptions): SnapshotStore {
  const waiting = new Map<string, Written>();
  let timer: NodeJS.Timeout | null = null;
  let rows: Rows | null = null;
  // A file that fails once is not asked again: commands go on without it.
  const attempt = <T>(work: (rows: Rows) => T): T | undefined => {
    if (rows === null) return undefined;
    try {
      return work(rows);
    } catch (error) {
      rows.close();
      rows = null;
      onFault(error);
      return undefined;
    }
  };
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const batch = [...waiting.values()];
    waiting.clear();
    if (batch.length > 0) attempt((it) => it.write(batch));
  };
  try {
    rows = openRows(path, maker);
  } catch (error) {
    onFault(error);
  }
  return {
    get: (stream) => readBack(waiting.get(stream) ?? attempt((it) => it.read(stream))),
    put({ stream, revision, body }) {
      if (rows === null) return;
      waiting.set(stream, { stream, revision, bytes: serialize(body) });
      if (waiting.size >= BATCH) flush();
      else timer ??= setTimeout(flush, BATCH_MS).unref();
    },
    close() {
      flush();
      rows?.close();
      rows = null;
    },
  };
}

interface Written extends Pick<Snapshot, 'stream' | 'revision'> {
  readonly bytes: Uint8Array;
}

function readBack(written: Written | undefined): Snapshot | undefined {
  if (written === undefined) return undefined;
  const { stream, revision, bytes } = written;
  try {
    return { stream, revision, body: deserialize(bytes) };
  } catch {
    return undefined;
  }
}

interface Rows {
  read(stream: string): Written | undefined;
  write(batch: readonly Written[]): void;
  close(): void;
}

function openRows(path: string, maker: string): Rows {
  let connection: Database.Database;
  try {
    connection = openMadeBy(path, maker);
  } catch {
    for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) rmSync(file, { force: true });
    connection = openMadeBy(path, maker);
  }
  const get = connection.prepare('SELECT revision, body FROM snapshots WHERE stream = ?').raw();
  const put = connection.prepare(`INSERT INTO snapshots (stream, revision, body) VALUES (?, ?, ?)
    ON CONFLICT (stream) DO UPDATE SET revision = excluded.revision, body = excluded.body`);
  return {
    read(stream) {
      const [revision, bytes] = (get.get(stream) ?? []) as [number?, Uint8Array?];
      return revision === undefined || bytes === undefined ? undefined : { stream, revision, bytes };
    },
    write(batch) {
      connection.exec('BEGIN IMMEDIATE');
      for (const { stream, revision, bytes } of batch) put.run(stream, revision, bytes);
      connection.exec('COMMIT');
    },
    close() {
      // The library keeps the file open until its statements are collected: the log is emptied here, as far as may be.
      try {
        connection.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE');
      } catch {
        // It stays beside the file, and the next to open reads both.
      }
      connection.close();
    },
  };
}

/** Opens the file, or throws where it has to be made anew: it is damaged, foreign, or by another maker. */
function openMadeBy(path: string, maker: string): Database.Database {
  const connection = new Database(path);
  try {
    // With the log a power cut leaves a file that is whole, though not the newest.
    connection.exec(`PRAGMA busy_timeout = 1000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = 4000`);
    const first = (sql: string): unknown => (connection.prepare(sql).raw().get() as unknown[] | undefined)?.[0];
    if (first('SELECT count(*) FROM sqlite_master') === 0) {
      connection.exec(`BEGIN IMMEDIATE; ${TABLES}`);
      connection.prepare('INSERT INTO maker (name) VALUES (?)').run(maker);
      connection.exec('COMMIT');
    }
    const made = first('SELECT name FROM maker');
    if (made !== maker) throw new Error(`${path} was made by ${made}`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
