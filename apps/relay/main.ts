import { createTopics } from '../../libs/messaging/kafka/topics.js';
import { kafkaOf } from '../distributed/parts.js';
import { reached } from '../distributed/reach.js';
import { runService } from '../distributed/service.js';
import { settingsOf } from '../distributed/settings.js';
import { startRelay } from './relay.js';

/* `relay`, or `relay topics`: makes the topics of the ledger, and begins its log. Safe to run twice. */

if (process.argv[2] === 'topics') {
  const settings = settingsOf(process.env);
  const place = kafkaOf(settings, () => {});
  const { made } = await reached(() => createTopics({ ...place, replicationFactor: settings.replicationFactor }), {
    waiting: ({ message }) => process.stderr.write(`waits for Kafka: ${message}\n`),
  });
  process.stdout.write(`${made.length === 0 ? 'all topics are there' : `made ${made.join(', ')}`}\n`);
} else await runService('relay', startRelay);
