import { setTimeout as wait } from 'node:timers/promises';
import { domain, followed, toAll } from '../apps/distributed/parts.js';
import { FollowingCheckpoints } from '../libs/engine/follow-checkpoints.js';
import type { Ledger } from '../libs/engine/ledger.js';
import { openLedger } from '../libs/engine/open-ledger.js';
import { Projector } from '../libs/engine/projector.js';
import { Relay } from '../libs/engine/relay.js';
import { overlayEventStore } from '../libs/event-store/memory/overlay.js';
import type { EventStore } from '../libs/event-store/port.js';
import type { Instant } from '../libs/kernel/dates.js';
import type { Layout } from '../libs/messaging/layout.js';
import type { PartitionedFeed, TransactionalLog } from '../libs/messaging/port.js';
import { overlayReadStore } from '../libs/read-store/memory/overlay.js';
import type { ReadStore } from '../libs/read-store/port.js';

/* A distributed ledger in one process, over any adapters: what runs in four kinds of process, without the processes. */

export interface Parts {
  readonly layout: Layout;
  /** A store, or a connection to one, for each part that has one of its own. */
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly log: TransactionalLog;
  /** One for each projector. */
  readonly feeds: readonly PartitionedFeed[];
  dispose?(): Promise<void>;
}

export interface Distributed {
  readonly commands: Ledger;
  readonly queries: Ledger;
  /** Resolves when every partition of every read model stands where the log ends, and the log where the store does. */
  level(): Promise<void>;
  readonly faults: unknown[];
  stop(): Promise<void>;
}

export async function distributed({ layout, store, readStore, log, feeds }: Parts): Promise<Distributed> {
  const faults: unknown[] = [];
  const onFault = (fault: unknown) => void faults.push(fault);
  const stopping = new AbortController();
  const relay = new Relay({ store, log, partitions: layout, toAll, now: Date.now, onFault });
  const projectors = feeds.map(
    (feed) =>
      new Projector({
        ...{ feed, readStore, domain, followed, partitions: layout, toAll, now: Date.now, onFault, lookMs: 500 },
      }),
  );
  const running = [relay, ...projectors].map((part) => part.run(stopping.signal));
  const following = new FollowingCheckpoints({
    ...{ store, readStore, followed, partitions: layout, toAll, now: Date.now, onFault, lookMs: 500 },
  });
  const shared = {
    ...{ store, readStore, domain, onFault, partitions: layout, shared: { leaseMs: 30, marginMs: 5 } },
    clock: () => '2026-01-01T00:00:00.000Z' as Instant,
    overlay: { store: overlayEventStore, readStore: overlayReadStore },
  };
  const commands = await openLedger({ ...shared, followed: [], simulated: true, writable: true, follow: true });
  const queries = await openLedger({
    ...shared,
    followed,
    following,
    simulated: false,
    writable: false,
    follow: false,
  });
  return {
    ...{ commands, queries, faults },
    async level() {
      const head = (await store.head())?.position ?? '';
      const ends = await sequences(store, layout);
      while (relay.status().position < head) await wait(20);
      for (const { model } of followed) {
        for (const [partition, sequence] of ends) {
          for (;;) {
            const instance = await readStore.live(model.name);
            if (instance !== undefined && (await readStore.checkpoint(instance, partition)).sequence === sequence)
              break;
            await wait(20);
          }
        }
      }
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
      await commands.close();
      await queries.close();
    },
  };
}

/** How many events each partition has to have: counted from the store, as the relay must have. */
async function sequences(store: EventStore, layout: Layout): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  const count = (partition: number) => counts.set(partition, (counts.get(partition) ?? 0) + 1);
  for await (const { stream } of store.readAll()) {
    if (stream !== toAll) count(layout.of(stream));
    else for (let partition = 0; partition < layout.count; partition++) count(partition);
  }
  return counts;
}
