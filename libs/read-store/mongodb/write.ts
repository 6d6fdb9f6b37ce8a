import { InvariantBroken, invariant } from '../../kernel/result.js';
import type { ApplyOutcome } from '../port.js';
import { type Cell, type Encoded, INT64_MAX, keyText, sameCheckpoint } from '../rows.js';
import type { Column, Shape } from '../shape.js';
import { type State, stateIn, stateOf, statesOf, topOf } from './claims.js';
import { addWithin, type Folded, measureOf } from './fold.js';
import type { Claim, Shelf, Stored, Value, Write } from './shelf.js';

/** Writes in one call: some hundred kilobytes, so that several calls are under way beside one another. */
export const WRITES_AT_ONCE = 1_000;
/** Calls under way at once, of one batch. */
const CALLS_AT_ONCE = 4;
/** Documents asked for in one query. */
const IDS_AT_ONCE = 1_000;
/** Claims below the highest are of no use, and each look reads them; they are forgotten so many at a time. */
const FORGET_EVERY = 8;

/** The instance was dropped, or lost with its database, and may have been made anew. */
export class Dropped extends Error {}

/** Where an instance's collections are, as it was made this time. */
export interface Owner {
  readonly of: string;
  collectionOf(shape: Shape): string;
}

/** Where partitions were last seen to stand: what is known saves a query, what is out of date costs one. */
export type Known = Map<string, State>;

/** A partition as its claims have it. */
interface Look {
  readonly state: State;
  /** The batches whose claims tell nothing any more. */
  readonly past: readonly number[];
}

/** A document of one partition: no two partitions meet on one. */
export const idOf = (partition: number, shape: Shape, row: readonly Cell[]): string =>
  `${partition}/${keyText(row, shape.key.length)}`;

/**
 * Applies a batch (docs/adr/0014). It is claimed, its documents are written, each guarded by its own last batch, and the
 * claim is set to done. Whoever finds the claim with the same boundaries does the same again, and changes nothing twice.
 * A batch that changes nothing is done with its claim.
 */
export async function applyFolded(
  shelf: Shelf,
  owner: Owner,
  folded: Folded,
  known: Known,
  forgetEvery = FORGET_EVERY,
): Promise<ApplyOutcome> {
  const { batch, collections } = folded;
  const line = `${owner.of}/${batch.partition}`;
  const found = await claim(shelf, owner, folded, known, line);
  if ('outcome' in found) {
    known.delete(line);
    return found;
  }
  const { claim: claimed, past } = found;
  const calls: (() => Promise<void>)[] = [];
  for (const [shape, encoded] of collections) {
    for (let at = 0; at < encoded.length; at += WRITES_AT_ONCE) {
      const some = encoded.slice(at, at + WRITES_AT_ONCE);
      const work = shape.kind === 'cells' ? writeCells : writeDocuments;
      calls.push(() => work(shelf, owner, shape, claimed, some));
    }
  }
  await atOnce(calls, CALLS_AT_ONCE);
  if (!claimed.done) await shelf.done(claimed);
  known.set(line, stateOf({ ...claimed, done: true }));
  if (past.length >= forgetEvery) await shelf.forget(owner.of, claimed.partition, past);
  return { outcome: 'applied' };
}

/** The claim of a batch, ours or one of the same boundaries that another left; or where the partition stands instead. */
async function claim(
  shelf: Shelf,
  owner: Owner,
  folded: Folded,
  known: Known,
  line: string,
): Promise<{ readonly claim: Claim; readonly past: readonly number[] } | ApplyOutcome> {
  const { partition, from, to } = folded.batch;
  const seen = known.get(line);
  let { state, past } = seen === undefined ? await look(shelf, owner, partition) : { state: seen, past: [] };
  for (;;) {
    if (!sameCheckpoint(state.checkpoint, from)) {
      if (!known.delete(line)) return elsewhere(state);
      ({ state, past } = await look(shelf, owner, partition));
      continue;
    }
    const { inFlight } = state;
    if (inFlight !== null) return sameCheckpoint(inFlight.to, to) ? { claim: inFlight, past } : elsewhere(state);
    const reach = await reachAfter(shelf, owner, folded, state);
    const done = [...folded.collections.values()].every((encoded) => encoded.length === 0);
    const own: Claim = { of: owner.of, partition, batch: state.batch + 1, from, to, reach, done };
    const isOurs = await shelf.claim(own);
    // One of this number may have been whole and forgotten while we slept: then a higher one stands.
    ({ state, past } = await look(shelf, owner, partition));
    known.delete(line);
    if (isOurs && topOf(state) === own.batch && (state.inFlight === null) === done) return { claim: own, past };
  }
}

async function look(shelf: Shelf, { of }: Owner, partition: number): Promise<Look> {
  const claims = await shelf.claims(of);
  if (claims === null) throw new Dropped(of);
  const state = stateIn(statesOf(claims), partition);
  const past = claims.filter((it) => it.partition === partition && it.batch < topOf(state)).map(({ batch }) => batch);
  return { state, past };
}

function elsewhere({ checkpoint, inFlight }: State): ApplyOutcome {
  return { outcome: 'elsewhere', checkpoint, ...(inFlight === null ? {} : { inFlight: inFlight.to }) };
}

