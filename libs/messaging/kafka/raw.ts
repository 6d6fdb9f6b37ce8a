import type { Cluster, IHeaders, Kafka } from 'kafkajs';
import type { Layout } from '../layout.js';
import { LogMismatch } from '../port.js';
import { checkpointTopicOf, topicOf } from '../record.js';
import { protocolError } from './client.js';
import { clusterOf, leaderOf } from './cluster.js';
import { checkpointOf, type StoredCheckpoint } from './records.js';

/* Reads of single places, without a consumer group: kafkajs has none, but its brokers fetch. */

const READ_COMMITTED = 1;
const FETCH_BYTES = 1_048_576;
/** How long a broker waits for what is not there: never by purpose, as reads end at an end that was asked before. */
const FETCH_MS = 200;
/** How many fetches in a row may bring nothing before an open transaction is named. */
const EMPTY_MAX = 25;

/** A committed record. */
export interface RawRecord {
  readonly offset: string;
  readonly value: Buffer | null;
  readonly headers?: IHeaders;
}

interface FetchedRecord extends RawRecord {
  readonly isControlRecord: boolean;
  readonly key: Buffer | null;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

interface FetchedPartition {
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly FetchedRecord[];
}

/** Reads of one ledger's topics, by one connection. */
export interface RawReader {
  connect(): Promise<void>;
  /** The offset behind the last record of each partition of a topic. Rejects where the topic is not there. */
  ends(topic: string): Promise<readonly number[]>;
  /** The committed records from an offset up to `end`, which `ends` gave. */
  records(topic: string, partition: number, from: number, end: number): AsyncGenerator<RawRecord>;
  /** The last checkpoint, or undefined if there never was one. */
  checkpoint(): Promise<StoredCheckpoint | undefined>;
  close(): Promise<void>;
}

/** The reader's end of a client. */
export function rawReader(kafka: Kafka, ledger: string, layout: Layout): RawReader {
  const { cluster, connect, disconnect } = clusterOf(kafka, ledger);

  const reader: RawReader = {
    connect,
    ends: (topic) => patiently(cluster, () => endsOf(cluster, topic)),
    async *records(topic, partition, from, end) {
      for (let next = from, empty = 0; next < end; ) {
        const fetched = await patiently(cluster, () => fetch(cluster, topic, partition, next)).catch((error) => {
          if (protocolError(error) !== 'OFFSET_OUT_OF_RANGE') throw error;
          throw new LogMismatch(`${topic}/${partition} lost what stands at ${next}`);
        });
        for (const record of committed(fetched, next)) if (Number(record.offset) < end) yield record;
        const last = fetched.messages.at(-1);
        if (last !== undefined && Number(last.offset) >= next) {
          next = Number(last.offset) + 1;
          empty = 0;
        } else if (Number(fetched.lastStableOffset) >= end) {
          // What compaction left of a batch is its frame alone, which kafkajs does not show.
          return;
        } else if (++empty > EMPTY_MAX) {
          throw new Error(`a transaction is open in ${topic}/${partition} at ${next}`);
        }
      }
    },
    async checkpoint() {
      const topic = checkpointTopicOf(ledger);
      const [end = 0] = await reader.ends(topic);
      // The last record is near the end, unless many transactions were given up after it.
      for (let width = 64; ; width *= 8) {
        const from = Math.max(0, end - width);
        let text: string | undefined;
        for await (const { value } of reader.records(topic, 0, from, end)) text = value?.toString() ?? text;
        if (text !== undefined) return checkpointOf(layout, text);
        if (from === 0) return undefined;
      }
    },
    close: disconnect,
  };
  return reader;
}

/** Asks again a few times: leaders move. */
async function patiently<Answer>(cluster: Cluster, ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt >= 3 || protocolError(error) === 'OFFSET_OUT_OF_RANGE') throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
      await cluster.refreshMetadata().catch(() => undefined);
    }
  }
}

async function endsOf(cluster: Cluster, topic: string): Promise<readonly number[]> {
  await cluster.addTargetTopic(topic);
  const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId: partition }) => ({ partition }));
  const [found] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: false }]);
  const ends: number[] = [];
  for (const { partition, offset } of found?.partitions ?? []) ends[partition] = Number(offset);
  return ends;
}

async function fetch(cluster: Cluster, topic: string, partition: number, offset: number): Promise<FetchedPartition> {
  const broker = await leaderOf(cluster, topic, partition);
  const partitions = [{ partition, fetchOffset: String(offset), maxBytes: FETCH_BYTES }];
  const { responses } = await broker.fetch({
    ...{ isolationLevel: READ_COMMITTED, minBytes: 1, maxWaitTime: FETCH_MS, maxBytes: FETCH_BYTES },
    topics: [{ topic, partitions }],
  });
  return responses[0].partitions[0] as FetchedPartition;
}

/** Without control records, what was given up, and what stands before `from` in its batch. */
function* committed({ messages, abortedTransactions }: FetchedPartition, from: number): Generator<FetchedRecord> {
  const starts = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const aborted = new Set<string>();
  for (const message of messages) {
    const offset = Number(message.offset);
    while (starts[0] !== undefined && Number(starts[0].firstOffset) <= offset) {
      aborted.add(starts[0].producerId);
      starts.shift();
    }
    const { producerId, inTransaction } = message.batchContext;
    if (message.isControlRecord) aborted.delete(producerId);
    else if (offset >= from && !(inTransaction && aborted.has(producerId))) yield message;
  }
}

/** Rejects where topics are missing (the log is not made yet: that may pass) or have another count of partitions. */
export async function checkTopics(reader: RawReader, ledger: string, layout: Layout): Promise<Map<number, number>> {
  const ends = new Map<number, number>();
  await Promise.all(
    layout.categories.map(async ({ category, first, partitions }) => {
      const topic = topicOf(ledger, category);
      const offsets = await reader.ends(topic);
      if (offsets.length !== partitions) {
        throw new LogMismatch(`${topic} has ${offsets.length} partitions, the layout says ${partitions}`);
      }
      offsets.forEach((end, index) => {
        ends.set(first + index, end);
      });
    }),
  );
  return ends;
}
