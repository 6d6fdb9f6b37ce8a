import { setTimeout as after } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { invariant } from '../../kernel/result.js';
import { compareByReading } from '../compare.js';
import type {
  ApplyOutcome,
  Batch,
  Checkpoint,
  Comparison,
  OpenOptions,
  ReadModel,
  ReadStore,
  ReadView,
} from '../port.js';
import { ReadStoreUnavailable } from '../port.js';
import {
  checkDefinition,
  checkInstance,
  definitionText,
  parseDefinition,
  type Shape,
  type Shapes,
  shapesOf,
} from '../shape.js';
import { Catalogue, collectionIn, type Made } from './catalogue.js';
import { stateIn, statesOf } from './claims.js';
import { DatabaseShelf } from './database.js';
import { closed, named } from './errors.js';
import { type Folded, foldBatch } from './fold.js';
import { Moved, StateView } from './view.js';
import { applyFolded, Dropped, type Known, type Owner } from './write.js';

export interface MongoReadStoreOptions {
  /** A connection string, credentials and TLS included. */
  readonly url: string;
  /** The ledger's name. */
  readonly database: string;
  /** How long a server is looked for before a call is refused. */
  readonly selectionMs?: number;
}

const SELECTION_MS = 10_000;
/** A socket that is silent for so long has lost its server. */
const SILENCE_MS = 60_000;
/** How often a read begins again because its documents were touched twice, and the longest pause before it. */
const TRIES = 30;
const PAUSE_MAX_MS = 200;

interface Opened extends Owner {
  readonly made: Made;
  readonly shapes: Shapes;
}

/**
 * Read models in a database of MongoDB's protocol. It needs no transaction and no snapshot of the server, so a batch is
 * kept whole by the protocol of docs/adr/0014, and a read that cannot be of one state any more is made again.
 */
export async function openMongoReadStore(options: MongoReadStoreOptions): Promise<ReadStore> {
  const { url, database, selectionMs = SELECTION_MS } = options;
  const client = new MongoClient(url, {
    ...{ useBigInt64: true, serverSelectionTimeoutMS: selectionMs, socketTimeoutMS: SILENCE_MS, appName: 'socai' },
    ...{ writeConcern: { w: 'majority' }, ignoreUndefined: false },
  });
  const place = `${client.options.hosts.map(String).join()}/${database}`;
  try {
    await client.connect();
    const db = client.db(database);
    const shelf = new DatabaseShelf(db);
    await shelf.prepare();
    return new MongoReadStore(client, shelf, new Catalogue(db), place);
  } catch (error) {
    await client.close();
    throw named(error, place);
  }
}

class MongoReadStore implements ReadStore {
  readonly #opened = new Map<string, Opened>();
  readonly #known: Known = new Map();
  readonly #views = new Set<StateView>();
  #closed = false;

  constructor(
    private readonly client: MongoClient,
    private readonly shelf: DatabaseShelf,
    private readonly catalogue: Catalogue,
    private readonly place: string,
  ) {}

