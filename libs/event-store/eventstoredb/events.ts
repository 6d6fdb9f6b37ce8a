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

/** What of a server is the ledger's, and how it is called there. */
export interface Own {
  has(stream: string): boolean;
  /** What the server calls a stream of the ledger. */
  named(stream: string): string;
  /** What the ledger calls a stream of the server; undefined where it is none of its own. */
  streamOf(name: string): string | undefined;
  /** The names that the server filters by; what slips through is none of the ledger's. */
  readonly prefixes: readonly string[];
  /** Whether an event that this program did not write, in a stream that is the ledger's, is an error. */
  readonly strict: boolean;
}

/**
 * The streams of the ledger's categories, with the ledger's prefix before their names; where no category is named,
 * whatever this program wrote under that prefix.
 */
export function ledgersOwn(categories: readonly string[], prefix = ''): Own {
  const own = new Set(categories);
  const has = (stream: string) => (own.size === 0 ? !stream.startsWith('$') : own.has(categoryOf(stream)));
  return {
    ...{ has, strict: own.size > 0, named: (stream) => prefix + stream },
    streamOf(name) {
      const stream = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
      return stream !== undefined && has(stream) ? stream : undefined;
    },
    prefixes: own.size > 0 ? categories.map((category) => prefix + category) : prefix === '' ? [] : [prefix],
  };
}

/** A read event as the envelope that was appended; undefined where it is none of the ledger's. */
export function envelopeOf({ event }: ResolvedEvent, own: Own): Envelope | undefined {
  // A tombstone stands in the stream that it ends, under a name of the server's.
  if (event === undefined || event.type.startsWith('$')) return undefined;
  const stream = own.streamOf(event.streamId);
  if (stream === undefined) return undefined;
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
    stream,
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
