import type { SharedOptions } from '../libs/engine/lease.js';
import { memoryEventStore } from '../libs/event-store/memory/overlay.js';
import { type EventStore, StoreUnavailable } from '../libs/event-store/port.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { lent, paid } from '../libs/lending/examples.js';
import { closed } from '../libs/lending/scenario.js';
import { projections, queries } from '../libs/projections/catalogue.js';
import { followedAs } from '../libs/projections/projection.js';
import { memoryReadStore } from '../libs/read-store/memory/overlay.js';
import type { ReadStore } from '../libs/read-store/port.js';
import { type MemoryLedger, memoryLedger } from './harness.js';
import { accept, lineOf, sheetOf } from './sheet.js';

/* Several writers of one ledger: instances that know of one another only by the stores that they share. */

/** What can go wrong between one writer and the store. */
export class Faults {
  /** How many of the next appends are written, and their answers lost. */
  lose = 0;
  /** How many of the next appends find their place taken, or nobody there to take them. */
  conflict = 0;
  away = 0;
  /** The stream whose appends end as if the process were gone. */
  refuse: string | null = null;
  /** Called at each read, and at each answer that is lost. */
  reading = (): void => {};
  losing = (): void => {};
  #asleep: Promise<void> | null = null;
  #wake = (): void => {};
  #reached: (() => void) | null = null;

  /** Nothing of this writer reaches the store until it wakes, as if its process were stopped. `reached`: when it would. */
  sleep(): { readonly reached: Promise<void> } {
    this.#asleep ??= new Promise((resolve) => {
      this.#wake = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      this.#reached = resolve;
    });
    return { reached };
  }

  wake(): void {
    this.#asleep = null;
    this.#wake();
  }

  get asleep(): boolean {
    return this.#asleep !== null;
  }

  /** Resolves when it is awake. `append`: it has decided, and looked at its lease. */
  async awake(append: boolean): Promise<void> {
    if (append) this.#reached?.();
    while (this.#asleep !== null) await this.#asleep;
  }
}

/** A store as one writer has it. */
export function faulty(store: EventStore): EventStore & { readonly faults: Faults } {
  const faults = new Faults();
  async function* reading(events: () => AsyncIterable<Envelope>) {
    await faults.awake(false);
    faults.reading();
    yield* events();
  }
  return {
    faults,
    append: async (stream, revision, events) => {
      if (stream === faults.refuse) throw new Error('the process is gone');
      await faults.awake(true);
      if (faults.conflict > 0) return { outcome: 'conflict', revision: revision - faults.conflict-- };
      if (faults.away > 0 && faults.away--) throw new StoreUnavailable('UNREACHABLE', 'nobody is there');
      const outcome = await store.append(stream, revision, events);
      if (faults.lose === 0) return outcome;
      faults.lose--;
      faults.losing();
      return { outcome: 'unknown', cause: new Error('the answer was lost') };
    },
    readStream: (stream, options) => reading(() => store.readStream(stream, options)),
    readAll: (options) => reading(() => store.readAll(options)),
    readAllText: (options) => store.readAllText(options),
    head: () => store.head(),
    streams: () => store.streams(),
    subscribe: (options) => store.subscribe(options),
    close: () => store.close(),
  };
}

export type Writer = MemoryLedger & { readonly faults: Faults };

/** One more writer of the stores. In the background it tries again when its store is away. */
export async function writer(
  stores: { readonly store: EventStore; readonly readStore: ReadStore },
  shared: SharedOptions,
): Promise<Writer> {
  const own = faulty(stores.store);
  const onFault = (error: unknown) => {
    if (!(error instanceof StoreUnavailable)) throw error;
  };
  const place = await memoryLedger({ store: own, readStore: stores.readStore, shared, onFault });
  return Object.assign(place, { faults: own.faults });
}

/** A payment that its writer slept over: it lands in a day that another has closed, and the next close counts it. */
export async function lateHistory(): Promise<EventStore> {
  const [on, next] = ['2021-07-15', '2021-07-16'];
  const stores = { store: memoryEventStore(), readStore: memoryReadStore() };
  const shared = { leaseMs: 60, marginMs: 60, sweepMs: 40 };
  // The lease of the one that sleeps holds, however slow the machine is, until it has decided.
  const [awake, asleep] = [await writer(stores, shared), await writer(stores, { ...shared, leaseMs: 60_000 })];
  await accept(asleep.ledger, sheetOf(lent(on)));
  const { reached } = asleep.faults.sleep();
  const late = asleep.ledger.handle(lineOf(paid(on, 40, { allocation: { principalPrepaid: 40 } }), 'late'));
  await reached;
  await accept(awake.ledger, [lineOf(closed(on), 'close')]);
  asleep.faults.wake();
  await late;
  await accept(awake.ledger, [lineOf(closed(next), 'next')]);
  for (const { ledger } of [awake, asleep]) await ledger.close();
  return stores.store;
}

/** What the projection of invariants finds wrong with all that is stored. */
export async function faultsOf(store: EventStore): Promise<readonly unknown[]> {
  const { ledger } = await memoryLedger({ store, followed: projections.map(followedAs) });
  const query = queries.find(({ name }) => name === 'invariants');
  const today = ledger.today();
  const answer = await ledger.read('invariants', null, async (view) =>
    query?.run(view, {}, { asOf: today, knownOn: null, today }),
  );
  await ledger.close();
  const { checks, violations } = answer as { checks: { holds: boolean }[]; violations: unknown[] };
  return [...checks.filter(({ holds }) => !holds), ...violations];
}
