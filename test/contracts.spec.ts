import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import kafkajs from 'kafkajs';
import { layoutFor } from '../apps/distributed/layout.js';
import { Relay } from '../libs/engine/relay.js';
import type { EventStore } from '../libs/event-store/port.js';
import { events } from '../libs/lending/catalogue.js';
import { BUSINESS_DAY_STREAM } from '../libs/lending/vocabulary.js';
import { kafkaLog } from '../libs/messaging/kafka/log.js';
import { createTopics } from '../libs/messaging/kafka/topics.js';
import type { Layout } from '../libs/messaging/layout.js';
import { type MemoryTransport, memoryTransport } from '../libs/messaging/memory/transport.js';
import type { TransactionalLog } from '../libs/messaging/port.js';
import { checkpointTopicOf, headersFor, topicOf } from '../libs/messaging/record.js';
import { ASYNCAPI } from '../tools/reference.js';
import { type PublishedRecord, readContract } from './contract-reader.js';
import { fixedHistory } from './fixed-history.js';
import { describeWith, server } from './services.js';
import { until } from './until.js';
import { lateHistory } from './writers.js';

/* What is published is what the AsyncAPI document says, read by somebody who has nothing else. */

const kafka = await server('KAFKA_BROKERS');
/** Groups are formed by a server that has other work. */
const KAFKA_MS = 90_000;

const LEDGER = 'branch-01';
const contract = readContract(ASYNCAPI, LEDGER);
/** Stored format: whoever reads these topics finds them for ever. */
const TOPICS = ['businessDay', 'programme', 'policy', 'fund', 'districtFund', 'group', 'borrower', 'loan'];
const layout = layoutFor('');

describe('the AsyncAPI document', () => {
  it('is one, by the schema of AsyncAPI 3', () => {
    const ajv = new Ajv({ allErrors: true, strict: false });
    addFormats.default(ajv);
    const check = ajv.compile(specs.schemasWithoutId['3.0.0'] as object);
    check(contract.document);
    expect(check.errors).toBeNull();
    expect(check({ ...contract.document, channels: { loan: { adress: 'x' } } })).toBe(false);
  });

  it('has the topics that it always had', () => {
    const { channels } = contract.document as { readonly channels: Record<string, { readonly address: string }> };
    const addresses = Object.values(channels).map(({ address }) => address);
    expect(addresses).toEqual([...TOPICS, 'relay-checkpoint'].map((name) => `{ledger}.${name}`));
  });
});

describe('what the relay publishes', () => {
  let records: readonly PublishedRecord[] = [];
  beforeAll(async () => {
    const { store } = await fixedHistory();
    // What only several writers of one ledger come to is in a history of its own.
    const logs = [];
    for (const each of [store, await lateHistory()]) {
      const log = memoryTransport(layout.count);
      await relayTo(log.publisher(), each, layout);
      logs.push(log);
    }
    records = logs.flatMap(recordsOf);
  });

  it('is of every type of event, and each record is a message of its topic', () => {
    const seen = new Set<string>();
    for (const record of records) {
      const read = contract.read(record);
      expect(read).toEqual({ message: expect.any(String) });
      if ('message' in read) seen.add(read.message);
    }
    expect([...seen].sort()).toEqual(
      Object.entries(events)
        .map(([type, { version }]) => `${type}.v${version}`)
        .sort(),
    );
  });

  it('carries the trace of whoever sent the command', () => {
    const record = records.find(({ headers }) => headers.traceparent === undefined);
    const event = JSON.parse(record?.value ?? 'null');
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const traced = { ...event, meta: { ...event.meta, correlationId: trace } };
    const headers = headersFor(LEDGER)({ partition: 0, sequence: 1, event: traced });
    expect(headers.traceparent).toBe(`00-${trace}-${event.id.replaceAll('-', '').slice(0, 16)}-01`);
    const sent = { topic: record?.topic ?? '', key: event.stream, headers, value: JSON.stringify(traced) };
    expect(contract.read(sent)).toEqual({ message: `${event.type}.v1` });
  });

  const changed = (record: PublishedRecord, change: (event: { data: Record<string, unknown> }) => unknown) => {
    const event = JSON.parse(record.value);
    change(event);
    return { ...record, value: JSON.stringify(event) };
  };
  const without = (record: PublishedRecord, name: string) => {
    const { [name]: _, ...headers } = record.headers;
    return { ...record, headers };
  };
  const header = (record: PublishedRecord, name: string, value: string) => ({
    ...record,
    headers: { ...record.headers, [name]: value },
  });
  it.each<readonly [string, (record: PublishedRecord) => PublishedRecord]>([
    ['an amount as text', (of) => changed(of, ({ data }) => Object.assign(data, { amount: '5' }))],
    ['a field that is missing', (of) => changed(of, ({ data }) => delete data.voucher)],
    ['a field more', (of) => changed(of, ({ data }) => Object.assign(data, { note: 'x' }))],
    ['another topic', (of) => ({ ...of, topic: topicOf(LEDGER, 'fund') })],
    ['a topic of another ledger', (of) => ({ ...of, topic: topicOf('branch-02', 'loan') })],
    ['another key', (of) => ({ ...of, key: 'L' })],
    ['no sequence', (of) => without(of, 'ce_sequence')],
    ['a sequence of 0', (of) => header(of, 'ce_sequence', '0')],
    ['the type of another event', (of) => header(of, 'ce_type', 'LoanSettled')],
    ['the schema of a version that is none', (of) => header(of, 'ce_dataschema', 'urn:socai:event:LoanDisbursed:9')],
    ['a header more', (of) => header(of, 'ce_note', 'x')],
  ])('would not be one with %s', (_, broken) => {
    const record = records.find(({ headers }) => headers.ce_type === 'LoanDisbursed');
    if (record === undefined) throw new Error('there is a disbursement');
    expect(contract.read(record)).toEqual({ message: 'LoanDisbursed.v1' });
    expect(contract.read(broken(record))).toEqual({ problems: expect.arrayContaining([expect.any(String)]) });
  });
});

