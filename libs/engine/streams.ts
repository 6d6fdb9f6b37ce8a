import type { EventStore, SnapshotStore } from '../event-store/port.js';
import { type Instant, laterOf } from '../kernel/dates.js';
import type { Domain, Folded } from '../kernel/decider.js';
import { categoryOf, type Envelope, type UnplacedEnvelope } from '../kernel/envelope.js';
import { InvariantBroken } from '../kernel/result.js';
import { WeighedMap } from '../kernel/weighed-map.js';

/** The most memory that folded streams take, by an estimate. A loan of sixty events takes 4.7 kB: some 45,000 of them. */
export const WARM_BYTES_MAX = 200 * 1024 * 1024;

/** What a stream takes beside its state: its place in the map, its name, its seal. */
const WARM_BYTES = 400;
/** What a state takes whose aggregate does not say. */
const STATE_BYTES = 600;
const KEY_BYTES = 10;

/**
 * A stream is kept as a snapshot after so many events, and then each time that it has grown by this and by the share: a
 * stream that is not warm is read from there on. A loan of sixty events costs 0.8 ms to read and fold, of twenty 0.2 ms.
 */
const SNAPSHOT_EVENTS = 8;
const SNAPSHOT_SHARE = 1 / 8;

/** A folded stream, and what an append to it needs. */
export interface WarmStream extends Folded {
  /** null when there is no such stream. */
  readonly seal: string | null;
  /** The latest of its events', '' where there is none. */
  readonly recordedAt: Instant;
  /** When it was known to be all there is: of interest where there are other writers. */
  checkedAt: number;
  /**
   * By revision, a hash of the key of the command about this stream that wrote the event; 0 where there is none. Keys
   * are known for ever, so there are as many as events: the stored event says whether it is the same one.
   */
  readonly keys: readonly number[];
  /** The revision of the last snapshot; -1 for none. */
  readonly kept: number;
  /** Resolves when everything that was folded is durable. Rejects when it is not: the stream is then loaded again. */
  durable: Promise<unknown>;
}

/**
 * Folded streams, kept warm. A decision advances a stream as soon as its append is under way: the store keeps appends
 * to one stream in order, so whoever decides on what is not durable yet is refused by the store if it never becomes so.
 */
export class WarmStreams {
  readonly #warm: WeighedMap<WarmStream>;
  readonly #loading = new Map<string, Promise<WarmStream>>();

  constructor(
    private readonly store: EventStore,
    private readonly domain: Domain,
    bytesMax = WARM_BYTES_MAX,
    private readonly snapshots: SnapshotStore | null = null,
    /** Where there are other writers: how old what was read of a stream may be, and by which clock. */
    private readonly shared: { readonly freshMs: number; readonly now: () => number } | null = null,
  ) {
    this.#warm = new WeighedMap(bytesMax, (warm) => this.#bytes(warm));
  }

  load(stream: string): WarmStream | Promise<WarmStream> {
    const warm = this.#warm.get(stream);
    if (warm !== undefined) return warm;
    const loading = this.#loading.get(stream) ?? this.#read(stream);
    this.#loading.set(stream, loading);
    return loading;
  }

  /** The stream if it is warm. */
  warm(stream: string): WarmStream | undefined {
    return this.#warm.get(stream);
  }

  /** False where another writer may have moved the stream for longer than facts may be stale. */
  fresh(warm: WarmStream): boolean {
    return this.shared === null || this.shared.now() - warm.checkedAt < this.shared.freshMs;
  }

  /** The stream as it stands, with what other writers added. */
  async current(stream: string): Promise<WarmStream> {
    if (this.shared !== null && this.#warm.get(stream) !== undefined) await this.refresh(stream);
    return this.known(stream);
  }

  /**
   * The stream to decide on. Where there are other writers it is durable: one of them may have taken the revision of an
   * append that is on its way, and the store would then accept what was decided on a state that never was.
   */
  async known(stream: string): Promise<WarmStream> {
    let warm = await this.load(stream);
    while (!this.decidable(warm)) {
      await warm.durable.catch(() => {});
      warm = await this.load(stream);
    }
    return warm;
  }

  decidable(warm: WarmStream): boolean {
    return this.shared === null || warm.durable === SETTLED;
  }

  /** Folds what another writer added; whether there was something. */
  async refresh(stream: string): Promise<boolean> {
    if (this.#warm.get(stream) === undefined) {
      await this.load(stream);
      return true;
    }
    const warm = await this.known(stream);
    const began = this.shared?.now() ?? 0;
    const events: Envelope[] = [];
    for await (const event of this.store.readStream(stream, { from: warm.revision + 1 })) events.push(event);
    const now = this.#warm.get(stream);
    // What was appended here meanwhile, or forgotten, is decided on as it stands now.
    if (now !== warm) return now === undefined || events.length > 0;
    warm.checkedAt = began;
    if (events.length === 0) return false;
    const after = this.#kept(this.#folded(warm, events, SETTLED));
    after.checkedAt = began;
    this.#warm.set(stream, after);
    return true;
  }

  /** False where no command about this stream had this key. */
  mayKnow(warm: WarmStream, key: string): boolean {
    return warm.keys.includes(keyMark(key, 0));
  }

  /** The revisions, in order, of events that a command about this stream with this key may have written. */
  *revisionsOf(warm: WarmStream, key: string): Generator<number> {
    const mark = keyMark(key, 0);
    for (let at = warm.keys.indexOf(mark); at >= 0 && at <= warm.revision; at = warm.keys.indexOf(mark, at + 1))
      yield at;
  }

  /** Folds what is being appended; `state` is given where the decision has done so. `durable` is the append. */
  advance(
    before: WarmStream,
    events: readonly UnplacedEnvelope[],
    durable: Promise<unknown>,
    state?: unknown,
  ): WarmStream {
    const after = this.#kept(this.#folded(before, events, durable, state));
    this.#warm.set(after.stream, after);
    return after;
  }

  /** What is not sure any more is read again. */
  forget(...streams: readonly string[]): void {
    for (const stream of streams) this.#warm.delete(stream);
  }

  async #read(stream: string): Promise<WarmStream> {
    try {
      const began = this.shared?.now() ?? 0;
      const folded = this.#kept((await this.#readFromSnapshot(stream)) ?? (await this.#readWhole(stream)));
      folded.checkedAt = began;
      this.#warm.set(stream, folded);
      return folded;
    } finally {
      this.#loading.delete(stream);
    }
  }