/**
 * How far any measure may be from 0 after a batch. While that is within 64 bits no cell is looked at; beyond, each one is
 * read, so that a batch which one of them refuses is not even begun.
 */
async function reachAfter(shelf: Shelf, owner: Owner, folded: Folded, state: State): Promise<bigint> {
  const reach = state.reach + folded.reach;
  if (reach <= INT64_MAX) return reach;
  for (const [shape, encoded] of folded.collections) {
    if (shape.kind !== 'cells') continue;
    const found = await documentsOf(shelf, owner, shape, folded.batch.partition, encoded);
    for (const { row } of encoded) {
      const stored = found.get(idOf(folded.batch.partition, shape, row));
      // Written by a twin of this batch meanwhile: it was as well within.
      if (stored === undefined || stored._batch > state.batch) continue;
      for (const [place, { name }] of shape.rest.entries()) {
        addWithin(shape, amountOf(stored[name]), measureOf(row[shape.key.length + place]));
      }
    }
  }
  return INT64_MAX;
}

/** Of a cell that is met at its own batch, or a later one, its change is there. */
async function writeCells(
  shelf: Shelf,
  owner: Owner,
  shape: Shape,
  { partition, batch }: Claim,
  encoded: readonly Encoded[],
): Promise<void> {
  const writes = encoded.map(({ row }): Write => {
    const add: Record<string, number | bigint> = {};
    for (const [place, { name }] of shape.rest.entries()) {
      const more = measureOf(row[shape.key.length + place]);
      if (more !== 0 && more !== 0n) add[name] = more;
    }
    const made = { ...columnsOf(shape.key, row), _partition: partition, _first: batch };
    return { kind: 'add', id: idOf(partition, shape, row), batch, add, made };
  });
  await shelf.write(owner.collectionOf(shape), writes);
}

/** Most documents are new: what is met is read, and replaced where the batch has not done so. */
async function writeDocuments(
  shelf: Shelf,
  owner: Owner,
  shape: Shape,
  claimed: Claim,
  encoded: readonly Encoded[],
): Promise<void> {
  const collection = owner.collectionOf(shape);
  const puts = encoded.filter(({ op }) => op === 'put');
  const made = puts.map(({ row }): Write => ({ kind: 'insert', document: documentOf(shape, claimed, row, null) }));
  const met = made.length === 0 ? [] : await shelf.write(collection, made);
  const others = [...encoded.filter(({ op }) => op === 'remove'), ...met.map((place) => puts[place] as Encoded)];
  if (others.length === 0) return;
  const found = await documentsOf(shelf, owner, shape, claimed.partition, others);
  const replaced = others.flatMap(({ op, row }): Write[] => {
    const stored = found.get(idOf(claimed.partition, shape, row));
    if (stored === undefined || stored._batch >= claimed.batch) return [];
    if (op === 'remove' && stored._removed === true) return [];
    const before = stored._removed === true ? null : fieldsOf(shape, stored);
    const document = documentOf(shape, claimed, row, before);
    return [
      { kind: 'replace', seen: stored._batch, document: op === 'remove' ? { ...document, _removed: true } : document },
    ];
  });
  if (replaced.length > 0) await shelf.write(collection, replaced);
}

function documentOf(
  shape: Shape,
  { partition, batch }: Claim,
  row: readonly Cell[],
  before: { readonly [field: string]: Value } | null,
): Stored {
  return {
    ...{ _id: idOf(partition, shape, row), _partition: partition, _batch: batch },
    ...columnsOf(row.length === shape.key.length ? shape.key : shape.columns, row),
    _before: before,
  };
}

async function documentsOf(
  shelf: Shelf,
  owner: Owner,
  shape: Shape,
  partition: number,
  encoded: readonly Encoded[],
): Promise<ReadonlyMap<string, Stored>> {
  const found = new Map<string, Stored>();
  for (let at = 0; at < encoded.length; at += IDS_AT_ONCE) {
    const ids = encoded.slice(at, at + IDS_AT_ONCE).map(({ row }) => idOf(partition, shape, row));
    const pages = shelf.read(owner.collectionOf(shape), { filter: { _id: { $in: ids } } });
    for await (const page of pages) for (const stored of page) found.set(stored._id, stored);
  }
  return found;
}

const columnsOf = (columns: readonly Column[], row: readonly Cell[]): { [column: string]: Cell } =>
  Object.fromEntries(columns.map(({ name }, place) => [name, row[place] ?? null]));

const fieldsOf = (shape: Shape, stored: Stored): { [field: string]: Value } =>
  Object.fromEntries(shape.rest.map(({ name }) => [name, stored[name] ?? null]));

/** A measure that was never added to is not stored. */
export function amountOf(value: Value | undefined): number | bigint {
  if (value === undefined) return 0;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  throw new InvariantBroken(`a measure is a number, not a ${typeof value}`);
}

/** All calls, some at once; after a failure none is begun, and those under way are waited for. */
async function atOnce(calls: readonly (() => Promise<void>)[], width: number): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let call = calls[next++]; call !== undefined && !failed; call = calls[next++]) {
      await call().catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const lanes = await Promise.allSettled([...Array(Math.min(width, calls.length)).keys()].map(lane));
  for (const it of lanes) if (it.status === 'rejected') throw it.reason;
  invariant(next >= calls.length, 'every write of a batch was made');
}
