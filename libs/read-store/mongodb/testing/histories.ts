import fc from 'fast-check';
import { add, collect, MODEL, put, remove } from '../../contract/model.js';
import { memoryReadStore } from '../../memory/overlay.js';
import { AT_START, type Batch, type Change, type Checkpoint, type ReadView } from '../../port.js';
import { shapesOf } from '../../shape.js';
import { stateIn, statesOf } from '../claims.js';
import { foldBatch } from '../fold.js';
import type { Shelf } from '../shelf.js';
import { Moved, StateView } from '../view.js';
import { applyFolded, type Owner } from '../write.js';

/*
 * The argument of docs/adr/0014, tried: projectors of the same partitions, each of which cuts its own batches, are
 * interleaved at every operation of the server, crash and start again, sleep in the middle of a batch and go on long
 * after it was made whole by another; readers look on. What a reader sees must be what the events up to its checkpoints
 * come to, and in the end all events must be there once.
 */

const OWNER: Owner = { of: 'quality.1-a', collectionOf: ({ name }) => name };
const SHAPES = shapesOf(MODEL);
const PARTITIONS = [0, 1];
/** Soon, so that whoever sleeps wakes up to claims that are gone. */
const FORGET_EVERY = 2;
const DAY = '2026-01-05';

/** A server that histories are tried on. */
export interface TriedServer {
  /** One client's way to it, who waits for `step` before each operation. */
  shelf(step: () => Promise<void>): Shelf;
  dispose(): Promise<void>;
}

type Event = readonly Change[];

/** One partition's events, of which some change nothing. Both add to the same cells; documents are of one of them. */
const eventsOf = (partition: number): fc.Arbitrary<readonly Event[]> => {
  const loan = fc.integer({ min: 0, max: 3 }).map((n) => `L${partition}${n}`);
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc
      .tuple(fc.constantFrom('D1', 'D2', 'D3'), fc.integer({ min: -9, max: 99 }))
      .map(([it, more]) => add(it, DAY, more, 1)),
    fc.tuple(loan, fc.integer({ min: 0, max: 5 })).map(([it, days]) => put(it, { days })),
    loan.map((it) => remove(it)),
  );
  return fc.array(fc.array(change, { maxLength: 3 }), { minLength: 2, maxLength: 7 });
};

const at = (sequence: number): Checkpoint =>
  sequence === 0 ? AT_START : { sequence, position: `${sequence}`.padStart(4, '0') };

class Crash extends Error {}

interface Life {
  /** How many events it takes at once. */
  readonly cut: number;
  /** The step at which it dies; null: it lives. */
  readonly dies: number | null;
  /** The step before which it sleeps, while the others make so many turns of theirs; null: it does not. */
  readonly sleeps: { readonly at: number; readonly turns: number } | null;
}

const life: fc.Arbitrary<Life> = fc.record({
  cut: fc.integer({ min: 1, max: 4 }),
  dies: fc.option(fc.integer({ min: 1, max: 60 }), { freq: 2 }),
  sleeps: fc.option(fc.record({ at: fc.integer({ min: 1, max: 20 }), turns: fc.integer({ min: 10, max: 60 }) })),
});

/** Lives until it dies, or every partition is at its end. */
async function project(
  server: TriedServer,
  scheduled: () => Promise<void>,
  all: readonly (readonly Event[])[],
  { cut, dies, sleeps }: Life,
): Promise<void> {
  let steps = 0;
  const step = async (): Promise<void> => {
    if (++steps === dies) throw new Crash();
    for (let turn = 0; steps === sleeps?.at && turn < sleeps.turns; turn++) await scheduled();
    await scheduled();
  };
  const shelf = server.shelf(step);
  const known = new Map();
  await Promise.all(
    PARTITIONS.map(async (partition) => {
      const events = all[partition] ?? [];
      let from = stateIn(statesOf((await shelf.claims(OWNER.of)) ?? []), partition).checkpoint;
      let inFlight: Checkpoint | undefined;
      while (from.sequence < events.length) {
        const to = inFlight ?? at(Math.min(events.length, from.sequence + cut));
        const changes = events.slice(from.sequence, to.sequence).flat();
        const batch: Batch = { model: 'quality.1', partition, from, to, changes };
        const outcome = await applyFolded(shelf, OWNER, foldBatch(batch, SHAPES), known, FORGET_EVERY);
        from = outcome.outcome === 'applied' ? to : outcome.checkpoint;
        inFlight = outcome.outcome === 'applied' ? undefined : outcome.inFlight;
      }
    }),
  );
}