  async #readWhole(stream: string): Promise<WarmStream> {
    const { initial } = this.#aggregate(stream);
    let folded: WarmStream = {
      stream,
      revision: -1,
      state: initial,
      seal: null,
      keys: [],
      kept: -1,
      durable: SETTLED,
      ...NEVER,
    };
    for await (const event of this.store.readStream(stream)) folded = this.#folded(folded, [event], SETTLED);
    return folded;
  }

  /** null where there is no snapshot, or one of events that are not those of the stream. */
  async #readFromSnapshot(stream: string): Promise<WarmStream | null> {
    const snapshot = this.snapshots?.get(stream);
    const kept = snapshot && unpacked(stream, snapshot.body);
    if (kept == null) return null;
    let folded: WarmStream | null = null;
    for await (const event of this.store.readStream(stream, { from: kept.revision })) {
      if (folded !== null) folded = this.#folded(folded, [event], SETTLED);
      // The last event that it holds is read as well: its seal says whether the snapshot is of this history.
      else if (event.meta.seal === kept.seal) folded = { ...kept, recordedAt: event.meta.recordedAt };
      else return null;
    }
    return folded;
  }

  /** The stream as it is, with a snapshot taken where it has grown by enough. */
  #kept(warm: WarmStream): WarmStream {
    const { revision, kept } = warm;
    if (this.snapshots === null || revision - kept < Math.max(SNAPSHOT_EVENTS, kept * SNAPSHOT_SHARE)) return warm;
    this.snapshots.put({ stream: warm.stream, revision, body: packed(warm) });
    return { ...warm, kept: revision };
  }

  #folded(
    before: WarmStream,
    events: readonly UnplacedEnvelope[],
    durable: Promise<unknown>,
    known?: unknown,
  ): WarmStream {
    const { stream } = before;
    let { revision, state, seal, recordedAt } = before;
    // One list a stream, handed on: each mark stands at its revision, and nobody looks behind his own.
    const keys = before.keys as number[];
    for (const event of events) {
      if (event.revision !== revision + 1) throw new InvariantBroken(`${stream} has no hole at ${event.revision}`);
      // An envelope on its way to the store has no place yet, and no aggregate looks at one.
      if (known === undefined) state = this.#aggregate(stream).evolve(state, this.domain.upcast(event as Envelope));
      revision = event.revision;
      seal = event.meta.seal;
      recordedAt = laterOf(recordedAt, event.meta.recordedAt);
      keys[revision] = ownKeyMark(stream, event.meta.commandId);
    }
    const { checkedAt, kept } = before;
    return { stream, revision, state: known ?? state, seal, recordedAt, checkedAt, keys, kept, durable };
  }

  #bytes({ stream, state, keys }: WarmStream): number {
    return WARM_BYTES + keys.length * KEY_BYTES + (this.#aggregate(stream).bytes?.(state) ?? STATE_BYTES);
  }

  #aggregate(stream: string) {
    const aggregate = this.domain.aggregates.get(categoryOf(stream));
    if (aggregate === undefined) throw new InvariantBroken(`${stream} is of a known category`);
    return aggregate;
  }
}

export const SETTLED = Promise.resolve();
const NEVER = { recordedAt: '' as Instant, checkedAt: Number.NEGATIVE_INFINITY };

/** The list of keys is handed on and may already be longer. */
const packed = ({ stream, revision, state, seal, keys }: WarmStream): unknown =>
  ({ stream, revision, state, seal, keys: Float64Array.from(keys.slice(0, revision + 1)) }) satisfies Packed;

interface Packed extends Pick<WarmStream, 'stream' | 'revision' | 'state' | 'seal'> {
  readonly keys: Float64Array;
}

/** Whoever wrote it folded as this process does. null for a snapshot of another stream. */
function unpacked(stream: string, body: unknown): WarmStream | null {
  const packed = body as Packed;
  if (packed.stream !== stream) return null;
  const { revision, state, seal, keys } = packed;
  return { stream, revision, state, seal, keys: [...keys], kept: revision, durable: SETTLED, ...NEVER };
}

function ownKeyMark(stream: string, commandId: string): number {
  const about = commandId.charCodeAt(stream.length) === SPACE && commandId.startsWith(stream);
  return about ? keyMark(commandId, stream.length + 1) : 0;
}

const SPACE = 0x20;

/** 52 bits of a key, never 0: two multiplications that mix each character into both halves. */
function keyMark(text: string, from: number): number {
  let [high, low] = [0x9e3779b9 | 0, 0x85ebca6b | 0];
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (high >>> 12) * 0x1_0000_0000 + (low >>> 0) + 1;
}
