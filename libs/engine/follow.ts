import type { EventStore } from '../event-store/port.js';
import type { Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { foldChanges } from '../read-store/fold.js';
import type { Batch, Change, Checkpoint, ReadStore } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
import { FOLLOW_WAIT_MS, type Followed, FollowerBehind, FollowerHalted } from './ledger.js';

/** The most events that are folded into one write, while following and while rebuilding. */
export const FOLLOW_BATCH = 2_000;

interface Follower {
  readonly followed: Followed;
  readonly instance: string;
  readonly kind: 'projection' | 'rebuild';
  checkpoint: Checkpoint;
  halted: FollowerStatus['halted'];
  heartbeat: number;
  caughtUpAt: number;
  caughtUp: boolean;
}

interface Waiter {
  readonly model: string;
  readonly position: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Takes the global order to the read models: a batch is read once for all that stand at the same place, folded in
 * memory, and written with its checkpoints. What a projection cannot take stops that projection, and no other.
 */
export class ReadModels {
  readonly #followers: Follower[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #reading = new Map<string, Set<Promise<unknown>>>();

  constructor(
    private readonly store: EventStore,
    private readonly readStore: ReadStore,
    private readonly domain: Domain,
    private readonly now: () => number,
  ) {}

  /** Opens the live instance of each read model; one of another version is followed until it can take the place. */
  async open(followed: readonly Followed[]): Promise<void> {
    for (const one of followed) {
      const { name, version } = one.model;
      const live = await this.readStore.live(name);
      const own = `${name}.${version}`;
      const instance = live === own || live?.startsWith(`${own}.`) ? live : own;
      await this.readStore.open(instance, one.model);
      if (live !== instance) await this.readStore.switchTo(name, instance);
      await this.#add(one, instance, 'projection');
    }
  }

  /** One batch for each that is behind; false when all that are not halted stand at the head. */
  async turn(): Promise<boolean> {
    const running = this.#followers.filter(({ halted }) => halted === null);
    let progressed = false;
    for (const position of new Set(running.map(({ checkpoint }) => checkpoint.position))) {
      const together = running.filter(({ checkpoint }) => checkpoint.position === position);
      const events: Envelope[] = [];
      for await (const event of this.store.readAll({ after: position, limit: FOLLOW_BATCH })) events.push(event);
      const now = this.now();
      if (events.length === 0) {
        for (const follower of together) Object.assign(follower, { heartbeat: now, caughtUp: true, caughtUpAt: now });
      } else {
        await this.#take(together, events, now);
        progressed = true;
      }
    }
    if (progressed) this.#wake();
    return progressed;
  }

  /** Reads when the live instance has passed a position. */
  async read<T>(model: string, position: string, work: (instance: string) => Promise<T>): Promise<T> {
    const follower = this.#live(model);
    if (follower.checkpoint.position < position) await this.#passed(follower, model, position);
    const { instance } = this.#live(model);
    const reading = work(instance);
    const readers = this.#reading.get(instance) ?? new Set();
    this.#reading.set(instance, readers.add(reading));
    return reading.finally(() => readers.delete(reading));
  }

  /** Whether a read waits for events that are not taken yet. */
  get awaited(): boolean {
    return this.#waiters.size > 0;
  }

  status(): readonly FollowerStatus[] {
    return this.#followers.map((follower) => {
      const { followed, instance, kind, checkpoint, halted, heartbeat, caughtUp, caughtUpAt } = follower;
      return {
        ...{ name: followed.model.name, instance, kind, halted, caughtUp },
        state: halted === null ? 'running' : 'halted',
        ...{ sequence: checkpoint.sequence, position: checkpoint.position },
        lagSeconds: caughtUp ? 0 : (this.now() - caughtUpAt) / 1_000,
        heartbeat: new Date(heartbeat).toISOString(),
      };
    });
  }

  /** A halted follower tries its event again. */
  retry(name: string): boolean {
    const found = this.#followers.filter(({ followed }) => followed.model.name === name);
    for (const follower of found) follower.halted = null;
    return found.length > 0;
  }

  has(name: string): boolean {
    return this.#followers.some(({ followed }) => followed.model.name === name);
  }

  /** Begins to follow a new instance of a read model from the first event, beside the live one. */
  async beside(name: string): Promise<{ readonly live: string; readonly instance: string }> {
    const { followed, instance: live } = this.#live(name);
    const taken = await this.readStore.instances();
    let [number, instance] = [1, ''];
    do instance = `${name}.${followed.model.version}.${number++}`;
    while (taken.includes(instance));
    await this.readStore.open(instance, followed.model);
    await this.#add(followed, instance, 'rebuild');
    return { live, instance };
  }

  checkpointOf(instance: string): Checkpoint {
    const follower = this.#followers.find((one) => one.instance === instance);
    invariant(follower !== undefined, `${instance} is followed`);
    if (follower.halted !== null) throw new FollowerHalted(instance, this.#statusOf(follower));
    return follower.checkpoint;
  }

  /** The rebuilt instance takes the live one's place, in one step for readers; the old one goes. */
  async switchTo(name: string, instance: string): Promise<void> {
    const old = this.#live(name);
    await this.readStore.switchTo(name, instance);
    const rebuilt = this.#followers.find((one) => one.instance === instance);
    invariant(rebuilt !== undefined, `${instance} is followed`);
    this.#followers.splice(this.#followers.indexOf(rebuilt), 1);
    this.#followers.splice(this.#followers.indexOf(old), 1, { ...rebuilt, kind: 'projection' });
  }

  /** Stops following an instance and removes it. */
  async drop(instance: string): Promise<void> {
    const index = this.#followers.findIndex((one) => one.instance === instance);
    if (index >= 0) this.#followers.splice(index, 1);
    // Whoever began to read it before the switch reads it to the end.
    await Promise.allSettled(this.#reading.get(instance) ?? []);
    this.#reading.delete(instance);
    await this.readStore.drop(instance);
  }

  async #add(followed: Followed, instance: string, kind: Follower['kind']): Promise<void> {
    const checkpoint = await this.readStore.checkpoint(instance, 0);
    const now = this.now();
    this.#followers.push({
      ...{ followed, instance, kind, checkpoint, halted: null },
      ...{ heartbeat: now, caughtUpAt: now, caughtUp: false },
    });
  }

  #live(name: string): Follower {
    const live = this.#followers.find((one) => one.followed.model.name === name && one.kind === 'projection');
    invariant(live !== undefined, `${name} is a read model`);
    return live;
  }

  async #take(followers: readonly Follower[], events: readonly Envelope[], now: number): Promise<void> {
    const today = events.map((event) => this.domain.upcast(event));
    const batches: { readonly follower: Follower; readonly batch: Batch }[] = [];
    for (const follower of followers) {
      const { changes, taken } = this.#project(follower, today);
      Object.assign(follower, { heartbeat: now, caughtUp: false });
      const last = events[taken - 1];
      if (last === undefined) continue;
      const from = follower.checkpoint;
      const to = { sequence: from.sequence + taken, position: last.position };
      batches.push({ follower, batch: { model: follower.instance, partition: 0, from, to, changes } });
    }
    const outcomes = await this.readStore.applyAll(batches.map(({ batch }) => batch));
    batches.forEach(({ follower, batch }, index) => {
      const outcome = outcomes[index];
      // Another writer of the same read model was there: it applied the same events, and we go on behind it.
      follower.checkpoint = outcome?.outcome === 'elsewhere' ? outcome.checkpoint : batch.to;
    });
  }

  /** Changes up to the first event that the projection cannot take: it halts before that one. */
  #project(follower: Follower, events: readonly Envelope[]): { changes: readonly Change[]; taken: number } {
    const changes: Change[] = [];
    let taken = 0;
    for (const event of events) {
      try {
        for (const change of follower.followed.project(event)) changes.push(change);
      } catch (error) {
        const { type, stream, position } = event;
        follower.halted = { type, stream, position, error: error instanceof Error ? error.message : String(error) };
        break;
      }
      taken++;
    }
    const folded = foldChanges(changes);
    return { changes: follower.followed.rollUp?.(folded) ?? folded, taken };
  }

  #passed(follower: Follower, model: string, position: string): Promise<void> {
    if (follower.halted !== null) throw new FollowerHalted(model, this.#statusOf(follower));
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => leave(() => reject(new FollowerBehind(model))), FOLLOW_WAIT_MS);
      const leave = (then: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        then();
      };
      const waiter: Waiter = {
        ...{ model, position },
        resolve: () => leave(resolve),
        reject: (error) => leave(() => reject(error)),
      };
      this.#waiters.add(waiter);
    });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      const follower = this.#live(waiter.model);
      if (follower.checkpoint.position >= waiter.position) waiter.resolve();
      else if (follower.halted !== null) waiter.reject(new FollowerHalted(waiter.model, this.#statusOf(follower)));
    }
  }

  #statusOf(follower: Follower): FollowerStatus {
    const status = this.status()[this.#followers.indexOf(follower)];
    invariant(status !== undefined, 'a follower has a status');
    return status;
  }
}
