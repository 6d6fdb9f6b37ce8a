import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import type { Layout } from '../layout.js';
import { FeedCrashed, LogMismatch, type Message, type PartitionedFeed, type PartitionReader } from '../port.js';
import { topicOf } from '../record.js';
import { asError, type KafkaOptions, kafkaClient } from './client.js';
import { connected } from './log.js';
import { type RawReader, rawReader } from './raw.js';
import { eventOf, type PartitionEnd, type Stored, sequenceOf } from './records.js';
import { type Search, searchFor } from './search.js';

/*
 * The group shares partitions among feeds, and nothing else: no offset is ever committed, so that kafkajs begins every
 * partition that it is given at its first record, and the batch handler looks where the reader's own position is. Nothing
 * hangs on when the group's events come.
 */

export interface KafkaFeedOptions extends KafkaOptions {
  readonly layout: Layout;
  /** Feeds of one group share partitions. The ledger's name comes before it. */
  readonly group: string;
  /** How long a feed may be silent before its partitions go to another. */
  readonly sessionMs?: number;
}

const SESSION_MS = 30_000;
const REBALANCE_MS = 60_000;
/** How long a broker waits for new records, and so how long a stop may take. */
const FETCH_MS = 500;
const PARTITION_BYTES = 4_194_304;
/**
 * How many partitions are applied at a time: an event that stands in all of them comes in all at once, and a store may
 * write what comes at once together.
 */
const CONCURRENT = 32;
/** How long a partition rests after a rejection. */
const REST_MS = 500;
/** How often it is looked whether what is there was given, where nothing comes. */
const LOOK_MS = 500;

/** Where a partition that was given to this feed stands. */
interface Place {
  readonly partition: number;
  /** The last sequence that was applied, when it is known. */
  sequence: number | undefined;
  asking: Promise<void> | undefined;
  search: Search | undefined;
  /** Batches are being handled, or it rests. */
  busy: boolean;
}

/** A ledger's partitions in Kafka. */
export function kafkaFeed(options: KafkaFeedOptions): PartitionedFeed {
  return {
    async run(reader, signal) {
      if (!signal.aborted) await new Run(options, reader, signal).until();
    },
  };
}

class Run {
  readonly #consumer: Consumer;
  readonly #raw: RawReader;
  readonly #places = new Map<number, Place>();
  readonly #numbers = new Map<string, number>();
  #ends: ReadonlyMap<number, PartitionEnd> = new Map();
  #fail: (error: Error) => void = () => {};

