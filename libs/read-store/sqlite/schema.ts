import { invariant } from '../../kernel/result.js';
import type { Checkpoint } from '../port.js';
import type { Shape } from '../shape.js';
import type { Connection } from './connection.js';
import { APPLICATION_ID, checkIds, FORMAT } from './file.js';

/** How long a writer waits for another's, in milliseconds. */
const BUSY_MS = 5_000;
const PAGE_BYTES = 8192;
const READER_CACHE_KIB = 4 * 1024;
/** Of a file in which rows are sought by key, here and there: what leads to them stays at hand. */
const SOUGHT_CACHE_KIB = 16 * 1024;
/** A log that a long read let grow is cut back to this once it is copied in. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Memory for pages, and pages in the log before it is copied in: batches that touch the same pages then share one copy.
 * What is built from nothing has rows all over its key within a short time. A process with every read model building
 * stays within half a gigabyte: most never come near their bound.
 */
const LIVE = { cacheKib: 32 * 1024, logPages: 4_000 } as const;
const BUILDING = { cacheKib: 128 * 1024, logPages: 16_000 } as const;

export interface WriterOptions {
  readonly bytesMax: number | undefined;
  readonly temporary: boolean;
}

const CATALOGUE = `
  CREATE TABLE IF NOT EXISTS socai_instances (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS socai_live (name TEXT PRIMARY KEY, instance TEXT NOT NULL) STRICT, WITHOUT ROWID;`;

/** `socai_instance` has one row, until the instance is dropped: then none, which tells whoever has the file open. */
const INSTANCE = `
  CREATE TABLE socai_instance (name TEXT PRIMARY KEY, definition TEXT NOT NULL, building INTEGER NOT NULL) STRICT;
  CREATE TABLE socai_checkpoints (
    partition INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, position TEXT NOT NULL
  ) STRICT;`;

/** What instances there are is written seldom, and waits for the disk. */
export function prepareCatalogue(catalogue: Connection, temporary: boolean): void {
  prepareFile(catalogue);
  catalogue.exec(`PRAGMA synchronous = ${temporary ? 'OFF' : 'FULL'}`);
  catalogue.exec(`BEGIN IMMEDIATE; ${CATALOGUE} COMMIT`);
}

/**
 * NORMAL: a commit waits for no disk. After a power cut the last ones may be gone, changes and checkpoint together, and
 * are applied again; a killed process loses nothing.
 */
export function prepareWriter(writer: Connection, { bytesMax, temporary }: WriterOptions): void {
  prepareFile(writer);
  writer.exec(`PRAGMA synchronous = ${temporary ? 'OFF' : 'NORMAL'}`);
  writer.all(`PRAGMA journal_size_limit = ${LOG_BYTES_MAX}`);
  if (bytesMax !== undefined) writer.all(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytesMax / PAGE_BYTES))}`);
}

/** What a writer takes of memory, by whether its instance is being built. */
export function prepareFor(writer: Connection, building: boolean): void {
  const { cacheKib, logPages } = building ? BUILDING : LIVE;
  writer.exec(`PRAGMA cache_size = -${cacheKib}`);
  writer.all(`PRAGMA wal_autocheckpoint = ${logPages}`);
}

/** Settings of a connection that only reads. */
export function prepareReader(reader: Connection): void {
  reader.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  reader.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}`);
  // A sort that no index serves spills to a file instead of growing in memory.
  reader.exec('PRAGMA temp_store = FILE');
  reader.exec('PRAGMA query_only = ON');
}

/** Opens another file on a reader's connection, beside its own. */
export function attach(reader: Connection, path: string, schema: string): void {
  reader.run(`ATTACH ? AS ${schema}`, [path]);
  reader.exec(`PRAGMA ${schema}.cache_size = -${SOUGHT_CACHE_KIB}`);
}

