import { addExact } from '../../kernel/money.js';
import { invariant } from '../../kernel/result.js';
import type { Checkpoint, Find, Found, Key, KeyValue, MeasureValue, ReadView, Sum } from '../port.js';
import {
  checkpointOf,
  decode,
  encodeKey,
  INT64_MAX,
  INT64_MIN,
  keyText,
  overflow,
  type Row,
  shapeNamed,
} from '../rows.js';
import { compareFound, type FindPlan, meets, planFind, planSum, type SumPlan, scalar, type Term } from '../search.js';
import type { Shape, Shapes } from '../shape.js';
import type { Entry } from './tables.js';

type Sums = Readonly<Record<string, KeyValue | MeasureValue>>;

/** One state of what was applied in memory, on top of one state of the store below, if there is one. */
export class CombinedView implements ReadView {
  readonly checkpoint: Checkpoint;
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
  #ended = false;

  constructor(
    private readonly shapes: Shapes,
    private readonly tables: ReadonlyMap<string, ReadonlyMap<string, Entry>>,
    own: ReadonlyMap<number, Checkpoint>,
    private readonly base: ReadView | undefined,
  ) {
    this.checkpoints = new Map([...(base?.checkpoints ?? []), ...own]);
    this.checkpoint = checkpointOf(this.checkpoints, 0);
  }

  async get(collection: string, key: Key): Promise<Found | undefined> {
    const [shape, rows] = this.#table(collection);
    const entry = rows.get(keyText(encodeKey(shape, key), shape.key.length));
    if (entry !== undefined && 'removed' in entry) return undefined;
    const own = entry === undefined ? undefined : decode(shape, entry.row);
    if (own !== undefined && shape.kind === 'documents') return own;
    const below = await this.base?.get(collection, key);
    return own === undefined || below === undefined ? (own ?? below) : sumOf(shape, below, own);
  }

  async *find(collection: string, find: Find = {}): AsyncIterable<Found> {
    const [shape, rows] = this.#table(collection);
    const plan = planFind(shape, find);
    let left = plan.limit ?? Number.POSITIVE_INFINITY;
    if (left === 0) return;
    for await (const found of merged(shape, plan, rows, this.base?.find(collection, baseFind(find, rows)))) {
      invariant(!this.#ended, 'a view is used after its read ended');
      yield found;
      if (--left === 0) return;
    }
  }

  async sum(collection: string, sum: Sum): Promise<readonly Sums[]> {
    const [shape, rows] = this.#table(collection);
    const plan = planSum(shape, sum);
    const groups = new Map<string, Record<string, KeyValue | MeasureValue>>();
    for (const below of (await this.base?.sum(collection, sum)) ?? []) addGroup(plan, groups, below);
    for (const entry of rows.values()) {
      if ('removed' in entry) continue;
      let cell: Found | undefined;
      for (const terms of plan.alternatives) {
        if (!meetsAll(shape, terms, entry.row)) continue;
        cell ??= decode(shape, entry.row);
        addGroup(plan, groups, cell);
      }
    }
    for (const group of groups.values()) checkBounds(shape, plan, group);
    const order = plan.by.map((name) => ({ name, descending: false }));
    return [...groups.values()].sort((a, b) => compareFound(order, a, b));
  }

  end(): void {
    this.#ended = true;
  }

  #table(collection: string): [Shape, ReadonlyMap<string, Entry>] {
    invariant(!this.#ended, 'a view is used after its read ended');
    return [shapeNamed(this.shapes, collection), this.tables.get(collection) ?? new Map()];
  }
}

/** Any of the rows here may hide one below, so that many more are asked for; the merge stops at the limit. */
function baseFind(find: Find, rows: ReadonlyMap<string, Entry>): Find {
  return find.limit === undefined ? find : { ...find, limit: find.limit + rows.size };
}

/** What is found here and below, in one order: a document here hides the one below, a cell here is added to it. */
async function* merged(
  shape: Shape,
  plan: FindPlan,
  rows: ReadonlyMap<string, Entry>,
  below: AsyncIterable<Found> = nothing(),
): AsyncIterable<Found> {
  const own = sorted(shape, plan, rows);
  let next = 0;
  for await (const found of below) {
    for (let head = own[next]; head !== undefined && compareFound(plan.order, head, found) < 0; head = own[++next]) {
      yield head;
    }
    const hiding = rows.get(keyTextOf(shape, found));
    if (hiding === undefined) yield found;
    // The order is total and of the key alone: the same cell is next on both sides.
    else if (shape.kind === 'cells') yield sumOf(shape, found, own[next++] ?? {});
  }
  yield* own.slice(next);
}

async function* nothing(): AsyncIterable<Found> {}

function sorted(shape: Shape, plan: FindPlan, rows: ReadonlyMap<string, Entry>): Found[] {
  const found: Found[] = [];
  for (const entry of rows.values()) {
    if ('removed' in entry) continue;
    if (meetsAll(shape, plan.terms, entry.row)) found.push(decode(shape, entry.row));
  }
  return found.sort((a, b) => compareFound(plan.order, a, b));
}

/** Asked of the row as it is kept: most of those that are gone through are not what is sought. */
const meetsAll = ({ places }: Shape, terms: readonly Term[], row: Row): boolean =>
  terms.every((term) => meets(term, scalar(row[places.get(term.name) as number] ?? null)));

const keyTextOf = (shape: Shape, found: Found): string =>
  keyText(
    shape.key.map(({ name }) => scalar(found[name])),
    shape.key.length,
  );

function sumOf(shape: Shape, a: Found, b: Found): Found {
  const sum: Record<string, unknown> = { ...a };
  for (const { name, type } of shape.columns) {
    if (type === 'measure') sum[name] = addExact(amount(a[name]), amount(b[name]));
  }
  return sum;
}

function addGroup(plan: SumPlan, groups: Map<string, Record<string, KeyValue | MeasureValue>>, cell: Found): void {
  const by = plan.by.map((name) => scalar(cell[name]));
  const text = keyText(by, by.length);
  let group = groups.get(text);
  if (group === undefined) {
    group = {};
    for (const [place, name] of plan.by.entries()) group[name] = by[place] ?? '';
    for (const name of plan.measures) group[name] = 0;
    groups.set(text, group);
  }
  for (const name of plan.measures) group[name] = addExact(amount(group[name]), amount(cell[name]));
}

function checkBounds(shape: Shape, plan: SumPlan, group: Sums): void {
  for (const name of plan.measures) {
    const sum = amount(group[name]);
    if (typeof sum === 'bigint' && (sum > INT64_MAX || sum < INT64_MIN)) throw overflow(shape.name);
  }
}

function amount(value: unknown): MeasureValue {
  invariant(typeof value === 'number' || typeof value === 'bigint', `a measure is a number, not a ${typeof value}`);
  return value;
}
