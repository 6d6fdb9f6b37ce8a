import type { Broker, Cluster, Kafka, Message as KafkaRecord } from 'kafkajs';
import { invariant } from '../../kernel/result.js';
import { protocolError } from './client.js';
import { type ClusterHandle, clusterOf, leaderOf } from './cluster.js';

/*
 * Transactions, by the requests of kafkajs's brokers and without its producer: that one counts sequences before an
 * acknowledgement and back after an error, asks for the coordinator and adds a partition before each send, and lets one
 * send at a time go to a broker. Here a sequence is counted when it was acknowledged, all partitions of a transaction are
 * added by one request, and sends of different partitions go at once. Whoever uses this keeps to: one send is one
 * partition, which is in flight once; and any error is the end of the producer. See docs/adr/0013.
 */

/** After which the coordinator gives a transaction up: until then it hides from readers what comes after it. */
const TRANSACTION_MS = 30_000;
/** How long the coordinator may take to finish the transaction before, until it is given up. */
const BUSY_MS = 10_000;
const BUSY_PAUSE_MS = 5;
/** The coordinator is not there yet, or not here. */
const MOVING = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'GROUP_LOAD_IN_PROGRESS']);
const MOVING_PAUSE_MS = 50;
/** Of what a broker answers to a send. */
const COORDINATES_TRANSACTIONS = 1;
/** Where a sequence begins again. */
const SEQUENCES = 2 ** 31;

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface TransactionalProducer {
  /** Begins a transaction over partitions. */
  begin(places: readonly TopicPartition[]): Promise<void>;
  /** Sends records of one partition, which must be done before the next of it, and answers the offset of the first. */
  send(place: TopicPartition, records: readonly KafkaRecord[]): Promise<number>;
  commit(): Promise<void>;
  close(): Promise<void>;
}

/** As whom a producer speaks. Whoever comes after it under the same id has a later epoch. */
interface Identity {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** Requests of kafkajs's brokers that its types leave out, or say less of. */
type TransactionalBroker = Broker & {
  initProducerId(request: {
    readonly transactionalId: string;
    readonly transactionTimeout: number;
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
  addPartitionsToTxn(
    request: Identity & { readonly topics: readonly { readonly topic: string; readonly partitions: number[] }[] },
  ): Promise<unknown>;
  produce(request: Identity & { readonly acks: number; readonly topicData: readonly unknown[] }): Promise<{
    readonly topics: readonly { readonly partitions: readonly { readonly baseOffset: string }[] }[];
  }>;
  endTxn(request: Identity & { readonly transactionResult: boolean }): Promise<unknown>;
};

/** A new producer under an id: whoever had it before is fenced, and what was open is given up. */
export async function fence(kafka: Kafka, ledger: string): Promise<TransactionalProducer> {
  const handle = clusterOf(kafka, ledger);
  try {
    await handle.connect();
    const { cluster } = handle;
    const transactionalId = `${ledger}.relay`;
    const [coordinator, given] = await patiently(
      (type) => type === 'CONCURRENT_TRANSACTIONS' || MOVING.has(type),
      MOVING_PAUSE_MS,
      async () => {
        const broker = await coordinatorOf(cluster, transactionalId);
        return [broker, await broker.initProducerId({ transactionalId, transactionTimeout: TRANSACTION_MS })] as const;
      },
    );
    const { producerId, producerEpoch } = given;
    return new Producer(handle, coordinator, { transactionalId, producerId, producerEpoch });
  } catch (error) {
    await handle.disconnect().catch(() => undefined);
    throw error;
  }
}

class Producer implements TransactionalProducer {
  /** The next sequence of each partition, as the broker counts records of this producer. */
  readonly #sequences = new Map<string, number>();
  readonly #inFlight = new Set<string>();

  constructor(
    private readonly handle: ClusterHandle,
    private readonly coordinator: TransactionalBroker,
    private readonly identity: Identity,
  ) {}

  async begin(places: readonly TopicPartition[]): Promise<void> {
    const byTopic = new Map<string, number[]>();
    for (const { topic, partition } of places) {
      const of = byTopic.get(topic);
      if (of === undefined) byTopic.set(topic, [partition]);
      else of.push(partition);
    }
    await this.handle.cluster.refreshMetadataIfNecessary();
    // Brokers close what nobody used for ten minutes; a connection that says who it is has to do so again.
    await this.coordinator.connect();
    const topics = [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
    // Nothing of this transaction is there before the one before it is finished, which a broker answers to early.
    await patiently(
      (type) => type === 'CONCURRENT_TRANSACTIONS',
      BUSY_PAUSE_MS,
      () => this.coordinator.addPartitionsToTxn({ ...this.identity, topics }),
    );
  }

  async send({ topic, partition }: TopicPartition, records: readonly KafkaRecord[]): Promise<number> {
    const place = `${topic}/${partition}`;
    invariant(!this.#inFlight.has(place), `${place} is in flight once`);
    this.#inFlight.add(place);
    const firstSequence = this.#sequences.get(place) ?? 0;
    const leader = (await leaderOf(this.handle.cluster, topic, partition)) as TransactionalBroker;
    const { topics } = await leader.produce({
      ...{ ...this.identity, acks: -1 },
      topicData: [{ topic, partitions: [{ partition, firstSequence, messages: records }] }],
    });
    const offset = Number(topics[0]?.partitions[0]?.baseOffset ?? -1);
    if (offset < 0) throw new Error(`no offset from ${topic}`);
    // After an error it stays in flight, and this producer is of no more use.
    this.#inFlight.delete(place);
    this.#sequences.set(place, (firstSequence + records.length) % SEQUENCES);
    return offset;
  }

  async commit(): Promise<void> {
    await this.coordinator.endTxn({ ...this.identity, transactionResult: true });
  }

  close(): Promise<void> {
    return this.handle.disconnect();
  }
}

async function coordinatorOf(cluster: Cluster, transactionalId: string): Promise<TransactionalBroker> {
  const asked = { groupId: transactionalId, coordinatorType: COORDINATES_TRANSACTIONS };
  return (await cluster.findGroupCoordinator(asked)) as TransactionalBroker;
}

/** Asks again for a while, where an answer says that nothing was done and it may be another soon. */
async function patiently<Answer>(
  passes: (type: string) => boolean,
  pauseMs: number,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const deadline = Date.now() + BUSY_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!passes(protocolError(error) ?? '') || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