/** Makes a file ours if it is empty, and refuses it if it is another's. */
function prepareFile(connection: Connection): void {
  connection.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  connection.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
  if (connection.all('PRAGMA page_count')[0]?.[0] === 0) {
    // In one transaction of one page, before anything else: whoever is killed here leaves an empty file or one of ours.
    connection.exec(
      `BEGIN IMMEDIATE; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; COMMIT`,
    );
  }
  const [application, format] = ['application_id', 'user_version'].map((it) =>
    Number(connection.all(`PRAGMA ${it}`)[0]?.[0]),
  );
  checkIds(connection.path, { application: application ?? 0, format: format ?? 0 });
  connection.all('PRAGMA journal_mode = WAL');
}

/** Names are checked by `shapesOf` and `checkInstance`: no name that could end a quotation comes this far. */
export const quoted = (name: string): string => `"${name}"`;
/** No collection's name has a slash, so none is one of our own tables or SQLite's. */
export const tableOf = (collection: string): string => quoted(`rows/${collection}`);

export interface InstanceRow {
  readonly name: string;
  readonly definition: string;
  readonly building: boolean;
}

/** The tables of an instance, inside a transaction of the caller's. */
export function createInstance(writer: Connection, row: InstanceRow, shapes: Iterable<Shape>): void {
  writer.exec(INSTANCE);
  const { name, definition, building } = row;
  writer.run('INSERT INTO socai_instance (name, definition, building) VALUES (?, ?, ?)', [
    ...[name, definition, building ? 1 : 0],
  ]);
  for (const shape of shapes) {
    writer.exec(createTable(shape));
    if (!building) for (const sql of createIndexes(shape)) writer.exec(sql);
  }
}

export const isWide = (shape: Shape): boolean => shape.columns.some(({ type }) => type === 'json');

/** STRICT: a sum that leaves 64 bits would otherwise be kept as a real number, without a word. */
function createTable(shape: Shape): string {
  const columns = shape.columns.map(({ name, type }, place) => {
    const affinity = type === 'text' || type === 'json' ? 'TEXT' : 'INTEGER';
    return `${quoted(name)} ${affinity}${place < shape.key.length || type === 'measure' ? ' NOT NULL' : ''}`;
  });
  // Rows are small and always sought by key: the table is its own primary index. Wide ones (json) keep a rowid, so that
  // a search by another index does not drag them through the tree.
  const options = isWide(shape) ? 'STRICT' : 'STRICT, WITHOUT ROWID';
  const key = shape.key.map(({ name }) => quoted(name));
  return `CREATE TABLE ${tableOf(shape.name)} (${columns.join()}, PRIMARY KEY (${key.join()})) ${options}`;
}

/** The further indexes. Each ends in the key, as every order of a search does. */
export function createIndexes(shape: Shape): string[] {
  return shape.indexes.map((names) => {
    const columns = new Set([...names, ...shape.key.map(({ name }) => name)].map(quoted));
    const index = quoted(`rows/${shape.name}/${names.join()}`);
    return `CREATE INDEX IF NOT EXISTS ${index} ON ${tableOf(shape.name)} (${[...columns].join()})`;
  });
}

/** What a file says of its instance; nothing once it was dropped. */
export function storedInstance(connection: Connection): InstanceRow | undefined {
  const [row] = connection.all('SELECT name, definition, building FROM socai_instance');
  return row === undefined ? undefined : { name: text(row[0]), definition: text(row[1]), building: row[2] === 1 };
}

/** `schema`: of the file that is open, or of one attached to it. */
export const isThere = (connection: Connection, schema = 'main'): boolean =>
  connection.all(`SELECT 1 FROM ${schema}.socai_instance`).length > 0;

/** How far each partition of an instance has come. */
export function storedCheckpoints(connection: Connection): ReadonlyMap<number, Checkpoint> {
  const rows = connection.all('SELECT partition, sequence, position FROM socai_checkpoints');
  return new Map(rows.map((row) => [Number(row[0]), { sequence: Number(row[1]), position: text(row[2]) }]));
}

/** What the tables above hold is text: the columns are strict. */
export function text(value: unknown): string {
  invariant(typeof value === 'string', `a ${typeof value} stands where text was stored`);
  return value;
}
