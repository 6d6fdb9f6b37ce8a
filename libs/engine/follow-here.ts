import { setImmediate as yieldTurn } from 'node:timers/promises';
import type { EventStore } from '../event-store/port.js';
import type { Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import type { ReadStore } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
import { BUILD_BATCH, type Build, buildHere, type Part } from './build.js';
import { DaysState } from './days-state.js';
import { ReadModels } from './follow.js';
import { type Following, type Progress, Readings } from './following.js';
import type { Followed, RebuildReport } from './ledger.js';
import { ProcessFollower } from './processes.js';
import { takeOver } from './rebuild.js';

/** How long a follower that has nothing to do waits at most before it looks again. */
const IDLE_MS_MAX = 250;
/** How long it lets appends gather between two batches. */
const BREATH_MS = 10;
/** How long it waits after a fault of a store. */
const FAULT_MS = 1_000;

export interface FollowOptions {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly domain: Domain;
  readonly followed: readonly Followed[];
  readonly now: () => number;
  /** Whether the processes of the domain are followed beside. */
  readonly processes: boolean;
  /** Whether others follow the same processes in the same read store. */
  readonly shared?: boolean;
  /** Whether it follows in the background; otherwise read models only when they are read. */
  readonly background: boolean;
  /** Told of faults: they are retried. */
  readonly onFault: (error: unknown) => void;
  /** Where instances are built, if there is much to build. Default: in this thread. */
  readonly build?: Build;
  /** Resolves when nobody elsewhere reads an instance that is not live any more. */
  readonly letGo?: (instance: string) => Promise<void>;
  /** Told after each turn; `idle` when there was nothing to take. */
  readonly told?: (idle: boolean) => void;
}

/** Follows in this thread: between everything else that it does, a batch at a time. */
export class FollowingHere implements Following {
  readonly #models: ReadModels;
  readonly #processes: readonly ProcessFollower[];
  readonly #readings = new Readings();
  readonly #build: Build;
  readonly #wakers = new Set<() => void>();
  readonly #stopping = new AbortController();
  /** Ends the breath that it takes between two batches. */
  #hurry: () => void = () => {};
  #loop: Promise<void> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();
  #catchingUp: Promise<void> | null = null;
  /** Why the last turn failed, and when one last did not. */
  #fault: string | null = null;
  #wellAt: number;
  /** Who waits for what is being built, whoever began it. */
  readonly #watching = new Set<Progress>();

  constructor(private readonly options: FollowOptions) {
    const { store, readStore, domain, now } = options;
    this.#wellAt = now();
    this.#models = new ReadModels(store, readStore, domain, now, async (instance) => {
      await this.#readings.letGo(instance);
      await options.letGo?.(instance);
    });
    this.#build = options.build ?? buildHere(options);
    const days = new DaysState(store, domain);
    const { transfers, close } = domain;
    const closes: ProcessFollower = new ProcessFollower(close, options, close.startsOn, async () => {
      const announced = await closes.state.get(close.underWay);
      return announced !== undefined && close.isUnderWay(await days.now(), announced as Envelope);
    });
    const running = new ProcessFollower(transfers, options, null, async () => false);
    this.#processes = options.processes ? [running, closes] : [];
  }

  async start(): Promise<void> {
    await this.#models.open(this.options.followed);
    for (const process of this.#processes) await process.open();
    if (this.options.background) this.#loop = this.#follow();
  }

  wake(): void {
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
  }

  /** Somebody waits for what was appended: no breath is taken. */
  hurry(): void {
    this.#hurry();
  }

  async read<T>(model: string, position: string, work: (instance: string) => Promise<T>): Promise<T> {
    await this.passed(model, position);
    // Not the one that was live when it had passed: from here to the reading nothing comes between.
    return this.#readings.of(this.#models.live(model).instance, work);
  }

  async passed(model: string, position: string): Promise<string> {
    if (this.options.background) this.#hurry();
    else await this.catchUp(() => {});
    return this.#models.passed(model, position);
  }

  async settle(process: string): Promise<void> {
    const follower = this.#processes.find(({ state }) => state.name === process);
    invariant(follower !== undefined, `${process} is a process`);
    while (await follower.turn());
  }

  status(): readonly FollowerStatus[] {
    const followers = [...this.#models.status(), ...this.#processes.map((process) => process.status())];
    const fault = this.#fault;
    if (fault === null) return followers;
    // Whoever cannot look does not know that there is nothing to take.
    const lagSeconds = (this.options.now() - this.#wellAt) / 1_000;
    return followers.map((status) => ({
      ...{ ...status, fault, caughtUp: false },
      lagSeconds: Math.max(status.lagSeconds, lagSeconds),
    }));
  }

  retry(name: string): boolean {
    const found = this.#models.retry(name);
    this.wake();
    return found;
  }

  async rebuild(names: readonly string[], progress: Progress): Promise<readonly RebuildReport[]> {
    for (const name of names) invariant(this.#models.has(name), `${name} is a read model`);
    const began = performance.now();
    const left: Part[] = [];
    await this.#catchingUp;
    try {
      for (const name of names) left.push(await this.#alone(() => this.#models.beside(name)));
      const events = Math.max(...this.status().map(({ sequence }) => sequence));
      await this.#buildAll(events < BUILD_BATCH ? buildHere(this.options) : this.#build, [...left], progress);
      const reports: RebuildReport[] = [];
      for (let part = left[0]; part !== undefined; part = left[0]) {
        const { instance, name } = part;
        const found = await takeOver({
          ...{ models: this.#models, readStore: this.options.readStore, name, instance },
          alone: (work) => this.#alone(work),
        });
        left.shift();
        reports.push({ name, instance, ...found, seconds: (performance.now() - began) / 1_000 });
      }
      return reports;
    } catch (error) {
      for (const { instance } of left) await this.#alone(() => this.#models.drop(instance));
      throw error;
    }
  }

  async catchUp(progress: Progress): Promise<void> {
    this.#watching.add(progress);
    this.#catchingUp ??= this.#buildFarBehind();
    await this.#catchingUp.finally(() => this.#watching.delete(progress));
    while (await this.#oneTurn()) {
      const sequence = Math.max(0, ...this.#models.status().map((status) => status.sequence));
      progress(sequence, sequence);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    this.#hurry();
    await this.#loop;
    await this.#turn;
  }

  // ----------------------------------------------------------------------------------------------------- building

  async #buildFarBehind(): Promise<void> {
    try {
      const parts = await this.#alone(() => this.#models.farBehind());
      if (parts.length === 0) return;
      await this.#buildAll(this.#build, parts, (events, of) => {
        for (const progress of this.#watching) progress(events, of);
      });
    } finally {
      this.#catchingUp = null;
    }
  }

  async #buildAll(build: Build, parts: readonly Part[], progress: Progress): Promise<void> {
    const done = new Map(parts.map(({ instance }) => [instance, 0]));
    this.#models.build(parts);
    try {
      await build(
        parts,
        (instance, checkpoint) => {
          this.#models.building(instance, checkpoint);
          done.set(instance, checkpoint.sequence);
          const of = Math.max(...this.status().map(({ sequence }) => sequence));
          progress(Math.min(...done.values()), of);
          this.options.told?.(false);
        },
        this.#stopping.signal,
      );
    } finally {
      await this.#alone(() => this.#models.built(parts));
    }
    this.#stopping.signal.throwIfAborted();
  }

  // ---------------------------------------------------------------------------------------------------- following

  async #follow(): Promise<void> {
    let building = this.options.followed.length > 0;
    while (!this.#stopping.signal.aborted) {
      try {
        if (building) {
          building = false;
          this.#beginBuilding();
        }
        const moved = await this.#oneTurn();
        this.#fault = null;
        this.#wellAt = this.options.now();
        this.options.told?.(!moved);
        await (moved ? this.#breath() : this.#idle(IDLE_MS_MAX));
      } catch (error) {
        this.#fault = error instanceof Error ? error.message : String(error);
        this.options.onFault(error);
        await this.#idle(FAULT_MS);
      }
    }
    await this.#catchingUp?.catch(() => {});
  }

  /** What is far behind when it is opened is built, beside all that goes on. */
  #beginBuilding(): void {
    this.#catchingUp ??= this.#buildFarBehind();
    this.#catchingUp.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.options.onFault(error);
    });
  }

  /** Appends that come close together are folded into one batch, unless somebody waits to read them. */
  async #breath(): Promise<void> {
    await yieldTurn();
    if (this.#models.awaited) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, BREATH_MS);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One batch for everyone who follows; nothing else changes a read model's follower meanwhile. */
  #oneTurn(): Promise<boolean> {
    return this.#alone(async () => {
      let moved = false;
      // A close waits for its process, and for no read model.
      if (this.options.background) for (const process of this.#processes) moved = (await process.turn()) || moved;
      return (await this.#models.turn()) || moved;
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #idle(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakers.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
