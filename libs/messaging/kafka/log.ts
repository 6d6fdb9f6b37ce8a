import type { Kafka, Message as KafkaRecord } from 'kafkajs';
import { invariant } from '../../kernel/result.js';
import { acceptBatch } from '../accept.js';
import type { Layout } from '../layout.js';
import { type LogCheckpoint, LogMismatch, type Message, type PublishOutcome, type TransactionalLog } from '../port.js';
import { checkpointTopicOf, topicOf } from '../record.js';
import { asError, type KafkaOptions, kafkaClient, protocolError } from './client.js';
import { fence, type TopicPartition, type TransactionalProducer } from './producer.js';
import { checkTopics, type RawReader, rawReader } from './raw.js';
import {
  CHECKPOINT_KEY,
  checkpointText,
  encoder,
  type PartitionEnd,
  type StoredCheckpoint,
  sequenceOf,
} from './records.js';

/** One batch of records that a broker takes, well below `max.message.bytes` of the topics (see `topics.ts`). */
const SEND_BYTES = 900_000;
/** How many partitions are sent at once: while a broker takes one the next is made. */
const SENDS = 4;
const FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'PRODUCER_FENCED']);

export interface KafkaLogOptions extends KafkaOptions {
  readonly layout: Layout;
}

/** What may be published after: the producer that is not fenced, and where the log ends. */
interface Recovered {
  readonly producer: TransactionalProducer;
  readonly checkpoint: LogCheckpoint;
  readonly ends: ReadonlyMap<number, PartitionEnd>;
}

/** The log of a ledger in Kafka. Connects at the first call. */
export const kafkaLog = (options: KafkaLogOptions): TransactionalLog => new KafkaLog(options);

