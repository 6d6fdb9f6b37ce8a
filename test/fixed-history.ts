import { memoryEventStore } from '../libs/event-store/memory/overlay.js';
import type { EventStore } from '../libs/event-store/port.js';
import {
  applied,
  approved,
  disbursed,
  lent,
  MONEY,
  PLACE,
  paid,
  registered,
  reversed,
} from '../libs/lending/examples.js';
import { closed, openUntil, type Sent } from '../libs/lending/scenario.js';
import { memoryLedger } from './harness.js';
import { accept, lineOf, sheetOf, stored } from './sheet.js';

const NOW = '2026-01-01T00:00:00.000Z';
const ON = '2021-07-15';
const DUE = '2021-08-15';
const LOAN = { amount: 3_000, termMonths: 3, installmentEveryMonths: 1 };
const HISTORY: readonly Sent[] = [
  ['register-group', ON, { group: 'G', ...PLACE, massOrganisation: 'WOMEN' }],
  registered(ON, { borrower: 'C', group: 'G' }),
  ['reclassify-borrower', ON, { borrower: 'C', borrowerClass: 'NEAR_POOR', decision: 'QĐ-5' }],
  ...lent(ON, LOAN),
  applied(ON, { ...LOAN, loan: 'M', borrower: 'C' }),
  ['reject-loan', ON, { loan: 'M', reason: 'thiếu hồ sơ', decision: 'QĐ-2' }],
  ['reallocate-capital', ON, { ...MONEY, fromDistrict: '001', toDistrict: '250', amount: 7 }],
  paid(ON, 3_000),
  reversed(ON),
  openUntil(DUE),
  paid(DUE, 100, { receipt: 'R-2', allocation: { principalDue: 100 } }),
  closed('2021-08-16'),
  applied('2021-08-17', { ...LOAN, loan: 'N' }),
  approved('2021-08-17', { loan: 'N', amount: 3_000 }),
];

/** A part that another writer's part overtakes between its two appends: its capital is released. */
async function lostRace(store: EventStore): Promise<void> {
  const rival = await memoryLedger({ store, now: NOW });
  let raced = false;
  const slow: EventStore = {
    ...store,
    append: async (...[stream, revision, made]: Parameters<EventStore['append']>) => {
      if (!raced && made[0]?.type === 'LoanDisbursed') {
        raced = true;
        await accept(rival.ledger, [lineOf(disbursed('2021-08-17', { loan: 'N', amount: 2_000 }), 'rival')]);
      }
      return store.append(stream, revision, made);
    },
  };
  const { ledger } = await memoryLedger({ store: slow, now: NOW });
  const lost = disbursed('2021-08-17', { loan: 'N', amount: 2_500, voucher: 'V-2' });
  expect(await ledger.handle(lineOf(lost, 'lost'))).toMatchObject({ accepted: false });
}

/** Always the same history, in which every type of event occurs: the store, what is in it, and its digest. */
export async function fixedHistory() {
  const store = memoryEventStore();
  const { ledger } = await memoryLedger({ store, now: NOW });
  await accept(ledger, sheetOf(HISTORY));
  await lostRace(store);
  return { store, all: await stored(store), digest: await (await memoryLedger({ store, now: NOW })).ledger.digest() };
}
