import { setImmediate as yieldTurn } from 'node:timers/promises';
import type { EventStore } from '../event-store/port.js';
import type { LocalDate } from '../kernel/dates.js';
import type { CloseProcess, Domain, FollowUp, NewEvent, Process, ProcessEntry } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { AT_START, type Change, type Checkpoint, type ReadModel, type ReadStore } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';

/** The most events of one batch of a process. */
export const PROCESS_BATCH = 2_000;
/** The most follow-ups of a close that are under way at once. */
export const CLOSE_WINDOW = 512;
/**
 * How long a close begins follow-ups before commands get their turn, in milliseconds. Streams that are not warm are read
 * without one: a window of them, each from its first event and from the disk, takes more than a second. A turn of busy
 * commands takes some tens of milliseconds: shorter slices made a close three times as long (docs/adr/0016).
 */
const CLOSE_SLICE_MS = 100;

const ENTRIES = 'entries';
/** Entries asked for by one search. */
const KEYS_AT_ONCE = 500;

/** Where a process keeps its state: a read model of its own, that no query reads. */
const modelOf = (process: Process): ReadModel => ({
  name: `process-${process.name}`,
  version: process.version,
  collections: [{ name: ENTRIES, key: { key: 'text' }, fields: { due: 'text', value: 'json' }, indexes: [['due']] }],
});

/** The state of a process, as whoever acts on it reads it: in any thread. */
export class ProcessState {
  readonly name: string;
  readonly instance: string;

  constructor(
    process: Process,
    private readonly readStore: ReadStore,
  ) {
    this.name = modelOf(process).name;
    this.instance = `${this.name}.${process.version}`;
  }

  get(key: string): Promise<unknown> {
    return this.readStore.read(this.instance, async (view) => (await view.get(ENTRIES, { key }))?.value);
  }

  /** The entries that events change, as they are then; nothing is written. */
  async folded(process: Process, events: readonly Envelope[]): Promise<ReadonlyMap<string, ProcessEntry>> {
    const keysOf = events.map((event) => process.keys(event));
    const state = new Map<string, unknown>();
    await this.readStore.read(this.instance, async (view) => {
      const keys = [...new Set(keysOf.flat())];
      for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
        const where = { key: { in: keys.slice(at, at + KEYS_AT_ONCE) } };
        for await (const { key, value } of asEntries(view.find(ENTRIES, { where }))) state.set(key, value);
      }
    });
    const changed = new Map<string, ProcessEntry>();
    events.forEach((event, index) => {
      if (keysOf[index]?.length === 0) return;
      for (const entry of process.evolve(state, event)) {
        changed.set(entry.key, entry);
        if (entry.value === null) state.delete(entry.key);
        else state.set(entry.key, entry.value);
      }
    });
    return changed;
  }

  /** Entries in order of their keys, those due up to a day or all; within one state of the process. */
  entries(dueUpTo: LocalDate | null, work: (entries: AsyncIterable<ProcessEntry>) => Promise<void>): Promise<void> {
    return this.readStore.read(this.instance, async (view) => {
      const find = dueUpTo === null ? {} : { where: { due: { lte: dueUpTo } } };
      await work(asEntries(view.find(ENTRIES, find)));
    });
  }
}

/** What a follower of a process is given. */
export interface ProcessTools {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly domain: Domain;
  readonly now: () => number;
  /** Whether others follow the same processes: then nothing of theirs is dropped. */
  readonly shared?: boolean;
}

/** Folds the global order into a process's own state, each batch with its checkpoint. */
export class ProcessFollower {
  readonly state: ProcessState;
  #checkpoint: Checkpoint = AT_START;
  #inFlight: Checkpoint | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #heartbeat = 0;
  #caughtUpAt = 0;
  /** Whether the read store is known to hold its state: after a fault it may have lost all. */
  #opened = false;

  constructor(
    private readonly process: Process,
    private readonly tools: ProcessTools,
    /** A batch ends with an event of this type: what it asks for is done from the state of that moment. */
    private readonly pauseOn: string | null,
    /** Whether what that event asks for is still being done. */
    private readonly paused: () => Promise<boolean>,
  ) {
    this.state = new ProcessState(process, tools.readStore);
  }

  async open(): Promise<void> {
    const { store, readStore, shared, now } = this.tools;
    const { instance } = this.state;
    await readStore.open(instance, modelOf(this.process));
    this.#checkpoint = await readStore.checkpoint(instance, 0);
    this.#inFlight = undefined;
    // It took events that the store does not hold (a power cut took them, or a backup is older): it is folded anew.
    if (!shared && this.#checkpoint.position > ((await store.head())?.position ?? '')) {
      await readStore.drop(instance);
      await readStore.open(instance, modelOf(this.process));
      this.#checkpoint = AT_START;
    }
    this.#caughtUpAt ||= now();
    this.#opened = true;
  }

