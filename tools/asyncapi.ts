import type { EventEntry, EventTable } from '../libs/kernel/decider.js';
import type { JsonSchema } from '../libs/kernel/fields.js';
import { CHECKPOINT_KEY, CHECKPOINT_SCHEMA } from '../libs/messaging/kafka/records.js';
import { CHECKPOINT, EVENTS } from '../libs/messaging/kafka/topics.js';
import type { Layout } from '../libs/messaging/layout.js';
import {
  checkpointTopicOf,
  HEADERS,
  HEADERS_OPTIONAL,
  HEADERS_VERSION,
  schemaIdOf,
  topicOf,
} from '../libs/messaging/record.js';
import { closed, DIALECT, streamSchema } from './schemas.js';

/* AsyncAPI 3 of the topics, for those who read events from Kafka: docs/reference/asyncapi.json. */

/** Raised when a topic, a key or a header becomes another one; a next version of an event or a new one is an addition. */
const CONTRACT_VERSION = '1.0.0';
const BINDING_VERSION = '0.5.0';

const INTRODUCTION = `Every event of the ledger, published once and for ever: one topic a category of streams, the
stream as the key, so that the events of a stream are in one partition and in order. The value is the whole event as it
is stored (its schema is named by \`ce_dataschema\`), the headers are those of a CloudEvent 1.0 in binary mode.
\`ce_sequence\` counts in each partition from 1 without a gap: a reader that sees another one than the next has lost
something. Batches are published in transactions: read with \`isolation.level=read_committed\`. Order between streams is
that of \`position\`, which grows in every partition. Counts of partitions are those of a ledger that was not told others
(SOCAI_PARTITIONS).`;

export interface Published {
  /** The events of each category of streams, in order. */
  readonly categories: Readonly<Record<string, EventTable>>;
  /** The category whose events go to every partition of every topic. */
  readonly toAll: string;
  readonly layout: Layout;
}

/** The document. Schemas of events and headers are the published files beside it. */
export function asyncApi({ categories, toAll, layout }: Published): JsonSchema {
  const messages = Object.entries(categories).flatMap(([category, table]) =>
    Object.entries(table).flatMap(([type, entry]) => versionsOf(entry).map((version) => ({ category, type, version }))),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Sổ Cái',
      version: CONTRACT_VERSION,
      description: INTRODUCTION.replaceAll('\n', ' '),
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        ...{ host: '{broker}', protocol: 'kafka' },
        variables: { broker: { default: 'localhost:9092', description: 'one of KAFKA_BROKERS' } },
      },
    },
    channels: {
      ...Object.fromEntries(
        layout.categories.map(({ category, partitions }) => [
          category,
          channel(category, toAll, messages, topicBinding(partitions, EVENTS)),
        ]),
      ),
      [CHECKPOINT_CHANNEL]: checkpointChannel(),
    },
    operations: Object.fromEntries([
      ...layout.categories.flatMap(({ category }) => [
        [`publish-${category}`, operation('send', category, 'The relay publishes, each event once.')],
        [`read-${category}`, operation('receive', category, 'Projectors read, and whoever else wants the events.')],
      ]),
      ['publish-checkpoint', operation('send', CHECKPOINT_CHANNEL, 'In the transaction of the records before it.')],
      [
        'read-checkpoint',
        operation('receive', CHECKPOINT_CHANNEL, 'A relay reads where the log ends before it leads.'),
      ],
    ]),
    components: {
      messages: {
        ...Object.fromEntries(messages.map((of) => [messageName(of), message(of)])),
        [CHECKPOINT_CHANNEL]: checkpointMessage(),
      },
      parameters: { ledger: { default: 'socai', description: 'SOCAI_LEDGER: the name of the ledger' } },
    },
  };
}

interface EventVersion {
  readonly category: string;
  readonly type: string;
  readonly version: number;
}