/** All that a view shows, by every way that it has. */
async function shownBy(view: ReadView): Promise<unknown> {
  const inOrder = await collect(view.find('loans', { order: ['-days'] }));
  return {
    cells: await collect(view.find('cells')),
    sum: await view.sum('cells', { where: [{}], by: ['district'], measures: ['amount', 'loans'] }),
    found: await collect(view.find('loans', { where: { days: { gte: 2 } } })),
    first: await collect(view.find('loans', { order: ['days'], limit: 2 })),
    inOrder,
    got: await view.get('loans', { loan: 'L01', part: 0 }),
    cell: await view.get('cells', { district: 'D1', day: DAY, bucket: 0 }),
  };
}

/** The same of the events up to checkpoints, in the store that keeps all in memory. */
async function expected(all: readonly (readonly Event[])[], sequences: readonly number[]): Promise<unknown> {
  const store = memoryReadStore();
  await store.open('quality.1', MODEL);
  for (const partition of PARTITIONS) {
    const to = sequences[partition] ?? 0;
    const changes = (all[partition] ?? []).slice(0, to).flat();
    if (to > 0) await store.apply({ model: 'quality.1', partition, from: AT_START, to: at(to), changes });
  }
  return store.read('quality.1', shownBy);
}

interface Seen {
  readonly sequences: readonly number[];
  readonly shown: unknown;
}

/** What one reader sees, as often as its state was not written over meanwhile. */
async function look(server: TriedServer, scheduled: () => Promise<void>, looks: number): Promise<Seen[]> {
  const shelf = server.shelf(scheduled);
  const seen: Seen[] = [];
  for (let n = 0; n < looks; n++) {
    const view = new StateView(shelf, OWNER, SHAPES, statesOf((await shelf.claims(OWNER.of)) ?? []), 'memory');
    const sequences = PARTITIONS.map((partition) => view.checkpoints.get(partition)?.sequence ?? 0);
    try {
      seen.push({ sequences, shown: withoutZeros(await shownBy(view)) });
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
    }
  }
  return seen;
}

/** A cell whose measures all came to 0 may be there or not. */
function withoutZeros(shown: unknown): unknown {
  const { cells, sum, cell, ...rest } = shown as Record<string, Record<string, unknown>[]>;
  const isSomething = (it: Record<string, unknown>) => it.amount !== 0 || it.loans !== 0;
  const some = (rows: Record<string, unknown>[] | undefined) => (rows ?? []).filter(isSomething);
  const one = cell as unknown as Record<string, unknown> | undefined;
  return { ...rest, cells: some(cells), sum: some(sum), cell: one === undefined || !isSomething(one) ? null : one };
}

async function survive(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof Crash) return false;
    throw error;
  }
}

/** Each history on a server of its own. */
export async function tryHistories(make: () => Promise<TriedServer>, numRuns: number): Promise<void> {
  let seenInAll = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.tuple(eventsOf(0), eventsOf(1)),
      fc.array(fc.array(life, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 3 }),
      async (scheduler, all, projectors) => {
        const server = await make();
        await server.shelf(() => Promise.resolve()).enter(OWNER.of);
        const scheduled = (): Promise<void> => scheduler.schedule(Promise.resolve());
        const lives = projectors.map(async (own) => {
          for (const one of own) if (await survive(project(server, scheduled, all, one))) return;
        });
        const looks = look(server, scheduled, 4);
        await scheduler.waitFor(Promise.all([...lives, looks]));
        // Whoever comes last makes whole what was left.
        const step = (): Promise<void> => Promise.resolve();
        await project(server, step, all, { cut: 2, dies: null, sleeps: null });
        const last = await look(server, step, 1);
        expect(last).toHaveLength(1);
        expect(last[0]?.sequences).toEqual(all.map((events) => events.length));
        for (const { sequences, shown } of [...(await looks), ...last]) {
          expect(shown).toEqual(withoutZeros(await expected(all, sequences)));
          seenInAll++;
        }
        await server.dispose();
      },
    ),
    { numRuns },
  );
  expect(seenInAll).toBeGreaterThan(0);
}
