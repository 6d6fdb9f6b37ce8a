import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore } from '../event-store/port.js';
import { invariant } from '../kernel/result.js';
import type { Checkpoint, ReadStore } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
import { arePassed, type EndPositions, Ends } from './ends.js';
import { type Following, type Progress, Readings } from './following.js';
import { FOLLOW_WAIT_MS, type Followed, FollowerBehind, FollowerHalted, type RebuildReport } from './ledger.js';
import { type Mark, Marks } from './marks.js';
import { furthest, type Partitions, positionsIn } from './partitions.js';
import { LOOK_MS } from './projector.js';

/** How long a reader waits before it looks at the checkpoints again: little at first, then until all who wait look. */
const AGAIN_MS = 5;
const AGAIN_MS_MAX = 100;

export interface CheckpointsOptions {
  readonly store: Pick<EventStore, 'head' | 'readAll' | 'readStream'>;
  readonly readStore: ReadStore;
  readonly followed: readonly Followed[];
  readonly partitions: Partitions;
  /** The stream whose events stand in every partition: see the relay. */
  readonly toAll: string;
  readonly now: () => number;
  readonly onFault: (error: unknown) => void;
  /** Builds read models anew, where this process may. */
  readonly rebuild?: (followed: Followed, progress: Progress) => Promise<RebuildReport>;
  readonly lookMs?: number;
}

/** Where the partitions ended at some time. */
interface Goal {
  readonly at: number;
  readonly ends: EndPositions;
}

/** Where the live instance of a read model stands. */
interface Standing {
  readonly instance: string;
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
}

/** What was seen of one read model when it was looked at last. */
interface Seen extends Standing {
  readonly halted: FollowerStatus['halted'];
  readonly caughtUp: boolean;
  readonly caughtUpAt: number;
  /** What it has not passed, or what it passed last. */
  readonly goal: Goal;
}

/**
 * Follows nothing itself: projectors elsewhere do, and what they have written says how far they are. A reader with a
 * token waits until the partitions that it names have come that far; without one it reads what there is.
 */
export class FollowingCheckpoints implements Following {
  readonly #readings = new Readings();
  readonly #marks: Marks;
  readonly #seen = new Map<string, Seen>();
  /** Looks under way, by read model. */
  readonly #looks = new Map<string, Promise<Standing | undefined>>();
  readonly #ends: Ends;
  readonly #stopping = new AbortController();
  #looking: Promise<void> = Promise.resolve();
  #lookedAt: number;
  #fault: string | null = null;

  constructor(private readonly options: CheckpointsOptions) {
    this.#marks = new Marks(options.readStore);
    this.#ends = new Ends(options);
    this.#lookedAt = options.now();
  }

  async start(): Promise<void> {
    await this.#marks.open();
    await this.#lookOnce();
    this.#looking = this.#look();
  }

  wake(): void {}

  async read<T>(model: string, token: string, work: (instance: string) => Promise<T>): Promise<T> {
    const { readStore, partitions, now } = this.options;
    const wanted = positionsIn(token, partitions);
    invariant(wanted !== null, 'a token of this ledger');
    const until = now() + FOLLOW_WAIT_MS;
    for (let again = AGAIN_MS; ; again = Math.min(again * 2, AGAIN_MS_MAX)) {
      const instance = wanted.size === 0 ? await readStore.live(model) : await this.#past(model, wanted);
      if (instance !== undefined) return this.#readings.of(instance, work);
      const status = this.status().find(({ name, state }) => name === model && state === 'halted');
      if (status !== undefined && wanted.size > 0) throw new FollowerHalted(model, status);
      if (now() > until) throw new FollowerBehind(model);
      await wait(again < AGAIN_MS_MAX ? again : AGAIN_MS_MAX - (now() % AGAIN_MS_MAX));
    }
  }

  settle(process: string): Promise<void> {
    return Promise.reject(new Error(`${process} is followed elsewhere`));
  }

