import {
  type AnyBulkWriteOperation,
  type Collection,
  type Db,
  type Filter,
  MongoBulkWriteError,
  type UpdateFilter,
} from 'mongodb';
import { narrow } from '../../kernel/money.js';
import { invariant } from '../../kernel/result.js';
import { AT_START } from '../port.js';
import { Gate } from './gate.js';
import type { Claim, Claims, Group, GroupRow, Query, Shelf, Stored, Value, Write } from './shelf.js';
import { Together } from './together.js';

const DUPLICATE = 11000;
/** Documents in one answer of the server: each page costs a look at the claims. */
const PAGE = 1_000;
/** Updates in one call, and such calls of one process: both leave room for others in a pool of two hundred. */
const [FERRETDB_UPDATES, FERRETDB_CALLS] = [20, 4];
/** Cells in one call that are not known to be there, and cells that are remembered to be. */
const [FERRETDB_INSERTS, FERRETDB_CELLS] = [100, 100_000];

/** Partitions and read models of one process that claim, look or end their batches by one call. */
const CLAIMS_AT_ONCE = 1_000;

/** Claims in one answer. */
const CLAIMS_PAGE = 10_000;

/** The collection of claims, of all instances. */
export const CLAIMS = 'socai.claims';
/** The claims that say that an instance was dropped, and that it was entered: no partition has their numbers. */
const [DROPPED, ENTERED] = [-1, -2];

type Document = Stored;

/**
 * A shelf on a database of MongoDB's protocol. An event that stands in all partitions makes a batch of each read model
 * in each of them at one time: what concerns their claims alone is asked for together.
 */
