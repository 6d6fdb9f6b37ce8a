import type { LocalDate } from '../../kernel/dates.js';
import type { Envelope } from '../../kernel/envelope.js';
import { type DataOf, type Fields, readFields } from '../../kernel/fields.js';
import { type Amount, addExact } from '../../kernel/money.js';
import { invariant } from '../../kernel/result.js';
import { foldChanges } from '../../read-store/fold.js';
import type { Change, Condition, Find, Found, Key, ReadView, Where } from '../../read-store/port.js';

import { type AsOf, type Projection, project, type Query } from '../projection.js';

/*
 * For specs: a read model as maps, with nothing checked. Specs that are about storage use the store in memory, which
 * passed the contract.
 */

export class TinyView implements ReadView {
  /** All that is in it has been taken. */
  readonly checkpoint = { sequence: 0, position: '9'.repeat(20) };
  readonly checkpoints = new Map([[0, this.checkpoint]]);
  readonly #collections = new Map<string, Map<string, Record<string, unknown>>>();
  /** What `sum` looked at, to count the cells that a query reads. */
  cellsRead = 0;

  apply(changes: readonly Change[]): this {
    for (const change of changes) this.#apply(change);
    return this;
  }

  /** Every row, for comparing two views; cells that came to nothing are left out. */
  rows(): readonly string[] {
    const rows: string[] = [];
    for (const [name, documents] of this.#collections) {
      for (const [key, row] of documents) {
        const { key: names, ...rest } = row;
        // A measure that is not there is 0.
        const some = Object.entries((row.measures ?? {}) as object).filter(([, amount]) => amount !== 0);
        if (!('measures' in row)) rows.push(`${name} ${key} ${JSON.stringify([names, rest], sorted)}`);
        else if (some.length > 0)
          rows.push(`${name} ${key} ${JSON.stringify([names, Object.fromEntries(some)], sorted)}`);
      }
    }
    return rows.sort();
  }

  /** Every cell as it stands. */
  cells(): readonly { readonly collection: string; readonly key: Key; readonly measures: Record<string, Amount> }[] {
    return [...this.#collections].flatMap(([collection, documents]) =>
      [...documents.values()].flatMap((row) =>
        'measures' in row
          ? [{ collection, key: row.key as Key, measures: { ...(row.measures as Record<string, Amount>) } }]
          : [],
      ),
    );
  }

  async get(collection: string, key: Key): Promise<Found | undefined> {
    const row = this.#collection(collection).get(keyText(key));
    return row && flat(row);
  }

  async *find(collection: string, { where = {}, order = [], limit = Infinity }: Find = {}): AsyncIterable<Found> {
    const rows = [...this.#collection(collection).values()].map(flat).filter((row) => meets(row, where));
    const names = [...order, ...Object.keys(rows[0] ?? {})];
    rows.sort((a, b) => compare(names, a, b));
    yield* rows.slice(0, limit);
  }

  async sum(collection: string, { where, by, measures }: Parameters<ReadView['sum']>[1]) {
    const groups = new Map<string, Record<string, string | Amount>>();
    for (const cell of this.#collection(collection).values()) {
      const row = flat(cell);
      for (const terms of where) {
        if (!meets(row, terms)) continue;
        this.cellsRead++;
        const keys = Object.fromEntries(by.map((name) => [name, row[name] as string]));
        const name = JSON.stringify(keys);
        const group = groups.get(name) ?? { ...keys, ...Object.fromEntries(measures.map((measure) => [measure, 0])) };
        for (const measure of measures) {
          group[measure] = addExact(group[measure] as Amount, (row[measure] ?? 0) as Amount);
        }
        groups.set(name, group);
      }
    }
    return [...groups.values()].sort((a, b) => compare(by, a, b));
  }

  #apply(change: Change): void {
    const documents = this.#collection(change.collection);
    const key = keyText(change.key);
    if (change.op === 'remove') documents.delete(key);
    if (change.op === 'put') documents.set(key, { key: change.key, ...JSON.parse(JSON.stringify(change.fields)) });
    if (change.op !== 'add') return;
    const cell = (documents.get(key) ?? { key: change.key, measures: {} }) as { measures: Record<string, Amount> };
    for (const [name, amount] of Object.entries(change.measures)) {
      cell.measures[name] = addExact(cell.measures[name] ?? 0, amount);
    }
    documents.set(key, cell);
  }

  #collection(name: string): Map<string, Record<string, unknown>> {
    let documents = this.#collections.get(name);
    if (documents === undefined) {
      documents = new Map();
      this.#collections.set(name, documents);
    }
    return documents;
  }
}

const flat = ({ key, measures, ...fields }: Record<string, unknown>): Record<string, unknown> => ({
  ...(key as object),
  ...(measures as object | undefined),
  ...fields,
});

const keyText = (key: Key): string => JSON.stringify(key, sorted);

function sorted(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function meets(row: Record<string, unknown>, where: Where): boolean {
  return Object.entries(where).every(([name, condition]) => meetsOne(row[name] as string | number | null, condition));
}

function meetsOne(value: string | number | null, condition: Condition): boolean {
  if (condition === null || typeof condition !== 'object') return value === condition;
  if ('in' in condition) return value !== null && condition.in.includes(value);
  const { gte, lte, gt, lt } = condition;
  return (
    value !== null &&
    (gte === undefined || value >= gte) &&
    (lte === undefined || value <= lte) &&
    (gt === undefined || value > gt) &&
    (lt === undefined || value < lt)
  );
}

function compare(names: readonly string[], a: Record<string, unknown>, b: Record<string, unknown>): number {
  for (const term of names) {
    const [name, before] = term.startsWith('-') ? [term.slice(1), 1] : [term, -1];
    const [left, right] = [a[name] as string | number, b[name] as string | number];
    if (left !== right) return left < right ? before : -before;
  }
  return 0;
}

/** What a batch of events changes, folded and rolled up as the engine does. */
export function changesOf(projection: Projection, events: Iterable<Envelope>): readonly Change[] {
  const changes: Change[] = [];
  for (const event of events) changes.push(...project(projection, event));
  const folded = foldChanges(changes);
  return projection.rollUp?.(folded) ?? folded;
}

/** The read model of a projection after these events. */
export const viewOf = (projection: Projection, events: Iterable<Envelope>): TinyView =>
  new TinyView().apply(changesOf(projection, events));

/** A query's answer, its parameters read as a caller's would be. */
export async function ask<P extends Fields, Answer>(
  query: Query<P, Answer>,
  view: ReadView,
  parameters: Readonly<Record<string, unknown>>,
  at: { readonly asOf: LocalDate; readonly knownOn?: LocalDate | null },
): Promise<Answer> {
  const read = readFields(query.parameters, parameters);
  invariant(read.ok, `parameters of ${query.name}: ${JSON.stringify(read)}`);
  const days: AsOf = { asOf: at.asOf, knownOn: at.knownOn ?? null, today: '2199-12-31' as LocalDate };
  const answer = await query.run(view, read.value as DataOf<P>, days);
  invariant(answer !== null, `${query.name} knows it: ${query.missing}`);
  return answer;
}
