import { setImmediate as yieldTurn } from 'node:timers/promises';
import type { EventStore } from '../event-store/port.js';
import type { Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { foldChanges } from '../read-store/fold.js';
import type { Change, Checkpoint, ReadStore } from '../read-store/port.js';
import type { Followed } from './ledger.js';
import { projected, written } from './project.js';

/** The most events that are folded into one write while an instance is built from nothing. */
export const BUILD_BATCH = 20_000;
/** How many of them are held at once: each slice is folded, and its events let go, before the next is read. */
const BUILD_SLICE = 2_000;
/** The most folded changes of one instance that wait for their write: a batch ends early where events touch much. */
const BUILD_CHANGES_MAX = 100_000;

/** An instance that is built: written by nobody else until it stands at the head. */
export interface Part {
  readonly name: string;
  readonly instance: string;
}

/** Told of each write: how far an instance has come. */
export type BuildProgress = (instance: string, checkpoint: Checkpoint) => void;

/**
 * Takes instances to the head of the moment, in this thread or over several. A part whose projection cannot take an
 * event stands before it: whoever follows it next halts there, and says so.
 */
export type Build = (parts: readonly Part[], progress: BuildProgress, signal: AbortSignal) => Promise<void>;

export interface BuildTools {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly readStore: ReadStore;
  readonly domain: Pick<Domain, 'upcast'>;
  readonly followed: readonly Followed[];
}

interface Building {
  readonly instance: string;
  readonly followed: Followed;
  checkpoint: Checkpoint;
}

/** Builds in this thread: events are read and parsed once for all parts that stand at one place. */
export function buildHere(tools: BuildTools): Build {
  const toHead = buildOn(tools);
  return async (parts, progress, signal) => {
    await toHead(parts, progress, signal);
    for (const { instance } of signal.aborted ? [] : parts) await tools.readStore.finish(instance);
  };
}

/** The same for instances that are not whole yet: their events are still written, and it is called again. */
export function buildOn(tools: BuildTools): Build {
  return async (parts, progress, signal) => {
    const buildings: Building[] = [];
    for (const { name, instance } of parts) {
      const followed = tools.followed.find(({ model }) => model.name === name);
      invariant(followed !== undefined, `${name} is a read model`);
      buildings.push({ followed, instance, checkpoint: await tools.readStore.checkpoint(instance, 0) });
    }
    for (const position of new Set(buildings.map(({ checkpoint }) => checkpoint.position))) {
      let together = buildings.filter(({ checkpoint }) => checkpoint.position === position);
      while (together.length > 0 && !signal.aborted) together = await takeBatch(tools, together, progress, signal);
    }
  };
}

/** One write for each; those that go on after it. */
async function takeBatch(
  { store, readStore, domain }: BuildTools,
  buildings: readonly Building[],
  progress: BuildProgress,
  signal: AbortSignal,
): Promise<Building[]> {
  const from = buildings[0]?.checkpoint ?? { sequence: 0, position: '' };
  const batches = buildings.map((building) => ({ building, slices: [] as Change[][], to: from, halted: false }));
  let after = from.position;
  let atHead = false;
  let pending = 0;
  for (let taken = 0; taken < BUILD_BATCH && pending < BUILD_CHANGES_MAX && !atHead; taken += BUILD_SLICE) {
    const events: Envelope[] = [];
    for await (const event of store.readAll({ after, limit: BUILD_SLICE })) events.push(domain.upcast(event));
    atHead = events.length < BUILD_SLICE;
    after = events.at(-1)?.position ?? after;
    pending = Math.max(pending, ...batches.map((batch) => takeSlice(batch, events)));
    await yieldTurn();
    if (signal.aborted) return [];
  }
  for (const { building, slices, to } of batches) {
    if (to.position === building.checkpoint.position) continue;
    const { instance: model, followed } = building;
    // In order: of a document that several slices change, the last one wins.
    const changes = written(followed, foldChanges(slices.flat()));
    const outcome = await readStore.apply({ model, partition: 0, from: building.checkpoint, to, changes });
    invariant(outcome.outcome === 'applied', `nobody else writes ${model} while it is built`);
    building.checkpoint = to;
    progress(building.instance, building.checkpoint);
    await yieldTurn();
  }
  return atHead ? [] : batches.filter(({ halted }) => !halted).map(({ building }) => building);
}

/** Folds one slice into a batch; how many changes wait in it. */
function takeSlice(
  batch: { readonly building: Building; readonly slices: Change[][]; to: Checkpoint; halted: boolean },
  events: readonly Envelope[],
): number {
  if (batch.halted) return 0;
  const { folded, taken, halted } = projected(batch.building.followed, events);
  const last = events[taken - 1];
  if (last !== undefined) batch.to = { sequence: batch.to.sequence + taken, position: last.position };
  batch.slices.push([...folded]);
  batch.halted = halted !== null;
  return batch.slices.reduce((sum, slice) => sum + slice.length, 0);
}
