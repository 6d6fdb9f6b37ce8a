import { memoryLedger } from '../../../test/harness.js';
import type { EventStore } from '../../event-store/port.js';
import { lendingDomain } from '../../lending/catalogue.js';
import { type MemoryTransport, memoryTransport } from '../../messaging/memory/transport.js';
import { memoryReadStore } from '../../read-store/memory/overlay.js';
import type { Change, ReadStore } from '../../read-store/port.js';
import type { Followed } from '../ledger.js';
import type { Partitions } from '../partitions.js';
import { Projector, type ProjectorOptions } from '../projector.js';
import { Relay } from '../relay.js';

export const DAYS = 'businessDay';
export const LOOK_MS = 20;
export const partitions: Partitions = {
  count: 4,
  of: (stream) => (stream === DAYS ? 0 : 1 + ([...stream].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 3)),
};
export const ALL = [0, 1, 2, 3];

const counts = { name: 'counts', key: { type: 'text' as const }, measures: ['events'] };
const streams = { name: 'streams', key: { stream: 'text' as const }, fields: { revision: 'integer' as const } };

/** Counts events by type, and puts the last revision of each stream; takes none of a type that it fears. */
export function counting(name: string, feared: Set<string> = new Set()): Followed {
  return {
    model: { name, version: 1, collections: [counts, streams] },
    project: ({ type, stream, revision }): readonly Change[] => {
      if (feared.has(type)) throw new Error(`cannot take ${type}`);
      return [
        { op: 'add', collection: 'counts', key: { type }, measures: { events: 1 } },
        { op: 'put', collection: 'streams', key: { stream }, fields: { revision } },
      ];
    },
  };
}

export const group = (n: number) => ({
  command: 'register-group',
  id: `group-${n}`,
  valueDate: '2021-07-01',
  data: { group: `G${n}`, district: '001', commune: '00004', massOrganisation: 'WOMEN' },
});

/** A ledger with its relay and an empty read store: what a test runs projectors over. */
export async function chain(groups: number, readStore = memoryReadStore()) {
  const { ledger, store } = await memoryLedger();
  for (let n = 0; n < groups; n++) await ledger.handle(group(n));
  const log = memoryTransport(partitions.count);
  const stop = new AbortController();
  const relay = new Relay({
    ...{ store, log: log.publisher(), partitions, toAll: DAYS, now: Date.now, onFault: fail, leaseMs: 0 },
  });
  const relaying = relay.run(stop.signal);
  return {
    ...{ ledger, store, log, readStore },
    stop: async () => {
      stop.abort();
      await relaying;
      await ledger.close();
    },
  };
}

export function fail(error: unknown): never {
  throw error;
}

/** Each feed is alone in its group: what it reads is said, and two may read the same. */
let feeds = 0;

export function projectorOver(
  { log, readStore }: { readonly log: MemoryTransport; readonly readStore: ReadStore },
  followed: readonly Followed[],
  of: readonly number[] = ALL,
  batch = 7,
  more: Partial<ProjectorOptions> = {},
) {
  const faults: unknown[] = [];
  const stop = new AbortController();
  const projector = new Projector({
    ...{
      feed: log.feed(String(feeds++), { of, batch }),
      readStore,
      domain: lendingDomain(),
      followed,
      partitions,
      toAll: DAYS,
    },
    ...{ now: Date.now, onFault: (fault) => faults.push(fault), lookMs: LOOK_MS, restMs: LOOK_MS },
    ...more,
  });
  const running = projector.run(stop.signal);
  return {
    ...{ projector, faults },
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

/** Every partition of the live instance stands where the log ends. */
export async function level(
  log: MemoryTransport,
  store: EventStore,
  readStore: ReadStore,
  name: string,
): Promise<boolean> {
  const instance = await readStore.live(name);
  if (instance === undefined || log.checkpoint().position !== (await store.head())?.position) return false;
  for (const [partition, sequence] of log.checkpoint().sequences) {
    if ((await readStore.checkpoint(instance, partition)).sequence !== sequence) return false;
  }
  return true;
}

export async function documentsOf(readStore: ReadStore, name: string): Promise<Record<string, unknown>> {
  return readStore.read((await readStore.live(name)) as string, async (view) => {
    const found: Record<string, unknown> = {};
    for (const { type, events } of await view.sum('counts', { where: [{}], by: ['type'], measures: ['events'] })) {
      found[String(type)] = Number(events);
    }
    for await (const { stream, revision } of view.find('streams')) found[String(stream)] = revision;
    return found;
  });
}

export async function expected(store: EventStore): Promise<Record<string, unknown>> {
  const found: Record<string, number> = {};
  for await (const { type, stream, revision } of store.readAll()) {
    found[type] = (found[type] ?? 0) + 1;
    found[stream] = revision;
  }
  return found;
}

/** A read store that can lose all that it holds, while it is open. */
export function losingReadStore(): { readonly readStore: ReadStore; readonly lose: () => void } {
  let held = memoryReadStore();
  const readStore = new Proxy(held, {
    get: (_, name) => {
      const value = Reflect.get(held, name);
      return typeof value === 'function' ? value.bind(held) : value;
    },
  });
  const lose = () => {
    held = memoryReadStore();
  };
  return { readStore, lose };
}

/** The store, with one of its calls made otherwise. */
export function instead<Name extends keyof ReadStore>(
  readStore: ReadStore,
  call: Name,
  otherwise: ReadStore[Name],
): ReadStore {
  return new Proxy(readStore, {
    get(target, name, receiver) {
      if (name === call) return otherwise;
      const value = Reflect.get(target, name, receiver);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
