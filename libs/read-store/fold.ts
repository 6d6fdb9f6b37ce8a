import { addExact } from '../kernel/money.js';
import { InvariantBroken, invariant } from '../kernel/result.js';
import type { Change, Key, MeasureValue } from './port.js';

/**
 * One change a document, with the same effect as all of them in order: sums are added, the last put or remove wins.
 * A cell whose sums all came to 0 is left out. What remains stands in the order of each document's first change.
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
    const before = folding.documents.get(key);
    if (change.op !== 'add') {
      invariant(before === undefined || 'change' in before, `${change.collection} takes both add and ${change.op}`);
      if (before === undefined) folding.documents.set(key, { change });
      else before.change = change;
    } else if (before === undefined) {
      folding.documents.set(key, { key: change.key, measures: { ...change.measures } });
    } else {
      invariant('measures' in before, `${change.collection} takes both add and put or remove`);
      addTo(before.measures, change.measures);
    }
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

/** What one document's changes have come to. */
type Folded = { key: Key; measures: Record<string, MeasureValue> } | { change: Change };

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

/** Text that tells the keys of one collection apart: each value says how long it is, so none can pass for two. */
function keyOf(folding: Folding, key: Key): string {
  const { names } = folding;
  let text = '';
  for (let i = 0; i < names.length; i++) {
    const value = key[names[i] as string];
    if (typeof value === 'string') text += `${value.length}:${value}`;
    else if (typeof value === 'number') text += `#${value};`;
    else throw new InvariantBroken(`a key of ${folding.name} lacks ${names[i]}`);
  }
  let count = 0;
  for (const _name in key) count++;
  invariant(count === names.length, `the keys of ${folding.name} differ in their names`);
  return text;
}

function addTo(sums: Record<string, MeasureValue>, measures: Readonly<Record<string, MeasureValue>>): void {
  for (const name in measures) {
    const before = sums[name];
    const more = measures[name] as MeasureValue;
    sums[name] = before === undefined ? more : addExact(before, more);
  }
}

function changesOf(folding: Folding): Change[] {
  const changes: Change[] = [];
  for (const folded of folding.documents.values()) {
    if ('change' in folded) changes.push(folded.change);
    else if (!allZero(folded.measures)) {
      changes.push({ op: 'add', collection: folding.name, key: folded.key, measures: folded.measures });
    }
  }
  return changes;
}

function allZero(measures: Readonly<Record<string, MeasureValue>>): boolean {
  for (const name in measures) if (measures[name] !== 0 && measures[name] !== 0n) return false;
  return true;
}

function* eachOf(parts: Iterable<Iterable<Change>>): Iterable<Change> {
  for (const part of parts) yield* part;
}
