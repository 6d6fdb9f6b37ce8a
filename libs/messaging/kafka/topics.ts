import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs';
import type { Layout } from '../layout.js';
import { LogMismatch } from '../port.js';
import { checkpointTopicOf, topicOf } from '../record.js';
import { type KafkaOptions, kafkaClient } from './client.js';
import { beginLog } from './log.js';

export interface TopicOptions extends KafkaOptions {
  readonly layout: Layout;
  /** How many brokers keep each record. With three or more, two must have it before it counts. */
  readonly replicationFactor: number;
}

/** What is said of a topic when it is made, and must still hold when the verb is run again. */
type Settings = Readonly<Record<string, string>>;

const READY_MS_MAX = 30_000;
/** How long brokers are waited for that the controller gives no replicas yet. */
const FENCED_MS_MAX = 15_000;

/** An append of one event may take 900,000 bytes; the envelope and headers come on top. */
const MAX_MESSAGE_BYTES = '2097152';

export const EVENTS: Settings = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'max.message.bytes': MAX_MESSAGE_BYTES,
};
export const CHECKPOINT: Settings = {
  'cleanup.policy': 'compact',
  'max.message.bytes': MAX_MESSAGE_BYTES,
};
/** Small segments, as compaction leaves the one that is written alone. May be changed by hand later. */
const CHECKPOINT_EXTRAS: Settings = { 'segment.bytes': '16777216', 'min.cleanable.dirty.ratio': '0.1' };

/**
 * Makes the topics of a ledger and begins its log. Safe to run twice; a topic that is there with another count of
 * partitions, or that would forget events, is refused by name and nothing is made.
 */
export async function createTopics(options: TopicOptions): Promise<{ readonly made: readonly string[] }> {
  const { ledger, layout, replicationFactor } = options;
  const wanted = [
    ...layout.categories.map(({ category, partitions }) => ({
      ...{ topic: topicOf(ledger, category), numPartitions: partitions, settings: EVENTS, extras: {} },
    })),
    { topic: checkpointTopicOf(ledger), numPartitions: 1, settings: CHECKPOINT, extras: CHECKPOINT_EXTRAS },
  ];
  const insync = { 'min.insync.replicas': replicationFactor >= 3 ? '2' : '1' };
  const admin = kafkaClient(options).admin();
  await admin.connect();
  let made: string[];
  try {
    const existing = new Set(await admin.listTopics());
    for (const topic of wanted) if (existing.has(topic.topic)) await refuseOther(admin, topic, replicationFactor);
    const missing = wanted.filter(({ topic }) => !existing.has(topic));
    made = missing.map(({ topic }) => topic);
    const topics = missing.map(({ topic, numPartitions, settings, extras }): ITopicConfig => {
      const configEntries = Object.entries({ ...settings, ...extras, ...insync }).map(([name, value]) => ({
        name,
        value,
      }));
      return { topic, numPartitions, replicationFactor, configEntries };
    });
    if (topics.length > 0) await makeTopics(admin, topics);
    for (const topic of missing) await untilReady(admin, topic);
  } finally {
    await admin.disconnect();
  }
  await beginLog(options);
  return { made };
}

/** A broker that was just started, or missed its heartbeats, answers before the controller gives it replicas. */
export async function makeTopics(
  admin: Pick<Admin, 'createTopics'>,
  topics: ITopicConfig[],
  fencedMsMax = FENCED_MS_MAX,
): Promise<void> {
  for (const deadline = Date.now() + fencedMsMax; ; await wait(100)) {
    try {
      // False says that another one made them in the same moment: they are looked at by `beginLog`. What kafkajs does to
      // wait for leaders fails where a broker has not heard of the topic yet.
      await admin.createTopics({ topics, waitForLeaders: false });
      return;
    } catch (error) {
      if (!isOfTooFewBrokers(error) || Date.now() > deadline) throw error;
    }
  }
}

const isOfTooFewBrokers = (error: unknown): boolean =>
  error instanceof kafkajs.KafkaJSAggregateError &&
  error.errors.some((one) => one instanceof kafkajs.KafkaJSProtocolError && one.type === 'INVALID_REPLICATION_FACTOR');

/** Until each partition of a topic that was made has a leader that every broker has heard of. */
async function untilReady(admin: Admin, { topic, numPartitions }: { topic: string; numPartitions: number }) {
  const deadline = Date.now() + READY_MS_MAX;
  for (;;) {
    try {
      const ends = await admin.fetchTopicOffsets(topic);
      if (ends.length === numPartitions) return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline) throw new Error(`${topic} has no leaders after ${READY_MS_MAX} ms`);
    await wait(100);
  }
}

async function refuseOther(
  admin: Admin,
  { topic, numPartitions, settings }: { topic: string; numPartitions: number; settings: Settings },
  replicationFactor: number,
): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics[0]?.partitions ?? [];
  if (partitions.length !== numPartitions) {
    throw new LogMismatch(`${topic} has ${partitions.length} partitions, the layout says ${numPartitions}`);
  }
  const other = partitions.find(({ replicas }) => replicas.length !== replicationFactor);
  if (other !== undefined) {
    const { partitionId, replicas } = other;
    throw new LogMismatch(
      `${topic}/${partitionId} has ${replicas.length} replicas, and is to have ${replicationFactor}`,
    );
  }
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: Object.keys(settings) }],
  });
  for (const { configName, configValue } of resources[0]?.configEntries ?? []) {
    const expected = settings[configName];
    if (expected === undefined || expected === configValue) continue;
    throw new LogMismatch(`${configName} of ${topic} is ${configValue}, and must be ${expected}`);
  }
}
