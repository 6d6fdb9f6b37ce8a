import { isDeepStrictEqual } from 'node:util';
import type {
  Collection,
  Comparison,
  Difference,
  Found,
  MeasureValue,
  ReadModel,
  ReadStore,
  ReadView,
} from './port.js';
import { compareFound } from './search.js';

/** `compare` for a store of which nothing is known but its reads: both instances in the order of their keys, in step. */
export async function compareByReading(
  store: Pick<ReadStore, 'read'>,
  model: ReadModel,
  left: string,
  right: string,
): Promise<Comparison> {
  let opened = (): void => {};
  const open = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const difference = store.read(left, (ours) =>
    store.read(right, (theirs) => {
      opened();
      return firstDifference(model, ours, theirs);
    }),
  );
  // Refused before both are open, it is told by `compare` itself.
  difference.catch(() => {});
  await Promise.race([open, difference]);
  return { difference };
}

/** Whether two rows of one collection say the same. Most fields are text and numbers: only JSON is looked into. */
export function alike(left: Found, right: Found): boolean {
  for (const name in left) {
    if (left[name] !== right[name] && !isDeepStrictEqual(left[name], right[name])) return false;
  }
  return true;
}

/** A cell whose measures all came to 0 may be there or not. Documents are never nothing. */
export function isNothing(found: Found, measures: readonly string[] | undefined): boolean {
  return measures?.every((measure) => BigInt(found[measure] as MeasureValue) === 0n) ?? false;
}

async function firstDifference(model: ReadModel, left: ReadView, right: ReadView): Promise<Difference | null> {
  for (const collection of model.collections) {
    const difference = await differenceOf(collection, left, right);
    if (difference !== null) return difference;
  }
  return null;
}

async function differenceOf(collection: Collection, left: ReadView, right: ReadView): Promise<Difference | null> {
  const order = Object.keys(collection.key).map((name) => ({ name, descending: false }));
  const [ours, theirs] = [documents(collection, left), documents(collection, right)];
  try {
    for (;;) {
      const [a, b] = [(await ours.next()).value ?? null, (await theirs.next()).value ?? null];
      if (a === null && b === null) return null;
      const compared = a === null ? 1 : b === null ? -1 : compareFound(order, a, b);
      if (a !== null && b !== null && compared === 0 && alike(a, b)) continue;
      return { collection: collection.name, left: compared > 0 ? null : a, right: compared < 0 ? null : b };
    }
  } finally {
    await ours.return(undefined);
    await theirs.return(undefined);
  }
}

async function* documents({ name, measures }: Collection, view: ReadView): AsyncGenerator<Found, undefined> {
  for await (const found of view.find(name)) if (!isNothing(found, measures)) yield found;
  return undefined;
}
