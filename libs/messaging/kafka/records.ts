import type { IHeaders, Message as KafkaRecord } from 'kafkajs';
import type { Envelope } from '../../kernel/envelope.js';
import type { JsonSchema } from '../../kernel/fields.js';
import type { Layout } from '../layout.js';
import { LogMismatch, type Message } from '../port.js';
import { headersFor, SEQUENCE } from '../record.js';

/** The record of a message, and about how many bytes it takes. */
export interface Encoded {
  readonly record: KafkaRecord;
  readonly bytes: number;
}

/** Headers and framing of a record, roughly. */
const OVERHEAD_BYTES = 640;

/** Encodes the messages of one ledger. `index` is the partition's within its topic. */
export function encoder(ledger: string): (message: Message, index: number) => Encoded {
  const headersOf = headersFor(ledger);
  return (message, partition) => {
    const { stream, meta } = message.event;
    const value = JSON.stringify(message.event);
    const timestamp = String(Date.parse(meta.recordedAt));
    return {
      record: { key: stream, value, partition, headers: headersOf(message), timestamp },
      bytes: Buffer.byteLength(value) + OVERHEAD_BYTES,
    };
  };
}

/** What a broker gives back of a record. */
export interface Stored {
  readonly offset: string;
  readonly value: Buffer | null;
  readonly headers?: IHeaders;
}

/** The sequence of a record. One without is none of ours. */
export function sequenceOf(topic: string, partition: number, { headers, offset }: Stored): number {
  const sequence = Number(headers?.[SEQUENCE]?.toString());
  if (Number.isSafeInteger(sequence) && sequence >= 1) return sequence;
  throw new LogMismatch(`no publisher of this ledger wrote the record at ${offset} of ${topic}/${partition}`);
}

/** The event of a record. */
export const eventOf = ({ value }: Stored): Envelope => JSON.parse(value?.toString() ?? 'null') as Envelope;

// ------------------------------------------------------------------------------------------------------- the checkpoint

/** Where a partition ends: its last sequence, and the offset that it stands at, from which readers estimate others. */
export interface PartitionEnd {
  readonly sequence: number;
  readonly offset: number;
}

/** What the checkpoint's record holds. Partitions that hold nothing are not named. */
export interface StoredCheckpoint {
  readonly position: string;
  readonly ends: ReadonlyMap<number, PartitionEnd>;
}

/** The only key of the checkpoint's topic: compaction keeps the last record. */
export const CHECKPOINT_KEY = 'checkpoint';
const FORMAT = 1;

type CheckpointJson = {
  readonly format: number;
  readonly position: string;
  /** By category, a pair of sequence and offset a partition; zeros where nothing is. */
  readonly partitions: Readonly<Record<string, readonly (readonly [number, number])[]>>;
};

/** The same for others: any count of partitions, as each ledger's layout has it. */
export const CHECKPOINT_SCHEMA: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['format', 'position', 'partitions'],
  properties: {
    format: { const: FORMAT },
    position: { type: 'string', description: 'of the last event that is published; empty before the first' },
    partitions: {
      type: 'object',
      description:
        'by category, a pair a partition: its last sequence, and the offset that it stands at; zeros for none',
      additionalProperties: {
        type: 'array',
        items: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'integer', minimum: 0 } },
      },
    },
  },
};

/** The checkpoint as it is stored. */
export function checkpointText(layout: Layout, { position, ends }: StoredCheckpoint): string {
  const partitions = Object.fromEntries(
    layout.categories.map(({ category, first, partitions: count }) => [
      category,
      Array.from({ length: count }, (_, index) => {
        const end = ends.get(first + index);
        return [end?.sequence ?? 0, end?.offset ?? 0] as const;
      }),
    ]),
  );
  return JSON.stringify({ format: FORMAT, position, partitions } satisfies CheckpointJson);
}

/** The checkpoint that was stored. A category that came later is not in it and holds nothing. */
export function checkpointOf(layout: Layout, text: string): StoredCheckpoint {
  const stored = JSON.parse(text) as CheckpointJson;
  if (stored.format !== FORMAT) throw new LogMismatch(`the checkpoint has format ${stored.format}, not ${FORMAT}`);
  const ends = new Map<number, PartitionEnd>();
  const known = new Map(layout.categories.map((place) => [place.category, place]));
  for (const [category, pairs] of Object.entries(stored.partitions)) {
    const place = known.get(category);
    if (place === undefined || place.partitions !== pairs.length) {
      throw new LogMismatch(`the checkpoint has ${pairs.length} partitions of ${category}, the layout another count`);
    }
    pairs.forEach(([sequence, offset], index) => {
      if (sequence > 0) ends.set(place.first + index, { sequence, offset });
    });
  }
  return { position: stored.position, ends };
}
