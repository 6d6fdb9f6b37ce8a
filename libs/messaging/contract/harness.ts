import { randomUUID } from 'node:crypto';
import { dateOfDay, parseInstant } from '../../kernel/dates.js';
import type { Envelope } from '../../kernel/envelope.js';
import { invariant } from '../../kernel/result.js';
import {
  FeedCrashed,
  type LogCheckpoint,
  LogMismatch,
  type Message,
  type PartitionedFeed,
  type PartitionReader,
  type TransactionalLog,
} from '../port.js';

/** A log under test: made, empty, and nobody else's. */
export interface TransportHarness {
  /** At least 3. */
  readonly partitions: number;
  publisher(): TransactionalLog;
  feed(group: string): PartitionedFeed;
  /** The next batch of any publisher ends as `unknown`, written or not. */
  loseNextAnswer(fate: 'written' | 'not written'): void | Promise<void>;
  dispose(): Promise<void>;
}

export interface TransportContractOptions {
  open(): Promise<TransportHarness>;
  /** How long a case waits for what must come: a server takes its time to share partitions. */
  readonly patienceMs: number;
}

/** What a group of cases is handed: the harness of the case that runs. */
export interface Bench {
  harness(): TransportHarness;
  /** Settles when the condition holds, or fails when the patience is over. */
  until(what: string, condition: () => boolean): Promise<void>;
}

export const EMPTY: LogCheckpoint = { position: '', sequences: new Map() };

const AT = parseInstant('2024-05-02T03:04:05.678Z');

/** An event at the `n`th place of the global order. */
export function eventAt(n: number, stream = `loan-L${n % 7}`): Envelope {
  invariant(AT !== null, 'the instant of the examples is one');
  return {
    id: randomUUID(),
    type: 'InstallmentPaid',
    version: 1,
    stream,
    revision: n,
    position: String(n).padStart(20, '0'),
    data: { n, amount: '9007199254740993', note: `quý ${n} – “đủ” \u2028 𝔏`, none: null, nested: [{ b: 1, a: [] }] },
    meta: {
      valueDate: dateOfDay(19_845),
      bookingDate: dateOfDay(19_845),
      recordedAt: AT,
      actor: 'ops@branch',
      commandId: `${stream} sheet-${n}`,
      commandHash: '0'.repeat(64),
      correlationId: 'sheet-1',
      causationId: `${stream} sheet-${n}`,
      seal: 'f'.repeat(64),
    },
  };
}

export interface Batch {
  readonly messages: readonly Message[];
  readonly checkpoint: LogCheckpoint;
}

/** The batch that follows a checkpoint: one event for each of `partitions`, in that order. */
export function batchAfter(last: LogCheckpoint, partitions: readonly number[]): Batch {
  const sequences = new Map(last.sequences);
  let n = Number(last.position);
  const messages = partitions.map((partition) => {
    const sequence = (sequences.get(partition) ?? 0) + 1;
    sequences.set(partition, sequence);
    return { partition, sequence, event: eventAt(++n) };
  });
  return { messages, checkpoint: { position: messages.at(-1)?.event.position ?? last.position, sequences } };
}

/** Publishes batches one after the other, and gives back the messages and the last checkpoint. */
export async function published(
  log: TransactionalLog,
  after: LogCheckpoint,
  ...batches: readonly (readonly number[])[]
): Promise<Batch> {
  const all: Message[] = [];
  let checkpoint = after;
  for (const partitions of batches) {
    const batch = batchAfter(checkpoint, partitions);
    expect(await log.publish(batch.messages, batch.checkpoint)).toEqual({ outcome: 'committed' });
    all.push(...batch.messages);
    checkpoint = batch.checkpoint;
  }
  return { messages: all, checkpoint };
}

/** `count` times the partition. */
export const times = (count: number, partition: number): number[] => Array.from({ length: count }, () => partition);

/** What readers of one group keep together: each partition's messages. */
export interface Kept {
  readonly messages: Map<number, Message[]>;
  /** Whatever broke the order of a partition. */
  readonly broken: string[];
  count(): number;
}

export function kept(): Kept {
  const messages = new Map<number, Message[]>();
  const count = () => [...messages.values()].reduce((sum, of) => sum + of.length, 0);
  return { messages, broken: [], count };
}

/** What was called of a reader, partition by partition. */
export interface Reading {
  readonly applied: Map<number, number>;
  readonly asked: Map<number, number>;
  readonly caughtUp: Set<number>;
  readonly revoked: Set<number>;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Reads what the group has not kept, as a projector does: skips what it has, and takes the next one only. */
export function reading(
  feed: PartitionedFeed,
  all: Kept,
  before: (partition: number, messages: readonly Message[]) => Promise<void> | void = () => {},
): Reading {
  const abort = new AbortController();
  const applying = new Set<number>();
  const [applied, asked] = [new Map<number, number>(), new Map<number, number>()];
  const [caughtUp, revoked] = [new Set<number>(), new Set<number>()];
  const own = (partition: number): Message[] => {
    const messages = all.messages.get(partition) ?? [];
    all.messages.set(partition, messages);
    return messages;
  };
  const keep = (message: Message): void => {
    const messages = own(message.partition);
    const next = (messages.at(-1)?.sequence ?? 0) + 1;
    if (message.sequence > next) all.broken.push(`${message.sequence} of ${message.partition} comes before ${next}`);
    if (message.sequence === next) messages.push(message);
  };
  const reader: PartitionReader = {
    async position(partition) {
      asked.set(partition, (asked.get(partition) ?? 0) + 1);
      return own(partition).at(-1)?.sequence ?? 0;
    },
    async apply(partition, messages) {
      if (applying.has(partition)) all.broken.push(`partition ${partition} is applied twice at a time`);
      applying.add(partition);
      try {
        await before(partition, messages);
        for (const message of messages) keep(message);
        applied.set(partition, (applied.get(partition) ?? 0) + messages.length);
      } finally {
        applying.delete(partition);
      }
    },
    caughtUp: (partition) => void caughtUp.add(partition),
    revoked: (partition) => void revoked.add(partition),
  };
  const ended = runAgain(feed, reader, abort.signal);
  // A case that fails before it looks at the end would leave it unhandled.
  ended.catch(() => undefined);
  const stop = async () => {
    abort.abort();
    await ended;
  };
  return { applied, caughtUp, revoked, asked, ended, stop };
}

/** As a projector does: a coordinator that is still loading its groups, on a slow machine for long, ends a run. */
async function runAgain(feed: PartitionedFeed, reader: PartitionReader, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await feed.run(reader, signal);
    } catch (error) {
      if (error instanceof FeedCrashed || error instanceof LogMismatch || signal.aborted) throw error;
    }
  }
}

/** The messages of each partition, in order. */
export function byPartition(messages: readonly Message[]): Map<number, Message[]> {
  const found = new Map<number, Message[]>();
  for (const message of messages) found.set(message.partition, [...(found.get(message.partition) ?? []), message]);
  return found;
}

/** What was kept of each partition that holds anything. */
export const held = ({ messages }: Kept): Map<number, Message[]> =>
  new Map([...messages].filter(([, of]) => of.length > 0));