export class DatabaseShelf implements Shelf {
  readonly #claims: Collection<Document>;
  readonly #claiming = new Together(CLAIMS_AT_ONCE, (claims: readonly Stored[]) => this.#insertAll(claims));
  readonly #looking = new Together(CLAIMS_AT_ONCE, (instances: readonly string[]) => this.#lookAt(instances));
  readonly #holding = new Together(CLAIMS_AT_ONCE, async (ids: readonly string[]) => {
    const found = await this.#claims.find({ _id: among(ids) }, { projection: { _id: 1 } }).toArray();
    const there = new Set(found.map(({ _id }) => _id));
    return ids.map((id) => there.has(id));
  });
  readonly #ending = new Together(CLAIMS_AT_ONCE, async (ids: readonly string[]) => {
    await this.#claims.updateMany({ _id: among(ids) }, { $set: { done: true } });
    return ids;
  });
  readonly #forgetting = new Together(CLAIMS_AT_ONCE, async (ids: readonly (readonly string[])[]) => {
    await this.#claims.deleteMany({ _id: among(ids.flat()) });
    return ids;
  });
  #sumsAtOnce = Number.POSITIVE_INFINITY;
  #updatesAtOnce = Number.POSITIVE_INFINITY;
  #updating = new Gate(Number.POSITIVE_INFINITY);
  /** Cells that are there, where it saves something to know. */
  #cells: Set<string> | null = null;

  constructor(private readonly db: Db) {
    this.#claims = db.collection(CLAIMS);
  }

  async prepare(): Promise<void> {
    await this.#claims.createIndex({ of: 1 });
    // FerretDB 1.24 adds up the first sum of a $group and says 0 of the others, and reads all that a search reads for
    // each, so that more than one costs less where the cells are read once; and it keeps a connection to its own
    // backend for each update of a command until the command ends, and waits for ever where it has no more. An update
    // that makes its document costs it ten times what an insert does.
    const { ferretdbVersion } = await this.db.admin().command({ buildInfo: 1 });
    if (ferretdbVersion === undefined) return;
    this.#sumsAtOnce = 1;
    this.#updatesAtOnce = FERRETDB_UPDATES;
    this.#updating = new Gate(FERRETDB_CALLS);
    this.#cells = new Set();
  }

  /** A whole claim of nothing: a program that knows no entries reads over it. */
  async enter(of: string): Promise<void> {
    await this.claim({ of, partition: ENTERED, batch: 0, from: AT_START, to: AT_START, reach: 0n, done: true });
  }

  holds(of: string): Promise<boolean> {
    return this.#holding.ask(idOf({ of, partition: ENTERED, batch: 0 }));
  }

  claims(of: string): Promise<Claims> {
    return this.#looking.ask(of);
  }

  claim(claim: Claim): Promise<boolean> {
    return this.#claiming.ask(storedAs(claim, { ...claim, from: { ...claim.from }, to: { ...claim.to } }));
  }

  async done(claim: Claim): Promise<void> {
    await this.#ending.ask(idOf(claim));
  }

  async forget(of: string, partition: number, batches: readonly number[]): Promise<void> {
    await this.#forgetting.ask(batches.map((batch) => idOf({ of, partition, batch })));
  }

  /** From here on whoever looks at the claims of an instance finds it dropped. */
  async end(of: string): Promise<void> {
    await this.#claiming.ask(storedAs({ of, partition: DROPPED, batch: 0 }, { of, partition: DROPPED }));
  }

  /** Forgets all of an instance that was dropped long ago. */
  async clear(of: string): Promise<void> {
    await this.#claims.deleteMany({ of });
  }

  async write(collection: string, writes: readonly Write[]): Promise<readonly number[]> {
    if (this.#cells === null || !writes.some(({ kind }) => kind === 'add')) return this.#writeAll(collection, writes);
    const left = await this.#insertCells(collection, writes, this.#cells);
    const met = await this.#writeAll(
      collection,
      left.map((place) => writes[place] as Write),
    );
    return met.map((place) => left[place] as number);
  }

  /**
   * Makes cells that are not there, and answers whose adds are left. Among those may be some that were made here: as ever
   * they bounce off their guard.
   */
  async #insertCells(collection: string, writes: readonly Write[], cells: Set<string>): Promise<readonly number[]> {
    const target = this.db.collection<Document>(collection);
    const left: number[] = [];
    const unknown: { readonly place: number; readonly document: Stored }[] = [];
    if (cells.size > FERRETDB_CELLS) cells.clear();
    for (const [place, write] of writes.entries()) {
      if (write.kind !== 'add') {
        left.push(place);
        continue;
      }
      const name = `${collection}/${write.id}`;
      if (cells.has(name)) left.push(place);
      else unknown.push({ place, document: cellOf(write) });
      cells.add(name);
    }
    for (let at = 0; at < unknown.length; at += FERRETDB_INSERTS) {
      const some = unknown.slice(at, at + FERRETDB_INSERTS);
      const { duplicates } = await bulk(
        target,
        some.map(({ document }) => operationOf({ kind: 'insert', document })),
      );
      // What comes after the first that failed may not have been tried.
      if (duplicates.length > 0) left.push(...some.slice(duplicates[0]).map(({ place }) => place));
    }
    return left;
  }

  async #writeAll(collection: string, writes: readonly Write[]): Promise<readonly number[]> {
    const target = this.db.collection<Document>(collection);
    const met: number[] = [];
    for (let at = 0; at < writes.length; ) {
      const inserts = writes[at]?.kind === 'insert';
      const some = writes.slice(at, at + (inserts ? writes.length : this.#updatesAtOnce));
      const call = () => bulk(target, some.map(operationOf));
      const { made, duplicates } = await (inserts ? call() : this.#updating.through(call));
      for (const place of duplicates) met.push(at + place);
      // Some servers stop an unordered list at its first error. What was made is counted, so what was not is known, and
      // is written after the last that failed: a guarded write may be made again.
      const last = duplicates.at(-1);
      const isWhole = last === undefined || made + duplicates.length >= some.length;
      at += isWhole ? some.length : last + 1;
    }
    return met;
  }

  async *read(collection: string, { filter, sort, limit }: Query): AsyncIterable<readonly Stored[]> {
    const found = this.db.collection<Document>(collection).find(exactFilter(filter), { batchSize: PAGE });
    if (sort !== undefined) found.sort(sort);
    if (limit !== undefined) found.limit(limit);
    try {
      while (await found.hasNext()) yield found.readBufferedDocuments().map(storedOf);
    } finally {
      await found.close();
    }
  }

  async group(collection: string, { filter, by, measures }: Group): Promise<readonly GroupRow[] | null> {
    if (measures.length > this.#sumsAtOnce) return null;
    const id = by.length === 0 ? null : Object.fromEntries(by.map((name) => [name, `$${name}`]));
    const sums = Object.fromEntries(measures.map((name) => [name, { $sum: `$${name}` }]));
    const stages = [{ $match: exactFilter(filter) }, { $group: { _id: id, ...sums } }];
    const rows = await this.db.collection(collection).aggregate(stages).toArray();
    return rows.map((row) => ({
      by: by.map((name) => plain(row._id[name]) as string | number),
      sums: measures.map((name) => summed(row[name])),
    }));
  }

  async #insertAll(claims: readonly Stored[]): Promise<readonly boolean[]> {
    const met = new Set(
      await this.write(
        CLAIMS,
        claims.map((document) => ({ kind: 'insert', document })),
      ),
    );
    return claims.map((_, place) => !met.has(place));
  }

  async #lookAt(instances: readonly string[]): Promise<readonly Claims[]> {
    const asked = new Map(instances.map((of) => [of, [] as Stored[]]));
    const found = this.#claims.find({ of: among([...asked.keys()]) }, { batchSize: CLAIMS_PAGE });
    for await (const document of found) asked.get(String(document.of))?.push(document);
    return instances.map((of) => {
      const own = asked.get(of) ?? [];
      const is = (note: number) => own.some(({ partition }) => partition === note);
      return is(ENTERED) && !is(DROPPED) ? own.filter(({ partition }) => partition !== ENTERED).map(claimOf) : null;
    });
  }
}

