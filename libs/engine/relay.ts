import { type EventStore, START, type SubscriptionBatch } from '../event-store/port.js';
import type { Envelope } from '../kernel/envelope.js';
import { InvariantBroken } from '../kernel/result.js';
import {
  type LogCheckpoint,
  LogMismatch,
  type Message,
  type PublishOutcome,
  type TransactionalLog,
} from '../messaging/port.js';
import type { Partitions } from './partitions.js';
import { pause } from './pause.js';

/** The most events that are read at once, and that one publication holds. */
export const RELAY_BATCH = 1_000;
export const RELAY_EVENTS_MAX = 4_000;
/** How long the log stands still, while there is something to publish, before a standby takes over; and half as long by chance. */
export const LEASE_MS = 5_000;
/** How often a standby looks. */
const WATCH_MS = 250;
/** How long it waits after a fault of the store or the log. */
const FAULT_MS = 500;
const FAULT_MS_MAX = 10_000;
/** How many publications in a row may end unknown before it stands by: another one may be better placed. */
const UNKNOWN_MAX = 5;

export interface RelayOptions {
  readonly store: Pick<EventStore, 'subscribe' | 'head'>;
  readonly log: TransactionalLog;
  readonly partitions: Partitions;
  /**
   * The stream whose events go to every partition: a reader of any of them knows that it has seen what was before them
   * in the global order. Its own partition is the only one that projects them.
   */
  readonly toAll: string;
  readonly now: () => number;
  /** Told of faults: they are retried. */
  readonly onFault: (error: unknown) => void;
  readonly leaseMs?: number;
  /** From 0 to 1, anew at each call: so that two standbys do not take over in the same moment. */
  readonly chance?: () => number;
}

export interface RelayStatus {
  /** `stopped`: the log contradicts the store or itself, and somebody has to look. */
  readonly role: 'standby' | 'active' | 'stopped';
  /** The position of the last event that is published, and how many this process has published. */
  readonly position: string;
  readonly published: number;
  readonly caughtUp: boolean;
  /** Since everything was published; 0 while it is. */
  readonly lagSeconds: number;
  /** When it last did anything, RFC 3339. */
  readonly heartbeat: string;
  readonly fault: string | null;
}

/**
 * Takes the store's global order to the log, each event exactly once: the log keeps a batch and its checkpoint together,
 * and where nobody knows the log is asked. Any number may run: one leads, the others watch the log and take over when it
 * stands still though there is something to publish. Taking over fences, so two can never both publish; who was fenced
 * watches for a whole lease again, so they do not fence one another by turns.
 */
export class Relay {
  #role: RelayStatus['role'] = 'standby';
  #position = START;
  #published = 0;
  #caughtUp = false;
  #caughtUpAt: number;
  #heartbeat: number;
  #fault: string | null = null;

  constructor(private readonly options: RelayOptions) {
    this.#caughtUpAt = this.#heartbeat = options.now();
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (let first = true, faults = 0; !signal.aborted; first = false) {
      try {
        if (await this.#standBy(first, signal)) await this.#lead(signal);
        faults = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#fault = error instanceof Error ? error.message : String(error);
        this.options.onFault(error);
        if (error instanceof LogMismatch || error instanceof InvariantBroken) {
          this.#role = 'stopped';
          await aborted(signal);
          return;
        }
        await pause(Math.min(FAULT_MS * 2 ** faults++, FAULT_MS_MAX), signal);
      }
    }
  }

  status(): RelayStatus {
    return {
      ...{ role: this.#role, position: this.#position, published: this.#published, caughtUp: this.#caughtUp },
      lagSeconds: this.#caughtUp ? 0 : (this.options.now() - this.#caughtUpAt) / 1_000,
      heartbeat: new Date(this.#heartbeat).toISOString(),
      fault: this.#fault,
    };
  }

  /** Resolves when it is time to take over; false when it was stopped meanwhile. */
  async #standBy(first: boolean, signal: AbortSignal): Promise<boolean> {
    const { store, log, now, leaseMs = LEASE_MS, chance = Math.random } = this.options;
    this.#role = 'standby';
    const patience = leaseMs * (1 + chance() / 2);
    let stoodSince = now();
    let seen: string | null = null;
    for (; !signal.aborted; await pause(WATCH_MS, signal)) {
      const head = (await store.head())?.position ?? START;
      // After the head: what is published meanwhile makes the log look ahead and never behind.
      const position = await log.watch();
      this.#fault = null;
      this.#seen(position, position >= head);
      // Nobody has ever published: there is nobody to wait for, once there is something to publish. Only once, or two
      // would fence one another for ever.
      if (first && position === START && head > START) return true;
      if (position !== seen || position >= head) stoodSince = now();
      else if (now() - stoodSince >= patience) return true;
      seen = position;
    }
    return false;
  }

  /** Publishes until it is fenced or stopped. */
  async #lead(signal: AbortSignal): Promise<void> {
    for (let unknown = 0; !signal.aborted; ) {
      const recovered = await this.options.log.recover();
      await this.#checkStore(recovered);
      this.#role = 'active';
      this.#seen(recovered.position, false);
      const before = this.#published;
      const end = await this.#publishFrom(recovered, signal);
      if (end === null || end.outcome === 'fenced') return;
      this.options.onFault(end.cause);
      this.#fault = end.cause.message;
      unknown = this.#published > before ? 1 : unknown + 1;
      if (unknown >= UNKNOWN_MAX) throw end.cause;
      await pause(FAULT_MS * (unknown - 1), signal);
    }
  }

  /** A store that was put back to an earlier day would be followed by another history under the same numbers. */
  async #checkStore({ position }: LogCheckpoint): Promise<void> {
    const head = (await this.options.store.head())?.position ?? START;
    if (head < position)
      throw new LogMismatch(`the log stands at ${position}, and the store ends at ${head || 'nothing'}`);
  }

