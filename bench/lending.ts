import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, CommandRequest } from '../libs/engine/answers.js';
import type { Followed, Ledger } from '../libs/engine/ledger.js';
import { openLedger } from '../libs/engine/open-ledger.js';
import { overlayEventStore } from '../libs/event-store/memory/overlay.js';
import type { EventStore } from '../libs/event-store/port.js';
import { openSqliteEventStore } from '../libs/event-store/sqlite/store.js';
import { addDays, dayOf, type Instant, type LocalDate } from '../libs/kernel/dates.js';
import { invariant } from '../libs/kernel/result.js';
import { lendingDomain } from '../libs/lending/catalogue.js';
import { projections } from '../libs/projections/catalogue.js';
import { followedAs } from '../libs/projections/projection.js';
import { overlayReadStore } from '../libs/read-store/memory/overlay.js';
import type { ReadStore } from '../libs/read-store/port.js';
import { openSqliteReadStore } from '../libs/read-store/sqlite/store.js';

/** Active loans of the ledger that the measurements post on. */
export const LOANS = 10_000;
/** How many lines of a sheet wait for their answers at once: as many as the surface lets. */
export const SHEET_WINDOW = 256;

/** Days between the disbursements and the payments, so that interest is due. */
const DAYS_OF_INTEREST = 60;
const DISTRICTS = ['268', '269', '271', '272', '273'] as const;
const [PROGRAMME, SOURCE, DECISION] = ['employment', 'central', '1/QD-UBND'];

export const clock = (): Instant => new Date().toISOString() as Instant;
export const TODAY: LocalDate = dayOf(clock());
const DISBURSED: LocalDate = addDays(TODAY, -DAYS_OF_INTEREST);

export const everyReadModel: readonly Followed[] = projections.map(followedAs);

export interface OpenBenchLedger {
  readonly ledger: Ledger;
  readonly store: EventStore;
  readonly readStore: ReadStore;
  close(): Promise<void>;
}

export const eventsFile = (directory: string): string => join(directory, 'events.db');

/** The real ledger over SQLite files with full sync. Read models are followed in the background where some are given. */
export async function openBenchLedger(
  directory: string,
  followed: readonly Followed[] = [],
  committed?: (appends: number) => void,
): Promise<OpenBenchLedger> {
  mkdirSync(directory, { recursive: true });
  const store = await openSqliteEventStore({
    path: eventsFile(directory),
    ...(committed === undefined ? {} : { committed }),
  });
  const readStore = await openSqliteReadStore({ path: join(directory, 'read') });
  const ledger = await openLedger({
    ...{ store, readStore, followed, domain: lendingDomain(), clock, simulated: false, writable: true },
    follow: followed.length > 0,
    overlay: { store: overlayEventStore, readStore: overlayReadStore },
    onFault: (error) => {
      throw error;
    },
  });
  return {
    ...{ ledger, store, readStore },
    close: async () => {
      await ledger.close();
      await readStore.close();
      await store.close();
    },
  };
}

/** A ledger of `LOANS` active loans, sixty days old, in `directory`; its read models have seen all of it. */
export async function makeBase(directory: string): Promise<void> {
  const { ledger, close } = await openBenchLedger(directory);
  await postSheet(ledger, setupLines());
  await accepted(ledger.handle({ command: 'close-business-day', id: 'close', data: { date: addDays(TODAY, -1) } }));
  await close();
  const followed = await openBenchLedger(directory, everyReadModel);
  await followed.ledger.catchUp();
  await followed.close();
}

/** A copy of a ledger that is closed, for one measurement to write to. */
export function copyOf(base: string, directory: string): string {
  cpSync(base, directory, { recursive: true });
  return directory;
}

/** Payments of interest: `count` of them, each on another loan than its neighbours. */
export function* payments(
  count: number,
  run: string,
  loans = LOANS,
): Generator<CommandRequest & { readonly data: object }> {
  for (let index = 0; index < count; index++) {
    yield {
      command: 'record-payment',
      id: `pay-${run}-${index}`,
      actor: 'teller-7',
      valueDate: TODAY,
      data: { loan: `L${index % loans}`, amount: 1_000, receipt: `R-${run}-${index}`, method: 'CASH' },
    };
  }
}

/** Posts lines in order, `SHEET_WINDOW` of them under way at most; every one of them has to be accepted. */
export async function postSheet(ledger: Ledger, lines: Iterable<CommandRequest>): Promise<void> {
  const underWay: Promise<Answer>[] = [];
  let begun = 0;
  for (const line of lines) {
    const place = begun++ % SHEET_WINDOW;
    const earlier = underWay[place];
    if (earlier !== undefined) await accepted(earlier);
    underWay[place] = (await ledger.begin(line)).answer;
  }
  await Promise.all(underWay.map(accepted));
}

export async function accepted(answer: Promise<Answer>): Promise<void> {
  const given = await answer;
  if (!given.accepted) invariant(false, `a command of the benchmark is accepted: ${JSON.stringify(given)}`);
}

/** All that is entered until `count` loans are paid out. */
export function* setupLines(count = LOANS): Generator<CommandRequest> {
  const line = (command: string, id: string, data: Readonly<Record<string, unknown>>): CommandRequest => ({
    ...{ command, id, valueDate: DISBURSED, data },
  });
  yield line('open-programme', 'open', {
    ...{ programme: PROGRAMME, name: 'Employment', plan: '159/KH-UBND', from: '2021-01-01', to: '2099-12-31' },
    targets: [{ year: 2021, capital: 1_000_000, jobs: 1, collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' }],
  });
  yield line('publish-policy', 'policy', {
    ...{ programme: PROGRAMME, effectiveFrom: '2021-01-01', annualRate: '0.0792', overdueFactor: '1.3' },
    ...{ maxPerJob: 100_000_000, maxPerLoan: 2_000_000_000, maxTermMonths: 120 },
    ...{ arrearsOrder: 'INTEREST_FIRST', dueDayRoll: 'NONE', decision: DECISION },
  });
  const money = { programme: PROGRAMME, source: SOURCE, decision: DECISION };
  yield line('fund-tranche', 'fund', { ...money, amount: count * 100_000_000 });
  for (const district of DISTRICTS) {
    yield line('allocate-capital', `allocate-${district}`, {
      ...{ ...money, district, amount: (count / DISTRICTS.length) * 100_000_000 },
    });
  }
  // Command by command and not loan by loan: neighbours of a sheet that write one stream wait for one another.
  const loans = Array.from({ length: count }, (_, index) => ({ loan: `L${index}`, borrower: `B${index}`, index }));
  for (const { borrower, index } of loans) {
    const district = DISTRICTS[index % DISTRICTS.length];
    yield line('register-borrower', borrower, {
      ...{ borrower, kind: 'WORKER', borrowerClass: 'POOR', district, commune: '10123' },
    });
  }
  for (const { loan, borrower } of loans) {
    yield line('apply-for-loan', `apply-${loan}`, {
      ...{ loan, borrower, programme: PROGRAMME, source: SOURCE, amount: 50_000_000 },
      ...{ termMonths: 36, installmentEveryMonths: 6, jobs: 1, purpose: 'Breeding cattle' },
    });
  }
  for (const { loan } of loans) yield line('approve-loan', loan, { loan, amount: 50_000_000, decision: DECISION });
  for (const { loan } of loans) yield line('disburse-loan', `out-${loan}`, { loan, amount: 50_000_000, voucher: 'V1' });
}
