import type { Envelope, EnvelopeText, UnplacedEnvelope } from '../kernel/envelope.js';

/** The most that one append may hold: data and metadata of all its events together, in bytes of JSON. */
export const APPEND_BYTES_MAX = 900_000;

/** The revision of a stream that does not exist. */
export const NO_STREAM = -1;

/** Before the first event of all: what a reader that has seen nothing passes as `after`. */
export const START = '';

export type AppendOutcome =
  /** Durable: survives the loss of power. `positions` has one entry an event, in order. */
  | { readonly outcome: 'committed'; readonly positions: readonly string[] }
  /** Nothing was written: the stream stands at `revision` and not at the one that was expected. */
  | { readonly outcome: 'conflict'; readonly revision: number }
  /** Written or not, nobody knows: the caller retries with the same events and the same expected revision. */
  | { readonly outcome: 'unknown'; readonly cause: Error };

export interface ReadOptions {
  /** Streams: the first revision to read, inclusive in both directions. Default: the end that the direction begins at. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  /** At least 1. Default: no bound. */
  readonly limit?: number;
}

export interface ReadAllOptions {
  /** A position that the store gave, exclusive in both directions. Default: the end that the direction begins at. */
  readonly after?: string;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
}

export interface SubscribeOptions {
  /** Exclusive: the position of the last event that was processed, or `START`. */
  readonly after: string;
  /** The most events that one batch holds. */
  readonly batch: number;
  readonly signal: AbortSignal;
}

/** What a subscription yields: events in global order, or none and `caughtUp` when the head is reached. */
export interface SubscriptionBatch {
  readonly events: readonly Envelope[];
  /** True when the reader had seen everything at the moment that the batch was read. */
  readonly caughtUp: boolean;
}

/**
 * Streams of events with one global order.
 *
 * Durability: an append that answered `committed` is never lost. Order: events of one append are neighbours in the
 * global order; a reader of the global order never sees a position appear behind one that it has already read.
 * Retries: only the caller retries, and only with the same bytes.
 */
export interface EventStore {
  /**
   * Appends events to one stream if it stands at `expectedRevision` (`NO_STREAM` for one that must not exist).
   * Their `revision`s are expectedRevision + 1 and on, their ids are UUIDs in lower case (not nil, none twice), there is at
   * least one, data and metadata are JSON, and together they hold at most `APPEND_BYTES_MAX`: anything else rejects with an
   * `InvariantBroken` and writes nothing. Appends of one caller are decided in the order of the calls.
   *
   * The same events at the same expected revision again, in full, are not written twice: `committed`, with the
   * positions of the first time, however much came after. The ids *and* the bodies must be the same.
   * Appends that wait at the same time may share one durable write; each still has an outcome of its own.
   * `texts`, where the caller has them, are the same events as they were sealed; an adapter may do without.
   * A store that cannot be written to at all (full disk, held by another) rejects with a `StoreUnavailable`.
   */
  append(
    stream: string,
    expectedRevision: number,
    events: readonly UnplacedEnvelope[],
    texts?: readonly EnvelopeText[],
  ): Promise<AppendOutcome>;

  /** The events of a stream, none if it does not exist. */
  readStream(stream: string, options?: ReadOptions): AsyncIterable<Envelope>;

  /** The global order. Ends at the head of the moment. */
  readAll(options?: ReadAllOptions): AsyncIterable<Envelope>;

  /**
   * The global order as NDJSON, in pieces of whole lines, each what `JSON.stringify` makes of the event: for who hands
   * events on and need not look into them. Otherwise as `readAll`.
   */
  readAllText(options?: Omit<ReadAllOptions, 'direction'>): AsyncIterable<string>;

  /** The last event of all, or undefined: a read that costs the same however long the history is. */
  head(): Promise<Envelope | undefined>;

  /** The last revision and last event's seal of each stream, in byte order of the names. */
  streams(): AsyncIterable<{ readonly stream: string; readonly revision: number; readonly seal: string }>;

  /**
   * Follows the global order from `after` and then waits for more, until `signal` aborts or the store is closed; it
   * then ends without an error. Pull-based: nothing is read ahead of the reader by more than one batch. At the head it yields one empty
   * batch with `caughtUp`, unless the last one said so already.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionBatch>;

  /**
   * Waits for what is being written, refuses what comes later (`STORE_CLOSED`; a read that is under way as well, as
   * ending it quietly would look like the end of the history), releases the file or the connection. May be repeated.
   */
  close(): Promise<void>;
}

/** A folded stream. */
export interface Snapshot {
  readonly stream: string;
  /** Of the last event that is folded in. */
  readonly revision: number;
  /** What it came to: anything that a structured clone gives back as it was. */
  readonly body: unknown;
}

/**
 * What folded streams came to, kept so that a long one need not be read from its first event. Never the truth: it may
 * be dropped at any time, may lag behind its stream, and may speak of events that never became durable. Who takes one
 * holds it against the stream itself.
 */
export interface SnapshotStore {
  /** The last one of a stream that was put, or undefined. Never throws: what cannot be read is not there. */
  get(stream: string): Snapshot | undefined;
  /** Replaces the one before; the body may change after the call. Written later, or never. Costs the caller next to nothing. */
  put(snapshot: Snapshot): void;
  /** Writes what waits, and lets go of the file. May be repeated. */
  close(): void;
}

export type StoreFault =
  | 'DISK_FULL'
  | 'DATA_DAMAGED'
  | 'DATA_FOREIGN'
  | 'DATA_READ_ONLY'
  | 'DATA_HELD'
  /** Nobody answers at the address, or the server is not ready yet. */
  | 'UNREACHABLE'
  /** The servers that answer have no leader, which alone takes appends. */
  | 'NO_LEADER'
  /** The name or the password is not the server's, or that user may not do this. */
  | 'UNAUTHORIZED'
  /** The server does not take what the port does: its limits are set lower, or the stream was deleted behind our back. */
  | 'APPEND_REFUSED'
  /** Said of appends that were sent again and again, and by no adapter: theirs is the outcome `unknown`. */
  | 'OUTCOME_UNKNOWN'
  | 'STORE_CLOSED';

/**
 * The store cannot do its work now, and says why (`code` is stable). Nothing of the call was written, but where the code
 * is `OUTCOME_UNKNOWN`.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  constructor(
    readonly code: StoreFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
