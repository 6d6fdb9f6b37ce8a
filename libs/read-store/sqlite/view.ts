import { setImmediate } from 'node:timers/promises';
import { narrow } from '../../kernel/money.js';
import { invariant } from '../../kernel/result.js';
import type { Checkpoint, Find, Found, Key, KeyValue, MeasureValue, ReadView, Sum } from '../port.js';
import { type Cell, checkpointOf, decode, encodeKey, shapeNamed } from '../rows.js';
import { type FindPlan, planFind, planSum, type SumPlan, type Term } from '../search.js';
import type { Shape, Shapes } from '../shape.js';
import type { Connection } from './connection.js';
import { closed, named } from './errors.js';
import { quoted, tableOf } from './schema.js';

/** Statements are synchronous: after so many rows others get their turn. */
const ROWS_BETWEEN_TURNS = 500;

/** The snapshot that a connection's open read transaction holds. Ends with the transaction. */
export class SnapshotView implements ReadView {
  readonly checkpoint: Checkpoint;
  #ended: 'no' | 'read' | 'store' = 'no';
  /** Searches that were begun and not finished, each with how to let go of its statement. */
  readonly #pulling = new Set<() => void>();

  constructor(
    private readonly connection: Connection,
    private readonly directory: string,
    private readonly instance: string,
    private readonly shapes: Shapes,
    readonly checkpoints: ReadonlyMap<number, Checkpoint>,
  ) {
    this.checkpoint = checkpointOf(checkpoints, 0);
  }

  async get(collection: string, key: Key): Promise<Found | undefined> {
    const shape = this.#shape(collection);
    const values = encodeKey(shape, key);
    const names = shape.key.map(({ name }) => `${quoted(name)} = ?`);
    const sql = `SELECT ${columnsOf(shape)} FROM ${tableOf(shape.name)} WHERE ${names.join(' AND ')}`;
    const [row] = this.#all(sql, values, shape.kind === 'cells');
    return row === undefined ? undefined : decode(shape, cells(row));
  }

  async *find(collection: string, find: Find = {}): AsyncIterable<Found> {
    const shape = this.#shape(collection);
    const params: Cell[] = [];
    const sql = findSql(tableOf(shape.name), shape, planFind(shape, find), params);
    const statement = this.#named(() => this.connection.take(sql, shape.kind === 'cells'));
    let finished = false;
    const letGo = (): void => {
      if (!this.#pulling.delete(letGo)) return;
      if (!finished) this.#named(() => statement.all(params.with(0, NO_ROW)));
      this.connection.give(sql, statement);
    };
    this.#pulling.add(letGo);
    try {
      const rows = this.#named(() => statement.iterate(params)[Symbol.iterator]());
      for (let count = 1; ; count++) {
        this.#check();
        const { done, value } = this.#named(() => rows.next());
        finished = done === true;
        if (finished) return;
        yield decode(shape, cells(value));
        if (count % ROWS_BETWEEN_TURNS === 0) await setImmediate();
      }
    } finally {
      letGo();
    }
  }

  async sum(collection: string, sum: Sum): Promise<readonly Readonly<Record<string, KeyValue | MeasureValue>>[]> {
    const shape = this.#shape(collection);
    const plan = planSum(shape, sum);
    if (plan.alternatives.length === 0) return [];
    const params: Cell[] = [];
    const names = [...plan.by, ...plan.measures];
    const rows = this.#all(sumSql(tableOf(shape.name), plan, params), params, true);
    return rows.map((row) => {
      const sums: Record<string, KeyValue | MeasureValue> = {};
      for (let place = 0; place < names.length; place++) sums[names[place] as string] = figure(row[place]);
      return sums;
    });
  }

  /** No more reads, because the work is done or the store is closing. */
  end(why: 'read' | 'store'): void {
    this.#ended = why;
    for (const letGo of [...this.#pulling]) letGo();
  }

  #shape(collection: string): Shape {
    this.#check();
    return shapeNamed(this.shapes, collection);
  }

  #check(): void {
    if (this.#ended === 'store') throw closed(this.directory);
    invariant(this.#ended === 'no', `a view of ${this.instance} is used after its read ended`);
  }

  #all(sql: string, params: readonly Cell[], exact: boolean): unknown[][] {
    return this.#named(() => this.connection.all(sql, params, exact));
  }

  #named<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw named(error, this.connection.path);
    }
  }
}

/**
 * The first parameter of every search. The driver cannot let go of a statement that is half read, and while it is not,
 * its connection stays in the old snapshot; but it can run it to its end again, where this condition is tried first.
 */
const EVERY_ROW = 1;
const NO_ROW = 0;

/** The text of a search; its values are added to `params`. */
export function findSql(table: string, shape: Shape, plan: FindPlan, params: Cell[]): string {
  const order = plan.order.map(({ name, descending }) => `${quoted(name)}${descending ? ' DESC' : ''}`);
  params.push(EVERY_ROW);
  const where = ['?', ...plan.terms.map((term) => termSql(term, params))].join(' AND ');
  let sql = `SELECT ${columnsOf(shape)} FROM ${table} WHERE ${where} ORDER BY ${order.join()}`;
  if (plan.limit !== undefined) {
    sql += ' LIMIT ?';
    params.push(plan.limit);
  }
  return sql;
}

/** Each alternative is a search of its own, so that each finds its own part of the index; OR'd, none would. */
export function sumSql(table: string, plan: SumPlan, params: Cell[]): string {
  const by = plan.by.map(quoted);
  const sums = plan.measures.map((name) => `SUM(${quoted(name)})`);
  // Without `by` the count makes it an aggregate, and of no cell no row.
  const grouped = by.length > 0 ? `GROUP BY ${by.join()} ORDER BY ${by.join()}` : 'HAVING COUNT(*) > 0';
  const selected = [...by, ...sums].join() || 'COUNT(*)';
  return `SELECT ${selected} FROM ${sourceSql(table, plan, params)} ${grouped}`;
}

function sourceSql(table: string, plan: SumPlan, params: Cell[]): string {
  const [only = []] = plan.alternatives;
  if (plan.alternatives.length === 1) return `${table}${whereSql(only, params)}`;
  const names = [...plan.by, ...plan.measures].map(quoted).join() || '1';
  const parts = plan.alternatives.map((terms) => `SELECT ${names} FROM ${table}${whereSql(terms, params)}`);
  return `(${parts.join(' UNION ALL ')})`;
}

function whereSql(terms: readonly Term[], params: Cell[]): string {
  if (terms.length === 0) return '';
  return ` WHERE ${terms.map((term) => termSql(term, params)).join(' AND ')}`;
}

function termSql(term: Term, params: Cell[]): string {
  const name = quoted(term.name);
  if (term.is === 'null') return `${name} IS NULL`;
  if (term.is === 'in') {
    params.push(...term.values);
    return `${name} IN (${Array(term.values.length).fill('?').join()})`;
  }
  params.push(term.value);
  return `${name} ${term.is} ?`;
}

const columnsOf = (shape: Shape): string => shape.columns.map(({ name }) => quoted(name)).join();

function cells(row: readonly unknown[]): Cell[] {
  return row.map(cell);
}

/** The columns are strict: nothing else can stand in them. */
function cell(value: unknown): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
    return value;
  invariant(false, `a ${typeof value} came back from a strict column`);
}

function figure(value: unknown): KeyValue | MeasureValue {
  const known = cell(value);
  invariant(known !== null, 'a sum came back as null');
  return typeof known === 'bigint' ? narrow(known) : known;
}
