import type { Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { FeedCrashed, type Message, type PartitionedFeed, type PartitionReader } from '../messaging/port.js';
import type { ApplyOutcome, Batch, Checkpoint, ReadStore } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
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
}

/** A partition whose messages do not follow one another: it is money, nothing is guessed. */
export class SequenceBroken extends Error {
  override readonly name = 'SequenceBroken';
  constructor(
    readonly kind: 'hole' | 'double' | 'reorder',
    readonly partition: number,
    expected: number,
    found: number,
  ) {
    super(`a ${kind} in partition ${partition}: ${found} stands where ${expected} was to come`);
  }
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

/** The live instance of a read model. */
interface Part {
  readonly followed: Followed;
  readonly instance: string;
}

/** A read model that this process does not follow: it is paused, or another version is live. */
interface Unfollowed {
  readonly instance: string;
  readonly since: number;
  readonly fault: string | null;
}

interface Following extends Part {
  checkpoint: Checkpoint;
  halted: FollowerStatus['halted'];
  /** Whether a mark says that it is halted here: taken away when it gets past. */
  marked: boolean;
  /** Where a batch ends that another process began and perhaps left half way: it is made whole by one of the same events. */
  inFlight: Checkpoint | null;
}

/** A partition that was given to this process. */
interface Assigned {
  readonly models: readonly Following[];
  /** The sequence that must come next. */
  next: number;
  /** What was given and cannot be written yet, as a batch in flight ends behind it. */
  held: readonly Message[];
  caughtUp: boolean;
  caughtUpAt: number;
  fault: string | null;
}

/**
 * Takes partitions to the read models: each batch is projected, folded and written with its checkpoint, by compare and
 * set. The checkpoints say where reading begins, each model skips what it has, and a process that lost its partition
 * without knowing bounces off the checkpoint. An event that a projection cannot take halts that read model in that
 * partition and nothing else; a break in the sequence stops the partition. Any number run beside one another.
 */
export class Projector {
  readonly #assigned = new Map<number, Assigned>();
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
      }
      this.#assigned.clear();
    }
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
    for (const [partition, { models, caughtUp, caughtUpAt, fault }] of this.#assigned) {
      const lagSeconds = caughtUp ? 0 : (this.options.now() - caughtUpAt) / 1_000;
      for (const { followed, instance, checkpoint, halted } of models) {
        const name = followed.model.name;
        lines.push({ ...{ name, instance, partition, ...checkpoint, halted, caughtUp, lagSeconds, fault } });
      }
    }
    return lines;
  }

  // ------------------------------------------------------------------------------------------------------- reading

  async #read(signal: AbortSignal): Promise<void> {
    const reader: PartitionReader = {
      position: (partition) => this.#assign(partition),
      apply: async (partition, messages) => {
        const assigned = this.#assigned.get(partition);
        invariant(assigned !== undefined, 'a position is asked before messages are given');
        try {
          await this.#apply(partition, assigned, messages, signal);
          assigned.fault = null;
        } catch (error) {
          assigned.fault = error instanceof Error ? error.message : String(error);
          throw this.#failed(error);
        }
      },
      caughtUp: (partition) => {
        const now = this.options.now();
        const assigned = this.#assigned.get(partition);
        if (assigned !== undefined) Object.assign(assigned, { caughtUp: true, caughtUpAt: now });
        this.#heartbeat = now;
        this.#fault = null;
      },
      revoked: (partition) => void this.#assigned.delete(partition),
    };
    await this.options.feed.run(reader, signal);
  }

  /** Reading begins behind the model that is furthest behind; what it halted at is tried again. */
  async #assign(partition: number): Promise<number> {
    const { readStore, now } = this.options;
    const marks = new Set((await this.#marks.all()).map(textOf));
    const models = await Promise.all(
      this.#parts.map(async (part): Promise<Following> => {
        const marked = marks.has(textOf(haltOf(part, partition)));
        const checkpoint = await readStore.checkpoint(part.instance, partition);
        return { ...part, checkpoint, halted: null, marked, inFlight: null };
      }),
    );
    const position = Math.min(...models.map(({ checkpoint }) => checkpoint.sequence));
    const known = this.#assigned.get(partition);
    this.#assigned.set(partition, {
      ...{ models, next: position + 1, held: [], caughtUp: false, caughtUpAt: known?.caughtUpAt ?? now() },
      fault: known?.fault ?? null,
    });
    return position;
  }

  async #apply(partition: number, assigned: Assigned, given: readonly Message[], signal: AbortSignal): Promise<void> {
    for (const [index, { sequence }] of given.entries()) checkNext(partition, assigned.next + index, sequence);
    assigned.caughtUp = false;
    const messages = [...assigned.held, ...given];
    const [first, last] = [assigned.next - assigned.held.length, assigned.next + given.length - 1];
    const events = messages.map(({ event }) => this.options.domain.upcast(event));
    const behind = () =>
      assigned.models.filter(({ halted, checkpoint }) => halted === null && checkpoint.sequence < last);
    const ready = () => behind().filter(({ inFlight }) => inFlight === null || inFlight.sequence <= last);
    // Another process may have been further, or was cut off in the middle: what is left is taken from where it stands.
    for (let models = ready(); models.length > 0; models = ready()) {
      signal.throwIfAborted();
      for (const { checkpoint, instance } of models) {
        if (checkpoint.sequence < first - 1) throw new Error(`${instance} stands before what is being read`);
      }
      await this.#write(partition, models, events, first);
    }
    const waiting = behind();
    const from = Math.min(last, ...waiting.map(({ checkpoint }) => checkpoint.sequence));
    Object.assign(assigned, { next: last + 1, held: messages.slice(from + 1 - first) });
    this.#heartbeat = this.options.now();
    this.options.applied?.(partition, given);
  }

  async #write(
    partition: number,
    models: readonly Following[],
    events: readonly Envelope[],
    first: number,
  ): Promise<void> {
    const batches: { readonly model: Following; readonly batch: Batch }[] = [];
    for (const model of models) {
      const { checkpoint: from, inFlight, instance } = model;
      const own = events.slice(
        from.sequence + 1 - first,
        inFlight === null ? undefined : inFlight.sequence + 1 - first,
      );
      const followed = this.#in(partition, model.followed);
      const { folded, taken, halted } = projected(followed, own);
      if (halted !== null) await this.#halt(model, partition, halted);
      const end = own[taken - 1];
      // A batch in flight is made whole or not at all.
      if (end === undefined || (inFlight !== null && taken < own.length)) continue;
      const to = { sequence: from.sequence + taken, position: end.position };
      batches.push({ model, batch: { model: instance, partition, from, to, changes: written(followed, folded) } });
    }
    if (batches.length === 0) return;
    const outcomes = await this.options.readStore.applyAll(batches.map(({ batch }) => batch));
    for (const [index, { model, batch }] of batches.entries()) {
      const outcome = outcomes[index] as ApplyOutcome;
      const elsewhere = outcome.outcome === 'elsewhere';
      model.checkpoint = elsewhere ? outcome.checkpoint : batch.to;
      model.inFlight = (elsewhere && outcome.inFlight) || null;
      if (model.marked && model.halted === null) await this.#passed(model, partition);
    }
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
    Object.assign(model, { halted, marked: true });
    await this.#marks.put({ ...haltOf(model, partition), value: halted });
    this.#halts.add(textOf(haltOf(model, partition)));
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
      const instance = live[index] ?? '';
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
    const moved = parts.map(({ instance }) => instance).join() !== this.#parts.map(({ instance }) => instance).join();
    // What this process halted at, and somebody has taken the mark of: it is tried again.
    const standing = new Set(marks.filter(({ kind }) => kind === 'halted').map(textOf));
    const retried = [...this.#halts].some((mark) => !standing.has(mark));
    if (!moved && !retried) return;
    this.#parts = parts;
    this.#halts.clear();
    this.#again.abort();
  }
}

function checkNext(partition: number, expected: number, found: number): void {
  if (found === expected) return;
  if (found > expected) throw new SequenceBroken('hole', partition, expected, found);
  throw new SequenceBroken(found === expected - 1 ? 'double' : 'reorder', partition, expected, found);
}

const haltOf = ({ followed }: Part, partition: number) =>
  ({ kind: 'halted', model: followed.model.name, partition }) as const;

const textOf = ({ kind, model, partition }: Pick<Mark, 'kind' | 'model' | 'partition'>): string =>
  `${kind} ${model} ${partition}`;
