import { categoryOf, type Envelope, type Meta } from '../../kernel/envelope.js';
import { invariant } from '../../kernel/result.js';
import { START, StoreUnavailable } from '../port.js';
import type { ResolvedEvent, ServerEvent, ServerPosition } from './client.js';

const POSITION = /^\d{20}$/;
const POSITION_DIGITS = 20;

/** The server's own position as the port's: its digits, padded so that byte order is their order. */
export const positionText = ({ commit }: ServerPosition): string => String(commit).padStart(POSITION_DIGITS, '0');

/** What the server takes for a position that it gave; undefined for `START`. */
export function serverPosition(position: string): ServerPosition | undefined {
  if (position === START) return undefined;
  invariant(POSITION.test(position), `${JSON.stringify(position)} is no position of this store`);
  const commit = BigInt(position);
  // On every event and every answer the two were seen to be equal.
  return { commit, prepare: commit };
}

/** What of a server is the ledger's. */
export interface Own {
  has(stream: string): boolean;
  /** Whether an event that this program did not write, in a stream that is the ledger's, is an error. */
  readonly strict: boolean;
}

/** The streams of the ledger's categories; where none are named, whatever this program wrote. */
export function ledgersOwn(categories: readonly string[]): Own {
  const own = new Set(categories);
  if (own.size === 0) return { has: (stream) => !stream.startsWith('$'), strict: false };
  return { has: (stream) => own.has(categoryOf(stream)), strict: true };
}

/** A read event as the envelope that was appended; undefined where it is none of the ledger's. */
export function envelopeOf({ event }: ResolvedEvent, own: Own): Envelope | undefined {
  // A tombstone stands in the stream that it ends, under a name of the server's.
  if (event === undefined || event.type.startsWith('$') || !own.has(event.streamId)) return undefined;
  const { version, ...meta } = flat(event);
  const number = Number(version);
  if (!event.isJson || !Number.isSafeInteger(number) || event.position === undefined) {
    if (!own.strict) return undefined;
    const { streamId, revision } = event;
    throw new StoreUnavailable('DATA_FOREIGN', `the event ${revision} of ${streamId} was not written by this program`);
  }
  return {
    id: event.id,
    type: event.type,
    version: number,
    stream: event.streamId,
    revision: Number(event.revision),
    position: positionText(event.position),
    data: event.data,
    // What it holds was checked when it was written; a reader that must trust it verifies its seal.
    meta: meta as unknown as Meta,
  };
}

function flat({ metadata }: ServerEvent): Readonly<Record<string, unknown>> {
  return typeof metadata === 'object' && metadata !== null ? (metadata as Readonly<Record<string, unknown>>) : {};
}