/** Old versions stay in the topics for ever. */
const versionsOf = ({ version }: EventEntry): readonly number[] => Array.from({ length: version }, (_, n) => n + 1);

const messageName = ({ type, version }: EventVersion): string => `${type}.v${version}`;
const ref = (...path: readonly string[]): JsonSchema => ({ $ref: `#/${path.join('/')}` });

function channel(category: string, toAll: string, messages: readonly EventVersion[], kafka: JsonSchema): JsonSchema {
  const own = messages.filter((of) => of.category === category || of.category === toAll);
  return {
    address: topicOf('{ledger}', category),
    summary:
      category === toAll
        ? `The events of the stream ${toAll}.`
        : `The events of streams ${category}-…, and in every partition those of the stream ${toAll}: a reader that comes to one of these has seen everything of its partition that was before it.`,
    servers: [ref('servers', 'kafka')],
    parameters: { ledger: ref('components', 'parameters', 'ledger') },
    messages: Object.fromEntries(own.map((of) => [messageName(of), ref('components', 'messages', messageName(of))])),
    bindings: { kafka },
  };
}

/** How the topic is made; the copies of a record are the operator's choice. */
function topicBinding(partitions: number, settings: Readonly<Record<string, string>>): JsonSchema {
  const topicConfiguration = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, name === 'cleanup.policy' ? [value] : Number(value)]),
  );
  return { partitions, topicConfiguration, bindingVersion: BINDING_VERSION };
}

const CHECKPOINT_CHANNEL = 'relay-checkpoint';

function checkpointChannel(): JsonSchema {
  return {
    address: checkpointTopicOf('{ledger}'),
    summary: "How far the log is, for relays. Not for others: it changes with the relay's program.",
    servers: [ref('servers', 'kafka')],
    parameters: { ledger: ref('components', 'parameters', 'ledger') },
    messages: { [CHECKPOINT_CHANNEL]: ref('components', 'messages', CHECKPOINT_CHANNEL) },
    bindings: { kafka: topicBinding(1, CHECKPOINT) },
  };
}

function checkpointMessage(): JsonSchema {
  return {
    ...{ name: CHECKPOINT_CHANNEL, title: 'How far the log is', contentType: 'application/json' },
    headers: { type: 'object', maxProperties: 0 },
    payload: CHECKPOINT_SCHEMA,
    bindings: { kafka: { key: { type: 'string', const: CHECKPOINT_KEY }, bindingVersion: BINDING_VERSION } },
  };
}

const operation = (action: 'send' | 'receive', category: string, summary: string): JsonSchema => ({
  action,
  channel: ref('channels', category),
  summary,
});

function message(of: EventVersion): JsonSchema {
  const { category, type, version } = of;
  return {
    ...{ name: messageName(of), title: `${type}, version ${version}`, contentType: 'application/json' },
    headers: {
      type: 'object',
      allOf: [
        { $ref: `./schemas/headers.v${HEADERS_VERSION}.json` },
        {
          properties: {
            ce_type: { const: type },
            ce_subject: streamSchema(category),
            ce_dataschema: { const: schemaIdOf(type, version) },
          },
        },
      ],
    },
    payload: { $ref: `./schemas/${type}.v${version}.json` },
    correlationId: { location: '$message.payload#/meta/correlationId' },
    bindings: { kafka: { key: streamSchema(category), bindingVersion: BINDING_VERSION } },
  };
}

/** The headers of every record. */
export function headersSchema(): JsonSchema {
  const { required, ...schema } = closed(HEADERS);
  const optional: readonly string[] = HEADERS_OPTIONAL;
  return {
    $schema: DIALECT,
    $id: `urn:socai:headers:${HEADERS_VERSION}`,
    title: `Headers of a record, version ${HEADERS_VERSION}`,
    description: 'A CloudEvent 1.0 in binary mode, as its binding to Kafka names the headers.',
    ...schema,
    required: (required as readonly string[]).filter((name) => !optional.includes(name)),
  };
}
