import { isDeepStrictEqual } from 'node:util';
import type { Collection, Found, ReadModel, ReadStore, ReadView } from '../read-store/port.js';

export interface Difference {
  readonly collection: string;
  readonly live: unknown;
  readonly rebuilt: unknown;
}

/** The first document in which two instances of one read model differ, in the order of their keys; null when none. */
export function firstDifference(
  readStore: ReadStore,
  model: ReadModel,
  live: string,
  rebuilt: string,
): Promise<Difference | null> {
  return readStore.read(live, (left) =>
    readStore.read(rebuilt, async (right) => {
      for (const collection of model.collections) {
        const difference = await compare(collection, left, right);
        if (difference !== null) return difference;
      }
      return null;
    }),
  );
}

async function compare(collection: Collection, left: ReadView, right: ReadView): Promise<Difference | null> {
  const [ours, theirs] = [documents(collection, left), documents(collection, right)];
  for (;;) {
    const [live, rebuilt] = [await ours.next(), await theirs.next()];
    if (live.done && rebuilt.done) return null;
    if (!isDeepStrictEqual(live.value, rebuilt.value)) {
      return { collection: collection.name, live: live.value ?? null, rebuilt: rebuilt.value ?? null };
    }
  }
}

// A cell whose measures all came to 0 may be there or not: it depends on how events were cut into batches.
async function* documents({ name, measures }: Collection, view: ReadView): AsyncGenerator<Found, undefined> {
  for await (const found of view.find(name)) {
    if (measures?.every((measure) => BigInt(found[measure] as number | bigint) === 0n)) continue;
    yield found;
  }
  return undefined;
}
