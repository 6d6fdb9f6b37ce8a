import type { Followed, Ledger, LedgerOptions } from '../libs/engine/ledger.js';
import { openLedger } from '../libs/engine/open-ledger.js';
import { memoryEventStore, overlayEventStore } from '../libs/event-store/memory/overlay.js';
import type { EventStore } from '../libs/event-store/port.js';
import type { Instant } from '../libs/kernel/dates.js';
import { lendingDomain } from '../libs/lending/catalogue.js';
import { memoryReadStore, overlayReadStore } from '../libs/read-store/memory/overlay.js';
import type { ReadStore } from '../libs/read-store/port.js';

export interface MemoryLedger {
  readonly ledger: Ledger;
  readonly store: EventStore;
  readonly readStore: ReadStore;
  /** The clock that it is told. */
  now: Instant;
}

/** A ledger in memory, with a clock that the test moves. Faults in the background fail the test. */
export async function memoryLedger(
  options: Partial<Pick<LedgerOptions, 'store' | 'readStore' | 'simulated' | 'follow' | 'followed'>> & {
    readonly now?: string;
  } = {},
): Promise<MemoryLedger> {
  const store = options.store ?? memoryEventStore();
  const readStore = options.readStore ?? memoryReadStore();
  const place: { now: Instant } = { now: (options.now ?? '2026-01-01T00:00:00.000Z') as Instant };
  const followed: readonly Followed[] = options.followed ?? [];
  const ledger = await openLedger({
    ...{ store, readStore, followed, domain: lendingDomain(), clock: () => place.now },
    ...{ simulated: options.simulated ?? true, writable: true, follow: options.follow ?? false },
    overlay: { store: overlayEventStore, readStore: overlayReadStore },
    onFault: (error) => {
      throw error;
    },
  });
  return Object.assign(place, { ledger, store, readStore });
}
