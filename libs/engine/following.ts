import type { FollowerStatus } from './answers.js';
import type { RebuildReport } from './ledger.js';

/** Told of what is built: events that every model of it has taken, and how many there are to take. */
export type Progress = (events: number, of: number) => void;

/**
 * Whoever follows the store for a ledger, its read models and its processes: in this thread, in another one, in another
 * process. Commands wait for it only where a close is written.
 */
export interface Following {
  /** Opens what is followed. Rejects when it cannot be opened. */
  start(): Promise<void>;
  /** Something was appended. Costs next to nothing. */
  wake(): void;
  /**
   * Reads of the live instance of a read model once it has passed a position: rejects with `FollowerBehind` after
   * `FOLLOW_WAIT_MS`, or `FollowerHalted`. The instance is there until `work` has ended.
   */
  read<T>(model: string, position: string, work: (instance: string) => Promise<T>): Promise<T>;
  /**
   * Takes a process to the head, or to the announcement of a close whose totals are not written. Goes before all read
   * models. Waits as long as it takes: what is asked for is safe to ask for again.
   */
  settle(process: string): Promise<void>;
  status(): readonly FollowerStatus[];
  /** A halted follower tries its event again. False when there is none of that name. */
  retry(name: string): boolean;
  /** Builds read models anew beside the live ones, compares and switches. */
  rebuild(names: readonly string[], progress: Progress): Promise<readonly RebuildReport[]>;
  /** Takes all followers to the head of the moment. */
  catchUp(progress: Progress): Promise<void>;
  /** Ends what is under way; nothing follows any more. */
  stop(): Promise<void>;
}

/** Reads under way, by the instance that they read. */
export class Readings {
  readonly #reading = new Map<string, Set<Promise<unknown>>>();

  /** Begins a read at once: from here on `letGo` waits for it. */
  of<T>(instance: string, work: (instance: string) => Promise<T>): Promise<T> {
    const reading = work(instance);
    const readers = this.#reading.get(instance) ?? new Set();
    this.#reading.set(instance, readers.add(reading));
    return reading.finally(() => {
      readers.delete(reading);
      if (readers.size === 0) this.#reading.delete(instance);
    });
  }

  /** Resolves when every read of an instance that has begun is over. */
  async letGo(instance: string): Promise<void> {
    await Promise.allSettled(this.#reading.get(instance) ?? []);
  }
}
