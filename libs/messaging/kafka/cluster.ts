import type { Broker, Cluster, Kafka } from 'kafkajs';

/*
 * The brokers themselves, whom kafkajs speaks to for its producers and consumers and shows to nobody else; but it hands its
 * `Cluster` to whoever assigns partitions (`partitionAssigners`, documented). Here nobody joins a group.
 */

export interface ClusterHandle {
  readonly cluster: Cluster;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/** Connections of their own to the brokers of a client. */
export function clusterOf(kafka: Kafka, ledger: string): ClusterHandle {
  let found: Cluster | undefined;
  const consumer = kafka.consumer({
    groupId: `${ledger}.none`,
    allowAutoTopicCreation: false,
    // Of where a topic ends, which is behind what is not committed yet; records are fetched as committed all the same.
    readUncommitted: true,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return {
          name: 'none',
          version: 1,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: NOTHING }),
        };
      },
    ],
  });
  if (found === undefined) throw new Error('kafkajs hands its cluster to who assigns partitions');
  return { cluster: found, connect: () => consumer.connect(), disconnect: () => consumer.disconnect() };
}

const NOTHING = Buffer.alloc(0);

/** The broker that leads a partition. */
export async function leaderOf(cluster: Cluster, topic: string, partition: number): Promise<Broker> {
  await cluster.addTargetTopic(topic);
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) throw new Error(`${topic}/${partition} has no leader`);
  return cluster.findBroker({ nodeId });
}
