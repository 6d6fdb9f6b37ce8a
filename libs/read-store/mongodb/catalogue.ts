import { randomBytes } from 'node:crypto';
import { type Db, type Collection as MongoCollection, MongoServerError } from 'mongodb';
import { invariant } from '../../kernel/result.js';
import type { Shape } from '../shape.js';
import { CLAIMS } from './database.js';
import { Together } from './together.js';

/** An instance as it was made once: dropped and made again, it is another, and no late writer of the first meets it. */
export interface Made {
  readonly instance: string;
  readonly of: string;
  readonly definition: string;
  readonly building: boolean;
}

interface Entry {
  readonly _id: string;
  readonly kind: 'instance' | 'live' | 'dropped';
  readonly instance?: string;
  readonly of?: string;
  readonly definition?: string;
  readonly building?: boolean;
  readonly at?: Date;
}

const CATALOGUE = 'socai.catalogue';
const LIVE_AT_ONCE = 1_000;
const DUPLICATE = 11000;
const COLLECTION_EXISTS = 48;
/** What a server says of an option that it does not know. */
const UNKNOWN_OPTION = new Set([9, 72, 115, 238]);
/** How long what was dropped stays for reads that were under way. */
const STAYS_MS = 10 * 60 * 1_000;
const OURS = /^(.+-[0-9a-f]{16})\.[^.]+$/;

/** Which instances there are, which are live, and their collections. Each entry is one document, changed in one step. */
export class Catalogue {
  readonly #entries: MongoCollection<Entry>;
  /** Whoever looks which instances are live asks for each read model. */
  readonly #living = new Together(LIVE_AT_ONCE, async (names: readonly string[]) => {
    const found = await this.#entries.find({ _id: { $in: names.map((name) => `live ${name}`) } }).toArray();
    const live = new Map(found.map(({ _id, instance }) => [_id, instance]));
    return names.map((name) => live.get(`live ${name}`));
  });

  constructor(private readonly db: Db) {
    this.#entries = db.collection(CATALOGUE);
  }

  async made(instance: string): Promise<Made | undefined> {
    const entry = await this.#entries.findOne({ _id: `instance ${instance}` });
    return entry === null ? undefined : madeOf(entry);
  }

  /** Of two that make an instance at once, both get the one that was first. */
  async make(instance: string, definition: string, building: boolean): Promise<Made> {
    for (;;) {
      const known = await this.made(instance);
      if (known !== undefined) return known;
      const of = `${instance}-${randomBytes(8).toString('hex')}`;
      try {
        await this.#entries.insertOne({
          _id: `instance ${instance}`,
          kind: 'instance',
          instance,
          of,
          definition,
          building,
        });
        return { instance, of, definition, building };
      } catch (error) {
        if (!(error instanceof MongoServerError && error.code === DUPLICATE)) throw error;
      }
    }
  }

  async built({ instance, of }: Made): Promise<void> {
    await this.#entries.updateOne({ _id: `instance ${instance}`, of }, { $set: { building: false } });
  }

  async instances(): Promise<readonly string[]> {
    const entries = await this.#entries.find({ kind: 'instance' }).toArray();
    return entries.map((entry) => madeOf(entry).instance).sort();
  }

  live(name: string): Promise<string | undefined> {
    return this.#living.ask(name);
  }

  async switchTo(name: string, instance: string): Promise<void> {
    await this.#entries.updateOne({ _id: `live ${name}` }, { $set: { kind: 'live', instance } }, { upsert: true });
  }

  async isLive(instance: string): Promise<boolean> {
    return (await this.#entries.findOne({ kind: 'live', instance })) !== null;
  }

  /** The dropped entry is there first: a crash in between leaves an instance that is dropped again, not lost rows. */
  async drop({ instance, of }: Made): Promise<void> {
    const entry: Entry = { _id: `dropped ${of}`, kind: 'dropped', of, at: new Date() };
    await this.#entries.replaceOne({ _id: entry._id }, { kind: 'dropped', of, at: new Date() }, { upsert: true });
    await this.#entries.deleteOne({ _id: `instance ${instance}`, of });
  }

  /** Removes what was dropped long ago, and what a late writer made of it since; what was removed. */
  async purge(): Promise<readonly string[]> {
    // Listed first: whoever makes an instance enters it before its collections.
    const listed = await this.db.listCollections({}, { nameOnly: true }).toArray();
    const entries = await this.#entries.find({ kind: { $in: ['instance', 'dropped'] } }).toArray();
    const old = entries.filter(({ kind, at }) => kind === 'dropped' && Date.now() - (at?.getTime() ?? 0) > STAYS_MS);
    const gone = new Set(old.map(({ of }) => of));
    const kept = new Set(entries.map(({ of }) => of).filter((of) => !gone.has(of)));
    for (const { name } of listed) {
      const of = OURS.exec(name)?.[1];
      if (of !== undefined && !kept.has(of)) await this.db.dropCollection(name);
    }
    for (const { _id } of old) await this.#entries.deleteOne({ _id });
    return [...gone].filter((of) => of !== undefined);
  }

  /** Collections with what the server takes of their validators, and their indexes; safe to repeat. */
  async migrate({ of }: Made, shapes: Iterable<Shape>, building: boolean): Promise<void> {
    for (const shape of shapes) {
      const name = collectionIn(of, shape);
      await this.#create(name, shape);
      if (building) continue;
      // FerretDB 1.24 does not survive being asked for several that are there.
      const there = new Set((await this.db.collection(name).indexes()).map((index) => index.name));
      const missing = indexesOf(shape).filter((index) => !there.has(index.name));
      if (missing.length > 0) await this.db.collection(name).createIndexes(missing);
    }
  }

  async #create(name: string, shape: Shape): Promise<void> {
    const create = (options: object): Promise<boolean> =>
      this.db.createCollection(name, options).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof MongoServerError)) throw error;
          if (error.code === COLLECTION_EXISTS) return true;
          if (UNKNOWN_OPTION.has(Number(error.code))) return false;
          throw error;
        },
      );
    if (!(await create({ validator: { $jsonSchema: schemaOf(shape) } }))) await create({});
  }
}