  open(instance: string, model: ReadModel, { building = false }: OpenOptions = {}): Promise<void> {
    return this.#named(async () => {
      checkInstance(instance, model);
      shapesOf(model);
      const definition = definitionText(model);
      await this.#purge();
      const made = await this.catalogue.make(instance, definition, building);
      checkDefinition(instance, made.definition, definition);
      await this.shelf.enter(made.of);
      const opened = openedOf(made);
      await this.catalogue.migrate(made, opened.shapes.values(), made.building);
      this.#opened.set(instance, opened);
    });
  }

  finish(instance: string): Promise<void> {
    return this.#on(instance, async ({ made, shapes }) => {
      const now = await this.catalogue.made(instance);
      if (now?.of !== made.of) throw new Dropped(made.of);
      await this.catalogue.migrate(made, shapes.values(), false);
      await this.catalogue.built(made);
    });
  }

  checkpoint(instance: string, partition: number): Promise<Checkpoint> {
    return this.#on(instance, async ({ of }) => {
      const claims = await this.shelf.claims(of);
      if (claims === null) throw new Dropped(of);
      return stateIn(statesOf(claims), partition).checkpoint;
    });
  }

  async apply(batch: Batch): Promise<ApplyOutcome> {
    const [outcome] = await this.applyAll([batch]);
    invariant(outcome !== undefined, 'a batch has an outcome');
    return outcome;
  }

  /** Partitions beside one another, the batches of one in order. */
  applyAll(batches: readonly Batch[]): Promise<readonly ApplyOutcome[]> {
    return this.#named(async () => {
      const folded = await Promise.all(batches.map((batch) => this.#folded(batch)));
      const lines = new Map<string, number[]>();
      for (const [index, { model, partition }] of batches.entries()) {
        const line = `${model}/${partition}`;
        lines.set(line, [...(lines.get(line) ?? []), index]);
      }
      const outcomes: ApplyOutcome[] = [];
      const work = [...lines.values()].map(async (indexes) => {
        for (const index of indexes) outcomes[index] = await this.#apply(folded[index] as Folded);
      });
      for (const it of await Promise.allSettled(work)) if (it.status === 'rejected') throw it.reason;
      return outcomes;
    });
  }

  read<T>(instance: string, work: (view: ReadView) => Promise<T>): Promise<T> {
    return this.#on(instance, async (opened) => {
      for (let tries = 1; ; tries++) {
        const claims = await this.shelf.claims(opened.of);
        if (claims === null) throw new Dropped(opened.of);
        const view = new StateView(this.shelf, opened, opened.shapes, statesOf(claims), this.place);
        this.#views.add(view);
        try {
          const found = await work(view);
          // What was lost on the way was not met, or not all of it.
          if (!view.hasRead || (await this.shelf.holds(opened.of))) return found;
          throw new Dropped(opened.of);
        } catch (error) {
          if (!(error instanceof Moved)) throw error;
          if (tries === TRIES) {
            throw new ReadStoreUnavailable('DATA_HELD', `${instance} is written faster than it can be read`);
          }
        } finally {
          this.#views.delete(view);
          view.end('read');
        }
        await after(Math.random() * Math.min(PAUSE_MAX_MS, 2 ** tries));
      }
    });
  }

  compare(model: ReadModel, left: string, right: string): Promise<Comparison> {
    return this.#named(async () => {
      const definition = definitionText(model);
      for (const it of [left, right]) {
        const made = await this.catalogue.made(it);
        invariant(made !== undefined, `there is no instance ${it}`);
        checkDefinition(it, made.definition, definition);
      }
      return compareByReading(this, model, left, right);
    });
  }

  live(name: string): Promise<string | undefined> {
    return this.#named(() => this.catalogue.live(name));
  }

  switchTo(name: string, instance: string): Promise<void> {
    return this.#named(async () => {
      invariant(instance.startsWith(`${name}.`), `${instance} is no instance of ${name}`);
      invariant((await this.catalogue.made(instance)) !== undefined, `there is no instance ${instance}`);
      await this.catalogue.switchTo(name, instance);
    });
  }

  instances(): Promise<readonly string[]> {
    return this.#named(() => this.catalogue.instances());
  }

  drop(instance: string): Promise<void> {
    return this.#named(async () => {
      const made = await this.catalogue.made(instance);
      invariant(made !== undefined, `there is no instance ${instance}`);
      invariant(!(await this.catalogue.isLive(instance)), `${instance} is live: switch to another first`);
      await this.catalogue.drop(made);
      await this.shelf.end(made.of);
      this.#opened.delete(instance);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const view of this.#views) view.end('store');
    await this.client.close();
  }

  async #purge(): Promise<void> {
    for (const of of await this.catalogue.purge()) await this.shelf.clear(of);
  }

  async #folded(batch: Batch): Promise<Folded> {
    return foldBatch(batch, (await this.#resolve(batch.model)).shapes);
  }

  /** Of an instance that was made anew since the batch was checked, its names and types are checked anew. */
  #apply(folded: Folded): Promise<ApplyOutcome> {
    return this.#on(folded.batch.model, (opened) =>
      applyFolded(this.shelf, opened, foldBatch(folded.batch, opened.shapes), this.#known),
    );
  }

  /** Works on an instance, and on the one made after it if it was dropped meanwhile. */
  #on<T>(instance: string, work: (opened: Opened) => Promise<T>): Promise<T> {
    return this.#named(async () => {
      for (;;) {
        const opened = await this.#resolve(instance);
        try {
          return await work(opened);
        } catch (error) {
          if (!(error instanceof Dropped)) throw error;
          this.#opened.delete(instance);
        }
      }
    });
  }

  async #resolve(instance: string): Promise<Opened> {
    const known = this.#opened.get(instance);
    if (known !== undefined) return known;
    const made = await this.catalogue.made(instance);
    if (made === undefined) {
      throw new ReadStoreUnavailable(
        'UNREACHABLE',
        `${this.place} holds no ${instance}: nobody made it, or it was lost`,
      );
    }
    // Who made it may have died before it did so.
    await this.shelf.enter(made.of);
    const opened = openedOf(made);
    this.#opened.set(instance, opened);
    return opened;
  }

  async #named<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closed(this.place);
    try {
      return await work();
    } catch (error) {
      throw this.#closed && !(error instanceof ReadStoreUnavailable) ? closed(this.place) : named(error, this.place);
    }
  }
}

function openedOf(made: Made): Opened {
  const shapes = shapesOf({ name: 'stored', version: 0, collections: parseDefinition(made.definition) });
  return { made, of: made.of, shapes, collectionOf: (shape: Shape) => collectionIn(made.of, shape) };
}