class KafkaLog implements TransactionalLog {
  readonly #kafka: Kafka;
  readonly #encode: ReturnType<typeof encoder>;
  #reader: Promise<RawReader> | undefined;
  #recovered: Recovered | undefined;
  #publishing: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(private readonly options: KafkaLogOptions) {
    this.#kafka = kafkaClient(options);
    this.#encode = encoder(options.ledger);
  }

  async recover(): Promise<LogCheckpoint> {
    invariant(!this.#closed, 'the log is closed');
    await this.#publishing;
    await this.#discard();
    const { ledger, layout } = this.options;
    const producer = await fence(this.#kafka, ledger);
    try {
      const raw = await this.#read();
      const stored = await raw.checkpoint();
      const offsets = await checkTopics(raw, ledger, layout);
      if (stored === undefined) throw await withoutCheckpoint(raw, this.options, offsets);
      await crossCheck(raw, this.options, stored, offsets);
      const sequences = new Map([...stored.ends].map(([partition, { sequence }]) => [partition, sequence]));
      this.#recovered = { producer, checkpoint: { position: stored.position, sequences }, ends: stored.ends };
      return this.#recovered.checkpoint;
    } catch (error) {
      await producer.close().catch(() => undefined);
      throw error;
    }
  }

  async watch(): Promise<string> {
    invariant(!this.#closed, 'the log is closed');
    const raw = await this.#read();
    const stored = await raw.checkpoint();
    if (stored !== undefined) return stored.position;
    const { ledger, layout } = this.options;
    throw await withoutCheckpoint(raw, this.options, await checkTopics(raw, ledger, layout));
  }

  async publish(messages: readonly Message[], checkpoint: LogCheckpoint): Promise<PublishOutcome> {
    invariant(!this.#closed, 'the log is closed');
    const from = this.#recovered;
    invariant(from !== undefined, 'a publisher recovers first');
    acceptBatch(from.checkpoint, messages, checkpoint);
    for (const { partition } of messages) this.options.layout.placeOf(partition);
    this.#recovered = undefined;
    const outcome = this.#transact(from, messages, checkpoint);
    this.#publishing = outcome;
    return outcome;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#publishing;
    await this.#discard();
    await (await this.#reader?.catch(() => undefined))?.close();
  }

  #read(): Promise<RawReader> {
    const { ledger, layout } = this.options;
    this.#reader ??= connected(rawReader(this.#kafka, ledger, layout)).catch((error) => {
      this.#reader = undefined;
      throw error;
    });
    return this.#reader;
  }

  async #discard(): Promise<void> {
    const old = this.#recovered?.producer;
    this.#recovered = undefined;
    await old?.close().catch(() => undefined);
  }

  async #transact(from: Recovered, messages: readonly Message[], checkpoint: LogCheckpoint): Promise<PublishOutcome> {
    const { ledger, layout } = this.options;
    const checkpointPlace = { topic: checkpointTopicOf(ledger), partition: 0 };
    const shares = sharesOf(messages, ledger, layout);
    try {
      await from.producer.begin([...shares.map(({ place }) => place), checkpointPlace]);
      const ends = new Map([...from.ends, ...(await sendAll(from.producer, this.#encode, shares))]);
      const value = checkpointText(layout, { position: checkpoint.position, ends });
      await from.producer.send(checkpointPlace, [{ key: CHECKPOINT_KEY, value }]);
      await from.producer.commit();
      this.#recovered = { producer: from.producer, checkpoint, ends };
      return { outcome: 'committed' };
    } catch (error) {
      await from.producer.close().catch(() => undefined);
      if (FENCED.has(protocolError(error) ?? '')) return { outcome: 'fenced' };
      return { outcome: 'unknown', cause: asError(error) };
    }
  }
}

/** A reader that is connected. Rejects where no broker answers, and leaves nothing open. */
export async function connected(reader: RawReader): Promise<RawReader> {
  try {
    await reader.connect();
    return reader;
  } catch (error) {
    await reader.close().catch(() => undefined);
    throw error;
  }
}

// ----------------------------------------------------------------------------------------------------------- publishing

/** What of a batch goes to one partition. */
interface Share {
  readonly place: TopicPartition;
  readonly messages: Message[];
}

function sharesOf(messages: readonly Message[], ledger: string, layout: Layout): readonly Share[] {
  const shares = new Map<number, Share>();
  for (const message of messages) {
    const of = shares.get(message.partition);
    if (of !== undefined) {
      of.messages.push(message);
      continue;
    }
    const { category, index } = layout.placeOf(message.partition);
    const place = { topic: topicOf(ledger, category), partition: index };
    shares.set(message.partition, { place, messages: [message] });
  }
  return [...shares.values()];
}

/** Sends partition by partition, several at a time, and answers where each ends. */
async function sendAll(
  producer: TransactionalProducer,
  encode: ReturnType<typeof encoder>,
  shares: readonly Share[],
): Promise<Map<number, PartitionEnd>> {
  const ends = new Map<number, PartitionEnd>();
  const failures: unknown[] = [];
  const left = shares.values();
  const sender = async () => {
    for (const { place, messages } of left) {
      let offset = -1;
      for (const records of pieces(messages.map((message) => encode(message, place.partition)))) {
        if (failures.length > 0) return;
        offset = (await producer.send(place, records)) + records.length - 1;
      }
      const { partition, sequence } = messages.at(-1) as Message;
      ends.set(partition, { sequence, offset });
    }
  };
  // All of them, before one's failure is looked at: nothing may be in flight when the producer is thrown away.
  const senders = Array.from({ length: SENDS }, () => sender().catch((failure) => failures.push(failure)));
  await Promise.all(senders);
  if (failures.length > 0) throw failures.find((failure) => FENCED.has(protocolError(failure) ?? '')) ?? failures[0];
  return ends;
}

function* pieces(encoded: ReturnType<ReturnType<typeof encoder>>[]): Generator<KafkaRecord[]> {
  let records: KafkaRecord[] = [];
  let size = 0;
  for (const { record, bytes } of encoded) {
    if (records.length > 0 && size + bytes > SEND_BYTES) {
      yield records;
      [records, size] = [[], 0];
    }
    records.push(record);
    size += bytes;
  }
  if (records.length > 0) yield records;
}

// ----------------------------------------------------------------------------------------------------------- recovering

/** Every partition ends where the checkpoint says: the record is there, and nothing committed comes after it. */
async function crossCheck(
  reader: RawReader,
  { ledger, layout }: KafkaLogOptions,
  stored: StoredCheckpoint,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  await Promise.all(
    [...offsets].map(async ([partition, offset]) => {
      const { category, index } = layout.placeOf(partition);
      const topic = topicOf(ledger, category);
      const end = stored.ends.get(partition) ?? { sequence: 0, offset: 0 };
      let last = 0;
      for await (const record of reader.records(topic, index, end.offset, offset)) {
        last = sequenceOf(topic, index, record);
        if (last !== end.sequence) break;
      }
      if (last === end.sequence) return;
      const ends = last === 0 ? 'lost what stands there' : `holds ${last}`;
      throw new LogMismatch(`the checkpoint ends ${topic}/${index} at ${end.sequence}, the partition ${ends}`);
    }),
  );
}

/** Why there is no checkpoint: never begun, which an admin does on purpose, or lost. */
async function withoutCheckpoint(
  reader: RawReader,
  { ledger, layout }: KafkaLogOptions,
  offsets: ReadonlyMap<number, number>,
): Promise<Error> {
  for (const [partition, offset] of offsets) {
    const { category, index } = layout.placeOf(partition);
    for await (const record of reader.records(topicOf(ledger, category), index, 0, offset)) {
      return new LogMismatch(`the checkpoint is lost: ${topicOf(ledger, category)}/${index} holds ${record.offset}`);
    }
  }
  return new Error(`the log of ${ledger} is not begun: its topics are made first`);
}

/** Begins an empty log with a checkpoint before the first event. Of a log that is begun nothing changes. */
export async function beginLog(options: KafkaLogOptions): Promise<void> {
  const { ledger, layout } = options;
  const kafka = kafkaClient(options);
  const reader = await connected(rawReader(kafka, ledger, layout));
  try {
    for (let attempt = 0; (await reader.checkpoint()) === undefined; attempt++) {
      try {
        await begin(kafka, reader, options);
      } catch (error) {
        // Another one begins it in this moment.
        if (!FENCED.has(protocolError(error) ?? '') || attempt >= 5) throw error;
      }
    }
  } finally {
    await reader.close();
  }
}

async function begin(kafka: Kafka, reader: RawReader, options: KafkaLogOptions): Promise<void> {
  const { ledger, layout } = options;
  const producer = await fence(kafka, ledger);
  try {
    // Only now nobody else can begin it as well.
    const offsets = await checkTopics(reader, ledger, layout);
    if ((await reader.checkpoint()) !== undefined) return;
    const reason = await withoutCheckpoint(reader, options, offsets);
    if (reason instanceof LogMismatch) throw reason;
    const place = { topic: checkpointTopicOf(ledger), partition: 0 };
    const value = checkpointText(layout, { position: '', ends: new Map() });
    await producer.begin([place]);
    await producer.send(place, [{ key: CHECKPOINT_KEY, value }]);
    await producer.commit();
  } finally {
    await producer.close();
  }
}
