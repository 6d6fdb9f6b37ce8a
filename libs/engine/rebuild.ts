import { setImmediate as yieldTurn } from 'node:timers/promises';
import type { ReadStore } from '../read-store/port.js';
import { FOLLOW_BATCH, type ReadModels } from './follow.js';
import type { RebuildReport } from './ledger.js';

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
    return same ? readStore.compare(followed.model, live, instance) : null;
  });
  const found = (await comparison?.difference) ?? null;
  const { sequence: events } = models.checkpointOf(instance);
  await alone(async () => {
    await models.level(live, instance);
    await models.switchTo(name, instance);
  });
  await models.drop(live);
  const difference = found && { collection: found.collection, live: found.left, rebuilt: found.right };
  return { difference, switched: true, events };
}
