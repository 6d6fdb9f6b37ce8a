import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Following } from '../../libs/engine/following.js';
import type { Followed } from '../../libs/engine/ledger.js';
import { openLedger } from '../../libs/engine/open-ledger.js';
import { memoryEventStore, overlayEventStore } from '../../libs/event-store/memory/overlay.js';
import type { EventStore } from '../../libs/event-store/port.js';
import { openSqliteEventStore } from '../../libs/event-store/sqlite/store.js';
import type { Instant } from '../../libs/kernel/dates.js';
import { lendingDomain } from '../../libs/lending/catalogue.js';
import { ledgerDigest } from '../../libs/proof/seal.js';
import { memoryReadStore, overlayReadStore } from '../../libs/read-store/memory/overlay.js';
import type { ReadStore } from '../../libs/read-store/port.js';
import { openSqliteReadStore } from '../../libs/read-store/sqlite/store.js';
import type { OpenedEvents, OpenedLedger, Purpose, Reached } from '../../libs/surface/cli/host.js';
import { refused } from '../../libs/surface/formats/problem.js';
import { eventsFile, followed as everyReadModel, openReadModels, openSnapshots } from './files.js';
import { followingInThread } from './follow-thread.js';
import { type Hold, type Holder, holderOf, holderText, takeHold } from './hold.js';

/* The embedded profile: events in a SQLite file, read models in a directory of them beside it. */

/** How long a reader waits for the hold, and a writer for a server that is starting. */
const HOLD_WAIT_MS = 10_000;
const HOLD_LOOK_MS = 25;
/** How long a server may take to say that it is the one that the note speaks of. */
const LIVE_WAIT_MS = 5_000;

/** A simulation goes through all active loans every month: those of the whole programme are kept. */
const SIMULATED_BYTES_MAX = 1024 * 1024 * 1024;

export interface OpenOptions {
  /** A ledger that is made now is a simulation. One that is there and is none is refused. */
  readonly simulated: boolean;
  /** Whether a thread of its own follows a ledger that is written: for who writes much, or long. */
  readonly thread?: boolean;
  readonly onFault: (error: unknown) => void;
}

/** The ledger of a directory that this process holds. */
export async function openToWrite(data: string, options: OpenOptions): Promise<OpenedLedger> {
  const opened = await openAnyToWrite(data, options);
  const { first, simulated } = await opened.ledger.calendar();
  if (!options.simulated || first === null || simulated) return opened;
  await opened.close();
  throw refused('LEDGER_SIMULATED', 'simulated');
}

/** The same, whether the ledger that is there is a simulation or not. */
export async function openAnyToWrite(data: string, options: OpenOptions): Promise<OpenedLedger> {
  const store = await openSqliteEventStore({ path: eventsFile(data) });
  const following =
    options.thread === true ? followingInThread({ data, readModels: true }, options.onFault) : undefined;
  return openOver(data, store, () => openReadModels(data), { ...options, writable: true, following });
}

/**
 * A ledger for a simulation to write: read models are built when it is done, on every core, and appends wait for no
 * disk. What a power cut takes of them the next run writes again, the same bytes.
 */
export async function openToSimulate(data: string, onFault: OpenOptions['onFault']): Promise<OpenedLedger> {
  const store = await openSqliteEventStore({ path: eventsFile(data), synced: false });
  const following = followingInThread({ data, readModels: false }, onFault);
  const options = {
    simulated: true,
    writable: true,
    followed: [],
    following,
    warmBytesMax: SIMULATED_BYTES_MAX,
    onFault,
  };
  return openOver(data, store, () => openReadModels(data), options);
}

/** Finds the server that holds the directory, or opens it under a hold of one's own. */
export async function reach(data: string, purpose: Purpose, verb: string, options: OpenOptions): Promise<Reached> {
  if (purpose === 'write') makeDirectory(data);
  const until = Date.now() + HOLD_WAIT_MS;
  for (;;) {
    const address = await serverOf(data);
    if (address !== null) return { by: 'server', address };
    const unheld = purpose === 'read' ? await openUnheld(data, options) : null;
    if (unheld !== null) return { by: 'opening', opened: unheld };
    const hold = takeHold(data, verb);
    if (hold !== null) return { by: 'opening', opened: await openHeld(data, purpose, hold, options) };
    const holder = holderOf(data);
    // A server that is starting says its address in a moment; any other writer is not waited for by another.
    const worthWaiting = purpose === 'read' || holder === null || holder.verb === SERVE;
    if (!worthWaiting || Date.now() > until) throw refused('LEDGER_HELD', '', { holder: holderText(holder) });
    await wait(HOLD_LOOK_MS);
  }
}

