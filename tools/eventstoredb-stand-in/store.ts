import { randomUUID } from 'node:crypto';
import { type Log, openLog } from './log.js';
import { eventWire, LARGEST_REVISION, nameOf, type Proposed, recordedOf, uuidOf } from './wire.js';

/* The rules of the server: what is written, what is known already, and what can be seen (23.10's IndexWriter). */

/** Expected revisions below zero, as the server writes them. */
export const NO_STREAM = -1;
export const ANY = -2;
export const STREAM_EXISTS = -4;

export interface Recorded {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  /** The answer to a read that carries this event. */
  readonly wire: Buffer;
}

export interface Stream {
  readonly name: string;
  /** By revision; what is not on the disk yet stands at the end. */
  readonly events: Recorded[];
  /** How many of them are on the disk. */
  durable: number;
  truncateBefore: number;
  maxCount: number;
  tombstone?: Recorded;
}

export type Outcome =
  | { readonly is: 'written'; readonly last: number; readonly position: number; readonly durable: Promise<void> }
  | { readonly is: 'known'; readonly last: number; readonly position?: number }
  /** The same events are on their way to the disk: the server drops the second request. */
  | { readonly is: 'in-flight' }
  | { readonly is: 'unanswerable' }
  | { readonly is: 'wrong'; readonly current: number }
  | { readonly is: 'deleted' };

const DELETED = Number.POSITIVE_INFINITY;
const KNOWN_BYTES_MAX = 8 * 1024 * 1024;

export class Store {
  /** Everything on the disk, in the global order. */
  readonly all: Recorded[] = [];
  readonly #streams = new Map<string, Stream>();
  readonly #known = new Map<string, { readonly stream: string; readonly revision: number }>();
  #knownBytes = 0;
  readonly #listeners = new Set<() => void>();
  readonly #log: Log;

  private constructor(log: Log) {
    this.#log = log;
    for (const { position, wire } of log.read()) this.#restore(position, wire);
  }

  static open(folder: string | undefined): Store {
    return new Store(openLog(folder));
  }

  /** Calls back whenever more is on the disk. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get log(): Log {
    return this.#log;
  }

  find(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  append(name: string, expected: number, events: readonly Proposed[]): Outcome {
    const stream = this.#streams.get(name) ?? newStream(name);
    const check = this.#check(stream, expected, events);
    if (check !== 'ok') return check;
    const current = stream.events.length - 1;
    if (events.length === 0)
      return { is: 'written', last: current, position: this.#log.end, durable: Promise.resolve() };
    this.#streams.set(name, stream);
    const rows = events.map((event, index) => ({ stream, revision: current + 1 + index, event }));
    if (stream.truncateBefore === DELETED) {
      const meta = this.#metadata(name, { $tb: current + 1 });
      rows.push(meta);
    }
    const { made, durable } = this.#write(rows);
    const last = made[events.length - 1] as Recorded;
    return { is: 'written', last: last.revision, position: last.position, durable };
  }

  /** Hides a stream, or ends it for ever. */
  delete(name: string, expected: number, forEver: boolean): Outcome {
    const stream = this.#streams.get(name);
    if (!stream) return { is: 'wrong', current: -1 };
    const mark = { id: randomUUID() as string, type: '$streamDeleted', contentType: 'application/octet-stream' };
    const event: Proposed = { ...mark, data: new Uint8Array(), metadata: new Uint8Array() };
    const check = this.#check(stream, expected, [event]);
    if (check !== 'ok') return check;
    const row = forEver
      ? { stream, revision: Number.MAX_SAFE_INTEGER, event }
      : this.#metadata(name, { $tb: LARGEST_REVISION });
    const { made, durable } = this.#write([row]);
    return { is: 'written', last: -1, position: (made[0] as Recorded).position, durable };
  }