  constructor(
    private readonly options: KafkaFeedOptions,
    private readonly reader: PartitionReader,
    private readonly signal: AbortSignal,
  ) {
    const { ledger, layout, group, sessionMs = SESSION_MS } = options;
    const kafka = kafkaClient(options);
    this.#raw = rawReader(kafka, ledger, layout);
    this.#consumer = kafka.consumer({
      groupId: `${ledger}.${group}`,
      ...{ sessionTimeout: sessionMs, heartbeatInterval: sessionMs / 10, rebalanceTimeout: REBALANCE_MS },
      ...{ maxBytesPerPartition: PARTITION_BYTES, maxWaitTimeInMs: FETCH_MS, allowAutoTopicCreation: false },
      // What kafkajs would do is begin anew without telling: this run ends, and whoever runs it decides.
      retry: { restartOnFailure: async () => false },
    });
    for (const { category, first, partitions } of layout.categories) {
      for (let index = 0; index < partitions; index++) {
        this.#numbers.set(`${topicOf(ledger, category)}/${index}`, first + index);
      }
    }
  }

  /** Until it is stopped, or cannot go on. */
  async until(): Promise<void> {
    const { signal, options } = this;
    const over = new AbortController();
    const ended = new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    ended.catch(() => undefined);
    let looking: Promise<void> | undefined;
    try {
      await connected(this.#raw);
      await this.#readEnds();
      await this.#consumer.connect();
      this.#consumer.on('consumer.group_join', (event) => this.#joined(event));
      this.#consumer.on('consumer.crash', ({ payload }: ConsumerCrashEvent) => this.#fail(crashOf(payload.error)));
      const topics = options.layout.categories.map(({ category }) => topicOf(options.ledger, category));
      await this.#consumer.subscribe({ topics, fromBeginning: true });
      await this.#consumer.run({
        ...{ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: CONCURRENT },
        eachBatch: (batch) => this.#batch(batch),
      });
      looking = this.#look(over.signal);
      await ended;
    } finally {
      over.abort();
      await looking;
      await this.#consumer.disconnect().catch(() => undefined);
      await this.#raw.close().catch(() => undefined);
      for (const partition of this.#places.keys()) this.reader.revoked(partition);
    }
  }

  #joined({ payload }: ConsumerGroupJoinEvent): void {
    const given = new Set<number>();
    for (const [topic, indices] of Object.entries(payload.memberAssignment)) {
      for (const index of indices) given.add(this.#number(topic, index));
    }
    for (const partition of [...this.#places.keys()]) {
      if (given.has(partition)) continue;
      this.#places.delete(partition);
      this.reader.revoked(partition);
    }
    for (const partition of given) {
      const place = this.#place(partition);
      // Kafkajs begins again at the first record, also of what it had; and another may have had it in the meantime.
      place.search = undefined;
      place.sequence = undefined;
    }
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { batch, heartbeat, pause } = payload;
    if (this.signal.aborted) return;
    const place = this.#place(this.#number(batch.topic, batch.partition));
    // A rebalance or an eviction shows itself after the batch; until then its writes are guarded.
    const beat = () => void heartbeat().catch(() => undefined);
    const beating = setInterval(beat, (this.options.sessionMs ?? SESSION_MS) / 10);
    place.busy = true;
    try {
      await this.#deliver(place, payload);
      place.busy = false;
    } catch (error) {
      if (error instanceof LogMismatch) this.#fail(error);
      // What was wrong is the reader's to say. The batch comes again, as its offsets are not resolved.
      place.sequence = undefined;
      place.search = undefined;
      const resume = pause();
      void wait(REST_MS, undefined, { signal: this.signal })
        .catch(() => undefined)
        .then(() => {
          place.busy = false;
          resume();
        });
    } finally {
      clearInterval(beating);
    }
  }

  async #deliver(place: Place, { batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const { topic, partition: index, messages: records } = batch;
    const sequences = records.map((record) => sequenceOf(topic, index, record as Stored));
    const from = await this.#begin(place, topic, index, () =>
      records.map(({ offset }, i) => ({ offset: Number(offset), sequence: sequences[i] ?? 0 })),
    );
    if (from === undefined) return;
    const messages: Message[] = [];
    records.forEach((record, i) => {
      if (Number(record.offset) < from) return;
      messages.push({ partition: place.partition, sequence: sequences[i] ?? 0, event: eventOf(record as Stored) });
    });
    await this.reader.apply(place.partition, messages);
    place.sequence = messages.at(-1)?.sequence;
    resolveOffset(records.at(-1)?.offset ?? batch.lastOffset());
    if (batch.offsetLag() === '0') this.reader.caughtUp(place.partition);
  }

  /** The offset that delivery begins at; undefined where it is read somewhere else first. */
  async #begin(
    place: Place,
    topic: string,
    index: number,
    seen: () => readonly PartitionEnd[],
  ): Promise<number | undefined> {
    await place.asking;
    const records = seen();
    const [first] = records;
    if (place.search === undefined) {
      if (first !== undefined && first.sequence - 1 === place.sequence) return first.offset;
      await this.#ask(place);
      place.search = searchFor((place.sequence ?? 0) + 1, this.#ends.get(place.partition));
    }
    const step = place.search.saw(records);
    if ('at' in step) {
      place.search = undefined;
      return step.at;
    }
    this.#consumer.seek({ topic, partition: index, offset: String(step.seek) });
    return undefined;
  }

  #ask(place: Place): Promise<void> {
    place.asking ??= this.#position(place).finally(() => {
      place.asking = undefined;
    });
    return place.asking;
  }

  async #position(place: Place): Promise<void> {
    const { partition } = place;
    const position = await this.reader.position(partition);
    if (position > (this.#ends.get(partition)?.sequence ?? 0)) await this.#readEnds();
    const end = this.#ends.get(partition)?.sequence ?? 0;
    if (position > end) {
      throw new LogMismatch(`the reader of partition ${partition} stands at ${position}, the log ends at ${end}`);
    }
    place.sequence = position;
  }

  /** Says where everything was given, also of partitions that nothing comes of. */
  async #look(signal: AbortSignal): Promise<void> {
    for (; !signal.aborted; await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)) {
      try {
        await this.#readEnds();
        await Promise.all([...this.#places.values()].map((place) => this.#lookAt(place)));
      } catch (error) {
        // Anything else passes with the broker's or the reader's trouble, or comes out where records are read.
        if (error instanceof LogMismatch) this.#fail(error);
      }
    }
  }

  async #lookAt(place: Place): Promise<void> {
    if (place.busy) return;
    if (place.sequence === undefined) await this.#ask(place);
    const end = this.#ends.get(place.partition)?.sequence ?? 0;
    const still = this.#places.get(place.partition) === place && !place.busy && !this.signal.aborted;
    if (still && (place.sequence ?? -1) >= end) this.reader.caughtUp(place.partition);
  }

  async #readEnds(): Promise<void> {
    const stored = await this.#raw.checkpoint();
    if (stored === undefined)
      throw asError(`the log of ${this.options.ledger} is not begun: its topics are made first`);
    this.#ends = stored.ends;
  }

  #number(topic: string, index: number): number {
    const number = this.#numbers.get(`${topic}/${index}`);
    if (number === undefined) throw new LogMismatch(`${topic}/${index} is no partition of the layout`);
    return number;
  }

  #place(partition: number): Place {
    const known = this.#places.get(partition);
    if (known !== undefined) return known;
    const place: Place = { partition, sequence: undefined, asking: undefined, search: undefined, busy: false };
    this.#places.set(partition, place);
    return place;
  }
}

/** What ended the consumer. Where kafkajs would have begun anew by itself the feed may be run again. */
function crashOf(error: Error): Error {
  let cause: Error & { readonly retriable?: boolean } = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  if (error.name === 'KafkaJSNumberOfRetriesExceeded' || cause.retriable === true) return error;
  return new FeedCrashed(`the consumer ended for ever: ${error.message}`, { cause: error });
}
