import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
import { describeWith, server } from '../../../test/services.js';
import { EMPTY, published } from '../contract/harness.js';
import { type CategoryPartitions, layoutOf } from '../layout.js';
import { LogMismatch, type TransactionalLog } from '../port.js';
import { checkpointTopicOf, topicOf } from '../record.js';
import { kafkaClient } from './client.js';
import { kafkaLog } from './log.js';
import { createTopics, makeTopics } from './topics.js';

const kafka = await server('KAFKA_BROKERS');

const CASE_MS_MAX = 60_000;
(import.meta as unknown as { readonly jest: { setTimeout(ms: number): void } }).jest.setTimeout(CASE_MS_MAX);

const CATEGORIES = [
  { category: 'fund', partitions: 1 },
  { category: 'loan', partitions: 3 },
];

describeWith(kafka, `the topics of a ledger in Kafka, ${kafka.what}`, () => {
  let ledger: string;
  let admin: Admin;
  let log: TransactionalLog;
  const place = (categories: readonly CategoryPartitions[] = CATEGORIES) => ({
    ...{ brokers: kafka.url.split(','), ledger, layout: layoutOf(categories) },
  });
  const make = (categories?: readonly CategoryPartitions[], replicationFactor = 1) =>
    createTopics({ ...place(categories), replicationFactor });
  beforeEach(async () => {
    ledger = `t${randomUUID().slice(0, 8)}`;
    log = kafkaLog(place());
    admin = kafkaClient(place()).admin();
    await admin.connect();
  });
  afterEach(async () => {
    await log.close();
    await admin.disconnect();
  });

  async function settingsOf(topic: string): Promise<Record<string, string>> {
    const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }];
    const { resources: found } = await admin.describeConfigs({ includeSynonyms: false, resources });
    return Object.fromEntries((found[0]?.configEntries ?? []).map((one) => [one.configName, one.configValue]));
  }

  it('are made once, with records that are kept for ever and a checkpoint that is compacted', async () => {
    const names = [topicOf(ledger, 'fund'), topicOf(ledger, 'loan'), checkpointTopicOf(ledger)];
    expect(await make()).toEqual({ made: names });
    expect(await make()).toEqual({ made: [] });
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    expect(Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length]))).toEqual({
      ...{ [topicOf(ledger, 'fund')]: 1, [topicOf(ledger, 'loan')]: 3, [checkpointTopicOf(ledger)]: 1 },
    });
    const forEver = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };
    expect(await settingsOf(topicOf(ledger, 'loan'))).toMatchObject(forEver);
    expect(await settingsOf(checkpointTopicOf(ledger))).toMatchObject({ 'cleanup.policy': 'compact' });
  });

  it('are waited for while the brokers may have no replicas yet, and not for ever', async () => {
    const topics = [{ topic: topicOf(ledger, 'fund'), numPartitions: 1, replicationFactor: 2 }];
    let tries = 0;
    /** As when another broker comes at that try. */
    const enough = (at: number): Pick<Admin, 'createTopics'> => ({
      createTopics: (options) => {
        const replicationFactor = ++tries < at ? 2 : 1;
        return admin.createTopics({ ...options, topics: topics.map((it) => ({ ...it, replicationFactor })) });
      },
    });
    await expect(makeTopics(enough(Number.POSITIVE_INFINITY), topics, 300)).rejects.toThrow('Topic creation errors');
    expect(tries).toBeGreaterThan(1);
    tries = 0;
    await makeTopics(enough(3), topics);
    expect(tries).toBe(3);
    expect(await admin.listTopics()).toContain(topicOf(ledger, 'fund'));
  });

  it('are made by whoever comes first, and the log goes on where it was', async () => {
    await Promise.all([make(), make()]);
    await log.recover();
    const { checkpoint } = await published(log, EMPTY, [0, 1, 2]);
    await make();
    expect(await log.recover()).toEqual(checkpoint);
  });

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>, string]>([
    [
      'another count of partitions',
      async () => {},
      () => make([{ category: 'loan', partitions: 4 }]),
      'has 3 partitions, the layout says 4',
    ],
    ['another replication factor', async () => {}, () => make(CATEGORIES, 2), 'has 1 replicas, and is to have 2'],
    [
      'records that are forgotten',
      () => alter(topicOf(ledger, 'loan'), 'retention.ms', '1000'),
      () => make(),
      'is 1000, and must be -1',
    ],
    [
      'a checkpoint that is forgotten',
      () => alter(checkpointTopicOf(ledger), 'cleanup.policy', 'delete'),
      () => make(),
      'is delete, and must be compact',
    ],
  ])('are refused with %s, and nothing is made', async (_, change, again, message) => {
    await make();
    await change();
    const before = await admin.listTopics();
    await expect(again()).rejects.toThrow(LogMismatch);
    await expect(again()).rejects.toThrow(message);
    expect((await admin.listTopics()).filter((name) => name.startsWith(ledger))).toEqual(
      before.filter((name) => name.startsWith(ledger)),
    );
  });

  const alter = (name: string, setting: string, value: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries: [{ name: setting, value }] }],
    });

  it('are waited for: a log that was never begun is told apart from one that lost its checkpoint', async () => {
    const rejected = await log.recover().catch((error) => error);
    expect(rejected).toBeInstanceOf(Error);
    expect(rejected).not.toBeInstanceOf(LogMismatch);
  });

  it('hold more than the checkpoint says: nothing is published', async () => {
    await make();
    await log.recover();
    await published(log, EMPTY, [1, 1]);
    await foreign('3');
    await expect(log.recover()).rejects.toThrow(
      new LogMismatch(`the checkpoint ends ${topicOf(ledger, 'loan')}/0 at 2, the partition holds 3`),
    );
  });

  it('hold what no relay wrote: nothing is published', async () => {
    await make();
    await foreign();
    await expect(log.recover()).rejects.toThrow('no publisher of this ledger wrote the record at 0');
  });

  it('hold less than the checkpoint says: nothing is published', async () => {
    await make();
    await log.recover();
    await published(log, EMPTY, [1, 1]);
    await admin.fetchTopicOffsets(topicOf(ledger, 'loan'));
    await admin.deleteTopicRecords({ topic: topicOf(ledger, 'loan'), partitions: [{ partition: 0, offset: '-1' }] });
    await expect(log.recover()).rejects.toThrow(LogMismatch);
  });

  it('never begin anew by themselves', async () => {
    await make();
    await log.recover();
    await published(log, EMPTY, [1, 1]);
    await admin.deleteTopics({ topics: [checkpointTopicOf(ledger)] });
    for (let left = 50; (await admin.listTopics()).includes(checkpointTopicOf(ledger)); left--) {
      expect(left).toBeGreaterThan(0);
    }
    await expect(make()).rejects.toThrow('the checkpoint is lost');
    await expect(log.recover()).rejects.toThrow('the checkpoint is lost');
    await expect(log.watch()).rejects.toThrow('the checkpoint is lost');
  });

  /** A record that was not published through the log. */
  async function foreign(sequence?: string): Promise<void> {
    const producer = kafkaClient(place()).producer();
    await producer.connect();
    const headers = sequence === undefined ? {} : { ce_sequence: sequence };
    await producer.send({ topic: topicOf(ledger, 'loan'), messages: [{ value: '{}', partition: 0, headers }] });
    await producer.disconnect();
  }
});
