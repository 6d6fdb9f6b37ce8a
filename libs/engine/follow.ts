import type { EventStore } from '../event-store/port.js';
import type { Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import type { Batch, Checkpoint, ReadStore } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
import { BUILD_BATCH, type Part } from './build.js';
import { type Followed, FollowerHalted } from './ledger.js';
import { projected, written } from './project.js';
import { Waiters } from './waiters.js';

/** The most events that are folded into one write while following. */
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
  /** Whether somebody else takes it to the head first: no turn touches it. */
  building: boolean;
  /** Whether it has stood at the head since it was opened: what searches need is there. */
  whole: boolean;
}

/**
 * Takes the global order to the read models: a batch is read once for all that stand at the same place, folded in
 * memory, and written with its checkpoints. What a projection cannot take stops that projection, and no other.
 */
export class ReadModels {
  readonly #followers: Follower[] = [];
  readonly #waiters = new Waiters();

  constructor(
    private readonly store: EventStore,
    private readonly readStore: ReadStore,
    private readonly domain: Domain,
    private readonly now: () => number,
    /** Resolves when nobody reads an instance that is not live any more. */
    private readonly letGo: (instance: string) => Promise<void>,
  ) {}

  /**
   * Opens the live instance of each read model; one of another version is followed until it can take the place. What
   * an earlier process left half built goes, and so does what took events that the store does not hold.
   */
  async open(followed: readonly Followed[]): Promise<void> {
    for (const one of followed) {
      const { name, version } = one.model;
      const live = await this.readStore.live(name);
      const own = `${name}.${version}`;
      let instance = live === own || live?.startsWith(`${own}.`) ? live : own;
      await this.readStore.open(instance, one.model, { building: true });
      const { position } = await this.readStore.checkpoint(instance, 0);
      if (position > ((await this.store.head())?.position ?? '')) {
        instance = await this.#freeName(own);
        await this.readStore.open(instance, one.model, { building: true });
      }
      if (live !== instance) await this.readStore.switchTo(name, instance);
      await this.#add(one, instance, 'projection');
    }
    const own = new Map(this.#followers.map(({ followed, instance }) => [followed.model.name, instance]));
    for (const instance of await this.readStore.instances()) {
      const live = own.get(instance.slice(0, instance.indexOf('.')));
      if (live !== undefined && live !== instance) await this.drop(instance);
    }
  }

  /** Instances that are so far behind that building them takes less than following. */
  async farBehind(): Promise<readonly Part[]> {
    const far: Part[] = [];
    for (const position of new Set(this.#followers.map(({ checkpoint }) => checkpoint.position))) {
      let events = 0;
      for await (const _ of this.store.readAll({ after: position, limit: BUILD_BATCH })) events++;
      if (events < BUILD_BATCH) continue;
      const together = this.#followers.filter(({ checkpoint }) => checkpoint.position === position);
      far.push(...together.map(({ followed, instance }) => ({ name: followed.model.name, instance })));
    }
    return far;
  }

  /** Nothing takes a turn on these until they are `built`. */
  build(parts: readonly Part[]): void {
    for (const { instance } of parts) this.#of(instance).building = true;
  }

  building(instance: string, checkpoint: Checkpoint): void {
    Object.assign(this.#of(instance), { checkpoint, heartbeat: this.now() });
  }

  async built(parts: readonly Part[]): Promise<void> {
    for (const { instance } of parts) {
      const follower = this.#of(instance);
      follower.checkpoint = await this.readStore.checkpoint(instance, 0);
      follower.building = false;
    }
    this.#wake();
  }

  /** One batch for each that is behind; false when all that are not halted stand at the head. */
  async turn(): Promise<boolean> {
    const running = this.#followers.filter(({ halted, building }) => halted === null && !building);
    let progressed = false;
    for (const position of new Set(running.map(({ checkpoint }) => checkpoint.position))) {
      const together = running.filter(({ checkpoint }) => checkpoint.position === position);
      const events: Envelope[] = [];
      for await (const event of this.store.readAll({ after: position, limit: FOLLOW_BATCH })) events.push(event);
      if (events.length === 0) await this.#atHead(together);
      else {
        await this.#take(together, events);
        progressed = true;
      }
    }
    if (progressed) this.#wake();
    return progressed;
  }

  /** The live instance, once it has passed a position. */
  async passed(model: string, position: string): Promise<string> {
    const { checkpoint, halted } = this.#live(model);
    if (checkpoint.position < position) {
      if (halted !== null) throw new FollowerHalted(model, this.#statusOf(this.#live(model)));
      await this.#waiters.wait(model, position);
    }
    return this.#live(model).instance;
  }

  /** Whether a read waits for events that are not taken yet. */
  get awaited(): boolean {
    return this.#waiters.any;
  }

  status(): readonly FollowerStatus[] {
    return this.#followers.map((follower) => this.#statusOf(follower));
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

  /** Makes a new instance of a read model beside the live one; who asked builds it. */
  async beside(name: string): Promise<Part> {
    const { followed } = this.#live(name);
    const instance = await this.#freeName(`${name}.${followed.model.version}`);
    await this.readStore.open(instance, followed.model, { building: true });
    const follower = await this.#add(followed, instance, 'rebuild');
    follower.building = true;
    return { name, instance };
  }

  /** The live instance of a read model, and what it was made from. */
  live(name: string): { readonly instance: string; readonly followed: Followed; readonly halted: boolean } {
    const { instance, followed, halted } = this.#live(name);
    return { instance, followed, halted: halted !== null };
  }

  checkpointOf(instance: string): Checkpoint {
    const follower = this.#of(instance);
    if (follower.halted !== null && follower.kind === 'rebuild') {
      throw new FollowerHalted(instance, this.#statusOf(follower));
    }
    return follower.checkpoint;
  }

  /** Takes whichever of two instances is behind to where the other stands. Nothing else takes a turn meanwhile. */
  async level(one: string, other: string): Promise<void> {
    const [behind, ahead] = [this.#of(one), this.#of(other)].sort((a, b) =>
      a.checkpoint.position < b.checkpoint.position ? -1 : 1,
    ) as [Follower, Follower];
    while (behind.halted === null && behind.checkpoint.position < ahead.checkpoint.position) {
      const limit = Math.min(FOLLOW_BATCH, ahead.checkpoint.sequence - behind.checkpoint.sequence);
      const events: Envelope[] = [];
      const { position: after } = behind.checkpoint;
      for await (const event of this.store.readAll({ after, limit })) events.push(event);
      await this.#take([behind], events);
    }
  }

  /** The rebuilt instance takes the live one's place, in one step for readers. */
  async switchTo(name: string, instance: string): Promise<void> {
    const old = this.#live(name);
    await this.readStore.switchTo(name, instance);
    const rebuilt = this.#of(instance);
    this.#followers.splice(this.#followers.indexOf(rebuilt), 1);
    this.#followers.splice(this.#followers.indexOf(old), 1, { ...rebuilt, kind: 'projection' });
    this.#wake();
  }

  /** Stops following an instance and removes it, when whoever began to read it before has read to the end. */
  async drop(instance: string): Promise<void> {
    const index = this.#followers.findIndex((one) => one.instance === instance);
    if (index >= 0) this.#followers.splice(index, 1);
    await this.letGo(instance);
    await this.readStore.drop(instance);
  }

  async #freeName(own: string): Promise<string> {
    const taken = await this.readStore.instances();
    let number = 1;
    while (taken.includes(`${own}.${number}`)) number++;
    return `${own}.${number}`;
  }

  async #add(followed: Followed, instance: string, kind: Follower['kind']): Promise<Follower> {
    const checkpoint = await this.readStore.checkpoint(instance, 0);
    const now = this.now();
    const follower: Follower = {
      ...{ followed, instance, kind, checkpoint, halted: null },
      ...{ heartbeat: now, caughtUpAt: now, caughtUp: false, building: false, whole: false },
    };
    this.#followers.push(follower);
    return follower;
  }

  #live(name: string): Follower {
    const live = this.#followers.find((one) => one.followed.model.name === name && one.kind === 'projection');
    invariant(live !== undefined, `${name} is a read model`);
    return live;
  }

  #of(instance: string): Follower {
    const follower = this.#followers.find((one) => one.instance === instance);
    invariant(follower !== undefined, `${instance} is followed`);
    return follower;
  }

  /** What was built from nothing is whole now: the next to search it does not wait for its indexes. */
  async #atHead(followers: readonly Follower[]): Promise<void> {
    for (const follower of followers) {
      if (!follower.whole) await this.readStore.finish(follower.instance);
      const now = this.now();
      Object.assign(follower, { heartbeat: now, caughtUp: true, caughtUpAt: now, whole: true });
    }
  }

  async #take(followers: readonly Follower[], events: readonly Envelope[]): Promise<void> {
    const today = events.map((event) => this.domain.upcast(event));
    const batches: { readonly follower: Follower; readonly batch: Batch }[] = [];
    for (const follower of followers) {
      const { folded, taken, halted } = projected(follower.followed, today);
      Object.assign(follower, { heartbeat: this.now(), caughtUp: false, halted });
      const last = events[taken - 1];
      if (last === undefined) continue;
      const from = follower.checkpoint;
      const to = { sequence: from.sequence + taken, position: last.position };
      const changes = written(follower.followed, folded);
      batches.push({ follower, batch: { model: follower.instance, partition: 0, from, to, changes } });
    }
    const outcomes = await this.readStore.applyAll(batches.map(({ batch }) => batch));
    batches.forEach(({ follower, batch }, index) => {
      const outcome = outcomes[index];
      // Another writer of the same read model was there: it applied the same events, and we go on behind it.
      follower.checkpoint = outcome?.outcome === 'elsewhere' ? outcome.checkpoint : batch.to;
    });
  }

  #wake(): void {
    this.#waiters.wake((model, position) => {
      const follower = this.#live(model);
      if (follower.checkpoint.position >= position) return 'passed';
      return follower.halted === null ? null : new FollowerHalted(model, this.#statusOf(follower));
    });
  }

  #statusOf(follower: Follower): FollowerStatus {
    const { followed, instance, kind, checkpoint, halted, heartbeat, caughtUp, caughtUpAt } = follower;
    return {
      ...{ name: followed.model.name, instance, kind, halted, caughtUp, fault: null },
      state: halted === null ? 'running' : 'halted',
      ...{ sequence: checkpoint.sequence, position: checkpoint.position },
      lagSeconds: caughtUp ? 0 : (this.now() - caughtUpAt) / 1_000,
      heartbeat: new Date(heartbeat).toISOString(),
    };
  }
}
