import type { Envelope } from '../kernel/envelope.js';

/*
 * How events travel where projections do not read the store themselves. The embedded profile has no transport: its
 * projections follow the store's global order. These are the ports that the distributed profile's adapters fill.
 */

/** An event on its way, with what a reader of its partition needs to see a hole, a double or a reorder. */
export interface Message {
  readonly partition: number;
  /** Dense in its partition, from 1. */
  readonly sequence: number;
  readonly event: Envelope;
}

/** How far the log has come: the position of the last event, and the last sequence of each partition. */
export interface LogCheckpoint {
  readonly position: string;
  readonly sequences: ReadonlyMap<number, number>;
}

export type PublishOutcome =
  | { readonly outcome: 'committed' }
  /** Published or not, nobody knows: the publisher is thrown away and the checkpoint is recovered from the log. */
  | { readonly outcome: 'unknown'; readonly cause: Error }
  /** Another publisher took over: this one must stop. */
  | { readonly outcome: 'fenced' };

/**
 * What the log holds contradicts itself or the store: nothing is published until somebody has looked. `recover` rejects
 * with it when the checkpoint and the end of a partition differ, or when there are records and no checkpoint.
 */
export class LogMismatch extends Error {
  override readonly name = 'LogMismatch';
}

/**
 * The client below a feed gave itself up for a reason that is not known to pass. What it still holds is not known either:
 * the process ends, and whoever watches it starts it anew.
 */
export class FeedCrashed extends Error {
  override readonly name = 'FeedCrashed';
}

/** A log that takes a batch and its checkpoint together or not at all. One publisher at a time; a new one fences the old. */
export interface TransactionalLog {
  /** Fences whoever published before, then reads the checkpoint, cross-checked with the end of each partition. */
  recover(): Promise<LogCheckpoint>;
  /** The position that `recover` would find, read without fencing anybody: what a standby watches. */
  watch(): Promise<string>;
  /** Messages in order of their sequences, and the checkpoint that holds when they are there. */
  publish(messages: readonly Message[], checkpoint: LogCheckpoint): Promise<PublishOutcome>;
  close(): Promise<void>;
}

/** What a reader of partitions does: its positions are its own checkpoints, never a consumer group's offsets. */
export interface PartitionReader {
  /** The last sequence that was applied of a partition that was assigned; 0 for none. */
  position(partition: number): Promise<number>;
  /**
   * Messages of one partition in order: from `position` + 1 on, and then on from there. After a rejection the feed
   * waits a while, asks for `position` again and delivers from there; nothing is skipped.
   */
  apply(partition: number, messages: readonly Message[]): Promise<void>;
  /** Everything that a partition held at the moment has been given. */
  caughtUp(partition: number): void;
  /** A partition is another reader's from now on. */
  revoked(partition: number): void;
}

/** Delivers each partition in order, from the reader's own position on, at least once. Partitions are shared by readers. */
export interface PartitionedFeed {
  /** Ends when `signal` aborts, or rejects when the feed cannot go on. May be run again, but not after `FeedCrashed`. */
  run(reader: PartitionReader, signal: AbortSignal): Promise<void>;
}
