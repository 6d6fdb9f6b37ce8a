import { setImmediate } from 'node:timers/promises';
import { invariant } from '../../kernel/result.js';
import { alike, isNothing } from '../compare.js';
import type { Difference, Found } from '../port.js';
import { type Cell, decode, type Row } from '../rows.js';
import type { Shape } from '../shape.js';
import type { Connection } from './connection.js';
import { isWide, quoted, tableOf } from './schema.js';

/** The schema under which the other instance's file is attached. */
export const OTHER = 'other';

/** Statements are synchronous: after so many rows of the left side others get their turn. */
const WINDOW = 2_000;
/** Rows whose JSON differs in its text, and perhaps in nothing else, that are held at once. */
const CANDIDATES = 100;

/** No column is named so: they begin with a letter. */
const ROWID = '_rowid_';

/** Rows of the left side in the order of `by`: those after `from`, up to and with `to`. */
interface Range {
  readonly by: readonly string[];
  readonly from: Row | undefined;
  readonly to: Row | undefined;
}

interface Pair {
  readonly key: Row;
  readonly left: Found | null;
  readonly right: Found | null;
}

/**
 * Compares inside SQLite, where a row costs a seek on the other side and no object: only what differs comes out. The
 * connection has both files open, in a transaction that has read of both.
 */
export class SnapshotComparison {
  /** `check` throws when there is to be no further read. */
  constructor(
    private readonly connection: Connection,
    private readonly check: () => void,
  ) {}

  async first(shapes: readonly Shape[]): Promise<Difference | null> {
    for (const shape of shapes) {
      if (isWide(shape) && (await this.#isSame(shape))) continue;
      const pair = await this.#first(shape);
      if (pair !== null) return { collection: shape.name, left: pair.left, right: pair.right };
    }
    return null;
  }

  /**
   * By the order in which the rows of the left side lie, which is near that of the other side: both were written as
   * events came, and in the order of the key each row would be fetched from a page of its own.
   */
  async #isSame(shape: Shape): Promise<boolean> {
    for await (const range of this.#windows(shape, [ROWID])) {
      if (this.#differing(shape, range) !== undefined) return false;
    }
    for await (const range of this.#windows(shape, keyOf(shape))) if (this.#countsDiffer(shape, range)) return false;
    return true;
  }

  async #first(shape: Shape): Promise<Pair | null> {
    for await (const range of this.#windows(shape, keyOf(shape))) {
      const differing = this.#differing(shape, range);
      if (differing === undefined && !this.#countsDiffer(shape, range)) continue;
      const added = this.#added(shape, { ...range, to: differing?.key ?? range.to });
      const first = added ?? differing;
      invariant(first !== undefined, `rows of ${shape.name} that differ in number differ`);
      return first;
    }
    return null;
  }

  async *#windows(shape: Shape, by: readonly string[]): AsyncGenerator<Range> {
    const names = by.map(quoted).join();
    let from: Row | undefined;
    do {
      const params: Cell[] = [];
      const where = whereSql('l', { by, from, to: undefined }, params);
      const sql = `SELECT ${names} FROM ${left(shape)} ${where} ORDER BY ${names} LIMIT 1 OFFSET ${WINDOW - 1}`;
      const [to] = this.#all(sql, params);
      yield { by, from, to };
      from = to;
      await setImmediate();
    } while (from !== undefined);
  }

  /** The first row of the left side that the other has not, or has otherwise. */
  #differing(shape: Shape, range: Range): Pair | undefined {
    const names = ['l', 'r'].map((side) => shape.columns.map(({ name }) => `${side}.${quoted(name)}`).join());
    const by = range.by.map((name) => `l.${quoted(name)}`).join();
    for (let { from } = range; ; ) {
      const params: Cell[] = [];
      const where = whereSql('l', { ...range, from }, params);
      const rows = this.#all(
        `SELECT ${by}, ${names.join()} FROM ${left(shape)} LEFT JOIN ${right(shape)} ON ${sameKey(shape)}
         ${where} AND (${differs(shape)}) ORDER BY ${by} LIMIT ${CANDIDATES}`,
        params,
      );
      for (const row of rows) {
        const [ours, theirs] = [0, 1].map((side) => {
          const begin = range.by.length + side * shape.columns.length;
          return foundIn(shape, row.slice(begin, begin + shape.columns.length));
        }) as [Found | null, Found | null];
        if (ours === null || theirs === null || !alike(ours, theirs)) {
          return { key: row.slice(0, range.by.length), left: ours, right: theirs };
        }
      }
      if (rows.length < CANDIDATES) return undefined;
      from = rows.at(-1)?.slice(0, range.by.length);
    }
  }

