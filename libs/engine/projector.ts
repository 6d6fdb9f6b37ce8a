import type { Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { FeedCrashed, type Message, type PartitionedFeed, type PartitionReader } from '../messaging/port.js';
import type { ReadStore } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
import { Assigned, type Following, type Part } from './assigned.js';
import type { Followed } from './ledger.js';
import { type Mark, Marks, type RebuildMark } from './marks.js';
import { furthest, type Partitions } from './partitions.js';
import { pause } from './pause.js';
import { projected, written } from './project.js';
import { isInstanceOf, Upgrades } from './upgrades.js';

/** How often a projector looks which instances are live, what is paused, and what is to be tried again. */
export const LOOK_MS = 1_000;
/** How long it waits after a fault of the feed. */
const FAULT_MS = 1_000;

export interface ProjectorOptions {
  readonly feed: PartitionedFeed;
  readonly readStore: ReadStore;
  readonly domain: Pick<Domain, 'upcast'>;
  readonly followed: readonly Followed[];
  readonly partitions: Partitions;
  /** The stream whose events stand in every partition: see the relay. */
  readonly toAll: string;
  readonly now: () => number;
  /** Told of faults: they are retried. */
  readonly onFault: (error: unknown) => void;
  /** Told of what was written to the read models. */
  readonly applied?: (partition: number, messages: readonly Message[]) => void;
  /** Rebuilds a read model whose live instance is of an earlier version. */
  readonly outdated?: (followed: Followed, signal: AbortSignal) => Promise<void>;
  readonly lookMs?: number;
  /** How long a read model rests after a write that failed. */
  readonly restMs?: number;
}

/** How far one read model has come in one partition that this process reads. */
export interface PartitionStatus {
  readonly name: string;
  readonly instance: string;
  readonly partition: number;
  readonly sequence: number;
  readonly position: string;
  readonly caughtUp: boolean;
  readonly lagSeconds: number;
  readonly halted: FollowerStatus['halted'];
  /** What is wrong with the partition itself. */
  readonly fault: string | null;
}

/** A read model that this process does not follow: it is paused, or another version is live. */
interface Unfollowed {
  readonly instance: string;
  readonly since: number;
  readonly fault: string | null;
}

/**
 * Takes partitions to the read models: each batch is projected, folded and written with its checkpoint, by compare and
 * set. The checkpoints say where reading begins, each model skips what it has and goes at its own pace (assigned.ts), and
 * a process that lost its partition without knowing bounces off the checkpoint. An event that a projection cannot take
 * halts that read model in that partition and nothing else; a break in the sequence stops the partition. Any number run
 * beside one another.
 */
export class Projector {
  readonly #assigned = new Map<number, Assigned>();
  /** Partitions that are this process's no more, and whose last writes have not ended. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #marks: Marks;
  #parts: readonly Part[] = [];
  readonly #unfollowed = new Map<string, Unfollowed>();
  readonly #upgrades: Upgrades;
  /** The marks that this process has made. */
  readonly #halts = new Set<string>();
  #heartbeat: number;
  #fault: string | null = null;
  /** Ends the feed's run: positions are asked anew by the next one. */
  #again = new AbortController();

  constructor(private readonly options: ProjectorOptions) {
    this.#marks = new Marks(options.readStore);
    this.#upgrades = new Upgrades(options);
    this.#heartbeat = options.now();
  }

  /** Until `signal` aborts. Rejects with `FeedCrashed` where only a new process can go on. */
  async run(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const looking = this.#look(AbortSignal.any([signal, over.signal]));
    try {
      await this.#follow(signal);
    } finally {
      over.abort();
      await looking;
      await this.#upgrades.settled();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#again = new AbortController();
      try {
        if (this.#parts.length > 0) await this.#read(AbortSignal.any([signal, this.#again.signal]));
        else await pause(FAULT_MS / 10, signal);
      } catch (error) {
        this.#failed(error);
        if (error instanceof FeedCrashed) throw error;
        await pause(FAULT_MS, signal);
      } finally {
        for (const partition of [...this.#assigned.keys()]) this.#leave(partition);
        await Promise.all(this.#leaving);
      }
    }
  }

  /** What is being written of it ends by itself, or bounces off what its next reader wrote. */
  #leave(partition: number): void {
    const left = this.#assigned.get(partition);
    if (left === undefined) return;
    this.#assigned.delete(partition);
    const ended = left.close().finally(() => this.#leaving.delete(ended));
    this.#leaving.add(ended);
  }

  /** One line a read model, over the partitions that this process reads. */
  status(): readonly FollowerStatus[] {
    return this.options.followed.map(({ model }) => {
      const own = this.partitions().filter(({ name }) => name === model.name);
      const halted = own.find((one) => one.halted !== null)?.halted ?? null;
      const unfollowed = this.#unfollowed.get(model.name);
      const unfollowedMs = unfollowed === undefined ? 0 : this.options.now() - unfollowed.since;
      return {
        ...{ name: model.name, instance: (unfollowed ?? own[0])?.instance ?? '', kind: 'projection', halted },
        state: halted === null ? 'running' : 'halted',
        sequence: own.reduce((sum, { sequence }) => sum + sequence, 0),
        position: furthest(own),
        caughtUp: unfollowed === undefined && own.every(({ caughtUp }) => caughtUp),
        lagSeconds: Math.max(unfollowedMs / 1_000, ...own.map(({ lagSeconds }) => lagSeconds)),
        heartbeat: new Date(this.#heartbeat).toISOString(),
        fault: unfollowed?.fault ?? own.find(({ fault }) => fault !== null)?.fault ?? this.#fault,
      };
    });
  }

  /** One line a read model and partition. */
  partitions(): readonly PartitionStatus[] {
    const lines: PartitionStatus[] = [];
    for (const [partition, assigned] of this.#assigned) {
      for (const model of assigned.models) {
        const { followed, instance, checkpoint, halted } = model;
        const caughtUp = assigned.isCaughtUp(model);
        const lagSeconds = caughtUp ? 0 : (this.options.now() - model.caughtUpAt) / 1_000;
        const name = followed.model.name;
        const fault = assigned.broken ?? model.fault;
        lines.push({ name, instance, partition, ...checkpoint, halted, caughtUp, lagSeconds, fault });
      }
    }
    return lines;
  }

  // ------------------------------------------------------------------------------------------------------- reading

  async #read(signal: AbortSignal): Promise<void> {
    const reader: PartitionReader = {
      position: (partition) => this.#assign(partition, signal),
      apply: async (partition, messages) => {
        const assigned = this.#assigned.get(partition);
        invariant(assigned !== undefined, 'a position is asked before messages are given');
        await assigned.take(messages).catch((error: unknown) => {
          throw this.#failed(error);
        });
      },
      caughtUp: (partition) => {
        this.#assigned.get(partition)?.readToEnd();
        this.#heartbeat = this.options.now();
        this.#fault = null;
      },
      revoked: (partition) => this.#leave(partition),
    };
    await this.options.feed.run(reader, signal);
  }

  /** Reading begins behind the model that is furthest behind; what it halted at is tried again. */
  async #assign(partition: number, signal: AbortSignal): Promise<number> {
    const { readStore, now, domain } = this.options;
    const marks = new Set((await this.#marks.all()).map(textOf));
    const before = this.#assigned.get(partition);
    const models = await Promise.all(
      this.#parts.map(async (part): Promise<Following> => {
        const marked = marks.has(textOf(haltOf(part, partition)));
        const checkpoint = await readStore.checkpoint(part.instance, partition);
        const caughtUpAt = before?.models.find(({ instance }) => instance === part.instance)?.caughtUpAt ?? now();
        return { ...part, checkpoint, halted: null, marked, inFlight: null, caughtUpAt, fault: null };
      }),
    );
    const position = Math.min(...models.map(({ checkpoint }) => checkpoint.sequence));
    this.#leave(partition);
    const assigned = new Assigned(
      {
        ...{ partition, position, models, now, signal, restMs: this.options.restMs },
        upcast: domain.upcast,
        write: (model, events) => this.#write(partition, model, events),
        applied: (messages) => this.options.applied?.(partition, messages),
        failed: (error) => void this.#failed(error),
        lost: ({ instance }) => {
          this.#failed(new Error(`${instance} stands before what is being read`));
          this.#again.abort();
        },
      },
      before?.broken,
    );
    this.#assigned.set(partition, assigned);
    return position;
  }

  async #write(partition: number, model: Following, events: readonly Envelope[]): Promise<void> {
    const { checkpoint: from, inFlight, instance } = model;
    const followed = this.#in(partition, model.followed);
    const { folded, taken, halted } = projected(followed, events);
    const end = events[taken - 1];
    // A batch in flight is made whole or not at all.
    if (end !== undefined && (inFlight === null || taken === events.length)) {
      const to = { sequence: from.sequence + taken, position: end.position };
      const changes = written(followed, folded);
      const outcome = await this.options.readStore.apply({ model: instance, partition, from, to, changes });
      const elsewhere = outcome.outcome === 'elsewhere';
      model.checkpoint = elsewhere ? outcome.checkpoint : to;
      model.inFlight = (elsewhere && outcome.inFlight) || null;
      this.#heartbeat = this.options.now();
      // Another process may have got past what stopped us.
      if (elsewhere) return;
    }
    // Behind the write: what stands before the event that stops it is there, or all of it is tried again.
    if (halted !== null) await this.#halt(model, partition, halted);
    else if (model.marked) await this.#passed(model, partition);
  }

  /** Its own partition projects what stands in all; in the others it only says how far they have come. */
  #in(partition: number, followed: Followed): Followed {
    const { partitions, toAll } = this.options;
    if (partitions.of(toAll) === partition) return followed;
    return { ...followed, project: (event) => (event.stream === toAll ? [] : followed.project(event)) };
  }

  async #passed(model: Following, partition: number): Promise<void> {
    model.marked = false;
    this.#halts.delete(textOf(haltOf(model, partition)));
    await this.#marks.remove(haltOf(model, partition));
  }

  async #halt(model: Following, partition: number, halted: NonNullable<FollowerStatus['halted']>): Promise<void> {
    await this.#marks.put({ ...haltOf(model, partition), value: halted });
    this.#halts.add(textOf(haltOf(model, partition)));
    Object.assign(model, { halted, marked: true });
  }

  #failed(error: unknown): unknown {
    this.#fault = error instanceof Error ? error.message : String(error);
    if (!this.#again.signal.aborted) this.options.onFault(error);
    return error;
  }

  // ------------------------------------------------------------------------------------------------------- looking

  async #look(signal: AbortSignal): Promise<void> {
    // Not at one time with those that were begun together: what they open is the same.
    const beat = () => pause((this.options.lookMs ?? LOOK_MS) * (0.5 + Math.random()), signal);
    for (let opened = false; !signal.aborted; await beat()) {
      try {
        if (!opened) await this.#open();
        opened = true;
        await this.#lookOnce(signal);
      } catch (error) {
        // The read store may be back without what it held.
        opened = false;
        if (!signal.aborted) this.#failed(error);
      }
    }
  }

  /** The first projector of a ledger makes its instances; what is live of an earlier version stays so until it is rebuilt. */
  async #open(): Promise<void> {
    const { readStore, followed } = this.options;
    await this.#marks.open();
    for (const { model } of followed) {
      const { name, version } = model;
      const live = await readStore.live(name);
      const instance = live ?? `${name}.${version}`;
      if (isInstanceOf(instance, name, version)) await readStore.open(instance, model);
      if (live === undefined) await readStore.switchTo(name, instance);
    }
  }

  async #lookOnce(signal: AbortSignal): Promise<void> {
    const { readStore, followed, now } = this.options;
    const marks = await this.#marks.all();
    const live = await Promise.all(followed.map(({ model }) => readStore.live(model.name)));
    const parts: Part[] = [];
    for (const [index, one] of followed.entries()) {
      const { name, version } = one.model;
      const rebuilt = marks.find(
        (mark): mark is RebuildMark => mark.kind === 'rebuild' && mark.model === name && mark.value.until > now(),
      );
      const instance = live[index];
      if (instance === undefined) throw new Error(`the read store has lost ${name}: it is made anew`);
      const own = isInstanceOf(instance, name, version);
      if (own && rebuilt?.value.paused !== true) {
        parts.push({ followed: one, instance });
        this.#unfollowed.delete(name);
        continue;
      }
      const since = this.#unfollowed.get(name)?.since ?? now();
      const fault = own ? null : this.#upgrades.upgrade(one, instance, rebuilt, signal);
      this.#unfollowed.set(name, { instance, since, fault });
    }
    if (await this.#wentBack()) {
      this.#failed(new Error('the read store has lost what was written: partitions are read anew'));
      this.#again.abort();
    }
    const moved = parts.map(({ instance }) => instance).join() !== this.#parts.map(({ instance }) => instance).join();
    // What this process halted at, and somebody has taken the mark of: it is tried again.
    const standing = new Set(marks.filter(({ kind }) => kind === 'halted').map(textOf));
    const retried = [...this.#halts].some((mark) => !standing.has(mark));
    if (!moved && !retried) return;
    this.#parts = parts;
    this.#halts.clear();
    this.#again.abort();
  }

  /** Whether the read store lost what was written, and another projector has begun it anew. */
  async #wentBack(): Promise<boolean> {
    const found = await Promise.all(
      this.#parts.map(async ({ instance }) => {
        const written = [...this.#assigned].flatMap(([partition, { models }]) =>
          models.filter((model) => model.instance === instance).map(({ checkpoint }) => ({ partition, checkpoint })),
        );
        const there = await this.options.readStore.read(instance, async ({ checkpoints }) => checkpoints);
        return written.some(({ partition, checkpoint }) => checkpoint.sequence > (there.get(partition)?.sequence ?? 0));
      }),
    );
    return found.includes(true);
  }
}

const haltOf = ({ followed }: Part, partition: number) =>
  ({ kind: 'halted', model: followed.model.name, partition }) as const;

const textOf = ({ kind, model, partition }: Pick<Mark, 'kind' | 'model' | 'partition'>): string =>
  `${kind} ${model} ${partition}`;
