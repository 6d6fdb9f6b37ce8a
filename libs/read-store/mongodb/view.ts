import { invariant } from '../../kernel/result.js';
import type { Checkpoint, Find, Found, Key, KeyValue, MeasureValue, ReadView, Sum } from '../port.js';
import { checkpointOf, decode, encodeKey, keyText, type Row, shapeNamed } from '../rows.js';
import { compareFound, type FindPlan, meets, planFind, planSum, type SumPlan, scalar, type Term } from '../search.js';
import type { Shape, Shapes } from '../shape.js';
import { type State, stateIn, statesOf, topOf } from './claims.js';
import { closed } from './errors.js';
import { addWithin } from './fold.js';
import type { Query, Shelf, Stored, Value } from './shelf.js';
import { amountOf, type Owner } from './write.js';

/** A document was touched twice since the view began: its value of then is gone, and the read begins again. */
export class Moved extends Error {}

type Sums = Record<string, KeyValue | MeasureValue>;

/**
 * The state in which partitions stood when the view began: without the batches that were in flight. A document that no
 * batch has touched since is as it was; one that the next batch touched has its values from before it; of one that was
 * touched again they are gone, and `Moved` says so (docs/adr/0014).
 */
export class StateView implements ReadView {
  readonly checkpoint: Checkpoint;
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
  /** Whether more than the checkpoints was asked for. */
  hasRead = false;
  #ended: 'no' | 'read' | 'store' = 'no';

  constructor(
    private readonly shelf: Shelf,
    private readonly owner: Owner,
    private readonly shapes: Shapes,
    private readonly states: ReadonlyMap<number, State>,
    private readonly place: string,
  ) {
    const whole = [...states].filter(([, { batch }]) => batch > 0);
    this.checkpoints = new Map(whole.map(([partition, { checkpoint }]) => [partition, checkpoint]));
    this.checkpoint = checkpointOf(this.checkpoints, 0);
  }

