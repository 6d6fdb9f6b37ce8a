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

const ENTRIES = 'entries';

/** Where a process keeps its state: a read model of its own, that no query reads. */
const modelOf = (process: Process): ReadModel => ({
  name: `process-${process.name}`,
  version: process.version,
  collections: [{ name: ENTRIES, key: { key: 'text' }, fields: { due: 'text', value: 'json' }, indexes: [['due']] }],
});

/** Folds the global order into a process's own state, each batch with its checkpoint. */
export class ProcessFollower {
  readonly name: string;
  readonly #model: ReadModel;
  readonly #instance: string;
  #checkpoint: Checkpoint = AT_START;
  #turn: Promise<unknown> = Promise.resolve();
  #heartbeat = 0;
  #caughtUpAt = 0;

  constructor(
    private readonly process: Process,
    private readonly store: EventStore,
    private readonly readStore: ReadStore,
    private readonly domain: Domain,
    /** A batch ends with an event of this type: what it asks for is done from the state of that moment. */
    private readonly pauseOn: string | null,
    private readonly now: () => number,
  ) {
    this.#model = modelOf(process);
    this.name = this.#model.name;
    this.#instance = `${this.name}.${process.version}`;
  }

  async open(): Promise<void> {
    await this.readStore.open(this.#instance, this.#model);
    this.#checkpoint = await this.readStore.checkpoint(this.#instance, 0);
    this.#caughtUpAt = this.now();
  }

  /** Folds the next batch; false when there was nothing to fold. One turn at a time. */
  turn(paused: () => Promise<boolean> = async () => false): Promise<boolean> {
    const turn = this.#turn.then(async () => !(await paused()) && (await this.#fold()));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  get(key: string): Promise<unknown> {
    return this.readStore.read(this.#instance, async (view) => (await view.get(ENTRIES, { key }))?.value);
  }

  /** Entries in order of their keys, those due up to a day or all; within one state of the process. */
  entries(dueUpTo: LocalDate | null, work: (entries: AsyncIterable<ProcessEntry>) => Promise<void>): Promise<void> {
    return this.readStore.read(this.#instance, async (view) => {
      const find = dueUpTo === null ? {} : { where: { due: { lte: dueUpTo } } };
      await work(asEntries(view.find(ENTRIES, find)));
    });
  }

  status(): FollowerStatus {
    const caughtUp = this.#heartbeat <= this.#caughtUpAt;
    return {
      ...{ name: this.name, instance: this.#instance, kind: 'process', state: 'running', caughtUp, halted: null },
      ...{ sequence: this.#checkpoint.sequence, position: this.#checkpoint.position },
      lagSeconds: caughtUp ? 0 : (this.now() - this.#caughtUpAt) / 1_000,
      heartbeat: new Date(this.#heartbeat).toISOString(),
    };
  }

  async #fold(): Promise<boolean> {
    const events: Envelope[] = [];
    for await (const event of this.store.readAll({ after: this.#checkpoint.position, limit: PROCESS_BATCH })) {
      events.push(this.domain.upcast(event));
      if (event.type === this.pauseOn) break;
    }
    this.#heartbeat = this.now();
    const last = events.at(-1);
    if (last === undefined) {
      this.#caughtUpAt = this.#heartbeat;
      return false;
    }
    const to = { sequence: this.#checkpoint.sequence + events.length, position: last.position };
    const changes = await this.#changes(events);
    const [applied] = await this.readStore.applyAll([
      { model: this.#instance, partition: 0, from: this.#checkpoint, to, changes },
    ]);
    // Another process's fold of the same events is as good as ours: go on from where it came to.
    this.#checkpoint = applied?.outcome === 'elsewhere' ? applied.checkpoint : to;
    return true;
  }

  async #changes(events: readonly Envelope[]): Promise<readonly Change[]> {
    const keysOf = events.map((event) => this.process.keys(event));
    const state = new Map<string, unknown>();
    await this.readStore.read(this.#instance, async (view) => {
      for (const key of new Set(keysOf.flat())) {
        const found = await view.get(ENTRIES, { key });
        if (found !== undefined) state.set(key, found.value);
      }
    });
    const changed = new Map<string, ProcessEntry>();
    events.forEach((event, index) => {
      if (keysOf[index]?.length === 0) return;
      for (const entry of this.process.evolve(state, event)) {
        changed.set(entry.key, entry);
        if (entry.value === null) state.delete(entry.key);
        else state.set(entry.key, entry.value);
      }
    });
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
export async function runCloses(
  process: CloseProcess,
  follower: ProcessFollower,
  isUnderWay: (announced: Envelope) => Promise<boolean>,
  send: Send,
): Promise<void> {
  for (;;) {
    const announced = (await follower.get(process.underWay)) as Envelope | undefined;
    if (announced !== undefined && (await isUnderWay(announced))) {
      await closeOne(process, follower, announced, send);
    }
    // From here on the state may pass the announcement: its close is written.
    if (!(await follower.turn())) return;
  }
}

async function closeOne(
  process: CloseProcess,
  follower: ProcessFollower,
  announced: Envelope,
  send: Send,
): Promise<void> {
  const written: NewEvent[] = [];
  const underWay = new Set<Promise<void>>();
  await follower.entries(process.day(announced), async (entries) => {
    for await (const entry of entries) {
      const followUp = process.react(announced, entry);
      if (followUp === null) continue;
      const sent: Promise<void> = send(announced, followUp, false).then((events) => {
        for (const { type, data, meta } of events) written.push({ type, data, valueDate: meta.valueDate });
        underWay.delete(sent);
      });
      underWay.add(sent);
      if (underWay.size >= CLOSE_WINDOW) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  });
  await send(announced, process.finish(announced, await follower.get(process.totals), written), true);
}

async function* asEntries(found: AsyncIterable<Readonly<Record<string, unknown>>>): AsyncIterable<ProcessEntry> {
  for await (const { key, due, value } of found) {
    invariant(typeof key === 'string', 'an entry has a key');
    yield { key, due: due as LocalDate | null, value };
  }
}
