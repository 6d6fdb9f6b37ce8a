/*
 * kafkajs makes a record out of a buffer a header, and each of those out of one a length: with our ten headers more than
 * half of what a relay does. This makes the same bytes in one piece. See `hasten.ts`.
 */

/** What kafkajs calls its encoder with. */
export interface RecordParts {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Text | readonly Text[]>>;
}

type Text = Buffer | string;

/** As much of kafkajs's own encoder as it looks at. */
export interface EncodedRecord {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

export type RecordEncoder = (parts: RecordParts) => EncodedRecord;

/** Longer than a varint of 64 bits. */
const VARINT_BYTES_MAX = 10;

/** The longest text whose length is one byte. */
const SHORT = 63;

/** Where a record is put together, before it is known how long it is. */
let scratch = Buffer.allocUnsafe(16_384);
let at = 0;

/** A record in Kafka's format 2. */
export const encodeRecord: RecordEncoder = ({ offsetDelta = 0, timestampDelta = 0, key, value, headers = {} }) => {
  at = 0;
  makeRoom(1 + VARINT_BYTES_MAX * 2);
  scratch[at++] = 0;
  writeVarint(timestampDelta);
  writeVarint(offsetDelta);
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
  const body = at;
  makeRoom(VARINT_BYTES_MAX);
  writeVarint(body);
  const buf = Buffer.allocUnsafe(at);
  scratch.copy(buf, 0, body, at);
  scratch.copy(buf, at - body, 0, body);
  return { buf, buffer: buf };
};

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
