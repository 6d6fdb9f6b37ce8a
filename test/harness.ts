import { MessageChannel } from 'node:worker_threads';
import { FollowingElsewhere } from '../libs/engine/follow-elsewhere.js';
import type { FollowOptions } from '../libs/engine/follow-here.js';
import { followFor } from '../libs/engine/follow-host.js';
import type { FromFollower, ToFollower } from '../libs/engine/follow-messages.js';
import type { Following } from '../libs/engine/following.js';
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

/** A ledger in memory, with a clock that the test moves. Faults in the background fail the test, unless it takes them. */
export async function memoryLedger(
  options: Partial<
    Pick<
      LedgerOptions,
      'store' | 'readStore' | 'simulated' | 'follow' | 'followed' | 'snapshots' | 'shared' | 'onFault'
    >
  > & {
    readonly now?: string;
    /** Followed over a link, as by another thread. */
    readonly link?: TestLink;
  } = {},
): Promise<MemoryLedger> {
  const store = options.store ?? memoryEventStore();
  const readStore = options.readStore ?? memoryReadStore();
  const place: { now: Instant } = { now: (options.now ?? '2026-01-01T00:00:00.000Z') as Instant };
  const followed: readonly Followed[] = options.followed ?? [];
  const ledger = await openLedger({
    ...{ store, readStore, followed, domain: lendingDomain(), clock: () => place.now },
    following: options.link?.following({ store, readStore, followed, domain: lendingDomain(), now: Date.now }),
    ...{ simulated: options.simulated ?? true, writable: true, follow: options.follow ?? false },
    ...(options.snapshots && { snapshots: options.snapshots }),
    shared: options.shared,
    overlay: { store: overlayEventStore, readStore: overlayReadStore },
    onFault:
      options.onFault ??
      ((error) => {
        throw error;
      }),
  });
  return Object.assign(place, { ledger, store, readStore });
}

export interface TestLink {
  following(options: Pick<FollowOptions, 'store' | 'readStore' | 'followed' | 'domain' | 'now'>): Following;
  /** Ends the other end, as an uncaught error would. */
  kill(): void;
  /** How often the other end was begun. */
  begun: number;
  readonly faults: unknown[];
}

/** The ends of a link in one thread: messages are copied and arrive later, as between two. */
export function testLink(): TestLink {
  const link: TestLink = {
    ...{ begun: 0, faults: [], kill: () => {} },
    following: (options) =>
      new FollowingElsewhere({
        now: Date.now,
        onFault: (fault) => link.faults.push(fault),
        connect: (heard, gone) => {
          link.begun++;
          const { port1: here, port2: there } = new MessageChannel();
          here.on('message', (message: FromFollower) => heard(message));
          const host = followFor(
            {
              post: (message) => there.postMessage(message),
              listen: (listener) => there.on('message', (message: ToFollower) => listener(message)),
              end: async () => there.close(),
            },
            options,
          );
          link.kill = () => {
            here.close();
            void host.stop();
            gone(new Error('killed'));
          };
          return {
            post: (message) => here.postMessage(message),
            end: () => new Promise<void>((resolve) => void here.once('close', resolve)),
            keep: (alive) => (alive ? here.ref() : here.unref()),
          };
        },
      }),
  };
  return link;
}
