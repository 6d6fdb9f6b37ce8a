import { addExact } from '../../kernel/money.js';
import { invariant } from '../../kernel/result.js';
import type { Batch } from '../port.js';
import { type Cell, checkBatch, type Encoded, encode, INT64_MAX, INT64_MIN, keyText, overflow } from '../rows.js';
import type { Shape, Shapes } from '../shape.js';

/** A batch whose names and types were checked, as one change a document: the guard lets a batch touch it once. */
export interface Folded {
  readonly batch: Batch;
  readonly collections: ReadonlyMap<Shape, readonly Encoded[]>;
  /** The most that it adds to any measure of any cell, whatever its sign. */
  readonly reach: bigint;
}

/** Sums are added, the last put or remove wins; a cell to which nothing is added is left out. */
export function foldBatch(batch: Batch, shapes: Shapes): Folded {
  checkBatch(batch);
  const collections = new Map<Shape, Map<string, Encoded>>();
  for (const change of batch.changes) {
    const encoded = encode(shapes, change);
    const { shape, row } = encoded;
    let documents = collections.get(shape);
    if (documents === undefined) {
      documents = new Map();
      collections.set(shape, documents);
    }
    const key = keyText(row, shape.key.length);
    const known = documents.get(key);
    documents.set(key, known === undefined || encoded.op !== 'add' ? encoded : { ...encoded, row: sum(known, row) });
  }
  const kept = new Map([...collections].map(([shape, documents]) => [shape, [...documents.values()].filter(changes)]));
  return { batch, collections: kept, reach: reachOf(kept) };
}

/** A sum within 64 bits; beyond them it is refused. */
export function addWithin(shape: Shape, a: number | bigint, b: number | bigint): number | bigint {
  const both = addExact(a, b);
  if (typeof both === 'bigint' && (both > INT64_MAX || both < INT64_MIN)) throw overflow(shape.name);
  return both;
}

/** What stands where a measure does. */
export function measureOf(cell: Cell | undefined): number | bigint {
  invariant(typeof cell === 'number' || typeof cell === 'bigint', `a measure is a number, not a ${typeof cell}`);
  return cell;
}

function sum({ shape, row }: Encoded, more: readonly Cell[]): Cell[] {
  const first = shape.key.length;
  return row.map((cell, place) => (place < first ? cell : addWithin(shape, measureOf(cell), measureOf(more[place]))));
}

const changes = ({ op, shape, row }: Encoded): boolean =>
  op !== 'add' || row.some((cell, place) => place >= shape.key.length && cell !== 0 && cell !== 0n);

function reachOf(collections: ReadonlyMap<Shape, readonly Encoded[]>): bigint {
  let reach = 0n;
  let small = 0;
  for (const [shape, encoded] of collections) {
    if (shape.kind !== 'cells') continue;
    for (const { row } of encoded) {
      for (let place = shape.key.length; place < row.length; place++) {
        const cell = measureOf(row[place]);
        if (typeof cell === 'number') small = Math.max(small, Math.abs(cell));
        else reach = cell > reach ? cell : -cell > reach ? -cell : reach;
      }
    }
  }
  return reach > BigInt(small) ? reach : BigInt(small);
}