export const SERVE = 'serve';

/** The server that holds the directory, or its events, read beside whoever writes them. */
export async function reachEvents(
  data: string,
): Promise<
  { readonly by: 'server'; readonly address: string } | { readonly by: 'opening'; readonly opened: OpenedEvents }
> {
  const address = await serverOf(data);
  if (address !== null) return { by: 'server', address };
  const store = existsSync(eventsFile(data))
    ? await openSqliteEventStore({ path: eventsFile(data), readOnly: true })
    : memoryEventStore();
  const source = { store, digest: () => ledgerDigest(store.streams()) };
  return { by: 'opening', opened: { source, close: () => store.close() } };
}

/** The address of the server that holds the directory, if it is alive and still the one that wrote the note. */
export async function serverOf(data: string): Promise<string | null> {
  const holder: Holder | null = holderOf(data);
  if (holder?.address == null) return null;
  try {
    const answer = await fetch(`${holder.address}/health/live`, { signal: AbortSignal.timeout(LIVE_WAIT_MS) });
    const { instance } = (await answer.json()) as { readonly instance?: unknown };
    return instance === holder.instance ? holder.address : null;
  } catch {
    return null;
  }
}

export function makeDirectory(data: string): void {
  try {
    mkdirSync(data, { recursive: true });
    accessSync(data, constants.W_OK);
  } catch {
    throw refused('LEDGER_READ_ONLY', '');
  }
}

// ------------------------------------------------------------------------------------------------------- opening

/** What needs no hold: a directory without a ledger, which stays without one, and one that cannot be written. */
async function openUnheld(data: string, options: OpenOptions): Promise<OpenedLedger | null> {
  if (!existsSync(eventsFile(data))) {
    return openOver(data, memoryEventStore(), memoryReadStore, { ...options, writable: false });
  }
  if (isWritable(data)) return null;
  const store = await openSqliteEventStore({ path: eventsFile(data), readOnly: true });
  return openOver(data, store, () => openSqliteReadStore({ path: ':memory:' }), { ...options, writable: false });
}

async function openHeld(data: string, purpose: Purpose, hold: Hold, options: OpenOptions): Promise<OpenedLedger> {
  try {
    const opened = purpose === 'write' ? await openToWrite(data, options) : await openToRead(data, options);
    return {
      ledger: opened.ledger,
      close: async () => {
        try {
          await opened.close();
        } finally {
          hold.release();
        }
      },
    };
  } catch (error) {
    hold.release();
    throw error;
  }
}

/** Read models are caught up when they are read, and nothing of the events is written. */
async function openToRead(data: string, options: OpenOptions): Promise<OpenedLedger> {
  const store = await openSqliteEventStore({ path: eventsFile(data), readOnly: true });
  return openOver(data, store, () => openReadModels(data), { ...options, writable: false });
}

async function openOver(
  data: string,
  store: EventStore,
  openReadStore: () => ReadStore,
  options: OpenOptions & {
    readonly writable: boolean;
    readonly followed?: readonly Followed[];
    readonly warmBytesMax?: number;
    readonly following?: Following | undefined;
  },
): Promise<OpenedLedger> {
  const { simulated, writable, onFault, following, followed = everyReadModel, warmBytesMax } = options;
  let readStore: ReadStore | null = null;
  // Who only reads folds little, and leaves the file to the writer.
  const snapshots = writable ? openSnapshots(data, onFault) : undefined;
  try {
    readStore = openReadStore();
    const ledger = await openLedger({
      ...{ store, readStore, followed, domain: lendingDomain(), clock, simulated, writable, onFault },
      ...{ follow: writable, following, warmBytesMax, ...(snapshots && { snapshots }) },
      overlay: { store: overlayEventStore, readStore: overlayReadStore },
    });
    const stores = [readStore, store, ...(snapshots === undefined ? [] : [snapshots])];
    return {
      ledger,
      close: async () => {
        await ledger.close();
        for (const each of stores) await each.close();
      },
    };
  } catch (error) {
    await readStore?.close();
    await store.close();
    snapshots?.close();
    throw error;
  }
}

/** Asked several times a command: the text of a millisecond is made once. */
let [millisecond, instant] = [0, '' as Instant];
const clock = (): Instant => {
  const now = Date.now();
  if (now !== millisecond) [millisecond, instant] = [now, new Date(now).toISOString() as Instant];
  return instant;
};

function isWritable(data: string): boolean {
  try {
    accessSync(data, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