/** A collection of an instance. Analysts find the name through the catalogue. */
export const collectionIn = (of: string, shape: Shape): string => `${of}.${shape.name}`;

/** The names of what is kept beside the instances, none of which is one of theirs. */
export const KEPT: readonly string[] = [CATALOGUE, CLAIMS];

/** Every order ends in the key and the partition, so every index does. */
function indexesOf(shape: Shape): { key: Record<string, 1>; name: string }[] {
  const index = (name: string, names: readonly string[]) => ({
    name,
    key: Object.fromEntries([...names, '_partition'].map((it) => [it, 1 as const])),
  });
  const key = shape.key.map(({ name }) => name);
  const further = shape.indexes.map((names) => index(names.join(), [...new Set([...names, ...key])]));
  // What a batch touched is asked for by its batch where a search is not by the key.
  const touched =
    shape.indexes.length === 0 || shape.kind === 'cells'
      ? []
      : [{ name: '_batch', key: { _partition: 1 as const, _batch: 1 as const } }];
  return [index('key', key), ...further, ...touched];
}

/** What a server that checks documents is told of them. */
export function schemaOf(shape: Shape): object {
  const whole = ['int', 'long'];
  const properties: Record<string, object> = { _partition: { bsonType: whole }, _batch: { bsonType: ['int', 'long'] } };
  for (const [place, { name, type }] of shape.columns.entries()) {
    const own = type === 'text' || type === 'json' ? ['string'] : whole;
    properties[name] = { bsonType: place < shape.key.length || type === 'measure' ? own : [...own, 'null'] };
  }
  return {
    bsonType: 'object',
    required: ['_partition', '_batch', ...shape.key.map(({ name }) => name)],
    properties,
  };
}

function madeOf({ instance, of, definition, building }: Entry): Made {
  invariant(instance !== undefined && of !== undefined && definition !== undefined, 'an entry of an instance is whole');
  return { instance, of, definition, building: building === true };
}