  /** Where each row of the left side has its like, as many rows on both sides leave none over. */
  #countsDiffer(shape: Shape, range: Range): boolean {
    const params: Cell[] = [];
    const counts = [left(shape), right(shape)].map((table, side) => {
      const where = whereSql(side === 0 ? 'l' : 'r', range, params);
      return `(SELECT COUNT(*) FROM ${table} ${where} ${isSomething(shape, side === 0 ? 'l' : 'r')})`;
    });
    const [row] = this.#all(`SELECT ${counts.join()}`, params);
    return row?.[0] !== row?.[1];
  }

  /** The first row that only the other side has. */
  #added(shape: Shape, range: Range): Pair | undefined {
    const params: Cell[] = [];
    const names = shape.columns.map(({ name }) => `r.${quoted(name)}`).join();
    const by = range.by.map((name) => `r.${quoted(name)}`).join();
    const [row] = this.#all(
      `SELECT ${names} FROM ${right(shape)} ${whereSql('r', range, params)} ${isSomething(shape, 'r')}
       AND NOT EXISTS (SELECT 1 FROM ${left(shape)} WHERE ${sameKey(shape)}) ORDER BY ${by} LIMIT 1`,
      params,
    );
    return row && { key: row.slice(0, shape.key.length), left: null, right: foundIn(shape, row) };
  }

  #all(sql: string, params: readonly Cell[]): Row[] {
    this.check();
    return this.connection.all(sql, params, true) as Row[];
  }
}

const keyOf = (shape: Shape): string[] => shape.key.map(({ name }) => name);
const left = (shape: Shape): string => `main.${tableOf(shape.name)} AS l`;
const right = (shape: Shape): string => `${OTHER}.${tableOf(shape.name)} AS r`;

const sameKey = (shape: Shape): string =>
  keyOf(shape)
    .map((name) => `r.${quoted(name)} = l.${quoted(name)}`)
    .join(' AND ');

/** A cell that is not there is one of which every measure is 0. */
function differs(shape: Shape): string {
  const [first] = keyOf(shape).map(quoted);
  if (shape.kind === 'cells') {
    return shape.rest.map(({ name }) => `l.${quoted(name)} <> COALESCE(r.${quoted(name)}, 0)`).join(' OR ');
  }
  return [`r.${first} IS NULL`, ...shape.rest.map(({ name }) => `l.${quoted(name)} IS NOT r.${quoted(name)}`)].join(
    ' OR ',
  );
}

function isSomething(shape: Shape, side: string): string {
  if (shape.kind === 'documents') return '';
  return `AND (${shape.rest.map(({ name }) => `${side}.${quoted(name)} <> 0`).join(' OR ')})`;
}

function whereSql(side: string, { by, from, to }: Range, params: Cell[]): string {
  const names = `(${by.map((name) => `${side}.${quoted(name)}`).join()})`;
  const bound = (is: string, row: Row | undefined): string => {
    params.push(...(row ?? []));
    return row === undefined ? '' : ` AND ${names} ${is} (${row.map(() => '?').join()})`;
  };
  return `WHERE TRUE${bound('>', from)}${bound('<=', to)}`;
}

function foundIn(shape: Shape, row: Row): Found | null {
  if (row[0] === null) return null;
  const found = decode(shape, row);
  const measures = shape.kind === 'cells' ? shape.rest.map(({ name }) => name) : undefined;
  return isNothing(found, measures) ? null : found;
}