  async get(collection: string, key: Key): Promise<Found | undefined> {
    const shape = this.#shape(collection);
    const values = encodeKey(shape, key);
    // By the columns of the key, which an index begins with: who asks by `_id` names every partition.
    const filter = Object.fromEntries(shape.key.map(({ name }, place) => [name, values[place]]));
    let found: Found | undefined;
    for await (const page of this.#pages(shape, { filter })) {
      for (const stored of page) found = merged(shape, found, this.#asItWas(shape, stored));
    }
    return found;
  }

  async *find(collection: string, find: Find = {}): AsyncIterable<Found> {
    const shape = this.#shape(collection);
    const plan = planFind(shape, find);
    let left = plan.limit ?? Number.POSITIVE_INFINITY;
    if (left === 0) return;
    const found = shape.kind === 'cells' ? this.#cells(shape, plan) : this.#documents(shape, plan);
    for await (const row of found) {
      this.#check();
      yield row;
      if (--left === 0) return;
    }
  }

  async sum(collection: string, sum: Sum): Promise<readonly Readonly<Sums>[]> {
    const shape = this.#shape(collection);
    const plan = planSum(shape, sum);
    const groups = (await this.#sumThere(shape, plan)) ?? (await this.#sumHere(shape, plan));
    const order = plan.by.map((name) => ({ name, descending: false }));
    return [...groups.values()].sort((a, b) => compareFound(order, a, b));
  }

  end(why: 'read' | 'store'): void {
    if (this.#ended === 'no') this.#ended = why;
  }

  /** Keys of cells never change, so each is met once, wherever its partitions stand. */
  async *#cells(shape: Shape, plan: FindPlan): AsyncIterable<Found> {
    const key = shape.key.map(({ name }) => ({ name, descending: false }));
    const limit = plan.limit === undefined || this.#inFlight() ? undefined : plan.limit * Math.max(1, this.states.size);
    let cell: Found | undefined;
    let pages = 0;
    for await (const page of this.#pages(shape, queryOf(plan, {}, limit))) {
      pages += page.length;
      for (const stored of page) {
        const next = this.#asItWas(shape, stored);
        if (next === undefined) continue;
        if (cell !== undefined && compareFound(key, cell, next) !== 0) yield cell;
        cell = cell !== undefined && compareFound(key, cell, next) === 0 ? merged(shape, cell, next) : next;
      }
    }
    // Cut off by the limit, a cell may lack a partition; what is new since may have taken the place of others.
    const cut = limit !== undefined && pages >= limit;
    if (cut && (await this.#touched()).length > 0) throw new Moved();
    if (cell !== undefined) yield cell;
  }

  /**
   * What a batch touched may have left the search or moved in its order. So of each page only what nobody touched is
   * taken, and what was touched is asked for after it, by its batch, and put where it stood. A document is then met
   * either untouched in its place, or as touched by a query that came later.
   */
  async *#documents(shape: Shape, plan: FindPlan): AsyncIterable<Found> {
    const limit = this.#inFlight() ? undefined : plan.limit;
    let passed: Found | undefined;
    for await (const page of this.#pages(shape, queryOf(plan, { _removed: null }, limit))) {
      const last = page.at(-1);
      if (last === undefined) continue;
      const touched = await this.#touchedNow(shape, plan);
      if (limit !== undefined && touched.size > 0) throw new Moved();
      const upTo = foundOf(shape, last);
      yield* this.#between(
        plan,
        page.filter(isUntouched(this.states)).map((it) => [it._id, foundOf(shape, it)]),
        touched,
        passed,
        upTo,
      );
      passed = upTo;
    }
    const touched = await this.#touchedNow(shape, plan);
    if (limit !== undefined && touched.size > 0) throw new Moved();
    yield* this.#between(plan, [], touched, passed, undefined);
  }

  #between(
    plan: FindPlan,
    untouched: readonly (readonly [string, Found])[],
    touched: ReadonlyMap<string, Found | undefined>,
    after: Found | undefined,
    upTo: Found | undefined,
  ): Found[] {
    const rows = untouched.filter(([id]) => !touched.has(id)).map(([, found]) => found);
    for (const found of touched.values()) {
      if (found === undefined || !plan.terms.every((term) => meets(term, scalar(found[term.name])))) continue;
      if (after !== undefined && compareFound(plan.order, found, after) <= 0) continue;
      if (upTo !== undefined && compareFound(plan.order, found, upTo) > 0) continue;
      rows.push(found);
    }
    return rows.sort((a, b) => compareFound(plan.order, a, b));
  }

  /** What was touched since the view began, as it was, by id: of the part of the collection that the search names by key. */
  async #touchedNow(shape: Shape, plan: FindPlan): Promise<ReadonlyMap<string, Found | undefined>> {
    const touched = new Map<string, Found | undefined>();
    const since = await this.#touched();
    if (since.length === 0) return touched;
    const keys = new Set(shape.key.map(({ name }) => name));
    const filter = {
      ...filterOf(plan.terms.filter(({ name }) => keys.has(name))),
      $or: since.map((partition) => ({
        _partition: partition,
        _batch: { $gt: stateIn(this.states, partition).batch },
      })),
    };
    for await (const page of this.#pages(shape, { filter })) {
      for (const stored of page) touched.set(stored._id, this.#asItWas(shape, stored));
    }
    return touched;
  }

  /** Added up by the server, where it touched nothing from before to after; undefined where it did. */
  async #sumThere(shape: Shape, plan: SumPlan): Promise<Map<string, Sums> | undefined> {
    if (this.#inFlight()) return undefined;
    const groups = new Map<string, Sums>();
    const asked = plan.alternatives.map((terms) =>
      this.shelf.group(this.owner.collectionOf(shape), {
        filter: filterOf(terms),
        by: plan.by,
        measures: plan.measures,
      }),
    );
    const answers = await Promise.all(asked);
    this.#check();
    if (answers.includes(null) || (await this.#touched()).length > 0) return undefined;
    for (const { by, sums } of answers.flatMap((rows) => rows ?? [])) {
      // The server left 64 bits on the way: here the exact sum tells whether it comes back.
      if (sums.some((sum) => sum === null)) return undefined;
      addRow(shape, plan, groups, by, (place) => sums[place] ?? 0);
    }
    return groups;
  }

  async #sumHere(shape: Shape, plan: SumPlan): Promise<Map<string, Sums>> {
    const groups = new Map<string, Sums>();
    for (const terms of plan.alternatives) {
      for await (const page of this.#pages(shape, { filter: filterOf(terms) })) {
        for (const stored of page) {
          const cell = this.#asItWas(shape, stored);
          if (cell === undefined) continue;
          const by = plan.by.map((name) => scalar(cell[name]) as KeyValue);
          addRow(shape, plan, groups, by, (place) => amountOf(cell[plan.measures[place] as string] as Value));
        }
      }
    }
    return groups;
  }

  #asItWas(shape: Shape, stored: Stored): Found | undefined {
    const { batch } = stateIn(this.states, stored._partition);
    if (stored._batch <= batch) return stored._removed === true ? undefined : foundOf(shape, stored);
    if (stored._batch > batch + 1) throw new Moved();
    if (shape.kind === 'documents') {
      return stored._before == null ? undefined : foundOf(shape, { ...stored, ...stored._before });
    }
    return (stored._first ?? 0) > batch ? undefined : foundOf(shape, { ...stored, ...earlier(shape, stored) });
  }

  #inFlight(): boolean {
    return [...this.states.values()].some(({ inFlight }) => inFlight !== null);
  }

