import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { domain, followed, streamPrefixOf, toAll } from '../../apps/distributed/parts.js';
import { simulate } from '../../apps/socai/simulate/simulation.js';
import { openLedger } from '../../libs/engine/open-ledger.js';
import { openEventStoreDb } from '../../libs/event-store/eventstoredb/store.js';
import { memoryEventStore, overlayEventStore } from '../../libs/event-store/memory/overlay.js';
import type { EventStore } from '../../libs/event-store/port.js';
import type { Instant } from '../../libs/kernel/dates.js';
import type { Envelope } from '../../libs/kernel/envelope.js';
import { type KafkaFeedOptions, kafkaFeed } from '../../libs/messaging/kafka/feed.js';
import type { Layout } from '../../libs/messaging/layout.js';
import { FeedCrashed, LogMismatch, type Message, type PartitionReader } from '../../libs/messaging/port.js';
import { ledgerDigest } from '../../libs/proof/seal.js';
import { memoryReadStore, overlayReadStore } from '../../libs/read-store/memory/overlay.js';
import { openMongoReadStore } from '../../libs/read-store/mongodb/store.js';
import type { ReadStore } from '../../libs/read-store/port.js';
import type { Cluster } from './cluster.js';
import { documents, placesOf } from './documents.js';
import type { Loaded } from './programme.js';

/* Whether a distributed ledger holds what the embedded one does: nothing lost, nothing doubled, order kept. */

/** What is to hold; each is a sentence that is false when something is wrong. */
export interface Compared {
  readonly events: number;
  readonly published: number;
  readonly documents: number;
  readonly wrong: readonly string[];
}

const LEVEL_MS_MAX = 600_000;
const LOOK_MS = 200;
const SAID_MAX = 2_000;

/** `levelMsMax`: how long what was published and projected may take to be all there. */
export async function compare(
  { ledger, layout, places }: Cluster,
  loaded: Loaded,
  levelMsMax = LEVEL_MS_MAX,
): Promise<Compared> {
  const wrong: string[] = [];
  const same = (what: string, ours: unknown, theirs: unknown) => {
    const [one, other] = [JSON.stringify(ours), JSON.stringify(theirs)];
    if (one !== other)
      wrong.push(`${what}: ${one.slice(0, SAID_MAX)} embedded, ${other.slice(0, SAID_MAX)} distributed`);
  };
  const embedded = await runEmbedded(loaded);
  const store = await openEventStoreDb({ connectionString: places.eventStoreDb, prefix: streamPrefixOf(ledger) });
  const readStore = await openMongoReadStore({ url: places.mongoDb, database: ledger });
  try {
    const events = await eventsOf(store);
    same('events', embedded.events, events.length);
    const found = new Map(events.map((event) => [nameOf(event), event]));
    for await (const event of embedded.store.readAll()) {
      const other = found.get(nameOf(event));
      if (other?.id === event.id) continue;
      // What comes after it in its stream differs with it: the first one tells.
      const { position: _, ...its } = other ?? { position: '' };
      same(nameOf(event), { ...event, position: undefined }, its);
      break;
    }
    same('digest', embedded.digest, await ledgerDigest(store.streams()));
    const written = new Set(events.map(({ stream, revision, type }) => `${stream} ${revision} ${type}`));
    for (const [key, said] of loaded.acknowledged) {
      for (const event of said) if (!written.has(event)) wrong.push(`${key} was acknowledged with ${event}`);
    }
    const expected = partitionsOf(layout, events);
    const published = await readLog(() => logOf(ledger, layout, places.brokers), expected, wrong, levelMsMax);
    await level(readStore, expected, levelMsMax);
    let count = 0;
    const [ours, theirs] = [await placesOf(embedded.store), await placesOf(store)];
    for (const { model } of followed) {
      const [one, other] = [
        await documents(embedded.readStore, model, ours),
        await documents(readStore, model, theirs),
      ];
      count += other.length;
      same(`documents of ${model.name}`, one.length, other.length);
      const differing = one.findIndex((line, index) => line !== other[index]);
      if (differing >= 0) same(`document of ${model.name}`, one[differing], other[differing] ?? null);
    }
    return { events: events.length, published, documents: count, wrong };
  } finally {
    await Promise.all([store.close(), readStore.close(), embedded.close()]);
  }
}

async function runEmbedded({ parameters, lastDay }: Loaded) {
  const [store, readStore] = [memoryEventStore(), memoryReadStore()];
  const ledger = await openLedger({
    ...{ store, readStore, domain, followed, simulated: true, writable: true, follow: false },
    clock: () => '2026-01-01T00:00:00.000Z' as Instant,
    overlay: { store: overlayEventStore, readStore: overlayReadStore },
    onFault: (error) => {
      throw error;
    },
  });
  for (const { day, lines } of simulate(parameters)) {
    if (day.date > lastDay) break;
    for (const { request } of lines) await ledger.handle(request);
  }
  await ledger.catchUp();
  const { length } = await eventsOf(store);
  return { store, readStore, events: length, digest: await ledger.digest(), close: () => ledger.close() };
}

