/** A folded stream, as bytes that only who folded it can read. */
export interface Snapshot {
  readonly stream: string;
  /** Of the last event that is folded in. */
  readonly revision: number;
  readonly body: Uint8Array;
}

/**
 * What folded streams came to, kept so that a long one need not be read from its first event. Never the truth: it may
 * be dropped at any time, may lag behind its stream, and may speak of events that never became durable. Who takes one
 * holds it against the stream itself.
 */
export interface SnapshotStore {
  /** The last one of a stream that was put, or undefined. Never throws: what cannot be read is not there. */
  get(stream: string): Snapshot | undefined;
  /** Replaces the one before. Written later, or never. Costs the caller next to nothing. */
  put(snapshot: Snapshot): void;
  /** Writes what waits, and lets go of the file. May be repeated. */
  close(): void;
}