  /** Folds the next batch; false when there was nothing to fold, or it may not go on. One turn at a time. */
  turn(): Promise<boolean> {
    const turn = this.#turn.then(() => this.#oneTurn());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #oneTurn(): Promise<boolean> {
    try {
      if (!this.#opened) await this.open();
      return !(await this.paused()) && (await this.#fold());
    } catch (error) {
      this.#opened = false;
      throw error;
    }
  }

  status(): FollowerStatus {
    const { name, instance } = this.state;
    const caughtUp = this.#heartbeat <= this.#caughtUpAt;
    return {
      ...{ name, instance, kind: 'process', state: 'running', caughtUp, halted: null, fault: null },
      ...{ sequence: this.#checkpoint.sequence, position: this.#checkpoint.position },
      lagSeconds: caughtUp ? 0 : (this.tools.now() - this.#caughtUpAt) / 1_000,
      heartbeat: new Date(this.#heartbeat).toISOString(),
    };
  }

  async #fold(): Promise<boolean> {
    const events: Envelope[] = [];
    const { store, readStore, domain, now } = this.tools;
    // What another process left half way is made whole in its own boundaries.
    const limit = this.#inFlight === undefined ? PROCESS_BATCH : this.#inFlight.sequence - this.#checkpoint.sequence;
    for await (const event of store.readAll({ after: this.#checkpoint.position, limit })) {
      events.push(domain.upcast(event));
      if (event.type === this.pauseOn) break;
    }
    this.#heartbeat = now();
    const last = events.at(-1);
    if (last === undefined) {
      if (await this.#isElsewhere()) return true;
      this.#caughtUpAt = this.#heartbeat;
      return false;
    }
    const to = { sequence: this.#checkpoint.sequence + events.length, position: last.position };
    const changes = await this.#changes(events);
    const [applied] = await readStore.applyAll([
      { model: this.state.instance, partition: 0, from: this.#checkpoint, to, changes },
    ]);
    // Another process's fold of the same events is as good as ours: go on from where it came to.
    const elsewhere = applied?.outcome === 'elsewhere' ? applied : undefined;
    this.#checkpoint = elsewhere?.checkpoint ?? to;
    this.#inFlight = elsewhere?.inFlight;
    return true;
  }

  /** Of a state that others fold as well: they may have begun it anew, after it was lost. */
  async #isElsewhere(): Promise<boolean> {
    if (!this.tools.shared) return false;
    const { sequence } = this.#checkpoint;
    this.#checkpoint = await this.tools.readStore.checkpoint(this.state.instance, 0);
    return this.#checkpoint.sequence !== sequence;
  }

  async #changes(events: readonly Envelope[]): Promise<readonly Change[]> {
    const changed = await this.state.folded(this.process, events);
    return [...changed.values()].map(({ key, due, value }) =>
      value === null
        ? { op: 'remove', collection: ENTRIES, key: { key } }
        : { op: 'put', collection: ENTRIES, key: { key }, fields: { due, value } },
    );
  }
}

/** How a follow-up is sent: resolves with the events that it led to, now or the first time. */
export type Send = (announced: Envelope, followUp: FollowUp, ends: boolean) => Promise<readonly Envelope[]>;

/**
 * Does what announced closes ask for, one after another, until none is under way. The process's state stands still at
 * the announcement meanwhile: it has seen every event before it and none after.
 */
export async function runCloses(process: CloseProcess, state: ProcessState, tools: CloseTools): Promise<void> {
  while (await tools.isUnderWay(null)) {
    await tools.drained();
    await tools.settle();
    const announced = (await state.get(process.underWay)) as Envelope | undefined;
    if (announced === undefined || !(await tools.isUnderWay(announced))) {
      invariant(tools.shared, 'the process stands at the announced close');
      // Another writer finished it, and the process went on.
      continue;
    }
    await closeOne(process, state, announced, tools);
  }
}

export interface CloseTools {
  /** Whether there are other writers, who may finish what is under way. */
  readonly shared: boolean;
  /** Whether a close (null: any) is announced and not written. */
  readonly isUnderWay: (announced: Envelope | null) => Promise<boolean>;
  /** Resolves when nobody writes on the day that closes any more, and nothing of it waits for a second append. */
  readonly drained: () => Promise<void>;
  /** Takes the process to the announcement that is under way. */
  readonly settle: () => Promise<void>;
  /** What other writers booked on the day after its close was announced. */
  readonly landed: (announced: Envelope) => Promise<readonly Envelope[]>;
  readonly send: Send;
}

async function closeOne(
  process: CloseProcess,
  state: ProcessState,
  announced: Envelope,
  { landed, send }: CloseTools,
): Promise<void> {
  const written: NewEvent[] = [];
  const underWay = new Set<Promise<void>>();
  const day = process.day(announced);
  const over = await state.folded(process, await landed(announced));
  let sliceBegan = performance.now();

  const react = async (entry: ProcessEntry): Promise<void> => {
    const followUp = process.react(announced, entry);
    if (followUp === null) return;
    const sent: Promise<void> = send(announced, followUp, false).then((events) => {
      for (const { type, data, meta } of events) written.push({ type, data, valueDate: meta.valueDate });
      underWay.delete(sent);
    });
    underWay.add(sent);
    if (underWay.size >= CLOSE_WINDOW) await Promise.race(underWay);
    if (performance.now() - sliceBegan < CLOSE_SLICE_MS) return;
    await yieldTurn();
    sliceBegan = performance.now();
  };

  await state.entries(day, async (entries) => {
    for await (const entry of entries) if (!over.has(entry.key)) await react(entry);
    for (const entry of over.values()) if (entry.due !== null && entry.due <= day) await react(entry);
    await Promise.all(underWay);
  });
  const reads = new Map<string, unknown>();
  for (const key of process.finishReads) {
    const value = over.get(key)?.value ?? (await state.get(key));
    if (value !== undefined) reads.set(key, value);
  }
  await send(announced, process.finish(announced, reads, written), true);
}

async function* asEntries(found: AsyncIterable<Readonly<Record<string, unknown>>>): AsyncIterable<ProcessEntry> {
  for await (const { key, due, value } of found) {
    invariant(typeof key === 'string', 'an entry has a key');
    yield { key, due: due as LocalDate | null, value };
  }
}