  /** Partitions of which a batch may have touched something since the view began. */
  async #touched(): Promise<number[]> {
    const claims = await this.shelf.claims(this.owner.of);
    this.#check();
    // Dropped meanwhile: nobody writes to it any more, and it is there until reads have ended.
    if (claims === null) return [...this.states].filter(([, { inFlight }]) => inFlight !== null).map(([it]) => it);
    return [...statesOf(claims)]
      .filter(([partition, state]) => topOf(state) > stateIn(this.states, partition).batch)
      .map(([partition]) => partition);
  }

  async *#pages(shape: Shape, query: Query): AsyncIterable<readonly Stored[]> {
    for await (const page of this.shelf.read(this.owner.collectionOf(shape), query)) {
      this.#check();
      yield page;
    }
  }

  #shape(collection: string): Shape {
    this.#check();
    this.hasRead = true;
    return shapeNamed(this.shapes, collection);
  }

  #check(): void {
    if (this.#ended === 'store') throw closed(this.place);
    invariant(this.#ended === 'no', `a view of ${this.owner.of} is used after its read ended`);
  }
}

const isUntouched =
  (states: ReadonlyMap<number, State>) =>
  ({ _partition, _batch }: Stored): boolean =>
    _batch <= stateIn(states, _partition).batch;

function foundOf(shape: Shape, stored: Stored): Found {
  const absent = shape.kind === 'cells' ? 0 : null;
  return decode(shape, shape.columns.map(({ name }) => stored[name] ?? absent) as Row);
}

/** A cell without what its last batch added. */
function earlier(shape: Shape, stored: Stored): Record<string, number | bigint> {
  const values: Record<string, number | bigint> = {};
  for (const [name, added] of Object.entries(stored._last ?? {})) {
    values[name] = addWithin(shape, amountOf(stored[name]), -amountOf(added));
  }
  return values;
}

/** Cells of two partitions are one; a document is of one partition only. */
function merged(shape: Shape, a: Found | undefined, b: Found | undefined): Found | undefined {
  if (a === undefined || b === undefined || shape.kind === 'documents') return b ?? a;
  const sum: Record<string, unknown> = { ...a };
  for (const { name } of shape.rest)
    sum[name] = addWithin(shape, amountOf(a[name] as Value), amountOf(b[name] as Value));
  return sum;
}

function addRow(
  shape: Shape,
  plan: SumPlan,
  groups: Map<string, Sums>,
  by: readonly KeyValue[],
  more: (place: number) => number | bigint,
): void {
  const text = keyText(by, by.length);
  const group = groups.get(text) ?? {};
  if (!groups.has(text)) {
    plan.by.forEach((name, place) => {
      group[name] = by[place] as KeyValue;
    });
    groups.set(text, group);
  }
  plan.measures.forEach((name, place) => {
    group[name] = addWithin(shape, (group[name] ?? 0) as MeasureValue, more(place));
  });
}

function queryOf({ terms, order }: FindPlan, more: Query['filter'], limit: number | undefined): Query {
  const sort: Record<string, 1 | -1> = {};
  for (const { name, descending } of order) sort[name] = descending ? -1 : 1;
  sort._partition = order.at(-1)?.descending === true ? -1 : 1;
  const query = { filter: { ...filterOf(terms), ...more }, sort };
  return limit === undefined ? query : { ...query, limit };
}

const OPERATORS = { '=': '$eq', '>=': '$gte', '<=': '$lte', '>': '$gt', '<': '$lt' } as const;

function filterOf(terms: readonly Term[]): Record<string, Record<string, unknown>> {
  const filter: Record<string, Record<string, unknown>> = {};
  for (const term of terms) {
    const bound = filter[term.name] ?? {};
    if (term.is === 'null') bound.$eq = null;
    else if (term.is === 'in') bound.$in = term.values;
    else bound[OPERATORS[term.is]] = term.value;
    filter[term.name] = bound;
  }
  return filter;
}
