import { addExact } from '../kernel/money.js';
import { InvariantBroken, invariant } from '../kernel/result.js';
import type { Change, Key, MeasureValue } from './port.js';

/**
 * One change a document, with the same effect as all of them in order: sums are added, the last put or remove wins.
 * A cell whose sums all came to 0 is left out. What remains stands in the order of each document's first change, and
 * every sum in the smaller of its two forms: folded in parts or at once, it is the same.
 *
 * Ten thousand events touch a few hundred cells: the fold is what makes a batch small before it is written.
 */
export function foldChanges(changes: Iterable<Change>): Change[] {
  const collections = new Map<string, Folding>();
  let last: Folding | undefined;
  for (const change of changes) {
    // Changes of one collection come in runs, and comparing two names that are one object is free.
    const folding: Folding = last?.name === change.collection ? last : foldingOf(collections, change);
    last = folding;
    const key = keyOf(folding, change.key);
    const folded = folding.documents.get(key);
    if (folded === undefined) folding.documents.set(key, { change, sums: undefined });
    else foldInto(folded, change);
  }
  return [...collections.values()].flatMap(changesOf);
}

/**
 * What several partitions or threads folded apart, as one. Cells add up whichever way they were split; a document must
 * have all its changes in one part, because nothing says which part came last.
 */
export function mergeFolded(parts: Iterable<Iterable<Change>>): Change[] {
  return foldChanges(eachOf(parts));
}

/** What one document's changes have come to: one of them, or for a cell that was added to again, its sums. */
interface Folded {
  change: Change;
  sums: Record<string, MeasureValue> | undefined;
}

interface Folding {
  readonly name: string;
  /** The names of the key as the first change had them: others may have them in another order. */
  readonly names: readonly string[];
  readonly documents: Map<string, Folded>;
}

function foldingOf(collections: Map<string, Folding>, change: Change): Folding {
  const known = collections.get(change.collection);
  if (known !== undefined) return known;
  const folding = { name: change.collection, names: Object.keys(change.key), documents: new Map<string, Folded>() };
  collections.set(change.collection, folding);
  return folding;
}

/** Text that tells the keys of one collection apart: U+0000, which no text of a key holds, ends each value by kind. */
function keyOf(folding: Folding, key: Key): string {
  const { names } = folding;
  let text = '';
  for (let i = 0; i < names.length; i++) {
    const value = key[names[i] as string];
    if (typeof value === 'string') text += `${value}\0s`;
    else if (typeof value === 'number') text += `${value}\0n`;
    else throw new InvariantBroken(`a key of ${folding.name} lacks ${names[i]}`);
  }
  let count = 0;
  for (const _name in key) count++;
  invariant(count === names.length, `the keys of ${folding.name} differ in their names`);
  return text;
}

function foldInto(folded: Folded, change: Change): void {
  const before = folded.change;
  const alike = (before.op === 'add') === (change.op === 'add');
  invariant(alike, `${change.collection} takes both add and put or remove`);
  if (before.op !== 'add' || change.op !== 'add') {
    folded.change = change;
    return;
  }
  // Most cells of a batch are touched once: only the others are copied.
  folded.sums ??= { ...before.measures };
  addTo(folded.sums, change.measures);
}

function addTo(sums: Record<string, MeasureValue>, measures: Readonly<Record<string, MeasureValue>>): void {
  for (const name in measures) {
    const before = sums[name];
    const more = measures[name] ?? 0;
    sums[name] = before === undefined ? more : addExact(before, more);
  }
}

function changesOf({ documents }: Folding): Change[] {
  const changes: Change[] = [];
  for (const { change, sums } of documents.values()) {
    if (change.op !== 'add') changes.push(change);
    else {
      const measures = narrowed(sums ?? change.measures);
      if (!allZero(measures)) changes.push(measures === change.measures ? change : { ...change, measures });
    }
  }
  return changes;
}

/** The same measures, or a copy where one of them is a bigint that a number holds too. */
function narrowed(measures: Readonly<Record<string, MeasureValue>>): Readonly<Record<string, MeasureValue>> {
  let copy: Record<string, MeasureValue> | undefined;
  for (const name in measures) {
    const value = measures[name];
    if (typeof value !== 'bigint') continue;
    const narrow = addExact(value, 0);
    if (narrow === value) continue;
    copy ??= { ...measures };
    copy[name] = narrow;
  }
  return copy ?? measures;
}

function allZero(measures: Readonly<Record<string, MeasureValue>>): boolean {
  for (const name in measures) if (measures[name] !== 0) return false;
  return true;
}

function* eachOf(parts: Iterable<Iterable<Change>>): Iterable<Change> {
  for (const part of parts) yield* part;
}
