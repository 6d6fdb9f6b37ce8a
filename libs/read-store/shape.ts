import { InvariantBroken, invariant } from '../kernel/result.js';
import type { Collection, FieldType, ReadModel } from './port.js';

/** One column of a collection's rows. */
export interface Column {
  readonly name: string;
  readonly type: FieldType | 'measure';
}

/** A collection's definition, checked, and laid out as rows: the key, then the measures or the fields. */
export interface Shape {
  readonly name: string;
  readonly kind: 'cells' | 'documents';
  readonly key: readonly Column[];
  /** The measures or the fields. */
  readonly rest: readonly Column[];
  /** Both, in the order of a row. */
  readonly columns: readonly Column[];
  readonly indexes: readonly (readonly string[])[];
  /** Where a name stands in `columns`. */
  readonly places: ReadonlyMap<string, number>;
}

export type Shapes = ReadonlyMap<string, Shape>;

/** One short word: it is an identifier in every store, and cannot be taken for a descending order. */
const WORD = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const MODEL_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
const INSTANCE_NAME = /^([A-Za-z][A-Za-z0-9_-]{0,62})\.(\d{1,9})(\.[A-Za-z0-9_-]{1,63})?$/;
export const COLUMNS_MAX = 200;
export const COLLECTIONS_MAX = 100;

/** The collections of a model by name; a definition that no store could hold is a broken invariant. */
export function shapesOf(model: ReadModel): Shapes {
  invariant(MODEL_NAME.test(model.name), `${model.name} is no name of a read model`);
  invariant(model.collections.length <= COLLECTIONS_MAX, `${model.name} has over ${COLLECTIONS_MAX} collections`);
  const shapes = new Map<string, Shape>();
  const taken = new Set<string>();
  for (const collection of model.collections) {
    const lower = collection.name.toLowerCase();
    invariant(MODEL_NAME.test(collection.name), `${collection.name} is no name of a collection`);
    invariant(!taken.has(lower), `${model.name} names the collection ${collection.name} twice`);
    taken.add(lower);
    shapes.set(collection.name, shapeOf(collection));
  }
  return shapes;
}

/** Refuses the name of an instance that does not belong to the read model and its version. */
export function checkInstance(instance: string, model: ReadModel): void {
  const match = INSTANCE_NAME.exec(instance);
  invariant(
    match !== null && match[1] === model.name && Number(match[2]) === model.version,
    `${instance} is no instance of ${model.name}, version ${model.version}`,
  );
}

/** What is stored of a definition: two that mean the same have the same text. */
export function definitionText(model: ReadModel): string {
  const collections = model.collections.map((it) => ({
    name: it.name,
    key: it.key,
    measures: [...(it.measures ?? [])].sort(),
    fields: Object.fromEntries(Object.entries(it.fields ?? {}).sort(byName)),
    indexes: [...(it.indexes ?? [])].map((names) => [...names]).sort((a, b) => (a.join() < b.join() ? -1 : 1)),
  }));
  return JSON.stringify(collections.sort((a, b) => (a.name < b.name ? -1 : 1)));
}

/** Stops when an instance was made from another definition, and names what differs. */
export function checkDefinition(instance: string, stored: string, wanted: string): void {
  if (stored === wanted) return;
  const [before, after] = [partsOf(stored), partsOf(wanted)];
  const differing = [...new Set([...before.keys(), ...after.keys()])].filter((it) => before.get(it) !== after.get(it));
  const told = differing.map(
    (it) => `${it} was ${before.get(it) ?? 'absent'} and would be ${after.get(it) ?? 'absent'}`,
  );
  throw new InvariantBroken(`${instance} was made from another definition: ${told.join('; ')}`);
}

/** The collections of a definition's text. Only a store that wrote the text by `definitionText` calls it. */
export function parseDefinition(text: string): readonly Collection[] {
  return JSON.parse(text) as readonly Collection[];
}

function shapeOf(collection: Collection): Shape {
  const key: Column[] = Object.entries(collection.key).map(([name, type]) => ({ name, type }));
  const measures: Column[] = [...(collection.measures ?? [])].sort().map((name) => ({ name, type: 'measure' }));
  const fields: Column[] = Object.entries(collection.fields ?? {})
    .sort(byName)
    .map(([name, type]) => ({ name, type }));
  const { name } = collection;
  invariant(key.length > 0, `${name} has no key`);
  invariant(measures.length === 0 || fields.length === 0, `${name} has both measures and fields`);
  const columns = [...key, ...measures, ...fields];
  invariant(columns.length <= COLUMNS_MAX, `${name} has over ${COLUMNS_MAX} columns`);
  const places = new Map<string, number>();
  const taken = new Set<string>();
  for (const [place, column] of columns.entries()) {
    invariant(WORD.test(column.name), `${column.name} of ${name} is no name of a column`);
    invariant(!taken.has(column.name.toLowerCase()), `${name} names ${column.name} twice`);
    taken.add(column.name.toLowerCase());
    places.set(column.name, place);
  }
  const indexes = collection.indexes ?? [];
  for (const index of indexes) checkIndex(name, columns, places, index);
  const kind = measures.length > 0 ? 'cells' : 'documents';
  return { name, kind, key, rest: [...measures, ...fields], columns, indexes, places };
}

function checkIndex(
  name: string,
  columns: readonly Column[],
  places: ReadonlyMap<string, number>,
  index: readonly string[],
): void {
  invariant(index.length > 0, `${name} has an index of nothing`);
  for (const word of index) {
    const type = columns[places.get(word) ?? -1]?.type;
    invariant(type === 'text' || type === 'integer', `${name} has an index of ${word}, which cannot be searched`);
  }
}

function partsOf(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const { name, ...rest } of parseDefinition(text)) {
    for (const [part, value] of Object.entries(rest)) parts.set(`${name}.${part}`, JSON.stringify(value));
  }
  return parts;
}

const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number => (a[0] < b[0] ? -1 : 1);
