import { addExact } from '../../kernel/money.js';
import { invariant } from '../../kernel/result.js';
import type { Batch, Checkpoint } from '../port.js';
import { type Cell, type Encoded, encode, INT64_MAX, INT64_MIN, keyText, overflow, type Row } from '../rows.js';
import type { Shape, Shapes } from '../shape.js';

/** What was last put; or that it was removed, which hides what a store below has. */
export type Entry = { readonly row: Row } | { readonly removed: true };

/** The rows of one collection by their key's text. While `pins` is above 0 a read looks at them: they stay as they are. */
export interface Table {
  readonly rows: Map<string, Entry>;
  pins: number;
}

/** An instance of a read model in memory. */
export interface Instance {
  readonly definition: string;
  readonly shapes: Shapes;
  /** Whether a store below has it too, so that what is here comes on top. */
  readonly onBase: boolean;
  readonly tables: Map<string, Table>;
  readonly checkpoints: Map<number, Checkpoint>;
}

/** An instance with no rows of its own; `onBase` says whether the base below has one of that name. */
export function makeInstance(definition: string, shapes: Shapes, onBase: boolean): Instance {
  const tables = new Map([...shapes.keys()].map((name): [string, Table] => [name, { rows: new Map(), pins: 0 }]));
  return { definition, shapes, onBase, tables, checkpoints: new Map() };
}

/** What a batch would write, by collection and key. Nothing is seen of it before `commit`. */
export interface Staged {
  readonly instance: Instance;
  readonly tables: ReadonlyMap<string, Map<string, Entry>>;
}

/** Works out all that a batch leads to, so that whatever is refused has changed nothing. */
export function stage(instance: Instance, batch: Batch, before: readonly Staged[]): Staged {
  const tables = new Map<string, Map<string, Entry>>();
  const earlier = before.filter((it) => it.instance === instance);
  for (const change of batch.changes) {
    const encoded = encode(instance.shapes, change);
    const { name } = encoded.shape;
    let rows = tables.get(name);
    if (rows === undefined) {
      rows = new Map();
      tables.set(name, rows);
    }
    const key = keyText(encoded.row, encoded.shape.key.length);
    const known = rows.get(key) ?? stagedRow(earlier, name, key) ?? instance.tables.get(name)?.rows.get(key);
    rows.set(key, entryAfter(encoded, known));
  }
  return { instance, tables };
}

/** Makes what was staged visible: from here on readers that open see it. */
export function commit(staged: Staged): void {
  const { instance } = staged;
  for (const [name, changed] of staged.tables) {
    const rows = writableRows(instance, name);
    for (const [key, entry] of changed) {
      // With nothing below there is nothing to hide.
      if ('removed' in entry && !instance.onBase) rows.delete(key);
      else rows.set(key, entry);
    }
  }
}

/** A copy in place of a table that a read looks at. */
function writableRows(instance: Instance, name: string): Map<string, Entry> {
  const table = instance.tables.get(name);
  invariant(table !== undefined, `there is no collection ${name}`);
  if (table.pins === 0) return table.rows;
  const rows = new Map(table.rows);
  instance.tables.set(name, { rows, pins: 0 });
  return rows;
}

function stagedRow(earlier: readonly Staged[], name: string, key: string): Entry | undefined {
  for (let i = earlier.length - 1; i >= 0; i--) {
    const entry = earlier[i]?.tables.get(name)?.get(key);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function entryAfter(encoded: Encoded, known: Entry | undefined): Entry {
  if (encoded.op === 'remove') return { removed: true };
  if (encoded.op === 'put' || known === undefined || 'removed' in known) return { row: encoded.row };
  return { row: sumOf(encoded.shape, known.row, encoded.row) };
}

function sumOf(shape: Shape, a: Row, b: Row): Row {
  return a.map((value, place) => (place < shape.key.length ? value : addCells(shape, value, b[place] ?? null)));
}

function addCells(shape: Shape, a: Cell, b: Cell): Cell {
  invariant(typeof a !== 'string' && typeof b !== 'string' && a !== null && b !== null, 'a measure is a number');
  const sum = addExact(a, b);
  if (typeof sum === 'bigint' && (sum > INT64_MAX || sum < INT64_MIN)) throw overflow(shape.name);
  return sum;
}
