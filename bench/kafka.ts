import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import kafkajs from 'kafkajs';
import { layoutFor } from '../apps/distributed/layout.js';
import { domain, toAll } from '../apps/distributed/parts.js';
import { Projector } from '../libs/engine/projector.js';
import { RELAY_EVENTS_MAX, Relay } from '../libs/engine/relay.js';
import type { EventStore } from '../libs/event-store/port.js';
import { openSqliteEventStore } from '../libs/event-store/sqlite/store.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { invariant } from '../libs/kernel/result.js';
import { kafkaFeed } from '../libs/messaging/kafka/feed.js';
import { kafkaLog } from '../libs/messaging/kafka/log.js';
import { createTopics } from '../libs/messaging/kafka/topics.js';
import type { Message, PartitionedFeed } from '../libs/messaging/port.js';
import { topicOf } from '../libs/messaging/record.js';
import { openMongoReadStore } from '../libs/read-store/mongodb/store.js';
import type { ReadStore } from '../libs/read-store/port.js';
import { openSqliteReadStore } from '../libs/read-store/sqlite/store.js';
import { startFerretdb } from '../tools/services/ferretdb.js';
import { startKafka } from '../tools/services/kafka.js';
import { Missing } from '../tools/services/missing.js';
import { endWithUs } from './children.js';
import { copyOf, eventsFile, everyReadModel } from './lending.js';
import { bestRate, type Line, type Place, type Row } from './measurement.js';

const LAYOUT = layoutFor('');
/** Of each measurement: what is not done by then counts as far as it came. */
const MS_MAX = 20_000;
/** As a projector asks for. */
const PARTITION_BYTES = 4_194_304;
const LOOK_MS = 10;

/** What travels: the same events to and from Kafka by our own parts, and by kafkajs alone. */
export async function measureKafka({ base, directory }: Place): Promise<readonly Line[]> {
  const named = process.env.KAFKA_BROKERS;
  try {
    const started = named ? undefined : await startKafka();
    try {
      const path = eventsFile(copyOf(base, join(directory, 'ledger')));
      const store = await openSqliteEventStore({ path, readOnly: true });
      const brokers = (named ?? started?.brokers ?? '').split(',');
      const lines = await measureOn({ brokers, store, path, directory });
      await store.close();
      return lines;
    } finally {
      await started?.close();
    }
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return [{ what: 'relay and projector on Kafka', skipped: error.message }];
  }
}

interface Bench {
  readonly brokers: readonly string[];
  readonly store: EventStore;
  /** The file of that store. */
  readonly path: string;
  readonly directory: string;
}

async function measureOn(bench: Bench): Promise<readonly Line[]> {
  const events: Envelope[] = [];
  for await (const event of bench.store.readAll()) events.push(event);
  const produced = await bestRate(() => produceAlone(bench));
  const published = await bestRate(() => publish(bench, numbered(events)));
  let relayed: Relayed = { ledger: '', events: 0 };
  const relayRate = await bestRate(async () => {
    const { rate, ...one } = await relay(bench, events.length);
    relayed = one;
    return rate;
  });
  const alone = await readAlone(bench, relayed);
  const there = { ...relayed, records: recordsOf(events.slice(0, relayed.events)) };
  const sqlite = openSqliteReadStore({ path: join(bench.directory, 'read') });
  const projected = await project(bench, there, sqlite);
  await sqlite.close();
  const raw = { what: 'kafkajs alone, the same records made before', value: produced };
  const speed = { value: 30_000, bound: 'at least' } as const;
  return [
    {
      what: `events published in transactions of ${RELAY_EVENTS_MAX}, ${LAYOUT.count} partitions`,
      ...{ value: published, unit: '/s', beside: raw, goal: { value: produced / 2, bound: 'at least' } },
    },
    { what: 'events from SQLite to Kafka by the relay', value: relayRate, unit: '/s', beside: raw, goal: speed },
    rowOf(projected, 'SQLite', alone),
    await projectedToMongo(bench, there, alone),
  ];
}

async function projectedToMongo(bench: Bench, there: There, alone: number): Promise<Line> {
  const named = process.env.MONGODB_URL;
  try {
    const started = named ? undefined : await startFerretdb();
    try {
      const url = named ?? started?.url ?? '';
      const store = await openMongoReadStore({ url, database: there.ledger });
      const projected = await project(bench, there, store);
      await store.close();
      return rowOf(projected, named ? 'the server of MONGODB_URL' : 'FerretDB 1.24.2', alone);
    } finally {
      await started?.close();
    }
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return { what: 'events from Kafka to all read models in a server of MongoDB’s protocol', skipped: error.message };
  }
}

function rowOf({ rate, done, of }: Projected, where: string, alone: number): Row {
  const part = done < of ? `; ${done} of ${of} when it was stopped` : '';
  return {
    what: `events from Kafka to all read models in ${where} by a projector${part}`,
    ...{ value: rate, unit: '/s', beside: { what: 'kafkajs alone, reading them', value: alone } },
    goal: { value: 30_000, bound: 'at least' },
  };
}

// ------------------------------------------------------------------------------------------------------- to Kafka

/** As the relay numbers them, but for what it writes to every partition. */
function numbered(events: readonly Envelope[]): readonly Message[] {
  const sequences = new Map<number, number>();
  return events.map((event) => {
    const partition = LAYOUT.of(event.stream);
    const sequence = (sequences.get(partition) ?? 0) + 1;
    sequences.set(partition, sequence);
    return { partition, sequence, event };
  });
}