  #check(stream: Stream, expected: number, events: readonly Proposed[]): 'ok' | Outcome {
    const current = stream.events.length - 1;
    if (stream.tombstone) return { is: 'deleted' };
    const wrong: Outcome = { is: 'wrong', current };
    if (expected === STREAM_EXISTS) {
      if (current < 0) return wrong;
      if (stream.truncateBefore === DELETED) return { is: 'deleted' };
    }
    if (expected === ANY || expected === STREAM_EXISTS) return this.#checkAny(stream, events);
    if (expected > current) return wrong;
    if (expected === current) return 'ok';
    for (const [index, { id }] of events.entries()) {
      if (stream.events[expected + 1 + index]?.id === id) continue;
      const hidden = expected === NO_STREAM && stream.truncateBefore === DELETED && index === 0;
      return hidden ? 'ok' : wrong;
    }
    return events.length === 0 ? wrong : known(stream, expected + events.length);
  }

  /** Without a revision only the newest ids are known, wherever in the stream they stand. */
  #checkAny(stream: Stream, events: readonly Proposed[]): 'ok' | Outcome {
    const found = events
      .map(({ id }) => this.#known.get(id))
      .map((at) => (at?.stream === stream.name ? at : undefined));
    const [first] = found;
    const last = found.at(-1);
    if (!first || !last) return first ? { is: 'wrong', current: stream.events.length - 1 } : 'ok';
    if (found.includes(undefined)) return { is: 'wrong', current: stream.events.length - 1 };
    return last.revision + 1 < first.revision ? { is: 'unanswerable' } : known(stream, last.revision);
  }

  #metadata(of: string, metadata: { readonly $tb: number | string }): Row {
    const name = `$$${of}`;
    const stream = this.#streams.get(name) ?? newStream(name);
    this.#streams.set(name, stream);
    // The largest revision is no safe number: it is written as the server writes it, not as JSON.stringify would.
    const data = Buffer.from(`{"$tb":${metadata.$tb}}`);
    const event = { id: randomUUID() as string, type: '$metadata', contentType: 'application/json', data };
    return { stream, revision: stream.events.length, event: { ...event, metadata: new Uint8Array() } };
  }

  #write(rows: readonly Row[]): { readonly made: readonly Recorded[]; readonly durable: Promise<void> } {
    const made: Recorded[] = [];
    const durable = this.#log.append(
      rows.map(({ stream, revision, event }) => (position: number) => {
        const text = event.type === '$streamDeleted' ? LARGEST_REVISION : String(revision);
        const wire = eventWire(stream.name, text, position, event);
        made.push({ stream: stream.name, revision, position, id: event.id, type: event.type, wire });
        return wire;
      }),
      () => {
        for (const event of made) this.#show(event);
        for (const listener of this.#listeners) listener();
      },
    );
    for (const [index, event] of made.entries()) this.#note(event, rows[index]?.event.data ?? new Uint8Array());
    for (const event of made) this.#remember(event);
    return { made, durable };
  }

  #restore(position: number, wire: Buffer): void {
    const recorded = recordedOf(wire);
    const type = recorded.getMetadataMap().get('type') ?? '';
    const revision = type === '$streamDeleted' ? Number.MAX_SAFE_INTEGER : Number(recorded.getStreamRevision());
    const stream = nameOf(recorded.getStreamIdentifier());
    const event = { stream, revision, position, id: uuidOf(recorded.getId()) ?? '', type, wire };
    if (!this.#streams.has(stream)) this.#streams.set(stream, newStream(stream));
    this.#note(event, recorded.getData_asU8());
    this.#show(event);
  }

  /** What the next check has to know of. */
  #note(event: Recorded, data: Uint8Array): void {
    const stream = this.#streams.get(event.stream) as Stream;
    if (event.type === '$streamDeleted') stream.tombstone = event;
    else stream.events.push(event);
    if (event.type !== '$metadata' || !event.stream.startsWith('$$')) return;
    const name = event.stream.slice(2);
    const of = this.#streams.get(name) ?? newStream(name);
    this.#streams.set(name, of);
    const text = Buffer.from(data).toString('utf8');
    const { $tb = 0, $maxCount } = JSON.parse(text) as { readonly $tb?: number; readonly $maxCount?: number };
    of.truncateBefore = text.includes(LARGEST_REVISION) ? DELETED : $tb;
    of.maxCount = $maxCount ?? Number.POSITIVE_INFINITY;
  }

  #show(event: Recorded): void {
    this.all.push(event);
    if (event.type !== '$streamDeleted') (this.#streams.get(event.stream) as Stream).durable += 1;
  }

  #remember({ id, stream, revision }: Recorded): void {
    this.#forget(id);
    this.#known.set(id, { stream, revision });
    this.#knownBytes += knownBytes(stream);
    for (const [oldest] of this.#known) {
      if (this.#knownBytes <= KNOWN_BYTES_MAX) break;
      this.#forget(oldest);
    }
  }

  #forget(id: string): void {
    const at = this.#known.get(id);
    if (at) this.#knownBytes -= knownBytes(at.stream);
    this.#known.delete(id);
  }
}

interface Row {
  readonly stream: Stream;
  readonly revision: number;
  readonly event: Proposed;
}

const knownBytes = (stream: string) => 28 + 2 * stream.length;

function newStream(name: string): Stream {
  return { name, events: [], durable: 0, truncateBefore: 0, maxCount: Number.POSITIVE_INFINITY };
}

function known(stream: Stream, last: number): Outcome {
  if (last >= stream.durable) return { is: 'in-flight' };
  const hidden = last < firstVisible(stream);
  return { is: 'known', last, ...(hidden ? {} : { position: stream.events[last]?.position as number }) };
}

/** The lowest revision that reads give; beyond all of them where the stream was deleted. */
export function firstVisible({ truncateBefore, maxCount, durable }: Stream): number {
  return Math.max(0, truncateBefore, durable - maxCount);
}

/** A stream that was deleted is as if it had never been. */
export function isThere(stream: Stream | undefined): stream is Stream {
  return stream !== undefined && stream.durable > 0 && stream.truncateBefore !== DELETED;
}
