import { setTimeout as wait } from 'node:timers/promises';
import { type EventStore, START } from '../event-store/port.js';
import type { Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { foldChanges } from '../read-store/fold.js';
import { AT_START, type Change, type Checkpoint, type Difference, type ReadStore } from '../read-store/port.js';
import { BUILD_BATCH } from './build.js';
import type { Progress } from './following.js';
import type { Followed, RebuildReport } from './ledger.js';
import { type Mark, Marks, type RebuildMark } from './marks.js';
import type { Partitions } from './partitions.js';
import { projected, written } from './project.js';
import { LOOK_MS } from './projector.js';
import { isInstanceOf } from './upgrades.js';

/** How many events are read, and let go of as far as they are folded, at once. */
const SLICE = 2_000;
/** How long a mark of a rebuild holds if nobody renews it: its process has died. */
const MARK_MS = 5 * 60_000;
/** How often it is renewed meanwhile. */
const RENEWALS = 5;
/** How often the two are levelled anew because somebody was still writing. */
const LEVEL_TRIES = 20;

export interface RebuildTools {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly readStore: ReadStore;
  readonly domain: Pick<Domain, 'upcast'>;
  readonly partitions: Partitions;
  /** See the relay: it numbers events as the log does. */
  readonly toAll: string;
  readonly now: () => number;
  readonly lookMs?: number;
}

/**
 * Builds a read model anew beside the live one, compares the two and switches. It reads the event store and not the log:
 * that is read faster, and the numbers that the relay gave follow from the global order alone, so they are counted again.
 * The projectors go on with the live one; from the comparison to the switch they leave it where it is.
 */
export async function rebuildPartitioned(
  tools: RebuildTools,
  followed: Followed,
  progress: Progress,
  signal: AbortSignal,
): Promise<RebuildReport> {
  const { readStore, now } = tools;
  const { name } = followed.model;
  const began = performance.now();
  const marks = new Marks(readStore);
  await marks.open();
  const live = await readStore.live(name);
  invariant(live !== undefined, `${name} is a read model`);
  const instance = nameBeside(followed, live);
  let paused = false;
  const mark = (): RebuildMark => ({ ...markOf(name), value: { instance, paused, until: now() + MARK_MS } });
  await marks.claim(mark(), (standing) => refuseTwo(standing, name, now()));
  const renew = () => marks.put(mark());
  const build = new Rebuild(tools, followed, instance, renew);
  try {
    await openBeside(readStore, followed, live, instance);
    await build.to(await checkpointsOf(readStore, live), progress, signal);
    await readStore.finish(instance);
    paused = true;
    await renew();
    const found = await level(tools, { live, instance, build, followed, marks, renew }, signal);
    await readStore.switchTo(name, instance);
    await marks.remove(markOf(name));
    await readStore.drop(live);
    const difference = found && { collection: found.collection, live: found.left, rebuilt: found.right };
    const seconds = (performance.now() - began) / 1_000;
    return { name, instance, events: build.events, seconds, difference, switched: true };
  } catch (error) {
    // Where the read store is away the mark ends by itself, and the next rebuild drops what is left.
    await undo(readStore, marks, name, instance).catch(() => {});
    throw error;
  }
}

const markOf = (model: string) => ({ kind: 'rebuild', model, partition: 0 }) as const;

async function undo(readStore: ReadStore, marks: Marks, name: string, instance: string): Promise<void> {
  await marks.remove(markOf(name));
  const there = (await readStore.instances()).includes(instance);
  if (there && (await readStore.live(name)) !== instance) await readStore.drop(instance);
}

interface Both {
  readonly live: string;
  readonly instance: string;
  readonly build: Rebuild;
  readonly followed: Followed;
  readonly marks: Marks;
  readonly renew: () => Promise<void>;
}

/**
 * The two at one place, and what differs; null also where there is nothing to compare with. Both stand still for as long
 * as it takes: of a store without snapshots a state is there only until it is written over.
 */
async function level(
  { readStore, lookMs = LOOK_MS }: RebuildTools,
  { live, instance, build, followed, marks, renew }: Both,
  signal: AbortSignal,
): Promise<Difference | null> {
  for (let tries = 0; tries < LEVEL_TRIES; tries++) {
    // Every projector has looked meanwhile, and left it.
    await wait(lookMs * 2, undefined, { signal });
    const before = await checkpointsOf(readStore, live);
    await build.to(before, () => {}, signal);
    const { name, version } = followed.model;
    const halted = (await marks.all()).some(({ kind, model }) => kind === 'halted' && model === name);
    // An earlier version is another read model of the same name.
    if (halted || !isInstanceOf(live, name, version)) return null;
    const { difference } = await readStore.compare(followed.model, live, instance);
    const found = await whileRenewed(difference, renew, signal);
    if (sameCheckpoints(before, await checkpointsOf(readStore, live))) return found;
  }
  throw new Error(`${live} does not stand still: a projector does not hear that it is paused`);
}

/** What `work` comes to; the mark would end before a long one. */
async function whileRenewed<T>(work: Promise<T>, renew: () => Promise<void>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const renewed = async (): Promise<never> => {
    for (;;) {
      await wait(MARK_MS / RENEWALS, undefined, { signal: AbortSignal.any([signal, over.signal]) });
      await renew();
    }
  };
  try {
    return await Promise.race([work, renewed()]);
  } finally {
    over.abort();
  }
}

function refuseTwo(marks: readonly Mark[], name: string, now: number): void {
  for (const mark of marks) {
    if (mark.kind !== 'rebuild' || mark.model !== name || mark.value.until <= now) continue;
    throw new Error(`${name} is being rebuilt already, as ${mark.value.instance}`);
  }
}

function nameBeside({ model: { name, version } }: Followed, live: string): string {
  const own = `${name}.${version}`;
  const number = live.startsWith(`${own}.`) ? Number(live.slice(own.length + 1)) : 0;
  return isInstanceOf(live, name, version) ? `${own}.${number + 1}` : own;
}

/** What an earlier rebuild left half built goes. */
async function openBeside(readStore: ReadStore, { model }: Followed, live: string, instance: string): Promise<void> {
  for (const left of await readStore.instances()) {
    if (left !== live && isInstanceOf(left, model.name, model.version)) await readStore.drop(left);
  }
  await readStore.open(instance, model, { building: true });
}

type Checkpoints = ReadonlyMap<number, Checkpoint>;

const checkpointsOf = (readStore: ReadStore, instance: string): Promise<Checkpoints> =>
  readStore.read(instance, async (view) => new Map(view.checkpoints));

const sameCheckpoints = (a: Checkpoints, b: Checkpoints): boolean =>
  a.size === b.size && [...a].every(([partition, { sequence }]) => b.get(partition)?.sequence === sequence);

/** What is known of one partition while it is built. */
interface Building {
  checkpoint: Checkpoint;
  /** The number of the last event that was read. */
  read: number;
  /** Read and not folded: beyond what was asked for. */
  readonly waiting: Envelope[];
  /** Folded slices that are not written, and where they end. */
  slices: Change[][];
  to: Checkpoint;
}

/** An instance that is built from the global order, partition by partition, as far as it is told to. */
class Rebuild {
  events = 0;
  readonly #partitions = new Map<number, Building>();
  #after = START;

  constructor(
    private readonly tools: RebuildTools,
    private readonly followed: Followed,
    private readonly instance: string,
    private readonly renew: () => Promise<void>,
  ) {}

  /** Takes each partition to where another instance stands. */
  async to(goal: Checkpoints, progress: Progress, signal: AbortSignal): Promise<void> {
    const of = [...goal.values()].reduce((sum, { sequence }) => sum + sequence, 0);
    const reached = () => [...goal].every(([partition, { sequence }]) => this.#of(partition).to.sequence >= sequence);
    let pending = 0;
    pending += this.#fold(goal);
    while (!reached()) {
      signal.throwIfAborted();
      const read = await this.#readSlice();
      pending += this.#fold(goal);
      if (pending >= BUILD_BATCH || (read === 0 && !reached())) {
        await this.#write();
        pending = 0;
        progress(
          [...this.#partitions.values()].reduce((sum, { checkpoint }) => sum + checkpoint.sequence, 0),
          of,
        );
        await this.renew();
      }
      invariant(read > 0 || reached(), 'the store holds what the log holds');
    }
    await this.#write();
  }

  async #readSlice(): Promise<number> {
    const { store, domain, partitions, toAll } = this.tools;
    let read = 0;
    for await (const event of store.readAll({ after: this.#after, limit: SLICE })) {
      const today = domain.upcast(event);
      if (event.stream !== toAll) this.#take(partitions.of(event.stream), today);
      else for (let partition = 0; partition < partitions.count; partition++) this.#take(partition, today);
      this.#after = event.position;
      read++;
    }
    this.events += read;
    return read;
  }

  #take(partition: number, event: Envelope): void {
    const building = this.#of(partition);
    building.read++;
    building.waiting.push(event);
  }

  /** How many events were folded. */
  #fold(goal: Checkpoints): number {
    const { partitions, toAll } = this.tools;
    let folding = 0;
    for (const [partition, building] of this.#partitions) {
      const count = Math.min(building.waiting.length, (goal.get(partition)?.sequence ?? 0) - building.to.sequence);
      if (count <= 0) continue;
      const events = building.waiting.splice(0, count);
      const own = partitions.of(toAll) === partition ? events : events.filter(({ stream }) => stream !== toAll);
      const { folded, halted } = projected(this.followed, own);
      if (halted !== null) throw new Error(`${halted.type} ${halted.position}: ${halted.error}`);
      building.slices.push([...folded]);
      const last = events.at(-1) as Envelope;
      building.to = { sequence: building.to.sequence + count, position: last.position };
      folding += count;
    }
    return folding;
  }

  async #write(): Promise<void> {
    for (const [partition, building] of this.#partitions) {
      const { checkpoint: from, to, slices } = building;
      if (to.sequence === from.sequence) continue;
      const changes = written(this.followed, foldChanges(slices.flat()));
      const outcome = await this.tools.readStore.apply({ model: this.instance, partition, from, to, changes });
      invariant(outcome.outcome === 'applied', `nobody else writes ${this.instance} while it is built`);
      Object.assign(building, { checkpoint: to, slices: [] });
    }
  }

  #of(partition: number): Building {
    const known = this.#partitions.get(partition);
    if (known !== undefined) return known;
    const made: Building = { checkpoint: AT_START, read: 0, waiting: [], slices: [], to: AT_START };
    this.#partitions.set(partition, made);
    return made;
  }
}