function* publications(messages: readonly Message[]): Generator<readonly Message[]> {
  for (let at = 0; at < messages.length; at += RELAY_EVENTS_MAX) yield messages.slice(at, at + RELAY_EVENTS_MAX);
}

/** A ledger of its own: its topics, and a log that is begun. */
async function topicsOf({ brokers }: Bench): Promise<string> {
  const ledger = `bench-${randomUUID().slice(0, 8)}`;
  await createTopics({ brokers, ledger, layout: LAYOUT, replicationFactor: 1 });
  return ledger;
}

async function publish(bench: Bench, messages: readonly Message[]): Promise<number> {
  const ledger = await topicsOf(bench);
  const log = kafkaLog({ brokers: bench.brokers, ledger, layout: LAYOUT });
  await log.recover();
  const sequences = new Map<number, number>();
  const began = performance.now();
  let published = 0;
  for (const some of publications(messages)) {
    for (const { partition, sequence } of some) sequences.set(partition, sequence);
    const position = some.at(-1)?.event.position ?? '';
    const { outcome } = await log.publish(some, { position, sequences: new Map(sequences) });
    invariant(outcome === 'committed', 'nothing goes wrong in a benchmark');
    published += some.length;
    if (performance.now() - began > MS_MAX) break;
  }
  const rate = (published * 1_000) / (performance.now() - began);
  await log.close();
  return rate;
}

async function produceAlone(bench: Bench): Promise<number> {
  const ledger = await topicsOf(bench);
  const program = fileURLToPath(new URL('produce-alone.js', import.meta.url));
  const args = [program, bench.brokers.join(), ledger, bench.path, String(MS_MAX)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(child);
  return Number(await text(child.stdout));
}

interface Relayed {
  readonly ledger: string;
  readonly events: number;
}

/** To topics of a ledger of its own, from the moment on that it leads. */
async function relay(bench: Bench, of: number): Promise<Relayed & { readonly rate: number }> {
  const ledger = await topicsOf(bench);
  const log = kafkaLog({ brokers: bench.brokers, ledger, layout: LAYOUT });
  const stopping = new AbortController();
  const relaying = new Relay({
    ...{ store: bench.store, log, partitions: LAYOUT, toAll, now: Date.now, onFault },
  });
  const running = relaying.run(stopping.signal);
  await until(() => relaying.status().role === 'active');
  const began = performance.now();
  await until(() => relaying.status().published === of || performance.now() - began > MS_MAX);
  const rate = (relaying.status().published * 1_000) / (performance.now() - began);
  stopping.abort();
  await running;
  await log.close();
  return { ledger, events: relaying.status().published, rate };
}

// ----------------------------------------------------------------------------------------------------- from Kafka

/** What the topics of a ledger hold. */
interface There extends Relayed {
  readonly records: number;
}

/** What the relay makes of events. */
const recordsOf = (events: readonly Envelope[]): number =>
  events.reduce((sum, { stream }) => sum + (stream === toAll ? LAYOUT.count : 1), 0);

interface Projected {
  readonly rate: number;
  /** Records that are in every read model, and those that there are. */
  readonly done: number;
  readonly of: number;
}

/** From the first partition that it is given, until every read model has all, or it has had its time. */
async function project({ brokers }: Bench, { ledger, records: of }: There, readStore: ReadStore): Promise<Projected> {
  let began = 0;
  const stopping = new AbortController();
  const feed = kafkaFeed({ brokers, ledger, layout: LAYOUT, group: `bench-${randomUUID()}` });
  const timed: PartitionedFeed = {
    run: (reader, signal) =>
      feed.run(
        {
          ...reader,
          position(partition) {
            began ||= performance.now();
            return reader.position(partition);
          },
        },
        signal,
      ),
  };
  const projector = new Projector({
    ...{ feed: timed, readStore, domain, followed: everyReadModel, partitions: LAYOUT, toAll },
    ...{ now: Date.now, onFault },
  });
  const running = projector.run(stopping.signal);
  const done = () => Math.min(...projector.status().map(({ sequence }) => sequence));
  await until(() => began > 0);
  await until(() => done() === of || performance.now() - began > MS_MAX);
  const [seconds, taken] = [(performance.now() - began) / 1_000, done()];
  stopping.abort();
  await running;
  return { rate: taken / seconds, done: taken, of };
}

/** The same records, read in a group and thrown away. */
async function readAlone({ brokers }: Bench, { ledger, events }: Relayed): Promise<number> {
  const client = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const consumer = client.consumer({ groupId: `${ledger}.alone`, maxBytesPerPartition: PARTITION_BYTES });
  await consumer.connect();
  const topics = LAYOUT.categories.map(({ category }) => topicOf(ledger, category));
  await consumer.subscribe({ topics, fromBeginning: true });
  let [began, records] = [0, 0];
  consumer.on('consumer.group_join', () => {
    began ||= performance.now();
  });
  await consumer.run({
    ...{ autoCommit: false, partitionsConsumedConcurrently: 4 },
    async eachBatch({ batch }) {
      records += batch.messages.length;
    },
  });
  await until(() => records >= events || (began > 0 && performance.now() - began > MS_MAX));
  const rate = (records * 1_000) / (performance.now() - began);
  await consumer.disconnect();
  return rate;
}

// ---------------------------------------------------------------------------------------------------------- both

/** A fault is retried: it costs time, and is told of. */
function onFault(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(LOOK_MS);
}
