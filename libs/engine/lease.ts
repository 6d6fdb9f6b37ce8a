import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable } from '../event-store/port.js';
import type { Domain } from '../kernel/decider.js';
import type { AppendPatience, Stamp } from './append.js';
import type { WarmStreams } from './streams.js';

/** How long an entry may be stamped with a business day after it was read. Every writer of a ledger has the same. */
export const DAY_LEASE_MS = 500;
/** For clocks that run at different rates, and for an append that is on its way: it is added where a lease is waited out. */
export const LEASE_MARGIN_MS = 500;
/** How long a day is read again and again that cannot be read within its lease, before whoever waits for it is refused. */
const RENEWAL_MS_MAX = 5_000;
/** How often what other writers left is looked for. */
export const SWEEP_MS = 5_000;

/** How several writers of one ledger get on. Without it there is one: nothing is leased, and nothing waited for. */
export interface SharedOptions {
  readonly leaseMs?: number;
  readonly marginMs?: number;
  readonly sweepMs?: number;
  readonly patience?: AppendPatience;
  /** Milliseconds that only go forward. Default: of this process. */
  readonly monotonic?: () => number;
}

type Days = Pick<Domain['days'], 'stream' | 'calendar'>;

/**
 * The business day as this writer may stamp it: as it was read no longer than the lease ago, counted from before the
 * read, on a clock that only goes forward. It is renewed in the background. Whoever closes a day waits the lease out
 * after the announcement: then nobody stamps the day that is closing.
 */
export class DayLease {
  readonly leaseMs: number;
  readonly #marginMs: number;
  readonly #now: () => number;
  readonly #stopping = new AbortController();
  #renewing: Promise<void> | null = null;
  #background: Promise<void> = Promise.resolve();
  /** When the days' stream was first seen to stand where it stands, or before. */
  #known = { revision: -2, since: 0 };

  constructor(
    private readonly streams: WarmStreams,
    private readonly days: Days,
    options: SharedOptions,
  ) {
    this.leaseMs = options.leaseMs ?? DAY_LEASE_MS;
    this.#marginMs = options.marginMs ?? LEASE_MARGIN_MS;
    this.#now = options.monotonic ?? (() => performance.now());
  }

  /** By what the stream itself says of when it was read: whoever read it may have begun before it was asked here. */
  held(): boolean {
    const days = this.streams.warm(this.days.stream);
    return days !== undefined && this.#now() - days.checkedAt < this.leaseMs;
  }

  /**
   * Reads the day again. What was being read when it was asked is as good, if it still leaves time. Rejects where no read
   * leaves any: a store that is so slow takes no entries on the day.
   */
  async renew(): Promise<void> {
    for (const began = this.#now(); this.#now() - began < RENEWAL_MS_MAX; ) {
      await this.#reading();
      if (this.held() || this.#stopping.signal.aborted) return;
    }
    throw new StoreUnavailable(
      'UNREACHABLE',
      `the business day took longer than its lease of ${this.leaseMs} ms to read`,
    );
  }

  /** Reads it now, whatever is left. */
  async look(): Promise<void> {
    await this.#renewing?.catch(() => {});
    await this.#reading();
    if (!this.held()) await this.renew();
  }

  /** Resolves when no writer holds a lease from before the days' stream came to where it stands. */
  async waitedOut(): Promise<void> {
    await this.look();
    for (;;) {
      const left = this.#known.since + this.leaseMs + this.#marginMs - this.#now();
      if (left <= 0) return;
      await wait(left, undefined, { signal: this.#stopping.signal });
    }
  }

  /** Whether the day that an append was stamped with may still be written on: by its command, or by a close's own work. */
  async mayRepeat(stream: string, { bookingDate, commandId, causationId }: Stamp): Promise<boolean> {
    // What continues another event is booked on that one's day: the close waits for it, or finds it and stops.
    // What announces a day is guarded by its own revision, and the lease waits for it.
    if (causationId !== commandId || stream === this.days.stream) return true;
    if (!this.held()) await this.renew();
    return this.days.calendar((await this.streams.load(this.days.stream)).state).open === bookingDate;
  }

  start(onFault: (error: unknown) => void): void {
    this.#background = this.#keep(onFault);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#background;
  }

  #reading(): Promise<void> {
    this.#renewing ??= this.#read().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #read(): Promise<void> {
    await this.streams.refresh(this.days.stream);
    const { revision } = await this.streams.load(this.days.stream);
    if (revision !== this.#known.revision) this.#known = { revision, since: this.#now() };
  }

  async #keep(onFault: (error: unknown) => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await wait(this.leaseMs / 3, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      await this.#reading().catch(onFault);
    }
  }
}
