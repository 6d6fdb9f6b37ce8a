import type { Envelope, UnplacedEnvelope } from '../../kernel/envelope.js';
import { invariant } from '../../kernel/result.js';
import { acceptedTexts, acceptReadOptions, sameEvent } from '../accept.js';
import { createBell, type Followed, follow } from '../follow.js';
import {
  type AppendOutcome,
  type EventStore,
  NO_STREAM,
  type ReadAllOptions,
  type ReadOptions,
  START,
  StoreUnavailable,
} from '../port.js';
import { textOf } from '../text.js';
import { type PinnedStore, pinStore } from './pinned.js';

/** An event that only the overlay holds: as JSON, so that no reader can change what another reads. */
interface Kept {
  readonly position: string;
  readonly stream: string;
  readonly revision: number;
  readonly text: string;
}

/** What the overlay holds, in global order and by stream. */
interface Own {
  readonly all: Kept[];
  readonly streams: Map<string, Kept[]>;
}

/** Digits of a position over an empty base, whose own positions would have told. */
const POSITION_DIGITS = 20;

/** Everything of an overlay is written by this process, which rings the bell: the wait is only bounded. */
const PATIENCE_MS = 60_000;

/** A store in memory: what is appended is gone with it. */
export function memoryEventStore(): EventStore {
  return overlayEventStore(EMPTY);
}

/**
 * The base as it stands, and appends that only the overlay sees: for dry runs. The base is read up to its head at the
 * first call and never written; what others append to it later is not seen, so that a dry run has one history.
 * Positions continue behind the base's head. Its own events are held in memory: bounded by what the dry run does.
 * Closing it leaves the base open.
 */
export function overlayEventStore(base: EventStore): EventStore {
  const own: Own = { all: [], streams: new Map() };
  const bell = createBell();
  let closed = false;
  let pinned: Promise<PinnedStore> | undefined;
  let lastAppend: Promise<unknown> = Promise.resolve();

  const pin = () => {
    pinned ??= pinStore(base);
    return pinned;
  };
  const assertOpen = () => {
    if (closed) throw new StoreUnavailable('STORE_CLOSED', 'the event store is closed');
  };

  const followed: Followed = {
    bell,
    patience: PATIENCE_MS,
    closed: () => closed,
    page: async (after, limit) => collected(taken(limit, readAll(await pin(), own, { after }))),
  };

  return {
    async append(stream, expectedRevision, events, sealed) {
      assertOpen();
      const texts = acceptedTexts(stream, expectedRevision, events, sealed);
      const appended = lastAppend.then(async () => write(own, await pin(), stream, events, texts));
      void appended.then(bell.ring, () => undefined);
      lastAppend = appended.catch(() => undefined);
      return appended;
    },
    async *readStream(stream, options = {}) {
      acceptReadOptions(options);
      assertOpen();
      yield* whileOpen(assertOpen, taken(options.limit, readStream(await pin(), own, stream, options)));
    },
    async *readAll(options = {}) {
      acceptReadOptions(options);
      assertOpen();
      yield* whileOpen(assertOpen, taken(options.limit, readAll(await pin(), own, options)));
    },
    readAllText(options) {
      return textOf(this.readAll(options));
    },
    async head() {
      assertOpen();
      const last = own.all.at(-1);
      return last === undefined ? (await pin()).head : parse(last);
    },
    async *streams() {
      assertOpen();
      yield* whileOpen(assertOpen, merged((await pin()).streams(), lastOfEach(own)));
    },
    subscribe: (options) => follow(followed, options),
    async close() {
      closed = true;
      bell.ring();
      await lastAppend;
    },
  };
}

/** Called one at a time: between looking at the stream and writing to it nothing else is written. */
async function write(
  own: Own,
  below: PinnedStore,
  stream: string,
  events: readonly UnplacedEnvelope[],
  texts: readonly string[],
): Promise<AppendOutcome> {
  const kept = own.streams.get(stream) ?? [];
  const revision = kept.at(-1)?.revision ?? (await below.last(stream))?.revision ?? NO_STREAM;
  const from = events[0]?.revision ?? 0;
  if (revision !== from - 1) return repeatedOrConflict(readStream(below, own, stream, { from }), events, revision);
  const positions: string[] = [];
  for (const text of texts) {
    const position = following(own.all.at(-1)?.position ?? below.end);
    const entry: Kept = { position, stream, revision: revision + 1 + positions.length, text };
    own.all.push(entry);
    kept.push(entry);
    positions.push(position);
  }
  own.streams.set(stream, kept);
  return { outcome: 'committed', positions };
}

