import { invariant } from '../../kernel/result.js';
import type { Checkpoint } from '../port.js';
import { parseDefinition, type Shape, type Shapes, shapesOf } from '../shape.js';
import type { Connection } from './connection.js';
import { APPLICATION_ID, FORMAT } from './file.js';

/** How long a writer waits for another process's, in milliseconds. */
const BUSY_MS = 5_000;
/** A log that a long read let grow is cut back to this once it is copied in. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;
/** Pages in the log before it is copied in: batches that touch the same pages then share one copy. */
const LOG_PAGES = 8_000;
const WRITER_CACHE_KIB = 64 * 1024;
const READER_CACHE_KIB = 8 * 1024;
const PAGE_BYTES = 4096;

const TABLES = `
  CREATE TABLE IF NOT EXISTS socai_instances (name TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS socai_live (name TEXT PRIMARY KEY, instance TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS socai_checkpoints (
    instance TEXT, partition INTEGER, sequence INTEGER NOT NULL, position TEXT NOT NULL,
    PRIMARY KEY (instance, partition)
  ) STRICT, WITHOUT ROWID;`;

/**
 * NORMAL: a commit waits for no disk. After a power cut the last ones may be gone, changes and checkpoint together, and
 * are applied again; a killed process loses nothing.
 */
export function prepareWriter(writer: Connection, bytesMax: number | undefined, temporary: boolean): void {
  writer.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  // In one transaction of one page, before anything else: whoever is killed here leaves an empty file or one of ours.
  if (writer.all('PRAGMA application_id')[0]?.[0] !== APPLICATION_ID) {
    writer.exec(`BEGIN IMMEDIATE; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; COMMIT`);
  }
  writer.all('PRAGMA journal_mode = WAL');
  writer.exec(`PRAGMA synchronous = ${temporary ? 'OFF' : 'NORMAL'}`);
  writer.exec(`PRAGMA cache_size = -${WRITER_CACHE_KIB}`);
  writer.all(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
  writer.all(`PRAGMA journal_size_limit = ${LOG_BYTES_MAX}`);
  if (bytesMax !== undefined) writer.all(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytesMax / PAGE_BYTES))}`);
  writer.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT`);
}

/** Settings of a connection that only reads. */
export function prepareReader(reader: Connection): void {
  reader.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  reader.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}`);
  // A sort that no index serves spills to a file instead of growing in memory.
  reader.exec('PRAGMA temp_store = FILE');
  reader.exec('PRAGMA query_only = ON');
}

/** Names are checked by `shapesOf` and `checkInstance`: no name that could end a quotation comes this far. */
export const quoted = (name: string): string => `"${name}"`;
export const tableOf = (instance: string, collection: string): string => quoted(`${instance}/${collection}`);

/** STRICT: a sum that leaves 64 bits would otherwise be kept as a real number, without a word. */
export function createTable(instance: string, shape: Shape): string {
  const columns = shape.columns.map(({ name, type }, place) => {
    const affinity = type === 'text' || type === 'json' ? 'TEXT' : 'INTEGER';
    return `${quoted(name)} ${affinity}${place < shape.key.length || type === 'measure' ? ' NOT NULL' : ''}`;
  });
  const key = shape.key.map(({ name }) => quoted(name));
  const table = tableOf(instance, shape.name);
  // Each index ends in the key, as every order of a search does.
  const indexes = shape.indexes.map((names) => {
    const columns = [...new Set([...names.map(quoted), ...key])];
    return `CREATE INDEX ${quoted(`${instance}/${shape.name}/${names.join()}`)} ON ${table} (${columns.join()});`;
  });
  // Rows are small and always sought by key: the table is its own primary index. Wide ones (json) keep a rowid, so that
  // a search by another index does not drag them through the tree.
  const wide = shape.columns.some(({ type }) => type === 'json');
  const options = wide ? 'STRICT' : 'STRICT, WITHOUT ROWID';
  return `CREATE TABLE ${table} (${columns.join()}, PRIMARY KEY (${key.join()})) ${options};${indexes.join('')}`;
}

/** The definitions that were read, by their text. There are few, and each is wanted by every batch. */
export class Definitions {
  readonly #shapes = new Map<string, Shapes>();

  shapes(text: string): Shapes {
    const known = this.#shapes.get(text);
    if (known !== undefined) return known;
    const shapes = shapesOf({ name: 'stored', version: 0, collections: parseDefinition(text) });
    if (this.#shapes.size >= DEFINITIONS_MAX) this.#shapes.clear();
    this.#shapes.set(text, shapes);
    return shapes;
  }
}

const DEFINITIONS_MAX = 1_000;

/** The definition that an instance was made from, if there is one. */
export function definitionOf(connection: Connection, instance: string): string | undefined {
  const [row] = connection.all('SELECT definition FROM socai_instances WHERE name = ?', [instance]);
  return row === undefined ? undefined : text(row[0]);
}

/** The definition of an instance that must exist. */
export function storedDefinition(connection: Connection, instance: string): string {
  const definition = definitionOf(connection, instance);
  invariant(definition !== undefined, `there is no instance ${instance}`);
  return definition;
}

/** How far each partition of an instance has come. */
export function storedCheckpoints(connection: Connection, instance: string): ReadonlyMap<number, Checkpoint> {
  const sql = 'SELECT partition, sequence, position FROM socai_checkpoints WHERE instance = ?';
  const rows = connection.all(sql, [instance]);
  return new Map(rows.map((row) => [Number(row[0]), { sequence: Number(row[1]), position: text(row[2]) }]));
}

/** What the tables above hold is text: the columns are strict. */
export function text(value: unknown): string {
  invariant(typeof value === 'string', `a ${typeof value} stands where text was stored`);
  return value;
}
