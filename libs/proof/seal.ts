import { createHash, hash } from 'node:crypto';
import { canonicalJson } from '../kernel/canonical-json.js';
import type { EnvelopeText, Meta, UnplacedEnvelope } from '../kernel/envelope.js';

/*
 * An event's seal is the SHA-256, hexadecimal, of the canonical JSON (RFC 8785) of its whole envelope without
 * `position` and `meta.seal`, with one more member `previousSeal`: the seal of the event before it in its stream,
 * absent on the first. Its id is the UUIDv5 of the same without `id`. Stored format: never changed.
 */

/** Name space of the ids of events: a UUID of our own, fixed for ever. */
const ID_NAMESPACE = Buffer.from('5b1e7a0c9d3f4e62a8c45f0d2b7c9e11', 'hex');

export type UnsealedEnvelope = Omit<UnplacedEnvelope, 'id' | 'meta'> & { readonly meta: Omit<Meta, 'seal'> };

export interface Sealed {
  readonly event: UnplacedEnvelope;
  /** What was hashed, in the order in which it is stored. */
  readonly text: EnvelopeText;
}

/**
 * Gives an event its id and its seal. `previousSeal` is null for the first of a stream. `data` is the canonical JSON of
 * its data, where the caller has it sooner.
 */
export function sealEvent(
  event: UnsealedEnvelope,
  previousSeal: string | null,
  data: string = canonicalJson(event.data),
): Sealed {
  const { type, version, stream, revision, meta } = event;
  const marks = marksText(meta);
  const { id, seal } = idAndSeal(`{"data":${data}`, afterText(event, marks, previousSeal));
  const text =
    `{"id":"${id}","type":${canonicalJson(type)},"version":${version},"stream":${canonicalJson(stream)},` +
    `"revision":${revision},"data":${data},"meta":${marks.slice(0, -1)},"seal":"${seal}"}}`;
  const { actor, bookingDate, causationId, commandHash, commandId, correlationId, recordedAt, valueDate } = meta;
  const sealed = {
    actor,
    bookingDate,
    causationId,
    commandHash,
    commandId,
    correlationId,
    recordedAt,
    valueDate,
    seal,
  };
  return {
    event: { id, type, version, stream, revision, data: event.data, meta: sealed },
    text: text as EnvelopeText,
  };
}

/** The seal that an event should have, from what a store gives back. */
export function sealOf(event: UnplacedEnvelope, previousSeal: string | null): string {
  const { seal: _, ...meta } = event.meta;
  const { before, after } = sealedText({ ...event, meta }, previousSeal);
  return sha256(`${before},"id":${canonicalJson(event.id)}${after}`);
}

/** The id that an event should have. */
export function idOf(event: UnplacedEnvelope, previousSeal: string | null): string {
  const { seal: _, ...meta } = event.meta;
  const { before, after } = sealedText({ ...event, meta }, previousSeal);
  return uuidV5(`${before}${after}`);
}

/** A stream by its last event. */
interface LastOfStream {
  readonly stream: string;
  readonly revision: number;
  readonly seal: string;
}

/** One line of what the ledger's digest is taken over. */
export const digestLine = (of: LastOfStream): string => `${of.stream} ${of.revision} ${of.seal}\n`;

/**
 * The ledger's digest: SHA-256 over one line a stream, in byte order of the names. It does not depend on the order
 * between streams, so the same history has the same digest on every store.
 */
export async function ledgerDigest(streams: AsyncIterable<LastOfStream> | Iterable<LastOfStream>): Promise<string> {
  const hash = createHash('sha256');
  for await (const stream of streams) hash.update(digestLine(stream));
  return hash.digest('hex');
}

export const sha256 = (text: string): string => hash('sha256', text);

// Members stand in the order of their names: `id` falls between `data` and `meta`, so both texts come from one pass.
function sealedText(event: UnsealedEnvelope, previousSeal: string | null): { before: string; after: string } {
  return {
    before: `{"data":${canonicalJson(event.data)}`,
    after: afterText(event, canonicalJson(event.meta), previousSeal),
  };
}

function afterText(event: UnsealedEnvelope, marks: string, previousSeal: string | null): string {
  const { type, version, stream, revision } = event;
  const previous = previousSeal === null ? '' : `,"previousSeal":${canonicalJson(previousSeal)}`;
  return (
    `,"meta":${marks}${previous},"revision":${revision},"stream":${canonicalJson(stream)}` +
    `,"type":${canonicalJson(type)},"version":${version}}`
  );
}

/** The canonical JSON of what an event is marked with, member by member. */
function marksText(meta: UnsealedEnvelope['meta']): string {
  const command = canonicalJson(meta.commandId);
  const same = (text: string) => (text === meta.commandId ? command : canonicalJson(text));
  return (
    `{"actor":${canonicalJson(meta.actor)},"bookingDate":${canonicalJson(meta.bookingDate)}` +
    `,"causationId":${same(meta.causationId)},"commandHash":${canonicalJson(meta.commandHash)},"commandId":${command}` +
    `,"correlationId":${same(meta.correlationId)},"recordedAt":${canonicalJson(meta.recordedAt)}` +
    `,"valueDate":${canonicalJson(meta.valueDate)}}`
  );
}

/** Both hashes from bytes that are written once: the id is put between them for the second. */
function idAndSeal(before: string, after: string): { id: string; seal: string } {
  const start = ID_NAMESPACE.length;
  if (start + (before.length + ID_MEMBER + after.length) * UTF8_BYTES_MAX > SCRATCH_BYTES) {
    const id = uuidV5(before + after);
    return { id, seal: sha256(`${before},"id":"${id}"${after}`) };
  }
  const middle = start + scratch.write(before, start);
  const end = middle + scratch.write(after, middle);
  const id = uuidOf(hash('sha1', scratch.subarray(0, end)));
  scratch.copyWithin(middle + ID_MEMBER, middle, end);
  scratch.write(`,"id":"${id}"`, middle, 'latin1');
  return { id, seal: hash('sha256', scratch.subarray(start, end + ID_MEMBER)) };
}

const uuidV5 = (name: string): string => uuidOf(hash('sha1', inNamespace(name)));

function uuidOf(hex: string): string {
  // Version 5, and the variant of RFC 9562 in the two highest bits.
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

// One-shot hashing of one buffer takes half the time of a hash object; an event of usual length fits in the one kept.
function inNamespace(name: string): Buffer {
  const start = ID_NAMESPACE.length;
  if (start + name.length * UTF8_BYTES_MAX > SCRATCH_BYTES) return Buffer.concat([ID_NAMESPACE, Buffer.from(name)]);
  return scratch.subarray(0, start + scratch.write(name, start));
}

/** Bytes of `,"id":"…"`. */
const ID_MEMBER = 44;
/** UTF-8 bytes of one UTF-16 unit. */
const UTF8_BYTES_MAX = 3;
const SCRATCH_BYTES = 16_384;
const scratch = Buffer.alloc(SCRATCH_BYTES);
ID_NAMESPACE.copy(scratch);
