import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { openLedger } from '../libs/engine/open-ledger.js';
import { overlayEventStore } from '../libs/event-store/memory/overlay.js';
import type { EventStore } from '../libs/event-store/port.js';
import { invariant } from '../libs/kernel/result.js';
import { lendingDomain } from '../libs/lending/catalogue.js';
import { projections } from '../libs/projections/catalogue.js';
import { overlayReadStore } from '../libs/read-store/memory/overlay.js';
import { openSqliteReadStore } from '../libs/read-store/sqlite/store.js';
import { clock, copyOf, eventsFile, everyReadModel, openBenchLedger, payments, postSheet } from './lending.js';
import { bestRate, type Line, type Place, rateOf } from './measurement.js';

const PAYMENTS = 50_000;
/** Rows of one statement, as the event store reads them. */
const ROWS = 64;

/** Reading all events in order, and building all read models from nothing, beside SQLite and JSON.parse alone. */
export async function measureReads({ base, directory }: Place): Promise<readonly Line[]> {
  const data = copyOf(base, join(directory, 'ledger'));
  const { ledger, store, close } = await openBenchLedger(data);
  await postSheet(ledger, payments(PAYMENTS, 'read'));
  const events = await countOf(store);
  const read = await bestRate(() => rateOf(events, async () => void (await countOf(store))));
  const rebuilt = await bestRate((round) => rebuild(store, join(directory, `read-${round}.db`), events), 2);
  await close();
  const raw = await bestRate(() => readRaw(eventsFile(data), events));
  const beside = { what: 'SQLite read + JSON.parse alone', value: raw };
  const goal = { value: 250_000, bound: 'at least' } as const;
  return [
    { what: 'events read and parsed by the event store', value: read, unit: '/s', beside },
    {
      what: `all ${projections.length} read models built from nothing, events`,
      value: rebuilt,
      unit: '/s',
      beside,
      goal,
    },
  ];
}

async function countOf(store: Pick<EventStore, 'readAll'>): Promise<number> {
  let count = 0;
  for await (const _ of store.readAll()) count++;
  return count;
}

async function rebuild(store: EventStore, path: string, events: number): Promise<number> {
  const readStore = await openSqliteReadStore({ path });
  const ledger = await openLedger({
    ...{ store, readStore, followed: everyReadModel, domain: lendingDomain(), clock },
    ...{ simulated: false, writable: false, follow: false },
    overlay: { store: overlayEventStore, readStore: overlayReadStore },
    onFault: (error) => {
      throw error;
    },
  });
  const rate = await rateOf(events, () => ledger.catchUp());
  for (const { name, sequence } of ledger.followers()) invariant(sequence === events, `${name} has taken every event`);
  await ledger.close();
  await readStore.close();
  rmSync(path, { recursive: true, force: true });
  return rate;
}

/** How many events a ledger holds. */
export function countEvents(path: string): number {
  const connection = new Database(path, { readonly: true });
  const [count] = connection.prepare('SELECT count(*) FROM events').raw().get() as [number | bigint];
  connection.close();
  return Number(count);
}

/** Events a second as SQLite reads them and JSON.parse parses them, in one thread. */
export function readRaw(path: string, events: number): Promise<number> {
  const connection = new Database(path);
  const page = connection
    .prepare('SELECT position, body FROM events WHERE position > ? ORDER BY position LIMIT ?')
    .raw();
  return rateOf(events, () => {
    let [after, count] = [0, 0];
    for (let rows = page.all(after, ROWS); rows.length > 0; rows = page.all(after, ROWS)) {
      for (const row of rows) {
        invariant(Array.isArray(row), 'a row is a list of cells');
        JSON.parse(String(row[1]));
        after = Number(row[0]);
        count++;
      }
    }
    invariant(count === events, 'both read the same events');
  }).finally(() => connection.close());
}
