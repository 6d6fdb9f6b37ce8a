import { isDeepStrictEqual } from 'node:util';
import {
  type Collection,
  type Comparison,
  type Difference,
  type Found,
  type MeasureValue,
  type ReadModel,
  type ReadStore,
  ReadStoreUnavailable,
  type ReadView,
} from './port.js';
import { compareFound } from './search.js';

/** How often a comparison begins anew because an instance was written meanwhile. */
const TRIES = 30;

/** A read has begun again while the other went on: the two states do not belong together any more. */
class Parted extends Error {}

/**
 * `compare` for a store of which nothing is known but its reads: both instances in the order of their keys, in step. A
 * store that begins one of the reads again has both begun again, so that no newer state is held against an older one.
 */
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
  const once = () =>
    store.read(left, async (ours) => {
      let begun = false;
      return store.read(right, async (theirs) => {
        if (begun) throw new Parted();
        begun = true;
        opened();
        return firstDifference(model, ours, theirs);
      });
    });
  const difference = (async () => {
    for (let tries = 1; ; tries++) {
      try {
        return await once();
      } catch (error) {
        if (!(error instanceof Parted)) throw error;
        if (tries === TRIES) {
          throw new ReadStoreUnavailable('DATA_HELD', `${left} and ${right} are written faster than they are compared`);
        }
      }
    }
  })();
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
