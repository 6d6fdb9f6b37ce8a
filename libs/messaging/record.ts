import { traceparentOf } from '../kernel/envelope.js';
import type { JsonSchema } from '../kernel/fields.js';
import type { Message } from './port.js';

/*
 * Storage format of what is published, the same on every transport that has topics, keys and headers. Described for
 * others in docs/reference/asyncapi.json, which is made from this. A record's key is the stream, its value the whole
 * stored event as JSON, so that seals can be checked from it, and its headers are those of a CloudEvent 1.0 in binary
 * mode, as its binding to Kafka names them.
 */

/** The topic of a category of streams. */
export const topicOf = (ledger: string, category: string): string => `${ledger}.${category}`;

/** The topic of the relay's checkpoint. No category has a hyphen in it. */
export const checkpointTopicOf = (ledger: string): string => `${ledger}.relay-checkpoint`;

/** What names a version of an event: the schema's own id. */
export const schemaIdOf = (type: string, version: number): string => `urn:socai:event:${type}:${version}`;

/** Another set of headers, or another meaning of one, is a next version: what is in the topics stays as it is. */
export const HEADERS_VERSION = 1;

/** The header that shows a hole, a double or a reorder. */
export const SEQUENCE = 'ce_sequence';

/** Every header, and what it holds. */
export const HEADERS = {
  'content-type': { const: 'application/json' },
  ce_specversion: { const: '1.0' },
  ce_id: { type: 'string', format: 'uuid', description: 'the id of the event, the same wherever it is published' },
  ce_source: { type: 'string', pattern: '^urn:socai:.+$', description: 'the ledger' },
  ce_type: { type: 'string', description: 'the type of the event' },
  ce_subject: { type: 'string', description: 'its stream' },
  ce_time: { type: 'string', format: 'date-time', description: 'when it was recorded' },
  ce_dataschema: { type: 'string', format: 'uri', description: 'the $id of the schema that the value keeps' },
  [SEQUENCE]: { type: 'string', pattern: '^[1-9][0-9]*$', description: 'dense in its partition, from 1' },
  traceparent: {
    ...{ type: 'string', pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' },
    description: "W3C trace context: the caller's trace, the event as parent; absent where the caller had none",
  },
} as const satisfies Readonly<Record<string, JsonSchema>>;

/** The headers that a record may lack. */
export const HEADERS_OPTIONAL = ['traceparent'] as const satisfies readonly (keyof typeof HEADERS)[];

type Optional = (typeof HEADERS_OPTIONAL)[number];
/** The headers of a record, as text. */
export type Headers = Readonly<
  Record<Exclude<keyof typeof HEADERS, Optional>, string> & Partial<Record<Optional, string>>
>;

/** Makes the headers of the messages of one ledger. */
export function headersFor(ledger: string): (message: Message) => Headers {
  const source = `urn:socai:${ledger}`;
  return ({ event, sequence }) => {
    const traceparent = traceparentOf(event);
    return {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_source: source,
      ce_type: event.type,
      ce_subject: event.stream,
      ce_time: event.meta.recordedAt,
      ce_dataschema: schemaIdOf(event.type, event.version),
      [SEQUENCE]: String(sequence),
      ...(traceparent !== null && { traceparent }),
    };
  };
}
