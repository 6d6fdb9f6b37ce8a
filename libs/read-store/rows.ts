import { narrow } from '../kernel/money.js';
import { InvariantBroken, invariant } from '../kernel/result.js';
import type { Batch, Change, Checkpoint, Found, Key, KeyValue, MeasureValue } from './port.js';
import { AT_START } from './port.js';
import type { Column, Shape, Shapes } from './shape.js';

/**
 * Changes as rows of their shape, and rows as what is found: the one place that checks names and types, so that every
 * adapter refuses the same. A value that passed is text, a number, a bigint or null.
 */
export type Cell = string | number | bigint | null;
export type Row = readonly Cell[];

/** A change whose names and types fit: `row` is the key, for `add` and `put` followed by the rest. */
export interface Encoded {
  readonly op: Change['op'];
  readonly shape: Shape;
  readonly row: Cell[];
}

export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);

/** A change as one row of its collection; a name or a type that does not fit is a broken invariant. */
export function encode(shapes: Shapes, change: Change): Encoded {
  const shape = shapeTaking(shapes, change);
  const row: Cell[] = [];
  appendRow(shape, change, row);
  return { op: change.op, shape, row };
}

/** The shape of a change's collection, which must be of the kind that takes it. */
export function shapeTaking(shapes: Shapes, { op, collection }: Change): Shape {
  const shape = shapeNamed(shapes, collection);
  invariant((op === 'add') === (shape.kind === 'cells'), `${shape.name} holds ${shape.kind}: it takes no ${op}`);
  return shape;
}

/** A change's row, added to others that lie one behind another. Of a `remove` it is the key alone. */
export function appendRow(shape: Shape, change: Change, rows: Cell[]): void {
  appendKey(shape, change.key, rows);
  if (change.op === 'add') appendMeasures(shape, change.measures, rows);
  else if (change.op === 'put') appendFields(shape, change.fields, rows);
}

/** The shape of a collection; an unknown name is a broken invariant. */
export function shapeNamed(shapes: Shapes, collection: string): Shape {
  const shape = shapes.get(collection);
  invariant(shape !== undefined, `there is no collection ${collection}`);
  return shape;
}

/** The key's values in the order of the primary index. */
export function encodeKey(shape: Shape, key: Key): KeyValue[] {
  const values: KeyValue[] = [];
  appendKey(shape, key, values);
  return values;
}

function appendKey(shape: Shape, key: Key, values: Cell[]): void {
  const { key: columns } = shape;
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column;
    values.push(searchable(shape, column, key[column.name]));
  }
  // All of the key are there: with no further name, none is unknown.
  if (countOf(key) === columns.length) return;
  for (const name in key) {
    const place = shape.places.get(name);
    invariant(place !== undefined && place < columns.length, `${name} is not of the key of ${shape.name}`);
  }
}

function countOf(names: object): number {
  let count = 0;
  for (const _name in names) count++;
  return count;
}

/** A value that may be searched for: of the column's own type. */
export function searchable(shape: Shape, column: Column, value: unknown): KeyValue {
  if (column.type === 'text' && typeof value === 'string') {
    const storable = value.isWellFormed() && !value.includes('\0');
    invariant(storable, `${column.name} of ${shape.name} holds U+0000 or half a character`);
    return value;
  }
  if (column.type === 'integer' && typeof value === 'number' && Number.isSafeInteger(value)) return value + 0;
  throw new InvariantBroken(`${column.name} of ${shape.name} is ${column.type}, not ${told(value)}`);
}

/** Text that tells keys of one shape apart, made of `encodeKey`'s values, which begin at a place among others. */
export function keyText(values: readonly Cell[], keyLength: number, at = 0): string {
  let text = '';
  for (let i = at; i < at + keyLength; i++) {
    const value = values[i];
    text += typeof value === 'string' ? `${value.length}:${value}` : `#${value};`;
  }
  return text;
}

/** A row as the caller sees it: one flat object of key and rest. */
export function decode(shape: Shape, row: Row): Found {
  const found: Record<string, unknown> = {};
  const { columns } = shape;
  for (let place = 0; place < columns.length; place++) {
    const { name, type } = columns[place] as Column;
    const value = row[place] ?? null;
    found[name] =
      typeof value === 'bigint'
        ? narrow(value)
        : type === 'json' && typeof value === 'string'
          ? JSON.parse(value)
          : value;
  }
  return found;
}

/** What every adapter asks of a batch before it looks at the changes. */
export function checkBatch(batch: Batch): void {
  const { model, partition, from, to } = batch;
  invariant(Number.isSafeInteger(partition) && partition >= 0, `${partition} is no partition of ${model}`);
  invariant(Number.isSafeInteger(to.sequence) && to.sequence >= 0, `${to.sequence} is no sequence of ${model}`);
  // A batch that ends where it begins could be applied twice.
  const forward = to.sequence > from.sequence || (to.sequence === from.sequence && to.position > from.position);
  invariant(forward, `a batch of ${model} goes from ${from.sequence} to ${to.sequence}: not forward`);
}

export const sameCheckpoint = (a: Checkpoint, b: Checkpoint): boolean =>
  a.sequence === b.sequence && a.position === b.position;

export const checkpointOf = (checkpoints: ReadonlyMap<number, Checkpoint>, partition: number): Checkpoint =>
  checkpoints.get(partition) ?? AT_START;

export const overflow = (collection: string): InvariantBroken =>
  new InvariantBroken(`a sum of ${collection} passes 64 bits`);

function appendMeasures(shape: Shape, measures: Readonly<Record<string, MeasureValue>>, row: Cell[]): void {
  let known = 0;
  for (let i = 0; i < shape.rest.length; i++) {
    const { name } = shape.rest[i] as Column;
    const value = measures[name];
    if (value !== undefined) known++;
    row.push(measure(shape, name, value));
  }
  if (countOf(measures) !== known) checkNames(shape, measures, 'measure');
}

/** The slow way, which says which name it is that is not known. */
function checkNames(shape: Shape, rest: object, what: 'measure' | 'field'): void {
  for (const name in rest) {
    invariant((shape.places.get(name) ?? -1) >= shape.key.length, `${name} is no ${what} of ${shape.name}`);
  }
}

function measure(shape: Shape, name: string, value: MeasureValue | undefined): MeasureValue {
  if (value === undefined) return 0;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX) return value;
  throw new InvariantBroken(`${name} of ${shape.name} is a whole number of 64 bits, not ${told(value)}`);
}

function appendFields(shape: Shape, fields: Readonly<Record<string, unknown>>, row: Cell[]): void {
  let known = 0;
  for (let i = 0; i < shape.rest.length; i++) {
    const column = shape.rest[i] as Column;
    const value = fields[column.name];
    if (value === undefined && !(column.name in fields)) row.push(null);
    else {
      known++;
      row.push(field(shape, column, value));
    }
  }
  if (countOf(fields) !== known) checkNames(shape, fields, 'field');
}

function field(shape: Shape, column: Column, value: unknown): Cell {
  if (value === null) return null;
  return column.type === 'json' ? json(shape, column, value) : searchable(shape, column, value);
}

function json(shape: Shape, column: Column, value: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text !== undefined) return text;
  } catch {
    // A bigint or a circle: told below by its column's name.
  }
  throw new InvariantBroken(`${column.name} of ${shape.name} is json, not ${told(value)}`);
}

const told = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'object'
    ? value === null
      ? 'null'
      : `a ${typeof value}`
    : `${String(value)}`;