  status(): readonly FollowerStatus[] {
    const { now } = this.options;
    return this.options.followed.map(({ model: { name } }): FollowerStatus => {
      const seen = this.#seen.get(name);
      const checkpoints = [...(seen?.checkpoints.values() ?? [])];
      const halted = seen?.halted ?? null;
      // Who cannot look does not know.
      const caughtUp = this.#fault === null && (seen?.caughtUp ?? false);
      return {
        ...{ name, instance: seen?.instance ?? '', kind: 'projection', halted, caughtUp },
        state: halted === null ? 'running' : 'halted',
        sequence: checkpoints.reduce((sum, { sequence }) => sum + sequence, 0),
        position: furthest(checkpoints),
        lagSeconds: caughtUp ? 0 : (now() - (seen?.caughtUpAt ?? this.#lookedAt)) / 1_000,
        heartbeat: new Date(this.#lookedAt).toISOString(),
        fault: this.#fault ?? (seen === undefined ? 'no projector has made it yet' : null),
      };
    });
  }

  /** Takes the marks away: the projectors that made them try again. */
  retry(name: string): boolean {
    if (!this.options.followed.some(({ model }) => model.name === name)) return false;
    void (async () => {
      for (const mark of await this.#marks.all()) {
        if (mark.kind === 'halted' && mark.model === name) await this.#marks.remove(mark);
      }
    })().catch(this.options.onFault);
    return true;
  }

  async rebuild(names: readonly string[], progress: Progress): Promise<readonly RebuildReport[]> {
    const { followed, rebuild } = this.options;
    invariant(rebuild !== undefined, 'this process may rebuild');
    const reports: RebuildReport[] = [];
    for (const name of names) {
      const one = followed.find(({ model }) => model.name === name);
      invariant(one !== undefined, `${name} is a read model`);
      reports.push(await rebuild(one, progress));
    }
    return reports;
  }

  /** Waits until everything that the store holds now is in every read model. */
  async catchUp(progress: Progress): Promise<void> {
    const ends = await Ends.of(this.options);
    for (; !this.#stopping.signal.aborted; await wait(AGAIN_MS_MAX)) {
      await this.#lookOnce();
      const all = this.status();
      const sequence = Math.min(...all.map((status) => status.sequence));
      progress(sequence, Math.max(...all.map((status) => status.sequence)));
      if (all.every(({ name }) => arePassed(ends, this.#seen.get(name)?.checkpoints ?? new Map()))) return;
      const halted = all.find(({ state }) => state === 'halted');
      if (halted !== undefined) throw new FollowerHalted(halted.name, halted);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
  }

  /** The live instance, once it has passed what is wanted. */
  async #past(model: string, wanted: ReadonlyMap<number, string>): Promise<string | undefined> {
    const standing = await this.#standing(model);
    const passed = ([partition, position]: readonly [number, string]) =>
      (standing?.checkpoints.get(partition)?.position ?? '') >= position;
    return [...wanted].every(passed) ? standing?.instance : undefined;
  }

  /** One look for all who ask while it is under way: a partition never goes back, so what it has passed it has passed. */
  #standing(model: string): Promise<Standing | undefined> {
    const under = this.#looks.get(model);
    if (under !== undefined) return under;
    const look = this.#lookAt(model).finally(() => this.#looks.delete(model));
    this.#looks.set(model, look);
    return look;
  }

  async #lookAt(model: string): Promise<Standing | undefined> {
    const { readStore } = this.options;
    const instance = await readStore.live(model);
    if (instance === undefined) return undefined;
    return { instance, checkpoints: await readStore.read(instance, async (view) => new Map(view.checkpoints)) };
  }

  async #look(): Promise<void> {
    const { lookMs = LOOK_MS, onFault } = this.options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await wait(lookMs, undefined, { signal }).catch(() => {});
      try {
        if (!signal.aborted) await this.#lookOnce();
      } catch (error) {
        this.#fault = error instanceof Error ? error.message : String(error);
        onFault(error);
      }
    }
  }

  async #lookOnce(): Promise<void> {
    const { followed, now } = this.options;
    const marks = await this.#marks.all();
    const goal: Goal = { at: now(), ends: await this.#ends.look() };
    const look = async ({ model }: Followed): Promise<void> => {
      const standing = await this.#lookAt(model.name);
      if (standing === undefined) return;
      const { instance, checkpoints } = standing;
      const halted = marks.find((mark): mark is Extract<Mark, { kind: 'halted' }> => isHalt(mark, model.name));
      const before = this.#seen.get(model.name);
      const passed = [goal, before?.goal].find((one) => one !== undefined && arePassed(one.ends, checkpoints));
      this.#seen.set(model.name, {
        ...{ instance, checkpoints, halted: halted?.value ?? null, caughtUp: passed === goal },
        caughtUpAt: passed?.at ?? before?.caughtUpAt ?? goal.at,
        // While events come all the time it is never at the end of the moment, and passes one after the other.
        goal: passed === undefined ? (before?.goal ?? goal) : goal,
      });
    };
    // At once: a store may answer questions of one moment together.
    await Promise.all(followed.map(look));
    this.#lookedAt = now();
    this.#fault = null;
  }
}

const isHalt = ({ kind, model }: Mark, name: string): boolean => kind === 'halted' && model === name;
