import { randomUUID } from 'node:crypto';
import type { Producer } from 'kafkajs';
import { type Api, type Fate, type KafkaProxy, kafkaProxy } from '../../../test/kafka-proxy.js';
import { describeWith, server } from '../../../test/services.js';
import { until } from '../../../test/until.js';
import { batchAfter, byPartition, EMPTY, held, kept, published, reading, times } from '../contract/harness.js';
import { layoutOf } from '../layout.js';
import { FeedCrashed, type Message, type TransactionalLog } from '../port.js';
import { headersFor } from '../record.js';
import { kafkaClient } from './client.js';
import { kafkaFeed } from './feed.js';
import { kafkaLog } from './log.js';
import { rawReader } from './raw.js';
import { createTopics } from './topics.js';

const kafka = await server('KAFKA_BROKERS');

const CASE_MS_MAX = 60_000;
(import.meta as unknown as { readonly jest: { setTimeout(ms: number): void } }).jest.setTimeout(CASE_MS_MAX);

const layout = layoutOf([
  { category: 'fund', partitions: 1 },
  { category: 'loan', partitions: 3 },
]);

describeWith(kafka, `connections to Kafka that are cut, ${kafka.what}`, () => {
  let proxy: KafkaProxy;
  let place: { brokers: readonly string[]; ledger: string; layout: typeof layout };
  const opened: TransactionalLog[] = [];
  beforeEach(async () => {
    proxy = await kafkaProxy();
    place = { brokers: kafka.url.split(','), ledger: `t${randomUUID().slice(0, 8)}`, layout };
    await createTopics({ ...place, replicationFactor: 1 });
  });
  afterEach(async () => {
    proxy.hold(false);
    proxy.release();
    await Promise.all(opened.splice(0).map((log) => log.close()));
    await proxy.close();
  });

  const throughProxy = () => ({ ...place, connection: { socketFactory: proxy.socketFactory, requestTimeout: 3_000 } });
  function publisher(options: Parameters<typeof kafkaLog>[0]): TransactionalLog {
    const log = kafkaLog(options);
    opened.push(log);
    return log;
  }

  /** Whoever reads now is given these and nothing else, each once and in order. */
  async function delivers(messages: readonly Message[]): Promise<void> {
    const all = kept();
    const reader = reading(kafkaFeed({ ...place, group: 'all', sessionMs: 6_000 }), all);
    await until(() => reader.caughtUp.size === layout.count && all.count() >= messages.length, 20_000);
    await reader.stop();
    expect(all.broken).toEqual([]);
    expect(held(all)).toEqual(byPartition(messages));
  }

  describe('what kafkajs does by itself', () => {
    let producer: Producer;
    afterEach(() => producer.disconnect());

    it('loses a record that was acknowledged and doubles another, when two sends of a partition meet', async () => {
      const { socketFactory } = proxy;
      const client = kafkaClient({ ...place, connection: { socketFactory } });
      producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      const topic = `${place.ledger}.fund`;
      const send = (value: string) => producer.send({ topic, messages: [{ value, partition: 0 }] });
      await send('before');
      proxy.cut('produce', 'written');
      await Promise.all([send('one'), send('two')]);
      const values: (string | undefined)[] = [];
      const raw = rawReader(client, place.ledger, layout);
      await raw.connect();
      const [end = 0] = await raw.ends(topic);
      for await (const { value } of raw.records(topic, 0, 0, end)) values.push(value?.toString());
      await raw.close();
      const [, doubled] = values;
      expect(['one', 'two']).toContain(doubled);
      expect(values).toEqual(['before', doubled, doubled]);
    });

    it('has no use for a producer whose commit failed', async () => {
      const client = kafkaClient(throughProxy());
      producer = client.producer({ transactionalId: `${place.ledger}.other`, maxInFlightRequests: 1 });
      await producer.connect();
      const transaction = await producer.transaction();
      await transaction.send({ topic: `${place.ledger}.fund`, messages: [{ value: 'one', partition: 0 }] });
      proxy.cut('endTransaction', 'written');
      await expect(transaction.commit()).rejects.toThrow();
      await expect(transaction.abort()).rejects.toThrow();
      await expect(producer.transaction()).rejects.toThrow();
    });
  });

  it.each<[Api, Fate, number, 'there' | 'not there']>([
    ['addPartitions', 'written', 0, 'not there'],
    ['addPartitions', 'not written', 0, 'not there'],
    ['produce', 'written', 0, 'not there'],
    ['produce', 'written', 1, 'not there'],
    // The checkpoint's.
    ['produce', 'written', 3, 'not there'],
    ['produce', 'not written', 1, 'not there'],
    ['endTransaction', 'written', 0, 'there'],
    ['endTransaction', 'not written', 0, 'not there'],
  ])(
    '%s %s (%i before it): the outcome is unknown, and the log says that the batch is %s',
    async (api, fate, after, is) => {
      const log = publisher(throughProxy());
      await log.recover();
      const first = await published(log, EMPTY, [0, 1, 3]);
      const batch = batchAfter(first.checkpoint, [0, 1, 0, 1, 2]);
      proxy.cut(api, fate, after);
      expect(await log.publish(batch.messages, batch.checkpoint)).toMatchObject({ outcome: 'unknown' });
      expect(proxy.pending()).toBe(0);
      const found = await log.recover();
      expect(found).toEqual(is === 'there' ? batch.checkpoint : first.checkpoint);
      if (is === 'not there') await published(log, found, [0, 1, 0, 1, 2]);
      const rest = await published(log, await log.recover(), times(3, 2));
      const seen = is === 'there' ? batch.messages : undefined;
      const raw = await headers();
      expect(raw.size).toBe(first.messages.length + batch.messages.length + rest.messages.length);
      if (seen !== undefined) await delivers([...first.messages, ...seen, ...rest.messages]);
    },
  );

  it('publishes on after brokers have closed connections that nobody used', async () => {
    const log = publisher(throughProxy());
    await log.recover();
    const first = await published(log, EMPTY, [0, 1, 3]);
    await proxy.drop();
    const second = await published(log, first.checkpoint, [0, 1, 2]);
    await delivers([...first.messages, ...second.messages]);
  });

  it('keeps every record once, through cuts at every kind of request', async () => {
    const log = publisher(throughProxy());
    let checkpoint = await log.recover();
    const all: Message[] = [];
    const kinds: Api[] = ['addPartitions', 'produce', 'endTransaction'];
    for (let i = 0; i < 12; i++) {
      const batch = batchAfter(checkpoint, [i % 4, (i + 1) % 4, i % 4]);
      const kind = kinds[i % kinds.length] ?? 'produce';
      proxy.cut(kind, i % 2 === 0 ? 'written' : 'not written', kind === 'produce' ? i % 3 : 0);
      const { outcome } = await log.publish(batch.messages, batch.checkpoint);
      expect(outcome).toBe('unknown');
      const found = await log.recover();
      if (found.position === batch.checkpoint.position) all.push(...batch.messages);
      else expect(await log.publish(batch.messages, batch.checkpoint)).toEqual({ outcome: 'committed' });
      if (found.position !== batch.checkpoint.position) all.push(...batch.messages);
      checkpoint = batch.checkpoint;
    }
    expect(proxy.pending()).toBe(0);
    await delivers(all);
  });

  it('fences a publisher that is in the middle of a batch: nothing of it is ever seen', async () => {
    const old = publisher(throughProxy());
    await old.recover();
    const first = await published(old, EMPTY, [0, 1]);
    proxy.cut('endTransaction', 'late');
    const late = batchAfter(first.checkpoint, [0, 1, 2]);
    const outcome = old.publish(late.messages, late.checkpoint);
    await until(() => proxy.pending() === 0);
    const next = publisher(place);
    expect(await next.recover()).toEqual(first.checkpoint);
    const second = await published(next, first.checkpoint, [1, 2]);
    proxy.release();
    expect(await outcome).toEqual({ outcome: 'fenced' });
    expect(await next.recover()).toEqual(second.checkpoint);
    await delivers([...first.messages, ...second.messages]);
  });

  it('gives each record its key, its value and the headers of a CloudEvent', async () => {
    const log = publisher(place);
    await log.recover();
    const batch = batchAfter(EMPTY, [0, 2]);
    const messages = batch.messages.map((message) => ({
      ...message,
      event: { ...message.event, meta: { ...message.event.meta, correlationId: '0af7651916cd43dd8448eb211c80319c' } },
    }));
    await log.publish(messages, batch.checkpoint);
    const found = await headers();
    for (const message of messages) {
      expect(found.get(message.event.id)).toEqual(headersFor(place.ledger)(message));
      expect(found.get(message.event.id)?.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
    }
  });

  /** The headers of all committed records, by the id of their event. */
  async function headers(): Promise<Map<string, Record<string, string>>> {
    const found = new Map<string, Record<string, string>>();
    const raw = rawReader(kafkaClient(place), place.ledger, layout);
    await raw.connect();
    for (const { category } of layout.categories) {
      const topic = `${place.ledger}.${category}`;
      for (const [index, end] of (await raw.ends(topic)).entries()) {
        for await (const record of raw.records(topic, index, 0, end)) {
          const of = Object.entries(record.headers ?? {}).map(([name, value]) => [name, String(value)] as const);
          found.set(String(record.headers?.ce_id), Object.fromEntries(of));
        }
      }
    }
    await raw.close();
    return found;
  }

  describe('a feed', () => {
    it('goes on where its connection is cut', async () => {
      const log = publisher(place);
      await log.recover();
      const first = await published(log, EMPTY, times(5, 1));
      const all = kept();
      const reader = reading(kafkaFeed({ ...throughProxy(), group: 'cut', sessionMs: 6_000 }), all);
      await until(() => all.count() === 5, 20_000);
      proxy.cut('fetch', 'written');
      proxy.cut('fetch', 'not written', 1);
      const second = await published(log, first.checkpoint, times(5, 1), [2]);
      await until(() => all.count() === 11, 30_000);
      await reader.stop();
      expect(proxy.pending()).toBe(0);
      expect(all.broken).toEqual([]);
      expect(held(all)).toEqual(byPartition([...first.messages, ...second.messages]));
    });

    it('loses its partitions to another while it is cut off, and takes up where that one came', async () => {
      const log = publisher(place);
      await log.recover();
      let { checkpoint } = await published(log, EMPTY, [0, 1, 2, 3]);
      const all = kept();
      // As a projector does: again, whatever ended it.
      const inner = kafkaFeed({ ...throughProxy(), group: 'taken', sessionMs: 6_000 });
      const cut = reading(
        {
          async run(reader, signal) {
            while (!signal.aborted) {
              await inner.run(reader, signal).catch((error) => expect(error).not.toBeInstanceOf(FeedCrashed));
            }
          },
        },
        all,
      );
      await until(() => all.count() === 4, 20_000);
      proxy.hold(true);
      const other = reading(kafkaFeed({ ...place, group: 'taken', sessionMs: 6_000 }), all);
      ({ checkpoint } = await published(log, checkpoint, [0, 1, 2, 3]));
      await until(() => all.count() === 8, 30_000);
      expect([...other.applied.keys()].sort()).toEqual([0, 1, 2, 3]);
      proxy.hold(false);
      await other.stop();
      await published(log, checkpoint, [0, 1, 2, 3]);
      await until(() => all.count() === 12, 30_000);
      await cut.stop();
      expect(all.broken).toEqual([]);
    });

    it('names a crash that kafkajs does not come back from', async () => {
      // Below what the broker takes.
      const reader = reading(kafkaFeed({ ...place, group: 'crash', sessionMs: 100 }), kept());
      await expect(reader.ended).rejects.toThrow(FeedCrashed);
    });
  });
});
