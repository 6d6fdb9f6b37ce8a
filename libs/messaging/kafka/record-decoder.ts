/*
 * Of each header of a record kafkajs copies all headers before it, and counts its time and offset in BigInts: with our ten
 * headers that is more than the JSON of the event. This reads the same out of the same bytes. See `hasten.ts`.
 */

/** What kafkajs says of the batch that a record stands in, as far as it is looked at. */
export interface BatchContext {
  readonly firstOffset?: string;
  readonly firstTimestamp?: string;
  readonly maxTimestamp?: string;
  readonly magicByte?: number;
  readonly isControlBatch?: boolean;
  readonly timestampType?: number;
}

/** What kafkajs makes of a record. */
export interface DecodedRecord {
  readonly magicByte: number | undefined;
  readonly attributes: number;
  readonly timestamp: string | undefined;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, HeaderValue>>;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
}

type HeaderValue = Buffer | null | readonly (Buffer | null)[];

/** As much of kafkajs's own decoder as it is given. */
interface Bytes {
  readonly buffer: Buffer;
  readonly offset: number;
}

export type RecordDecoder = (bytes: Bytes, context?: BatchContext) => DecodedRecord;

/** The broker's time of the batch stands for that of each record. */
const LOG_APPEND_TIME = 1;

let bytes: Buffer = Buffer.alloc(0);
let at = 0;

/** A record in Kafka's format 2, behind its length. */
export const decodeRecord: RecordDecoder = ({ buffer, offset }, context = {}) => {
  bytes = buffer;
  at = offset;
  const { firstOffset, firstTimestamp, maxTimestamp, magicByte, isControlBatch = false, timestampType } = context;
  const attributes = bytes.readInt8(at++);
  const delta = readVarint();
  const appended = timestampType === LOG_APPEND_TIME && maxTimestamp;
  const timestamp = appended ? maxTimestamp : String(Number(firstTimestamp) + delta);
  const ownOffset = String(Number(firstOffset) + readVarint());
  const key = readBytes();
  const value = readBytes();
  const headers: Record<string, HeaderValue> = {};
  for (let left = readVarint(); left > 0; left--) {
    const length = readVarint();
    const name = bytes.toString('utf8', at, at + length);
    at += length;
    const before = headers[name];
    const one = readBytes();
    headers[name] = before === undefined ? one : [...(Array.isArray(before) ? before : [before]), one];
  }
  return {
    magicByte,
    attributes,
    timestamp,
    offset: ownOffset,
    key,
    value,
    headers,
    isControlRecord: isControlBatch,
    batchContext: context,
  };
};

function readBytes(): Buffer | null {
  const length = readVarint();
  if (length < 0) return null;
  at += length;
  return bytes.subarray(at - length, at);
}

/** Zigzag, seven bits a byte. Exact for every whole number whose double is one as well. */
function readVarint(): number {
  let sum = 0;
  let factor = 1;
  for (;;) {
    const byte = bytes[at++] ?? 0;
    sum += (byte & 0x7f) * factor;
    if (byte < 0x80) return sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2;
    factor *= 128;
  }
}
