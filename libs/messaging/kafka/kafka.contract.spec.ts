import { randomUUID } from 'node:crypto';
import { kafkaProxy } from '../../../test/kafka-proxy.js';
import { describeWith, server } from '../../../test/services.js';
import { transportContract } from '../contract.js';
import { layoutOf } from '../layout.js';
import { kafkaFeed } from './feed.js';
import { kafkaLog } from './log.js';
import { createTopics } from './topics.js';

const kafka = await server('KAFKA_BROKERS');

/** Groups are formed, and topics made, by a server on a machine that does other things as well. */
const CASE_MS_MAX = 60_000;
(import.meta as unknown as { readonly jest: { setTimeout(ms: number): void } }).jest.setTimeout(CASE_MS_MAX);

const layout = layoutOf([
  { category: 'fund', partitions: 1 },
  { category: 'loan', partitions: 3 },
]);

describeWith(kafka, `Kafka, ${kafka.what}`, () => {
  transportContract('kafkajs', {
    async open() {
      const proxy = await kafkaProxy();
      const place = { brokers: kafka.url.split(','), ledger: `t${randomUUID().slice(0, 8)}`, layout };
      await createTopics({ ...place, replicationFactor: 1 });
      return {
        partitions: layout.count,
        publisher: () => kafkaLog({ ...place, connection: { socketFactory: proxy.socketFactory } }),
        feed: (group) => kafkaFeed({ ...place, group, sessionMs: 6_000 }),
        // The end of a transaction is where its fate hangs.
        loseNextAnswer: (fate) => proxy.cut('endTransaction', fate),
        dispose: () => proxy.close(),
      };
    },
    patienceMs: 20_000,
  });
});
