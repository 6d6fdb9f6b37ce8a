import { crc32c } from './crc32c.js';

/*
 * kafkajs makes a record out of a buffer a header, and each of those out of one a length; the records are then copied, whole,
 * into a body, a batch, a sealed batch, a partition, a topic and a request, each of which grows by doubling. This makes the
 * same bytes in one piece. See `hasten.ts`.
 */

type Text = Buffer | string;

/** A record as it is sent. */
interface SentRecord {
  readonly key?: Text | null;
  readonly value?: Text | null;
  readonly headers?: Readonly<Record<string, Text | readonly Text[]>>;
  /** Milliseconds since 1970. */
  readonly timestamp?: string;
}

/** What kafkajs calls its encoder of a request to produce with. */
export interface ProduceParts {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null | undefined;
  /** A whole number, of one of kafkajs's types. */
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly SentRecord[];
    }[];
  }[];
}

/** As much of kafkajs's own encoder as it looks at. */
export interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

const MAGIC = 2;
const TRANSACTIONAL = 16;
/** From what the length of a batch counts to what its checksum covers. */
const LEADER_EPOCH_BYTES = 4;
/** Longer than a varint of 64 bits. */
const VARINT_BYTES_MAX = 10;
/** What the length of a record of 64 to 8,191 bytes takes. */
const LENGTH_BYTES = 2;
/** What stands in a batch before its records, and more than that of a request beside names. */
const FRAME_BYTES = 128;
/** The longest text whose length is one byte. */
const SHORT = 63;

/** Where a request is put together, before it is known how long it is. */
let scratch = Buffer.allocUnsafe(1_048_576);
let at = 0;

/** A request to produce, of version 3 to 7, whose records are in Kafka's format 2 and not compressed. */
export function encodeProduce(parts: ProduceParts): Encoded {
  at = 0;
  writeString(parts.transactionalId);
  makeRoom(FRAME_BYTES);
  at = scratch.writeInt16BE(parts.acks, at);
  writeInt32(parts.timeout);
  writeInt32(parts.topicData.length);
  for (const { topic, partitions } of parts.topicData) {
    writeString(topic);
    writeInt32(partitions.length);
    for (const { partition, firstSequence = 0, messages } of partitions) {
      makeRoom(FRAME_BYTES);
      writeInt32(partition);
      const length = skipInt32();
      writeBatch(parts, firstSequence, messages);
      scratch.writeInt32BE(at - length - 4, length);
    }
  }
  const buf = Buffer.allocUnsafe(at);
  scratch.copy(buf, 0, 0, at);
  return { buf, buffer: buf };
}

function writeBatch(
  { transactionalId, producerId = -1, producerEpoch = 0 }: ProduceParts,
  firstSequence: number,
  records: readonly SentRecord[],
): void {
  const now = Date.now();
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const { timestamp } of records) {
    if (timestamp == null) continue;
    first = Math.min(first, Number(timestamp));
    last = Math.max(last, Number(timestamp));
  }
  if (first === Number.POSITIVE_INFINITY) first = last = now;
  makeRoom(FRAME_BYTES);
  writeInt64(0n);
  const length = skipInt32();
  writeInt32(0);
  at = scratch.writeInt8(MAGIC, at);
  const checksum = skipInt32();
  at = scratch.writeInt16BE(transactionalId ? TRANSACTIONAL : 0, at);
  writeInt32(records.length - 1);
  writeInt64(BigInt(first));
  writeInt64(BigInt(last));
  writeInt64(BigInt(String(producerId)));
  at = scratch.writeInt16BE(producerEpoch, at);
  writeInt32(firstSequence);
  writeInt32(records.length);
  records.forEach((record, index) => {
    writeRecord(record, index, Number(record.timestamp || now) - first);
  });
  scratch.writeInt32BE(at - length - LEADER_EPOCH_BYTES, length);
  scratch.writeUInt32BE(crc32c(scratch, checksum + 4, at), checksum);
}

function writeRecord({ key, value, headers = {} }: SentRecord, offset: number, time: number): void {
  makeRoom(VARINT_BYTES_MAX * 3 + 1);
  const start = at;
  at += LENGTH_BYTES;
  scratch[at++] = 0;
  writeVarint(time);
  writeVarint(offset);
  writeBytes(key);
  writeBytes(value);
  let count = 0;
  for (const name in headers) count += lengthOf(headers[name] as Text | readonly Text[]);
  makeRoom(VARINT_BYTES_MAX);
  writeVarint(count);
  for (const name in headers) {
    const given = headers[name] as Text | readonly Text[];
    if (isList(given)) for (const one of given) writeHeader(name, one);
    else writeHeader(name, given);
  }
  writeLengthAt(start);
}

/** Puts the length of what was written behind the bytes left for it before it, and moves it where it takes other than those. */
function writeLengthAt(start: number): void {
  const length = at - start - LENGTH_BYTES;
  let bytes = 1;
  for (let rest = length * 2; rest > 0x7f; rest /= 128) bytes++;
  if (bytes !== LENGTH_BYTES) {
    makeRoom(VARINT_BYTES_MAX);
    scratch.copyWithin(start + bytes, start + LENGTH_BYTES, at);
  }
  at = start;
  writeVarint(length);
  at += length;
}

const lengthOf = (given: Text | readonly Text[]): number => (isList(given) ? given.length : 1);

function writeHeader(name: string, text: Text): void {
  writeBytes(name);
  writeBytes(text);
}

const isList = (given: Text | readonly Text[]): given is readonly Text[] => Array.isArray(given);

function makeRoom(bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe((at + bytes) * 2);
  scratch.copy(larger, 0, 0, at);
  scratch = larger;
}

function skipInt32(): number {
  at += 4;
  return at - 4;
}

function writeInt32(value: number): void {
  at = scratch.writeInt32BE(value, at);
}

function writeInt64(value: bigint): void {
  at = scratch.writeBigInt64BE(value, at);
}

/** With two bytes of length, and room for what comes behind it. */
function writeString(text: string | null | undefined): void {
  const length = text == null ? -1 : Buffer.byteLength(text);
  makeRoom(Math.max(0, length) + FRAME_BYTES);
  at = scratch.writeInt16BE(length, at);
  if (text != null) at += scratch.write(text, at);
}

/** The length, or -1 for null, and the bytes. */
function writeBytes(bytes: Text | null | undefined): void {
  if (typeof bytes === 'string' && bytes.length <= SHORT && wroteAscii(bytes)) return;
  const length = bytes == null ? -1 : typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
  makeRoom(VARINT_BYTES_MAX + Math.max(0, length));
  writeVarint(length);
  if (typeof bytes === 'string') scratch.write(bytes, at);
  else bytes?.copy(scratch, at);
  at += Math.max(0, length);
}

/** Of a few letters a call out of JavaScript costs more than the letters. */
function wroteAscii(text: string): boolean {
  const { length } = text;
  makeRoom(1 + SHORT);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    scratch[at + 1 + i] = code;
  }
  scratch[at] = length * 2;
  at += 1 + length;
  return true;
}

/** Zigzag, seven bits a byte. Exact for every whole number whose double is one as well. */
function writeVarint(value: number): void {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) scratch[at++] = (rest % 128) | 0x80;
  scratch[at++] = rest;
}
