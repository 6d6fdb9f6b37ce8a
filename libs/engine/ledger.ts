import type { EventStore, SnapshotStore } from '../event-store/port.js';
import type { Clock } from '../kernel/clock.js';
import type { LocalDate } from '../kernel/dates.js';
import type { Calendar, Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import type { Change, ReadModel, ReadStore, ReadView } from '../read-store/port.js';
import type { Answer, CommandRequest, FollowerStatus, RequestContext } from './answers.js';
import type { Following, Progress } from './following.js';
import type { SharedOptions } from './lease.js';
import type { Partitions } from './partitions.js';

/** A read model and how an event of today's version changes it. */
export interface Followed {
  readonly model: ReadModel;
  readonly project: (event: Envelope) => readonly Change[];
  /** What a folded batch comes to in the collections; without it, the batch as it is. One change a document again. */
  readonly rollUp?: (folded: readonly Change[]) => readonly Change[];
}

export interface LedgerOptions {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly domain: Domain;
  readonly followed: readonly Followed[];
  readonly clock: Clock;
  /** Whether a ledger that is empty is opened as a simulation. */
  readonly simulated: boolean;
  /** False for a directory that is only read: nothing is recovered, no command is taken. */
  readonly writable: boolean;
  /** How it gets on with other writers of the same stores. Left out where there are none. */
  readonly shared?: SharedOptions | undefined;
  /** Whether read models are followed in the background; otherwise only when they are read. */
  readonly follow: boolean;
  /** How many bytes of folded streams are kept at most, by estimate. Default `WARM_BYTES_MAX`. */
  readonly warmBytesMax?: number | undefined;
  /** Where folded streams are kept beside. They must be made by code that folds as this does. */
  readonly snapshots?: SnapshotStore;
  /** Who follows, when it is not this thread. */
  readonly following?: Following;
  /** How read models are divided, where each partition is followed by itself: tokens then name positions by partition. */
  readonly partitions?: Partitions | undefined;
  /** Stores that see others and keep what is written to themselves: what a dry run writes to. */
  readonly overlay: {
    readonly store: (base: EventStore) => EventStore;
    readonly readStore: (base: ReadStore) => ReadStore;
  };
  /** Told of faults in the background: they are retried. */
  readonly onFault: (error: unknown) => void;
}

/** One line of a sheet: decided in the order of the input, answered when it is durable. */
export interface Begun {
  readonly answer: Promise<Answer>;
}

export interface RebuildReport {
  readonly name: string;
  readonly instance: string;
  readonly events: number;
  readonly seconds: number;
  /** The first document that differs from the live one, or null; not compared where the live one is halted. */
  readonly difference: { readonly collection: string; readonly live: unknown; readonly rebuilt: unknown } | null;
  readonly switched: boolean;
}

/** The ledger, whatever it is kept in. */
export interface Ledger {
  /** One command, from load to append. */
  handle(request: CommandRequest, context?: RequestContext): Promise<Answer>;
  /**
   * Begins a command, and returns or resolves when it may be followed by the next one of the same sheet: their results are those
   * of executing them one after another.
   */
  begin(request: CommandRequest, context?: RequestContext): Begun | Promise<Begun>;
  /** A ledger that sees this one and what is done to it, and writes nothing. Close it after use. */
  dryRun(): Ledger;
  /** The business day as it is now. */
  calendar(): Promise<Calendar>;
  /** The day of the clock in Asia/Ho_Chi_Minh. */
  today(): LocalDate;
  /**
   * Reads of the live instance of a read model, once it has passed `after` (a token), or without one all that was
   * written before; where partitions are followed elsewhere, without one what there is. Rejects with `FollowerBehind`
   * after `FOLLOW_WAIT_MS`, `FollowerHalted`, or `TokenUnknown`.
   */
  read<T>(model: string, after: string | null, work: (view: ReadView) => Promise<T>): Promise<T>;
  /** Events as stored: a stream, or the global order. */
  readonly store: Pick<EventStore, 'readStream' | 'readAll' | 'readAllText' | 'head' | 'streams'>;
  followers(): readonly FollowerStatus[];
  /** A halted follower tries its event again. False when there is none of that name. */
  retry(name: string): boolean;
  /** Builds read models anew beside the live ones, compares, switches. */
  rebuild(names: readonly string[], progress?: Progress): Promise<readonly RebuildReport[]>;
  /** Takes all followers to the head of the moment. */
  catchUp(progress?: Progress): Promise<void>;
  digest(): Promise<string>;
  /** Waits for what is under way and stops following. Does not close the stores. */
  close(): Promise<void>;
}

export const FOLLOW_WAIT_MS = 10_000;

/** A token of another ledger, or of none. */
export class TokenUnknown extends Error {
  override readonly name = 'TokenUnknown';
}

export class FollowerBehind extends Error {
  override readonly name = 'FollowerBehind';
  constructor(readonly model: string) {
    super(`${model} has not come that far yet`);
  }
}

export class FollowerHalted extends Error {
  override readonly name = 'FollowerHalted';
  constructor(
    readonly model: string,
    readonly status: FollowerStatus,
  ) {
    super(`${model} stopped at ${status.halted?.type} ${status.halted?.position}: ${status.halted?.error}`);
  }
}