async function* readStream(
  below: PinnedStore,
  own: Own,
  stream: string,
  options: ReadOptions,
): AsyncGenerator<Envelope> {
  const { direction = 'forwards', from } = options;
  const range = from === undefined ? { direction } : { direction, from };
  // A copy: what is appended while this is read is not part of it.
  const kept = (own.streams.get(stream) ?? []).slice();
  if (direction === 'forwards') {
    yield* below.readStream(stream, range);
    for (const entry of kept) if (from === undefined || entry.revision >= from) yield parse(entry);
    return;
  }
  for (const entry of kept.reverse()) if (from === undefined || entry.revision <= from) yield parse(entry);
  yield* below.readStream(stream, range);
}

async function* readAll(below: PinnedStore, own: Own, options: ReadAllOptions): AsyncGenerator<Envelope> {
  const { direction = 'forwards', after } = options;
  const end = own.all.length;
  const range = after === undefined ? { direction } : { direction, after };
  if (direction === 'forwards') {
    yield* below.readAll(range);
    for (let i = countBefore(own.all, after ?? START, true); i < end; i++) yield* parsed(own.all[i]);
    return;
  }
  let i = after === undefined ? end : countBefore(own.all, after);
  for (; i > 0; i--) yield* parsed(own.all[i - 1]);
  yield* below.readAll(range);
}

/** The last of each stream that the overlay wrote to, in byte order of the names. */
function lastOfEach(own: Own): Listed[] {
  const listed: Listed[] = [];
  for (const [stream, kept] of own.streams) {
    for (const event of parsed(kept.at(-1))) listed.push({ stream, revision: event.revision, seal: event.meta.seal });
  }
  return listed.sort((a, b) => byteOrder(a.stream, b.stream));
}

interface Listed {
  readonly stream: string;
  readonly revision: number;
  readonly seal: string;
}

/** Two lists in byte order of the names as one; where both name a stream, the second knows more. */
async function* merged(first: AsyncIterable<Listed>, second: readonly Listed[]): AsyncGenerator<Listed> {
  let i = 0;
  for await (const listed of first) {
    let next = second[i];
    while (next !== undefined && byteOrder(next.stream, listed.stream) < 0) {
      yield next;
      next = second[++i];
    }
    if (next?.stream !== listed.stream) yield listed;
  }
  yield* second.slice(i);
}

async function repeatedOrConflict(
  stored: AsyncIterable<Envelope>,
  events: readonly UnplacedEnvelope[],
  revision: number,
): Promise<AppendOutcome> {
  const positions: string[] = [];
  for await (const event of taken(events.length, stored)) {
    const given = events[positions.length];
    if (given === undefined || !sameEvent(event, given)) break;
    positions.push(event.position);
  }
  return positions.length === events.length ? { outcome: 'committed', positions } : { outcome: 'conflict', revision };
}

async function collected<T>(read: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of read) items.push(item);
  return items;
}

/** The first `limit` of a read. Leaves the read as soon as it has them. */
async function* taken<T>(limit: number | undefined, read: AsyncIterable<T>): AsyncGenerator<T> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const item of read) {
    yield item;
    if (--left === 0) return;
  }
}

async function* whileOpen<T>(assertOpen: () => void, read: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of read) {
    assertOpen();
    yield item;
  }
}

/** How many entries stand before a position, or at it too. */
function countBefore(all: readonly Kept[], position: string, inclusive = false): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = all[middle]?.position ?? START;
    if (found < position || (inclusive && found === position)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The next position behind one, as wide as it. */
function following(position: string): string {
  invariant(/^\d*$/.test(position), `${position} is no position that an overlay can continue`);
  return position === START
    ? '1'.padStart(POSITION_DIGITS, '0')
    : String(BigInt(position) + 1n).padStart(position.length, '0');
}

const parse = (entry: Kept): Envelope => ({ ...JSON.parse(entry.text), position: entry.position });
const parsed = (entry: Kept | undefined): Envelope[] => (entry === undefined ? [] : [parse(entry)]);

/** UTF-8 order, which UTF-16 order is not for names with characters beyond the basic plane. */
const byteOrder = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));

const EMPTY: EventStore = {
  append: () => Promise.reject(new StoreUnavailable('DATA_READ_ONLY', 'the empty store takes no events')),
  async *readStream() {},
  async *readAll() {},
  async *readAllText() {},
  head: () => Promise.resolve(undefined),
  async *streams() {},
  async *subscribe() {},
  close: () => Promise.resolve(),
};
