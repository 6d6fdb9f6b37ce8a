import type { CommandEntry, EventEntry } from '../libs/kernel/decider.js';
import { type Fields, type JsonSchema, schemaOf } from '../libs/kernel/fields.js';
import { schemaIdOf } from '../libs/messaging/record.js';

/* JSON Schemas (2020-12) for those who read events and send commands without this program. */

export const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
const DAY: JsonSchema = { type: 'string', format: 'date' };
const WORD: JsonSchema = { type: 'string', minLength: 1 };
const SHA256: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{64}$' };

const META: Readonly<Record<string, JsonSchema>> = {
  valueDate: { ...DAY, description: 'when it counts' },
  bookingDate: { ...DAY, description: 'the business day that it was entered on' },
  recordedAt: { type: 'string', format: 'date-time', description: 'the clock, UTC; never runs backwards' },
  actor: { ...WORD, description: 'who decided it' },
  commandId: { ...WORD, description: 'the stream that the command is about, a space, and its idempotency key' },
  commandHash: { ...SHA256, description: "SHA-256 of the command's body as sent, canonical" },
  correlationId: WORD,
  causationId: { ...WORD, description: 'the id of the event that led to this one, or the commandId' },
  seal: { ...SHA256, description: 'SHA-256 of the canonical envelope and of the seal before it in the stream' },
};

/** The whole stored event. */
export function eventSchema(type: string, entry: EventEntry, category: string): JsonSchema {
  return {
    $schema: DIALECT,
    $id: schemaIdOf(type, entry.version),
    title: `${type}, version ${entry.version}`,
    description: entry.summary,
    ...closed({
      id: { type: 'string', format: 'uuid' },
      type: { const: type },
      version: { const: entry.version },
      stream: streamSchema(category),
      revision: { type: 'integer', minimum: 0 },
      position: { ...WORD, description: "text of fixed width whose byte order is the store's global order; not dense" },
      data: storedSchema(entry.fields),
      meta: closed(META),
    }),
  };
}

/** The name of a stream of a category. */
export const streamSchema = (category: string): JsonSchema => ({ type: 'string', pattern: `^${category}(-.+)?$` });

/** What an event holds of its own. */
export const storedSchema = (fields: Fields): JsonSchema => stored(schemaOf(fields)) as JsonSchema;

/** The data of a command: `data` of a line; over HTTP with `valueDate` beside it, key and actor in headers. */
export function commandSchema({ name, summary, fields }: CommandEntry): JsonSchema {
  return {
    $schema: DIALECT,
    $id: `urn:socai:command:${name}`,
    title: name,
    description: summary,
    ...schemaOf(fields),
  };
}

/** A schema as text, always the same for the same schema. */
export const schemaText = (schema: JsonSchema): string => `${JSON.stringify(schema, null, 2)}\n`;

/** An object with these members and no other. */
export const closed = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});

/** A command takes an amount as a number or as text of digits; an event always has the number. */
function stored(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(stored);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { anyOf, description, ...rest } = schema as { anyOf?: JsonSchema[]; description?: string };
  const [number, text] = anyOf ?? [];
  if (number?.type === 'integer' && text?.type === 'string') {
    return { ...number, description: `a whole number of đồng from ${number.minimum} to ${number.maximum}` };
  }
  return Object.fromEntries(
    Object.entries({ ...rest, anyOf, description }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, stored(value)]],
    ),
  );
}
