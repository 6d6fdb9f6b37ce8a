import { existsSync } from 'node:fs';
import { invariant } from '../../kernel/result.js';
import type {
  ApplyOutcome,
  Batch,
  Checkpoint,
  Comparison,
  Difference,
  OpenOptions,
  ReadModel,
  ReadStore,
  ReadView,
} from '../port.js';
import { ReadStoreUnavailable } from '../port.js';
import { checkDefinition, checkInstance, definitionText, shapesOf } from '../shape.js';
import { Catalogue } from './catalogue.js';
import { OTHER, SnapshotComparison } from './compare.js';
import { Connection } from './connection.js';
import { closed, named } from './errors.js';
import { catalogueIn, checkPlace, type Place, removeFile } from './file.js';
import { Dropped, InstanceFile } from './instance.js';
import { Readers } from './readers.js';
import { attach, isThere, prepareReader, storedCheckpoints, type WriterOptions } from './schema.js';
import { SnapshotView } from './view.js';
import { rowsOf } from './write.js';

export interface SqliteReadStoreOptions {
  /** A directory, made if there is none; or `:memory:`, a place of its own that is gone when the store is closed. */
  readonly path: string;
  /** How many reads run at once. */
  readonly readers?: number;
  /** Each instance's file grows to this and no further: then writes are refused with DISK_FULL. */
  readonly bytesMax?: number;
}

export interface SqliteReadStore extends ReadStore {
  /** How many write transactions batches have begun: one an instance and call. */
  readonly transactions: number;
}

const READERS = 16;
/** How long a file that another store has dropped may be kept open by readers that nobody uses. */
const NOTICE_MS = 1_000;

/**
 * Read models in a directory: a small catalogue, and a SQLite file an instance. Reads go on beside the one writer of an
 * instance, writers of different instances beside one another, in one process or several: none waits.
 */
export function openSqliteReadStore(options: SqliteReadStoreOptions): SqliteReadStore {
  const place = checkPlace(options.path);
  try {
    const catalogue = new Catalogue(place.path, place.temporary);
    return new DirectoryReadStore(place, catalogue, options.readers ?? READERS, {
      ...{ bytesMax: options.bytesMax, temporary: place.temporary },
    });
  } catch (error) {
    throw named(error, catalogueIn(place.path));
  }
}

class DirectoryReadStore implements SqliteReadStore {
  transactions = 0;
  readonly #files = new Map<string, InstanceFile>();
  readonly #views = new Set<SnapshotView>();
  readonly #readers: Readers;
  #noticed = performance.now();
  #closed = false;

  constructor(
    private readonly place: Place,
    private readonly catalogue: Catalogue,
    readers: number,
    private readonly options: WriterOptions,
  ) {
    this.#readers = new Readers(place.path, readers, (path) => this.#openReader(path));
  }