  /** What ended it: null when it was stopped. What is read while a publication is under way goes with the next one. */
  async #publishFrom(
    { position, sequences }: LogCheckpoint,
    signal: AbortSignal,
  ): Promise<Exclude<PublishOutcome, { outcome: 'committed' }> | null> {
    const { store, now } = this.options;
    const numbering = new Map(sequences);
    const over = new AbortController();
    const subscribed = store.subscribe({
      ...{ after: position, batch: RELAY_BATCH, signal: AbortSignal.any([signal, over.signal]) },
    });
    const batches = subscribed[Symbol.asyncIterator]();
    const next = () => {
      const read = batches.next().then((result): Step => ({ is: 'read', result, at: now() }));
      // It may end while a publication is waited for: it is looked at then.
      read.catch(() => {});
      return read;
    };
    let reading = next();
    let publishing: Promise<Step> | null = null;
    let gathered: Gathered = NOTHING;
    try {
      for (;;) {
        if (publishing === null && gathered.events.length > 0) {
          publishing = this.#publish(gathered, numbering);
          gathered = NOTHING;
        }
        const steps = [
          ...(publishing ? [publishing] : []),
          ...(gathered.events.length < RELAY_EVENTS_MAX ? [reading] : []),
        ];
        const step = await Promise.race(steps);
        if (step.is === 'published') {
          publishing = null;
          if (step.outcome.outcome !== 'committed') return step.outcome;
          this.#published += step.of.events.length;
          if (step.of.level) this.#caughtUpAt = step.of.at;
          this.#seen(lastOf(step.of).position, step.of.level && gathered.events.length === 0);
        } else if (step.result.done === true) {
          const last = await publishing;
          return last?.is === 'published' && last.outcome.outcome !== 'committed' ? last.outcome : null;
        } else {
          gathered = together(gathered, step.result.value, step.at);
          if (gathered.events.length === 0 && publishing === null) this.#seen(this.#position, true);
          else this.#caughtUp = false;
          reading = next();
        }
      }
    } finally {
      over.abort();
    }
  }

  async #publish(gathered: Gathered, numbering: Map<number, number>): Promise<Step> {
    const messages: Message[] = [];
    const { partitions, toAll } = this.options;
    const number = (partition: number, event: Envelope) => {
      const sequence = (numbering.get(partition) ?? 0) + 1;
      numbering.set(partition, sequence);
      messages.push({ partition, sequence, event });
    };
    for (const event of gathered.events) {
      if (event.stream !== toAll) number(partitions.of(event.stream), event);
      else for (let partition = 0; partition < partitions.count; partition++) number(partition, event);
    }
    const { position } = lastOf(gathered);
    const outcome = await this.options.log.publish(messages, { position, sequences: new Map(numbering) });
    return { is: 'published', outcome, of: gathered };
  }

  #seen(position: string, caughtUp: boolean): void {
    this.#position = position;
    this.#heartbeat = this.options.now();
    if (caughtUp) this.#caughtUpAt = this.#heartbeat;
    this.#caughtUp = caughtUp;
    if (this.#role === 'active' && caughtUp) this.#fault = null;
  }
}

/** Events that wait for their publication; `level` when there was nothing after them at the moment that they were read. */
interface Gathered {
  readonly events: readonly Envelope[];
  readonly level: boolean;
  readonly at: number;
}

const lastOf = ({ events }: Gathered): Envelope => events.at(-1) as Envelope;

const NOTHING: Gathered = { events: [], level: false, at: 0 };

type Step =
  | { readonly is: 'read'; readonly result: IteratorResult<SubscriptionBatch>; readonly at: number }
  | { readonly is: 'published'; readonly outcome: PublishOutcome; readonly of: Gathered };

const together = ({ events }: Gathered, batch: SubscriptionBatch, at: number): Gathered => ({
  ...{ events: [...events, ...batch.events], level: batch.caughtUp, at },
});

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