type Numbered = Pick<Claim, 'of' | 'partition' | 'batch'>;

/** Of two claims of one number the server keeps the first. */
const idOf = ({ of, partition, batch }: Numbered): string => `${of}/${partition}/${batch}`;

const storedAs = (claim: Numbered, fields: object): Stored => ({ ...fields, _id: idOf(claim) }) as unknown as Stored;

const among = (values: readonly string[]) => (values.length === 1 ? (values[0] as string) : { $in: [...values] });

async function bulk(
  target: Collection<Document>,
  operations: AnyBulkWriteOperation<Document>[],
): Promise<{ made: number; duplicates: readonly number[] }> {
  try {
    const { insertedCount, matchedCount, upsertedCount } = await target.bulkWrite(operations, { ordered: false });
    return { made: insertedCount + matchedCount + upsertedCount, duplicates: [] };
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const errors = [error.writeErrors].flat();
    const { result } = error;
    const unknown = result.getWriteConcernError() !== undefined || errors.some(({ code }) => code !== DUPLICATE);
    if (errors.length === 0 || unknown) throw error;
    const made = result.insertedCount + result.matchedCount + result.upsertedCount;
    return { made, duplicates: errors.map(({ index }) => index).sort((a, b) => a - b) };
  }
}

function operationOf(write: Write): AnyBulkWriteOperation<Document> {
  if (write.kind === 'insert') return { insertOne: { document: exact(write.document) as Document } };
  if (write.kind === 'replace') {
    const { _id, ...replacement } = exact(write.document);
    return { replaceOne: { filter: { _id, _batch: write.seen }, replacement } };
  }
  const { id, batch, made } = write;
  const add = wide(write.add);
  return {
    updateOne: {
      filter: { _id: id, _batch: { $lt: batch } } as Filter<Document>,
      update: { $inc: add, $set: { _batch: batch, _last: add }, $setOnInsert: exact(made) } as UpdateFilter<Document>,
      upsert: true,
    },
  };
}

/** The cell that an add makes where there is none. */
const cellOf = ({ id, batch, add, made }: Extract<Write, { kind: 'add' }>): Stored => {
  const measures = wide(add);
  return { _id: id, ...made, ...measures, _batch: batch, _last: measures } as unknown as Stored;
};

/** Amounts are 64-bit integers from the first on: FerretDB lets two of 32 bits run over without a word. */
const wide = (measures: Readonly<Record<string, number | bigint>>): Record<string, bigint> =>
  Object.fromEntries(Object.entries(measures).map(([name, value]) => [name, BigInt(value)]));

const INT32 = 2 ** 31;

/** The driver writes a number past 32 bits as a double: as a bigint it is a 64-bit integer. */
function exact<T extends object>(document: T): T {
  let copy: { [name: string]: unknown } | undefined;
  for (const [name, value] of Object.entries(document)) {
    const kept = exactValue(value);
    if (kept === value) continue;
    copy = { ...(copy ?? document), [name]: kept };
  }
  return (copy ?? document) as T;
}

function exactValue(value: unknown): unknown {
  if (typeof value === 'number') return value >= INT32 || value < -INT32 ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(exactValue);
  return typeof value === 'object' && value !== null ? exact(value) : value;
}

const exactFilter = (filter: Query['filter']): Filter<Document> => exact(filter) as Filter<Document>;

const plain = (value: unknown): unknown => (typeof value === 'bigint' ? narrow(value) : value);

function storedOf(document: Document): Stored {
  const stored: Record<string, unknown> = {};
  for (const name in document) {
    const value = document[name];
    stored[name] = typeof value === 'object' && value !== null ? storedOf(value as Stored) : plain(value);
  }
  return stored as unknown as Stored;
}

/** Beyond 64 bits a server answers with a double. */
function summed(value: unknown): number | bigint | null {
  if (typeof value === 'bigint') return narrow(value);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

function claimOf(document: Document): Claim {
  const { of, partition, batch, from, to, reach, done } = storedOf(document) as unknown as Record<string, Value>;
  invariant(typeof of === 'string' && typeof partition === 'number' && typeof batch === 'number', 'a claim is whole');
  invariant(typeof reach === 'bigint' || typeof reach === 'number', 'a claim has a reach');
  const checkpoints = { from, to } as unknown as Pick<Claim, 'from' | 'to'>;
  return { of, partition, batch, ...checkpoints, reach: BigInt(reach), done: done === true };
}