const nameOf = ({ stream, revision }: Envelope): string => `${stream} ${revision}`;

async function eventsOf(store: EventStore): Promise<readonly Envelope[]> {
  const events: Envelope[] = [];
  for await (const event of store.readAll()) events.push(event);
  return events;
}

/** What each partition has to hold, in order: by the store's own order, as the relay follows it. */
function partitionsOf(layout: Layout, events: readonly Envelope[]): ReadonlyMap<number, readonly string[]> {
  const partitions = new Map<number, string[]>();
  const add = (partition: number, id: string) => {
    const ids = partitions.get(partition);
    if (ids === undefined) partitions.set(partition, [id]);
    else ids.push(id);
  };
  for (const { id, stream } of events) {
    if (stream !== toAll) add(layout.of(stream), id);
    else for (let partition = 0; partition < layout.count; partition++) add(partition, id);
  }
  return partitions;
}

const logOf = (ledger: string, layout: Layout, brokers: string): KafkaFeedOptions => ({
  ...{ brokers: brokers.split(','), ledger, layout, onWarning: () => {} },
  // A group of its own: it takes nothing from the projectors.
  group: `compare-${randomUUID()}`,
});

/** Reads the whole log from its beginning; with how many records there are. */
async function readLog(
  place: () => KafkaFeedOptions,
  expected: ReadonlyMap<number, readonly string[]>,
  wrong: string[],
  levelMsMax: number,
): Promise<number> {
  const read = new Map<number, Message[]>();
  const stopping = new AbortController();
  const isWhole = () => [...expected].every(([partition, ids]) => (read.get(partition)?.length ?? 0) >= ids.length);
  const running = readUntil(stopping.signal, place, {
    position: async (partition) => read.get(partition)?.length ?? 0,
    apply: async (partition, messages) => {
      read.set(partition, [...(read.get(partition) ?? []), ...messages]);
    },
    caughtUp: () => {},
    revoked: () => {},
  });
  const failed = running.catch((error: unknown) => {
    wrong.push(`the log: ${error}`);
    stopping.abort();
  });
  await waitFor(() => isWhole() || stopping.signal.aborted, 'the log holds every event', levelMsMax);
  // What was published twice would come now.
  await wait(1_000);
  stopping.abort();
  await failed;
  wrong.push(...wrongInLog(expected, read));
  return [...read.values()].reduce((sum, messages) => sum + messages.length, 0);
}

/** Runs a feed again where it may be, as a projector does: on a machine that has much to do a broker is late at times. */
async function readUntil(signal: AbortSignal, place: () => KafkaFeedOptions, reader: PartitionReader) {
  while (!signal.aborted) {
    try {
      await kafkaFeed(place()).run(reader, signal);
    } catch (error) {
      if (error instanceof LogMismatch || error instanceof FeedCrashed) throw error;
      await wait(LOOK_MS);
    }
  }
}

/** A record as far as it is looked at. */
export type Published = Pick<Message, 'sequence'> & { readonly event: Pick<Envelope, 'id'> };

/** What is lost, doubled or out of order in the partitions of a log, against the ids that each has to hold. */
export function wrongInLog(
  expected: ReadonlyMap<number, readonly string[]>,
  read: ReadonlyMap<number, readonly Published[]>,
): readonly string[] {
  const wrong: string[] = [];
  for (const partition of new Set([...expected.keys(), ...read.keys()])) {
    const [ids, messages] = [expected.get(partition) ?? [], read.get(partition) ?? []];
    const broken = messages.findIndex(({ sequence }, index) => sequence !== index + 1);
    if (broken >= 0) wrong.push(`partition ${partition} has ${messages[broken]?.sequence} at ${broken + 1}`);
    const other = messages.findIndex(({ event }, index) => event.id !== ids[index]);
    if (other >= 0) wrong.push(`partition ${partition} holds another event at ${other + 1}`);
    if (messages.length !== ids.length) wrong.push(`partition ${partition} holds ${messages.length} of ${ids.length}`);
  }
  return wrong;
}

/** Resolves when every read model stands where the log ends. */
async function level(
  readStore: ReadStore,
  expected: ReadonlyMap<number, readonly string[]>,
  levelMsMax: number,
): Promise<void> {
  for (const { model } of followed) {
    for (const [partition, { length }] of expected) {
      const hasRead = async () => {
        const instance = await readStore.live(model.name);
        return instance !== undefined && (await readStore.checkpoint(instance, partition)).sequence >= length;
      };
      await waitFor(hasRead, `${model.name} has read partition ${partition}`, levelMsMax);
    }
  }
}

async function waitFor(holds: () => boolean | Promise<boolean>, what: string, msMax: number): Promise<void> {
  const until = Date.now() + msMax;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`not within ${msMax / 1_000} s: ${what}`);
    await wait(LOOK_MS);
  }
}
