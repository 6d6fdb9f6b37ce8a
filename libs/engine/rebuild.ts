import { setImmediate as yieldTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Collection, Found, ReadModel, ReadStore, ReadView } from '../read-store/port.js';
import { FOLLOW_BATCH, type ReadModels } from './follow.js';
import type { RebuildReport } from './ledger.js';

export type Difference = NonNullable<RebuildReport['difference']>;

export interface TakeOver {
  readonly models: ReadModels;
  readonly readStore: ReadStore;
  readonly name: string;
  readonly instance: string;
  /** Runs work while no follower takes a turn. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * Brings an instance that was built to where the live one stands, compares the two as they are at that moment while
 * both go on, and gives it the live one's place.
 */
export async function takeOver(tools: TakeOver): Promise<Pick<RebuildReport, 'difference' | 'switched' | 'events'>> {
  const { models, readStore, name, instance, alone } = tools;
  const { instance: live, followed, halted } = models.live(name);
  // Turns like any other, until what is left between the two is taken in one.
  const apart = () => Math.abs(models.checkpointOf(live).sequence - models.checkpointOf(instance).sequence);
  while (!halted && apart() > FOLLOW_BATCH) {
    await alone(() => models.turn());
    await yieldTurn();
  }
  const comparison = await alone(async () => {
    await models.level(live, instance);
    const same = models.checkpointOf(live).position === models.checkpointOf(instance).position;
    return same ? begin(readStore, followed.model, live, instance) : null;
  });
  const difference = comparison === null ? null : await comparison.difference;
  const { sequence: events } = models.checkpointOf(instance);
  await alone(async () => {
    await models.level(live, instance);
    await models.switchTo(name, instance);
  });
  await models.drop(live);
  return { difference, switched: true, events };
}

/** Resolves when both are open: from there on the comparison sees one state of each, whatever is written. */
async function begin(
  readStore: ReadStore,
  model: ReadModel,
  live: string,
  rebuilt: string,
): Promise<{ readonly difference: Promise<Difference | null> }> {
  let opened = (): void => {};
  const open = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const difference = readStore.read(live, (left) =>
    readStore.read(rebuilt, (right) => {
      opened();
      return firstDifference(model, left, right);
    }),
  );
  difference.catch(() => {});
  await Promise.race([open, difference]);
  return { difference };
}

/** The first document in which two instances of one read model differ, in the order of their keys; null when none. */
async function firstDifference(model: ReadModel, left: ReadView, right: ReadView): Promise<Difference | null> {
  for (const collection of model.collections) {
    const difference = await compare(collection, left, right);
    if (difference !== null) return difference;
  }
  return null;
}

async function compare(collection: Collection, left: ReadView, right: ReadView): Promise<Difference | null> {
  const [ours, theirs] = [documents(collection, left), documents(collection, right)];
  try {
    for (;;) {
      const [live, rebuilt] = [await ours.next(), await theirs.next()];
      if (live.done && rebuilt.done) return null;
      if (!alike(live.value, rebuilt.value)) {
        return { collection: collection.name, live: live.value ?? null, rebuilt: rebuilt.value ?? null };
      }
    }
  } finally {
    await ours.return(undefined);
    await theirs.return(undefined);
  }
}

// Most fields are text and numbers: only what is JSON is looked into.
function alike(live: Found | undefined, rebuilt: Found | undefined): boolean {
  if (live === undefined || rebuilt === undefined) return live === rebuilt;
  for (const name in live) {
    if (live[name] !== rebuilt[name] && !isDeepStrictEqual(live[name], rebuilt[name])) return false;
  }
  return true;
}

// A cell whose measures all came to 0 may be there or not: it depends on how events were cut into batches.
async function* documents({ name, measures }: Collection, view: ReadView): AsyncGenerator<Found, undefined> {
  for await (const found of view.find(name)) {
    if (measures?.every((measure) => BigInt(found[measure] as number | bigint) === 0n)) continue;
    yield found;
  }
  return undefined;
}
