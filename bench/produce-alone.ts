import kafkajs, { type Message as KafkaRecord } from 'kafkajs';
import { layoutFor } from '../apps/distributed/layout.js';
import { RELAY_EVENTS_MAX } from '../libs/engine/relay.js';
import { openSqliteEventStore } from '../libs/event-store/sqlite/store.js';
import { encoder } from '../libs/messaging/kafka/records.js';
import { topicOf } from '../libs/messaging/record.js';

/*
 * kafkajs as it comes, in a process of its own, as our log changes it where it runs: BROKERS LEDGER EVENTS MS. It sends the
 * records of a file of events, made before, to topics that are there, for so long at most: no transaction, no checkpoint,
 * no numbers to keep. It prints how many a second.
 */

const [brokers = '', ledger = '', path = '', ms = ''] = process.argv.slice(2);
const layout = layoutFor('');
const encode = encoder(ledger);
const store = await openSqliteEventStore({ path, readOnly: true });
const batches: { readonly topic: string; readonly messages: KafkaRecord[] }[][] = [];
let [batch, filled] = [new Map<string, KafkaRecord[]>(), 0];
const close = () => {
  batches.push([...batch].map(([category, messages]) => ({ topic: topicOf(ledger, category), messages })));
  [batch, filled] = [new Map(), 0];
};
for await (const event of store.readAll()) {
  const { category, index } = layout.placeOf(layout.of(event.stream));
  const { record } = encode({ event, partition: 0, sequence: event.revision + 1 }, index);
  const of = batch.get(category);
  if (of === undefined) batch.set(category, [record]);
  else of.push(record);
  if (++filled === RELAY_EVENTS_MAX) close();
}
close();
await store.close();

const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();
const began = performance.now();
let sent = 0;
for (const topicMessages of batches) {
  await producer.sendBatch({ topicMessages, acks: -1 });
  sent += topicMessages.reduce((sum, { messages }) => sum + messages.length, 0);
  if (performance.now() - began > Number(ms)) break;
}
process.stdout.write(String((sent * 1_000) / (performance.now() - began)));
await producer.disconnect();
