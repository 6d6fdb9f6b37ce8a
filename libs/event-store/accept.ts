import { canonicalJson } from '../kernel/canonical-json.js';
import type { Envelope, EnvelopeText, UnplacedEnvelope } from '../kernel/envelope.js';
import { InvariantBroken, invariant } from '../kernel/result.js';
import { APPEND_BYTES_MAX, NO_STREAM, type ReadAllOptions, type ReadOptions } from './port.js';

/**
 * The depth that data and metadata may nest to. A command's body is flat; without a bound a hostile one would end in
 * a stack overflow somewhere between here and a reader.
 */
export const JSON_DEPTH_MAX = 64;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';
const BEYOND_ASCII = /[\u0080-\uffff]/;
const EACH_BEYOND_ASCII = /[\u0080-\uffff]/g;

/**
 * The events of one append as the texts to store, each the JSON of an event without its position. What the port does
 * not take breaks an invariant here, before anything is queued, so that no neighbour in flight ever notices: a server
 * may end the whole connection over an event that it cannot read.
 */
export function acceptedTexts(
  stream: string,
  expectedRevision: number,
  events: readonly UnplacedEnvelope[],
  sealed?: readonly EnvelopeText[],
): string[] {
  invariant(stream !== '' && stream.isWellFormed(), 'a stream has a name, in well-formed Unicode');
  if (!Number.isSafeInteger(expectedRevision) || expectedRevision < NO_STREAM) {
    throw new InvariantBroken(`${expectedRevision} is no revision that a stream can stand at`);
  }
  invariant(events.length > 0, 'an append holds at least one event');
  invariant(sealed === undefined || sealed.length === events.length, 'each event has its own text');
  const texts: string[] = [];
  let length = 0;
  for (const event of events) {
    acceptPlace(stream, expectedRevision + 1 + texts.length, event);
    const text = asciiOf(sealed?.[texts.length] ?? jsonOf(event));
    length += text.length;
    texts.push(text);
  }
  const ids = events.length === 1 ? 1 : new Set(events.map(({ id }) => id)).size;
  invariant(ids === events.length, 'an id stands twice in one append');
  // An escaped text is never shorter than its UTF-8, so only a long one has to be measured exactly.
  if (length > APPEND_BYTES_MAX) acceptSize(events);
  return texts;
}

/** Whether an event that is stored is the one that is given: a retry sends the same bytes, whatever the members' order. */
export function sameEvent(stored: Envelope, given: UnplacedEnvelope): boolean {
  const { position: _, ...unplaced } = stored;
  return canonicalJson(unplaced) === canonicalJson(bare(given));
}

/** Breaks an invariant on a bound that no store could keep, before anything is read. */
export function acceptReadOptions(options: ReadOptions | ReadAllOptions): void {
  const { limit } = options;
  invariant(limit === undefined || (Number.isSafeInteger(limit) && limit >= 1), 'a limit is a whole number from 1');
  if ('from' in options && options.from !== undefined) {
    invariant(Number.isSafeInteger(options.from) && options.from >= 0, 'a read begins at a whole revision from 0');
  }
}

/** The same for a subscription: a batch of none would never get on. */
export function acceptBatch(batch: number): void {
  invariant(Number.isSafeInteger(batch) && batch >= 1, 'a batch holds a whole number of events from 1');
}

function acceptPlace(stream: string, revision: number, event: UnplacedEnvelope): void {
  if (!UUID.test(event.id) || event.id === NIL_UUID) {
    throw new InvariantBroken(`the id ${JSON.stringify(event.id)} is no UUID`);
  }
  invariant(event.type !== '', 'an event has a type');
  invariant(Number.isSafeInteger(event.version) && event.version >= 1, 'an event has a version from 1');
  if (event.stream !== stream) throw new InvariantBroken(`an event of ${event.stream} is not one of ${stream}`);
  if (event.revision !== revision) {
    throw new InvariantBroken(`an event of revision ${event.revision} stands where ${revision} belongs`);
  }
}

function acceptSize(events: readonly UnplacedEnvelope[]): void {
  let bytes = 0;
  for (const { data, meta } of events) {
    bytes += Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(meta));
  }
  invariant(bytes <= APPEND_BYTES_MAX, `an append of ${bytes} bytes is larger than ${APPEND_BYTES_MAX}`);
}

function jsonOf(event: UnplacedEnvelope): string {
  acceptJson(event.data, JSON_DEPTH_MAX);
  acceptJson(event.meta, JSON_DEPTH_MAX);
  invariant(event.type.isWellFormed(), 'a type is well-formed Unicode');
  return JSON.stringify(bare(event));
}

/**
 * Measured: a text with Vietnamese letters as they are is read back a third slower, since one letter beyond Latin-1
 * makes the engine hold and parse the whole page at two bytes a character.
 */
const asciiOf = (text: string): string => (BEYOND_ASCII.test(text) ? text.replace(EACH_BEYOND_ASCII, escaped) : text);

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Only what the port names: a member that the caller carries beside is not the store's to keep. */
const bare = ({ id, type, version, stream, revision, data, meta }: UnplacedEnvelope): UnplacedEnvelope => ({
  id,
  type,
  version,
  stream,
  revision,
  data,
  meta,
});

/** Breaks on what JSON would drop or change in silence, so that what is read back is what was given. */
function acceptJson(value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      invariant(value.isWellFormed(), 'a lone surrogate has no canonical form');
      return;
    case 'number':
      invariant(Number.isFinite(value), `${value} has no JSON form`);
      return;
    case 'boolean':
      return;
    case 'object':
      if (value !== null) acceptMembers(value, depth);
      return;
    default:
      throw new InvariantBroken(`a ${typeof value} has no JSON form`);
  }
}

function acceptMembers(value: object, depth: number): void {
  invariant(depth > 0, `data and metadata nest at most ${JSON_DEPTH_MAX} deep`);
  invariant(!('toJSON' in value), 'a value that turns into another as JSON is not stored');
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) acceptJson(value[i], depth - 1);
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    invariant(name.isWellFormed(), 'a lone surrogate has no canonical form');
    acceptJson(member, depth - 1);
  }
}
