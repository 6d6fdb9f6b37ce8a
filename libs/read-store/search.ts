import { InvariantBroken, invariant } from '../kernel/result.js';
import { compareScalars, type Scalar } from './order.js';
import { type Condition, type Find, type Found, IN_MAX, type KeyValue, type Sum, type Where } from './port.js';
import { searchable } from './rows.js';
import type { Column, Shape } from './shape.js';

/** A search whose names and types fit its shape: what SQL is written from, and what rows in memory are tried against. */
export type Term =
  | { readonly name: string; readonly is: 'null' }
  | { readonly name: string; readonly is: '=' | '>=' | '<=' | '>' | '<'; readonly value: KeyValue }
  | { readonly name: string; readonly is: 'in'; readonly values: readonly KeyValue[] };

export interface Order {
  readonly name: string;
  readonly descending: boolean;
}

export interface FindPlan {
  readonly terms: readonly Term[];
  /** Total: ends in the key. */
  readonly order: readonly Order[];
  readonly limit: number | undefined;
}

export interface SumPlan {
  readonly alternatives: readonly (readonly Term[])[];
  readonly by: readonly string[];
  readonly measures: readonly string[];
}

export const ALTERNATIVES_MAX = 100;

/** A search with its names and types checked, and its order made total by the key. */
export function planFind(shape: Shape, find: Find): FindPlan {
  const { limit } = find;
  invariant(limit === undefined || (Number.isSafeInteger(limit) && limit >= 0), `${limit} is no limit`);
  return {
    terms: termsOf(shape, find.where ?? {}, shape.columns.length),
    order: orderOf(shape, find.order ?? []),
    limit,
  };
}

/** A sum with its names and types checked, and its alternatives bounded. */
export function planSum(shape: Shape, sum: Sum): SumPlan {
  invariant(shape.kind === 'cells', `${shape.name} holds documents, which have no sums`);
  invariant(sum.where.length <= ALTERNATIVES_MAX, `a sum of ${shape.name} has over ${ALTERNATIVES_MAX} alternatives`);
  for (const name of sum.by) columnNamed(shape, name, shape.key.length);
  for (const name of sum.measures) {
    invariant((shape.places.get(name) ?? -1) >= shape.key.length, `${name} is no measure of ${shape.name}`);
  }
  const alternatives = sum.where.map((where) => termsOf(shape, where, shape.key.length));
  return { alternatives, by: [...new Set(sum.by)], measures: [...new Set(sum.measures)] };
}

/** Whether a value of null or of the column's type meets a term, as SQL would have it: null is in no range. */
export function meets(term: Term, value: Scalar): boolean {
  if (term.is === 'null') return value === null;
  if (value === null) return false;
  if (term.is === 'in') return term.values.includes(value);
  const order = compareScalars(value, term.value);
  switch (term.is) {
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
  }
}

/** Compares two found documents as an order says. */
export function compareFound(order: readonly Order[], a: Found, b: Found): number {
  for (const { name, descending } of order) {
    const compared = compareScalars(scalar(a[name]), scalar(b[name]));
    if (compared !== 0) return descending ? -compared : compared;
  }
  return 0;
}

/** What stands in a column that can be searched. */
export function scalar(value: unknown): Scalar {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw new InvariantBroken(`a ${typeof value} stands in a column that can be searched`);
}

function termsOf(shape: Shape, where: Where, columns: number): Term[] {
  const terms: Term[] = [];
  for (const [name, condition] of Object.entries(where)) {
    termsOfOne(shape, columnNamed(shape, name, columns), condition, terms);
  }
  return terms;
}

function termsOfOne(shape: Shape, column: Column, condition: Condition, terms: Term[]): void {
  const { name } = column;
  if (condition === null) {
    invariant((shape.places.get(name) ?? 0) >= shape.key.length, `${name} of ${shape.name} is of the key, never null`);
    terms.push({ name, is: 'null' });
  } else if (typeof condition !== 'object') {
    terms.push({ name, is: '=', value: searchable(shape, column, condition) });
  } else if ('in' in condition) {
    invariant(condition.in.length > 0, `${name} of ${shape.name} is sought in a list of nothing`);
    invariant(condition.in.length <= IN_MAX, `${name} of ${shape.name} is sought in over ${IN_MAX} values`);
    terms.push({ name, is: 'in', values: [...new Set(condition.in.map((it) => searchable(shape, column, it)))] });
  } else {
    const bounds = Object.entries(condition).filter(([, value]) => value !== undefined);
    invariant(bounds.length > 0, `${name} of ${shape.name} is sought without a bound`);
    for (const [bound, value] of bounds) {
      terms.push({ name, is: comparison(bound), value: searchable(shape, column, value) });
    }
  }
}

function comparison(bound: string): '>=' | '<=' | '>' | '<' {
  switch (bound) {
    case 'gte':
      return '>=';
    case 'lte':
      return '<=';
    case 'gt':
      return '>';
    case 'lt':
      return '<';
    default:
      throw new InvariantBroken(`${bound} is no bound of a search`);
  }
}

function orderOf(shape: Shape, names: readonly string[]): Order[] {
  const order: Order[] = [];
  const named = new Set<string>();
  let descending = false;
  const add = (name: string): void => {
    if (!named.has(name)) order.push({ name, descending });
    named.add(name);
  };
  for (const text of names) {
    descending = text.startsWith('-');
    add(columnNamed(shape, descending ? text.slice(1) : text, shape.columns.length).name);
  }
  for (const column of shape.key) add(column.name);
  return order;
}

function columnNamed(shape: Shape, name: string, columns: number): Column {
  const place = shape.places.get(name);
  const column = place === undefined || place >= columns ? undefined : shape.columns[place];
  const fits = column !== undefined && (column.type === 'text' || column.type === 'integer');
  invariant(fits, `${name} is nothing that ${shape.name} can be searched by`);
  return column;
}
