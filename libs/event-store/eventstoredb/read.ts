import type { Envelope } from '../../kernel/envelope.js';
import { acceptReadOptions } from '../accept.js';
import type { ReadAllOptions, ReadOptions } from '../port.js';
import { classifyRead } from './classify.js';
import type { ServerClient, ServerPosition } from './client.js';
import { envelopeOf, type Own, serverPosition } from './events.js';
import { collect, type Patience, tried } from './patience.js';

/** What every read needs. */
export interface Reading {
  readonly client: ServerClient;
  readonly patience: Patience;
  /** Where the server is said to be, without name and password. */
  readonly address: string;
  readonly own: Own;
  /** Throws when the store is closed. */
  readonly assertOpen: () => void;
  /** What the last look for the head found, for the next one. */
  readonly looked: Looked;
}

/** Up to which position of the server the head of the ledger is known, and where it was then. */
export interface Looked {
  upTo?: bigint;
  head?: Envelope | undefined;
}

/** Events that one call asks for: a call is answered whole before a reader sees any of it, so it is bounded. */
export const PAGE_EVENTS = 512;
/** The first look for the last event; what the server writes for itself may stand behind it. */
const HEAD_EVENTS = 8;

/** The events of a stream. A missing stream is an empty one; a deleted one is damage. */
export async function* readStream(
  reading: Reading,
  stream: string,
  options: ReadOptions,
): AsyncGenerator<Envelope, void, undefined> {
  acceptReadOptions(options);
  const { direction = 'forwards', limit = Number.POSITIVE_INFINITY } = options;
  let from = options.from === undefined ? undefined : BigInt(options.from);
  let left = limit;
  for (;;) {
    const count = Math.min(left, PAGE_EVENTS);
    const page = await streamPage(reading, stream, direction, from, count);
    for (const event of page) {
      reading.assertOpen();
      yield event;
    }
    left -= page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < count || left <= 0) return;
    if (direction === 'backwards' && last.revision === 0) return;
    from = BigInt(direction === 'forwards' ? last.revision + 1 : last.revision - 1);
  }
}

/** One call's worth of a stream. */
export function streamPage(
  { client, patience, own, address, assertOpen }: Reading,
  stream: string,
  direction: 'forwards' | 'backwards',
  from: bigint | undefined,
  count: number,
): Promise<Envelope[]> {
  const what = `${address}: reading ${stream}`;
  return tried(patience, what, assertOpen, async () => {
    try {
      const found = await collect(
        patience.read,
        what,
        client.readStream(own.named(stream), { direction, from, count }),
      );
      return found.flatMap((event) => envelopeOf(event, own) ?? []);
    } catch (error) {
      if (classifyRead(error).verdict === 'missing') return [];
      throw error;
    }
  });
}

/** The global order, newest first, from before a position or from the end. */
export async function* readAllBackwards(
  reading: Reading,
  options: Omit<ReadAllOptions, 'direction'>,
): AsyncGenerator<Envelope, void, undefined> {
  acceptReadOptions(options);
  const { after, limit = Number.POSITIVE_INFINITY } = options;
  // Before the first event of all there is nothing, and the server has no position for it.
  const start = after === undefined ? undefined : serverPosition(after);
  if (after !== undefined && start === undefined) return;
  let before = start;
  let left = limit;
  for (let count = Math.min(left, HEAD_EVENTS); left > 0; count = Math.min(count * 4, PAGE_EVENTS)) {
    const page = await backwardsPage(reading, before, count);
    for (const event of page.events) {
      reading.assertOpen();
      yield event;
      if (--left <= 0) return;
    }
    if (page.end === undefined) return;
    before = page.end;
  }
}

/**
 * The last event of the ledger: one short read, unless the server, or another ledger on it, wrote a lot since the last
 * look. What lies behind that look is not read again.
 */
export async function head(reading: Reading): Promise<Envelope | undefined> {
  const { looked } = reading;
  const before = { ...looked };
  let newest: bigint | undefined;
  const found = (event: Envelope | undefined) => {
    // Two may look at once: the later place counts.
    if (newest !== undefined && newest > (looked.upTo ?? -1n)) Object.assign(looked, { upTo: newest, head: event });
    return event;
  };
  let from: ServerPosition | undefined;
  for (let count = HEAD_EVENTS; ; count = Math.min(count * 4, PAGE_EVENTS)) {
    const { events, begin, end } = await backwardsPage(reading, from, count);
    newest ??= begin?.commit;
    if (events[0] !== undefined) return found(events[0]);
    if (end === undefined) return found(undefined);
    if (before.upTo !== undefined && end.commit <= before.upTo) return found(before.head);
    from = end;
  }
}

/** The ledger's events among the next `count` of all, where those begin, and where to go on, unless that was the beginning. */
function backwardsPage(
  { client, patience, own, address, assertOpen }: Reading,
  before: ServerPosition | undefined,
  count: number,
): Promise<{ events: Envelope[]; begin: ServerPosition | undefined; end: ServerPosition | undefined }> {
  const what = `${address}: reading all events backwards`;
  return tried(patience, what, assertOpen, async () => {
    const found = await collect(patience.read, what, client.readAllBackwards({ before, count }));
    const end = found.length < count ? undefined : found.at(-1)?.event?.position;
    const begin = found[0]?.event?.position;
    return { events: found.flatMap((event) => envelopeOf(event, own) ?? []), begin, end };
  });
}

/** The last event of each stream, by one pass over all events: the server has no index of names. */
export async function lastOfStreams(
  events: AsyncIterable<Envelope>,
): Promise<{ readonly stream: string; readonly revision: number; readonly seal: string }[]> {
  const last = new Map<string, { readonly revision: number; readonly seal: string }>();
  for await (const { stream, revision, meta } of events) last.set(stream, { revision, seal: meta.seal });
  return [...last]
    .map(([stream, { revision, seal }]) => ({ stream, revision, seal, bytes: Buffer.from(stream) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ stream, revision, seal }) => ({ stream, revision, seal }));
}