  async open(instance: string, model: ReadModel, { building = false }: OpenOptions = {}): Promise<void> {
    checkInstance(instance, model);
    shapesOf(model);
    const definition = definitionText(model);
    const file = this.#exclusive(() => {
      const known = this.#attached(instance);
      if (known !== undefined) return known;
      // One whose file is gone begins anew, as any that can be rebuilt.
      this.#removed(instance);
      const path = this.catalogue.add(instance);
      return InstanceFile.create(path, { name: instance, definition, building }, this.options);
    });
    this.#files.set(instance, file);
    checkDefinition(instance, file.definition, definition);
  }

  async finish(instance: string): Promise<void> {
    if (this.#on(instance, (file) => file.isBuilding())) await this.#fileOf(instance).finish();
  }

  async checkpoint(instance: string, partition: number): Promise<Checkpoint> {
    return this.#on(instance, (file) => file.checkpoint(partition));
  }

  async apply(batch: Batch): Promise<ApplyOutcome> {
    const [outcome] = await this.applyAll([batch]);
    invariant(outcome !== undefined, 'a batch has an outcome');
    return outcome;
  }

  async applyAll(batches: readonly Batch[]): Promise<readonly ApplyOutcome[]> {
    // Before anything is written: what is refused for its names or types has written nothing.
    const all = batches.map((batch) => {
      const file = this.#fileOf(batch.model);
      return { file, rows: rowsOf(batch, file.shapes) };
    });
    const outcomes: ApplyOutcome[] = [];
    for (const instance of new Set(batches.map(({ model }) => model))) {
      const places = [...batches.keys()].filter((place) => batches[place]?.model === instance);
      const found = this.#on(instance, (file) => {
        this.transactions++;
        const own = places.map((place) => all[place] as (typeof all)[number]);
        return file.apply(own.map((it) => (it.file === file ? it.rows : rowsOf(it.rows.batch, file.shapes))));
      });
      for (const [index, outcome] of found.entries()) outcomes[places[index] as number] = outcome;
    }
    return outcomes;
  }

  async read<T>(instance: string, work: (view: ReadView) => Promise<T>): Promise<T> {
    const [connection, view] = await this.#snapshot(instance);
    this.#views.add(view);
    try {
      return await work(view);
    } finally {
      this.#views.delete(view);
      view.end('read');
      this.#toRest(connection);
    }
  }

  async compare(model: ReadModel, left: string, right: string): Promise<Comparison> {
    const definition = definitionText(model);
    for (const it of [left, right])
      checkDefinition(
        it,
        this.#on(it, (file) => file.definition),
        definition,
      );
    const shapes = [...shapesOf(model).values()];
    const connection = await this.#snapshotOfBoth(left, right);
    const check = (): void => {
      if (this.#closed) throw closed(this.place.path);
    };
    const work = async (): Promise<Difference | null> => {
      try {
        return await new SnapshotComparison(connection, check).first(shapes);
      } catch (error) {
        throw named(error, connection.path);
      } finally {
        this.#apart(connection);
      }
    };
    const difference = work();
    // Whoever waits for it is told; nobody else is.
    difference.catch(() => {});
    return { difference };
  }

  async live(name: string): Promise<string | undefined> {
    return this.#onCatalogue(() => this.catalogue.live(name));
  }

  async switchTo(name: string, instance: string): Promise<void> {
    invariant(instance.startsWith(`${name}.`), `${instance} is no instance of ${name}`);
    this.#exclusive(() => {
      invariant(this.catalogue.fileOf(instance) !== undefined, `there is no instance ${instance}`);
      this.catalogue.switchTo(name, instance);
    });
  }

  async instances(): Promise<readonly string[]> {
    return this.#onCatalogue(() => this.catalogue.instances());
  }

  async drop(instance: string): Promise<void> {
    this.#exclusive(() => {
      invariant(this.catalogue.fileOf(instance) !== undefined, `there is no instance ${instance}`);
      invariant(!this.catalogue.isLive(instance), `${instance} is live: switch to another first`);
      const file = this.#attached(instance);
      file?.drop();
      if (file !== undefined) this.#readers.retire(file.path);
      this.#files.delete(instance);
      this.#removed(instance);
    });
  }

  /** Reads that are under way are refused what they ask for next. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const view of this.#views) view.end('store');
    this.#readers.close();
    for (const file of this.#files.values()) file.close();
    this.catalogue.close();
    this.place.remove();
  }

  /** The file as it was last known: whoever works on one that was dropped since meets `Dropped`. */
  #fileOf(instance: string): InstanceFile {
    const known = this.#files.get(instance);
    if (known !== undefined && !this.#closed) return known;
    const found = this.#exclusive(() => {
      const path = this.catalogue.fileOf(instance);
      invariant(path !== undefined, `there is no instance ${instance}`);
      const file = this.#attached(instance);
      if (file === undefined) throw new ReadStoreUnavailable('DATA_DAMAGED', `${path} is missing`);
      return file;
    });
    this.#files.set(instance, found);
    return found;
  }

  /** The file that the catalogue has of an instance. Only inside `exclusive`, so that it stays so. */
  #attached(instance: string): InstanceFile | undefined {
    const path = this.catalogue.fileOf(instance);
    const known = this.#files.get(instance);
    if (known !== undefined && known.path === path) return known;
    if (known !== undefined) this.#forget(instance, known);
    return path === undefined ? undefined : InstanceFile.attach(path, instance, this.options);
  }

  /** Takes an instance out of the catalogue, with what a killed process may have left of its file. */
  #removed(instance: string): void {
    const path = this.catalogue.fileOf(instance);
    if (path !== undefined) removeFile(path);
    this.catalogue.remove(instance);
  }

  /** Works on an instance's file, and on the one made after it if it was dropped meanwhile. */
  #on<T>(instance: string, work: (file: InstanceFile) => T): T {
    for (;;) {
      const file = this.#fileOf(instance);
      try {
        return work(file);
      } catch (error) {
        if (!(error instanceof Dropped)) throw error;
        this.#forget(instance, file);
      }
    }
  }

  #forget(instance: string, file: InstanceFile): void {
    if (this.#files.get(instance) === file) this.#files.delete(instance);
    this.#readers.retire(file.path);
    file.forget();
  }

  /** A connection with the snapshot that its open transaction holds. */
  async #snapshot(instance: string): Promise<[Connection, SnapshotView]> {
    this.#noticeDropped();
    for (;;) {
      const file = this.#fileOf(instance);
      try {
        const connection = await this.#readers.acquire(file.path);
        return [connection, this.#begin(connection, instance, file)];
      } catch (error) {
        if (!(error instanceof Dropped)) throw error;
        this.#forget(instance, file);
      }
    }
  }

  /** The snapshot is taken by the first read of the transaction, so what stands for the instance is read at once. */
  #begin(connection: Connection, instance: string, file: InstanceFile): SnapshotView {
    try {
      connection.exec('BEGIN');
      if (!isThere(connection)) throw new Dropped(file.path);
      return new SnapshotView(connection, this.place.path, instance, file.shapes, storedCheckpoints(connection));
    } catch (error) {
      this.#toRest(connection);
      throw named(error, file.path);
    }
  }

  /** Nothing was written, so an end that fails takes nothing from what was read: only the connection goes. */
  #toRest(connection: Connection): void {
    try {
      if (connection.inTransaction) connection.exec('COMMIT');
      this.#readers.release(connection);
    } catch {
      this.#readers.discard(connection);
    }
  }

  /** A connection to one file with the other attached, whose open transaction holds a snapshot of each. */
  async #snapshotOfBoth(left: string, right: string): Promise<Connection> {
    for (;;) {
      const [file, other] = [this.#fileOf(left), this.#fileOf(right)];
      try {
        const connection = await this.#readers.acquire(file.path);
        this.#attach(connection, other.path);
        return connection;
      } catch (error) {
        if (!(error instanceof Dropped)) throw error;
        if (error.path === file.path) this.#forget(left, file);
        else this.#forget(right, other);
      }
    }
  }

  /** With nobody dropping either meanwhile: whoever drops a file finds it whole in the hands of its readers. */
  #attach(connection: Connection, path: string): void {
    try {
      this.#exclusive(() => {
        if (!existsSync(path)) throw new Dropped(path);
        attach(connection, path, OTHER);
        connection.exec('BEGIN');
        if (!isThere(connection)) throw new Dropped(connection.path);
        if (!isThere(connection, OTHER)) throw new Dropped(path);
      });
    } catch (error) {
      this.#apart(connection);
      throw error;
    }
  }

  /** As `#toRest`. */
  #apart(connection: Connection): void {
    try {
      if (connection.inTransaction) connection.exec('COMMIT');
      connection.exec(`DETACH ${OTHER}`);
      this.#readers.release(connection);
    } catch {
      this.#readers.discard(connection);
    }
  }

  /** Its first read opens the log too: whoever drops the file then finds it whole in the hands of its readers. */
  #openReader(path: string): Connection {
    return this.#exclusive(() => {
      if (!existsSync(path)) throw new Dropped(path);
      const connection = new Connection(path);
      try {
        prepareReader(connection);
        isThere(connection);
        return connection;
      } catch (error) {
        connection.close();
        throw named(error, path);
      }
    });
  }

  /** Lets go of what another store has dropped: its room on the disk is free when nobody has it open. */
  #noticeDropped(): void {
    const now = performance.now();
    if (this.#closed || now - this.#noticed < NOTICE_MS) return;
    this.#noticed = now;
    this.#onCatalogue(() => {
      for (const [instance, file] of this.#files) {
        if (this.catalogue.fileOf(instance) !== file.path) this.#forget(instance, file);
      }
    });
  }

  #exclusive<T>(work: () => T): T {
    return this.#onCatalogue(() => this.catalogue.exclusive(work));
  }

  #onCatalogue<T>(work: () => T): T {
    if (this.#closed) throw closed(this.place.path);
    try {
      return work();
    } catch (error) {
      throw named(error, catalogueIn(this.place.path));
    }
  }
}
