import { invariant } from '../../kernel/result.js';
import type { ApplyOutcome, Batch, Checkpoint, ReadModel, ReadStore, ReadView } from '../port.js';
import { checkpointOf } from '../rows.js';
import { checkDefinition, checkInstance, definitionText, shapesOf } from '../shape.js';
import { Connection } from './connection.js';
import { closed, named } from './errors.js';
import { checkPlace, type Place } from './file.js';
import { Readers } from './readers.js';
import {
  createTable,
  Definitions,
  definitionOf,
  prepareWriter,
  storedCheckpoints,
  storedDefinition,
  tableOf,
  text,
} from './schema.js';
import { SnapshotView } from './view.js';
import { applyBatch } from './write.js';

export interface SqliteReadStoreOptions {
  /** A file, made if there is none; or `:memory:`, a place of its own that is gone when the store is closed. */
  readonly path: string;
  /** How many reads run at once. */
  readonly readers?: number;
  /** The file grows to this and no further: then writes are refused with DISK_FULL. */
  readonly bytesMax?: number;
}

export interface SqliteReadStore extends ReadStore {
  /** How many write transactions were begun. */
  readonly transactions: number;
}

const READERS = 8;

/** Read models in one SQLite file. Reads go on beside the one writer: neither waits for the other. */
export function openSqliteReadStore(options: SqliteReadStoreOptions): SqliteReadStore {
  const place = checkPlace(options.path);
  try {
    const writer = new Connection(place.path);
    prepareWriter(writer, options.bytesMax, place.temporary);
    return new FileReadStore(place, writer, new Readers(place.path, options.readers ?? READERS));
  } catch (error) {
    throw named(error, place.path);
  }
}

class FileReadStore implements SqliteReadStore {
  transactions = 0;
  readonly #definitions = new Definitions();
  readonly #views = new Set<SnapshotView>();
  #closed = false;

  constructor(
    private readonly place: Place,
    private readonly writer: Connection,
    private readonly readers: Readers,
  ) {}

  async open(instance: string, model: ReadModel): Promise<void> {
    checkInstance(instance, model);
    const shapes = shapesOf(model);
    const wanted = definitionText(model);
    const stored = this.#onWriter(() => definitionOf(this.writer, instance));
    if (stored !== undefined) return checkDefinition(instance, stored, wanted);
    this.#write(() => {
      const meanwhile = definitionOf(this.writer, instance);
      if (meanwhile !== undefined) return checkDefinition(instance, meanwhile, wanted);
      for (const shape of shapes.values()) this.writer.exec(createTable(instance, shape));
      this.writer.run('INSERT INTO socai_instances (name, definition) VALUES (?, ?)', [instance, wanted]);
    });
  }

  async checkpoint(instance: string, partition: number): Promise<Checkpoint> {
    return this.#onWriter(() => {
      storedDefinition(this.writer, instance);
      return checkpointOf(storedCheckpoints(this.writer, instance), partition);
    });
  }

  async apply(batch: Batch): Promise<ApplyOutcome> {
    return this.#write(() => applyBatch(this.writer, this.#definitions, batch));
  }

  async applyAll(batches: readonly Batch[]): Promise<readonly ApplyOutcome[]> {
    if (batches.length === 0) return [];
    return this.#write(() => batches.map((batch) => applyBatch(this.writer, this.#definitions, batch)));
  }

  async read<T>(instance: string, work: (view: ReadView) => Promise<T>): Promise<T> {
    const connection = await this.readers.acquire();
    try {
      const view = this.#begin(connection, instance);
      this.#views.add(view);
      try {
        return await work(view);
      } finally {
        this.#views.delete(view);
        view.end('read');
      }
    } finally {
      this.#toRest(connection);
    }
  }

  async live(name: string): Promise<string | undefined> {
    return this.#onWriter(() => this.#live(name));
  }

  async switchTo(name: string, instance: string): Promise<void> {
    invariant(instance.startsWith(`${name}.`), `${instance} is no instance of ${name}`);
    this.#write(() => {
      storedDefinition(this.writer, instance);
      const sql =
        'INSERT INTO socai_live (name, instance) VALUES (?, ?) ON CONFLICT DO UPDATE SET instance = excluded.instance';
      this.writer.run(sql, [name, instance]);
    });
  }

  async instances(): Promise<readonly string[]> {
    return this.#onWriter(() =>
      this.writer.all('SELECT name FROM socai_instances ORDER BY name').map(([name]) => text(name)),
    );
  }

  async drop(instance: string): Promise<void> {
    this.#write(() => {
      const definition = storedDefinition(this.writer, instance);
      const live = this.writer.all('SELECT name FROM socai_live WHERE instance = ?', [instance]);
      invariant(live.length === 0, `${instance} is live: switch to another first`);
      for (const name of this.#definitions.shapes(definition).keys()) {
        this.writer.exec(`DROP TABLE ${tableOf(instance, name)}`);
      }
      this.writer.run('DELETE FROM socai_checkpoints WHERE instance = ?', [instance]);
      this.writer.run('DELETE FROM socai_instances WHERE name = ?', [instance]);
    });
  }

  /** Reads that are under way are refused what they ask for next. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const view of this.#views) view.end('store');
    this.readers.close();
    // Leaves the file whole without its log, if no read holds on to it.
    this.#logCopied();
    this.writer.close();
    this.place.remove();
  }

  #logCopied(): void {
    try {
      this.writer.exec('PRAGMA busy_timeout = 0');
      this.writer.all('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Whoever opens the file next copies the log.
    }
  }

  /** The snapshot is taken by the first read of the transaction, so what stands for the instance is read at once. */
  #begin(connection: Connection, instance: string): SnapshotView {
    try {
      connection.exec('BEGIN');
      const shapes = this.#definitions.shapes(storedDefinition(connection, instance));
      const checkpoints = storedCheckpoints(connection, instance);
      return new SnapshotView(connection, this.place.path, instance, shapes, checkpoints);
    } catch (error) {
      throw named(error, this.place.path);
    }
  }

  /** Nothing was written, so an end that fails takes nothing from what was read: only the connection goes. */
  #toRest(connection: Connection): void {
    try {
      if (connection.inTransaction) connection.exec('COMMIT');
      this.readers.release(connection);
    } catch {
      this.readers.discard(connection);
    }
  }

  #live(name: string): string | undefined {
    const [row] = this.writer.all('SELECT instance FROM socai_live WHERE name = ?', [name]);
    return row === undefined ? undefined : text(row[0]);
  }

  /** All of it or nothing: whatever `work` throws, nothing of it stays. */
  #write<T>(work: () => T): T {
    return this.#onWriter(() => {
      this.writer.exec('BEGIN IMMEDIATE');
      this.transactions++;
      try {
        const result = work();
        this.writer.exec('COMMIT');
        return result;
      } catch (error) {
        // A full disk has rolled back by itself.
        if (this.writer.inTransaction) this.writer.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #onWriter<T>(work: () => T): T {
    if (this.#closed) throw closed(this.place.path);
    try {
      return work();
    } catch (error) {
      throw named(error, this.place.path);
    }
  }
}