describeWith(kafka, `what stands in Kafka, ${kafka.what}`, () => {
  it(
    'is what the document says, topics, events and the checkpoint',
    async () => {
      const ledger = `contract-${randomUUID().slice(0, 8)}`;
      const brokers = kafka.url.split(',');
      const place = { brokers, ledger, layout };
      await createTopics({ ...place, replicationFactor: 1 });
      const { store } = await fixedHistory();
      const log = kafkaLog(place);
      await relayTo(log, store, layout);
      await log.close();

      const own = readContract(ASYNCAPI, ledger);
      const published = memoryTransport(layout.count);
      await relayTo(published.publisher(), store, layout);
      const expected = recordsOf(published).map(({ topic, headers }) => `${topic.split('.')[1]} ${headers.ce_id}`);
      const events = await readBy(
        brokers,
        layout.categories.map(({ category }) => topicOf(ledger, category)),
        (records) => records.length >= expected.length,
      );
      expect(events.map(({ topic, headers }) => `${topic.split('.')[1]} ${headers.ce_id}`).sort()).toEqual(
        expected.sort(),
      );
      for (const record of events) expect(own.read(record)).toEqual({ message: `${record.headers.ce_type}.v1` });

      const head = (await store.head())?.position;
      const positionOf = (record: PublishedRecord | undefined) => JSON.parse(record?.value ?? '{}').position;
      const checkpoints = await readBy(brokers, [checkpointTopicOf(ledger)], (all) => positionOf(all.at(-1)) === head);
      expect(positionOf(checkpoints.at(-1))).toBe(head);
      for (const record of checkpoints) expect(own.read(record)).toEqual({ message: 'relay-checkpoint' });
      expect(await partitionsOf(brokers, ledger)).toEqual(partitionsSaid());
    },
    KAFKA_MS,
  );
});

/** The partitions of each topic of a ledger, as the document says and as the brokers do. */
function partitionsSaid(): Readonly<Record<string, number>> {
  const { channels } = contract.document as {
    readonly channels: Record<string, { readonly bindings: { readonly kafka: { readonly partitions: number } } }>;
  };
  return Object.fromEntries(Object.entries(channels).map(([name, { bindings }]) => [name, bindings.kafka.partitions]));
}

async function partitionsOf(brokers: readonly string[], ledger: string): Promise<Readonly<Record<string, number>>> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({
      topics: Object.keys(partitionsSaid()).map((name) => `${ledger}.${name}`),
    });
    return Object.fromEntries(topics.map(({ name, partitions }) => [name.slice(ledger.length + 1), partitions.length]));
  } finally {
    await admin.disconnect();
  }
}

/** Relays everything that a store holds. */
async function relayTo(log: TransactionalLog, store: EventStore, layout: Layout): Promise<void> {
  const stop = new AbortController();
  const onFault = (fault: unknown) => {
    throw fault;
  };
  const relay = new Relay({
    ...{ store, log, partitions: layout, toAll: BUSINESS_DAY_STREAM, now: Date.now, onFault },
  });
  const running = relay.run(stop.signal);
  const head = (await store.head())?.position;
  await until(() => relay.status().position === head);
  stop.abort();
  await running;
}

/** What a log of this ledger holds, as the records that an adapter makes of it. */
const recordsOf = (log: MemoryTransport): PublishedRecord[] => {
  const headersOf = headersFor(LEDGER);
  return layout.categories.flatMap(({ category, first, partitions }) =>
    Array.from({ length: partitions }, (_, index) => log.messages(first + index))
      .flat()
      .map((message) => ({
        ...{ topic: topicOf(LEDGER, category), key: message.event.stream },
        ...{ headers: headersOf(message), value: JSON.stringify(message.event) },
      })),
  );
};

/** Reads topics from their beginning with a client of somebody else, until it has seen enough. */
async function readBy(
  brokers: readonly string[],
  topics: readonly string[],
  enough: (records: readonly PublishedRecord[]) => boolean,
): Promise<readonly PublishedRecord[]> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}`, readUncommitted: false });
  const records: PublishedRecord[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, message: { key, value, headers = {} } }) => {
        const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
        records.push({ topic, key: String(key), value: String(value), headers: Object.fromEntries(texts) });
      },
    });
    const deadline = Date.now() + KAFKA_MS / 2;
    while (!enough(records) && Date.now() < deadline) await wait(50);
  } finally {
    await consumer.disconnect();
  }
  return records;
}
