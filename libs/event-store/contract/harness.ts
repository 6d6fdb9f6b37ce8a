import { randomUUID } from 'node:crypto';
import { dateOfDay, parseInstant } from '../../kernel/dates.js';
import type { Envelope, Meta, UnplacedEnvelope } from '../../kernel/envelope.js';
import { invariant } from '../../kernel/result.js';
import { type AppendOutcome, type EventStore, START, type SubscriptionBatch } from '../port.js';

/** An adapter under test. The store may hold events of other tests or of years: the contract looks only at its own. */
export interface EventStoreHarness {
  readonly store: EventStore;
  /** Closes the store and opens the same data again. Needed when `capabilities.reopens`. */
  reopen?(): Promise<EventStore>;
  /** How many durable writes (transactions, syncs) there have been. Needed when `capabilities.countsWrites`. */
  writes?(): number;
  /** Makes the next append end as `unknown`, its events written or not. Needed when `capabilities.losesAnswers`. */
  loseNextAnswer?(fate: 'written' | 'not written'): void;
  /** Closes what is open and removes what was made. */
  dispose(): Promise<void>;
}

export interface EventStoreCapabilities {
  readonly reopens: boolean;
  readonly countsWrites: boolean;
  readonly losesAnswers: boolean;
}

export interface EventStoreContractOptions {
  open(): Promise<EventStoreHarness>;
  readonly capabilities: EventStoreCapabilities;
}

/** What a group of cases is handed: the harness of the case that runs. */
export interface Bench {
  readonly capabilities: EventStoreCapabilities;
  harness(): EventStoreHarness;
  store(): EventStore;
}

/** How long a case waits for what must come at once. */
export const SOON_MS = 5_000;

export const newStream = (kind = 'loan'): string => `${kind}-${randomUUID()}`;

const AT = parseInstant('2024-05-02T03:04:05.678Z');

const META: Omit<Meta, 'recordedAt'> = {
  valueDate: dateOfDay(19_845),
  bookingDate: dateOfDay(19_845),
  actor: 'ops@branch',
  commandId: 'loan-L1 sheet-1',
  commandHash: '0'.repeat(64),
  correlationId: 'sheet-1',
  causationId: 'loan-L1 sheet-1',
  seal: 'f'.repeat(64),
};

export function eventAt(stream: string, revision: number, parts: Partial<UnplacedEnvelope> = {}): UnplacedEnvelope {
  invariant(AT !== null, 'the instant of the examples is one');
  const meta: Meta = { ...META, recordedAt: AT, seal: `seal of ${stream} at ${revision}` };
  return {
    id: randomUUID(),
    type: 'InstallmentPaid',
    version: 1,
    stream,
    revision,
    data: { revision },
    meta,
    ...parts,
  };
}

/** `count` events that follow `expectedRevision`. */
export const eventsAfter = (stream: string, expectedRevision: number, count: number): UnplacedEnvelope[] =>
  Array.from({ length: count }, (_, i) => eventAt(stream, expectedRevision + 1 + i));

/** Appends `count` new events and gives back what is stored of them. */
export async function appended(
  store: EventStore,
  stream: string,
  expectedRevision: number,
  count: number,
): Promise<Envelope[]> {
  const events = eventsAfter(stream, expectedRevision, count);
  return placed(events, await store.append(stream, expectedRevision, events));
}

/** The events as a reader must find them. */
export function placed(events: readonly UnplacedEnvelope[], outcome: AppendOutcome): Envelope[] {
  const positions = positionsOf(outcome);
  expect(positions).toHaveLength(events.length);
  return events.map((event, i) => ({ ...event, position: positions[i] ?? '' }));
}

export function positionsOf(outcome: AppendOutcome): readonly string[] {
  expect(outcome).toMatchObject({ outcome: 'committed' });
  return outcome.outcome === 'committed' ? outcome.positions : [];
}

export async function all<T>(read: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of read) items.push(item);
  return items;
}

/** Where the global order ends now: what a case appends comes behind it. */
export const headPosition = async (store: EventStore): Promise<string> => (await store.head())?.position ?? START;

export interface Following {
  readonly events: Envelope[];
  readonly batches: SubscriptionBatch[];
  /** Settles when the subscription has ended. */
  readonly ended: Promise<void>;
  stop(): void;
  /** Settles when that many events are there, or fails after `SOON_MS`. */
  until(what: string, condition: () => boolean): Promise<void>;
}

/** A subscriber that keeps what it is given. `pause` is waited for after each batch. */
export function following(
  store: EventStore,
  after: string,
  batch = 100,
  pause: () => Promise<void> = () => Promise.resolve(),
): Following {
  const abort = new AbortController();
  const events: Envelope[] = [];
  const batches: SubscriptionBatch[] = [];
  const ended = (async () => {
    for await (const found of store.subscribe({ after, batch, signal: abort.signal })) {
      batches.push(found);
      events.push(...found.events);
      await pause();
    }
  })();
  return { events, batches, ended, stop: () => abort.abort(), until };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + SOON_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited ${SOON_MS} ms for ${what}`);
    await sleep(2);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Fails when a promise that must settle soon does not: a hang is a failure with a name. */
export async function soon<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${SOON_MS} ms for ${what}`)), SOON_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
