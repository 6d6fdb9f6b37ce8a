import { invariant } from '../../kernel/result.js';
import { acceptBatch } from '../accept.js';
import {
  type LogCheckpoint,
  LogMismatch,
  type Message,
  type PartitionedFeed,
  type PublishOutcome,
  type TransactionalLog,
} from '../port.js';
import { groupOf, type MemoryFeedOptions, memoryFeed } from './feed.js';
import { bell, parse, type Shared } from './shared.js';

/** A log in memory with faults at will: for tests of who publishes and who reads. */
export interface MemoryTransport {
  /** A new publisher of the log. */
  publisher(): TransactionalLog;
  /** A new reader's end; those of one group share the partitions. */
  feed(group: string, options?: MemoryFeedOptions): PartitionedFeed;
  /** The next batch ends as `unknown`, written or not. */
  loseNextAnswer(fate: 'written' | 'not written'): void;
  /** Every partition goes to the next member of the group at once, also from under one that is applying. */
  rebalance(group: string): void;
  /** Delivers the last `count` messages of a partition again, to who has it in each group. */
  redeliver(partition: number, count: number): void;
  /** What a partition holds, changed: a hole, a double, a reorder. Readers meet it when they come there. */
  damage(partition: number, change: (messages: readonly Message[]) => readonly Message[]): void;
  loseCheckpoint(): void;
  readonly partitions: number;
  /** What a partition holds, and the checkpoint that goes with it. */
  messages(partition: number): readonly Message[];
  checkpoint(): LogCheckpoint;
}

/** `partitions` is how many there are; the log is made and empty. */
export function memoryTransport(partitions: number): MemoryTransport {
  const shared: Shared = {
    kept: Array.from({ length: partitions }, () => []),
    checkpoint: { position: '', sequences: new Map() },
    epoch: 0,
    fates: [],
    groups: new Map(),
    ...bell(),
  };
  return {
    publisher: () => memoryLog(shared),
    feed: (group, options) => memoryFeed(shared, group, options),
    loseNextAnswer: (fate) => void shared.fates.push(fate),
    rebalance(group) {
      groupOf(shared, group).rotate();
      shared.ring();
    },
    redeliver(partition, count) {
      for (const group of shared.groups.values()) group.back(partition, count);
      shared.ring();
    },
    damage(partition, change) {
      const kept = shared.kept[partition] ?? [];
      kept.splice(0, kept.length, ...change(kept.map(parse)).map((message) => JSON.stringify(message)));
      shared.ring();
    },
    loseCheckpoint() {
      shared.checkpoint = undefined;
    },
    partitions,
    messages: (partition) => (shared.kept[partition] ?? []).map(parse),
    checkpoint: () => checkpointOf(shared),
  };
}

function memoryLog(shared: Shared): TransactionalLog {
  let epoch = -1;
  let last: LogCheckpoint | undefined;
  let closed = false;
  return {
    async recover() {
      invariant(!closed, 'the log is closed');
      last = undefined;
      epoch = ++shared.epoch;
      const found = crossChecked(shared);
      last = found;
      return found;
    },
    async watch() {
      invariant(!closed, 'the log is closed');
      return checkpointOf(shared).position;
    },
    async publish(messages, checkpoint): Promise<PublishOutcome> {
      invariant(!closed, 'the log is closed');
      invariant(last !== undefined, 'a publisher recovers first');
      acceptBatch(last, messages, checkpoint);
      for (const { partition } of messages) {
        invariant(shared.kept[partition] !== undefined, `there is no partition ${partition}`);
      }
      last = undefined;
      if (epoch !== shared.epoch) return { outcome: 'fenced' };
      const fate = shared.fates.shift();
      if (fate !== 'not written') write(shared, messages, checkpoint);
      if (fate !== undefined) return { outcome: 'unknown', cause: new Error(`the answer was lost, ${fate}`) };
      last = checkpoint;
      return { outcome: 'committed' };
    },
    async close() {
      closed = true;
    },
  };
}

function write(shared: Shared, messages: readonly Message[], checkpoint: LogCheckpoint): void {
  for (const message of messages) shared.kept[message.partition]?.push(JSON.stringify(message));
  shared.checkpoint = { position: checkpoint.position, sequences: new Map(checkpoint.sequences) };
  shared.ring();
}

function checkpointOf({ checkpoint }: Shared): LogCheckpoint {
  if (checkpoint === undefined) throw new LogMismatch('the log has no checkpoint');
  return checkpoint;
}

function crossChecked(shared: Shared): LogCheckpoint {
  const checkpoint = checkpointOf(shared);
  shared.kept.forEach((messages, partition) => {
    const text = messages.at(-1);
    const last = text === undefined ? 0 : parse(text).sequence;
    const expected = checkpoint.sequences.get(partition) ?? 0;
    if (last === expected) return;
    throw new LogMismatch(`partition ${partition} ends at ${last}, its checkpoint at ${expected}`);
  });
  return checkpoint;
}
