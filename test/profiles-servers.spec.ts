import { randomUUID } from 'node:crypto';
import { layoutFor } from '../apps/distributed/layout.js';
import { streamPrefixOf } from '../apps/distributed/parts.js';
import { openEventStoreDb } from '../libs/event-store/eventstoredb/store.js';
import { kafkaFeed } from '../libs/messaging/kafka/feed.js';
import { kafkaLog } from '../libs/messaging/kafka/log.js';
import { createTopics } from '../libs/messaging/kafka/topics.js';
import { openMongoReadStore } from '../libs/read-store/mongodb/store.js';
import { startStandIn } from '../tools/eventstoredb-stand-in/server.js';
import { bothProfiles } from './profiles-suite.js';
import { describeWith, server } from './services.js';

const [kafka, mongo, events] = [
  await server('KAFKA_BROKERS'),
  await server('MONGODB_URL'),
  await server('EVENTSTOREDB_URL'),
];
const where = `${events.url === '' ? 'a stand-in for EventStoreDB' : 'EventStoreDB'}, Kafka and ${mongo.what}`;

// Few partitions: each of them writes to each read model by itself, and the servers share the machine with the specs.
const layout = layoutFor('districtFund=1,group=1,borrower=1,loan=3');

describeWith([kafka, mongo], `the same programme in both profiles, over ${where}`, () => {
  bothProfiles('2023-08-28', async () => {
    const ledger = `test-${randomUUID().slice(0, 8)}`;
    const standIn = events.url === '' ? await startStandIn() : null;
    const store = await openEventStoreDb({
      ...{ connectionString: standIn?.url ?? events.url, prefix: streamPrefixOf(ledger) },
    });
    const readStore = await openMongoReadStore({ url: mongo.url, database: ledger });
    const place = { brokers: kafka.url.split(','), ledger, layout };
    await createTopics({ ...place, replicationFactor: 1 });
    const log = kafkaLog(place);
    const feed = () => kafkaFeed({ ...place, group: 'projector', sessionMs: 10_000 });
    return {
      ...{ layout, store, readStore, log, feeds: [feed(), feed()] },
      async dispose() {
        for (const part of [log, readStore, store]) await part.close();
        await standIn?.close();
      },
    };
  });
});
