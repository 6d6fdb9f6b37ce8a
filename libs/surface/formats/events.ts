import type { Envelope } from '../../kernel/envelope.js';
import { isObject, parseJson } from './json.js';
import { refused } from './problem.js';

/** Far more than an event holds: what has no end of line by then is something else. */
const LINE_CHARACTERS_MAX = 4 * 1024 * 1024;

/** The events of an export: NDJSON, in pieces that may end anywhere. */
export async function* eventsIn(pieces: AsyncIterable<string | Uint8Array>): AsyncGenerator<Envelope> {
  const decoder = new TextDecoder();
  let [carried, number] = ['', 0];
  for await (const piece of pieces) {
    const lines = (carried + (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }))).split('\n');
    carried = lines.pop() as string;
    for (const line of lines) yield eventOf(line, ++number);
    if (carried.length > LINE_CHARACTERS_MAX) throw damaged(number + 1);
  }
  if (carried !== '') yield eventOf(carried, number + 1);
}

function eventOf(line: string, number: number): Envelope {
  const value = parseJson(line)?.value;
  if (!isObject(value) || !isObject(value.meta)) throw damaged(number);
  const { id, type, stream, position, version, revision, data, meta } = value;
  const texts = [id, type, stream, position, ...Object.values(meta), meta.seal, meta.commandId];
  if (!texts.every((text) => typeof text === 'string') || !isObject(data)) throw damaged(number);
  if (!Number.isSafeInteger(version) || !Number.isSafeInteger(revision)) throw damaged(number);
  return value as unknown as Envelope;
}

const damaged = (number: number) => refused('DATA_DAMAGED', 'file', { detail: `line ${number} is no event` });
