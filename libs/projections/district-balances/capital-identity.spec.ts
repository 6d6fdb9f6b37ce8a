import fc from 'fast-check';
import { addDays, addMonths, type LocalDate } from '../../kernel/dates.js';
import type { Envelope } from '../../kernel/envelope.js';
import { asOfDays, plans, play, recordedDays } from '../testing/histories.js';
import { accepted, day, lend, setUp, type TestLedger, testLedger } from '../testing/ledger.js';
import { ask, viewOf } from '../testing/view.js';
import { capitalIdentityQuery } from './capital-identity.js';
import { districtBalances } from './project.js';
import { districtBalancesQuery } from './query.js';

const CAPITAL = 500_000_000_000;
const FIRST = day('2024-01-10');
const MONEY = { programme: 'P', source: 'CITY' };

const identity = (
  events: readonly Envelope[],
  asOf: string,
  { knownOn = null, ...asked }: Readonly<Record<string, unknown>> & { readonly knownOn?: string | null } = {},
) =>
  ask(capitalIdentityQuery, viewOf(districtBalances, events), asked, {
    ...{ asOf: day(asOf), knownOn: knownOn === null ? null : day(knownOn) },
  });

/** Lent in January, 400 recovered in February, 1,000 moved to another district in March; March is open from its 20th. */
function lentAndRecovered(): TestLedger {
  const ledger = testLedger(FIRST);
  setUp(ledger);
  lend(ledger, FIRST, 'L', { amount: 12_000, termMonths: 12, every: 12 });
  ledger.openUntil(day('2024-02-10'));
  const allocation = { principalPrepaid: 400 };
  const paid = { loan: 'L', amount: 400, receipt: 'R-1', method: 'CASH', allocation };
  accepted(ledger.send('record-payment', ledger.open, paid));
  ledger.openUntil(day('2024-03-15'));
  const move = { ...MONEY, fromDistrict: '001', toDistrict: '250', amount: 1_000, decision: 'D' };
  accepted(ledger.send('reallocate-capital', ledger.open, move));
  ledger.openUntil(day('2024-03-20'));
  return ledger;
}

describe('the capital identity', () => {
  const { events } = lentAndRecovered();

  test('has both sides of each district at the end of each month, and of the whole', async () => {
    const answer = await identity(events, '2024-03-20');
    expect(answer).toMatchObject({ from: '2024-01-01', closedThrough: '2024-03-19', holds: true });
    const sides = { writtenOff: 0, committed: 0, toReturn: 0, difference: 0, holds: true };
    const lent = { district: '001', disbursed: 12_000, ...sides };
    const idle = (amount: number) => ({ idle: amount, available: amount, fundBalance: amount });
    const back = { principalCollected: 400, principalReturned: 400, outstanding: 11_600 };
    expect(answer.rows).toEqual([
      {
        ...{ month: '2024-01', asOf: '2024-01-31', allocated: CAPITAL, ...lent, ...idle(CAPITAL - 12_000) },
        ...{ principalCollected: 0, principalReturned: 0, outstanding: 12_000 },
      },
      { month: '2024-02', asOf: '2024-02-29', allocated: CAPITAL, ...lent, ...back, ...idle(CAPITAL - 11_600) },
      { month: '2024-03', asOf: '2024-03-20', allocated: CAPITAL - 1_000, ...lent, ...back, ...idle(CAPITAL - 12_600) },
      {
        ...{ month: '2024-03', asOf: '2024-03-20', district: '250', allocated: 1_000, ...sides, ...idle(1_000) },
        ...{ disbursed: 0, principalCollected: 0, principalReturned: 0, outstanding: 0 },
      },
    ]);
    expect(answer.totals.at(-1)).toEqual({
      ...{ month: '2024-03', asOf: '2024-03-20', funded: 2 * CAPITAL, unallocated: CAPITAL, inTransit: 0 },
      ...{ allocated: CAPITAL, outstanding: 11_600, writtenOff: 0, idle: CAPITAL - 11_600, difference: 0, holds: true },
    });
  });

  test('is of one programme or source where one is named', async () => {
    expect(await identity(events, '2024-03-20', { source: 'STATE' })).toMatchObject({
      rows: [],
      totals: [],
      holds: true,
    });
    const { rows } = await identity(events, '2024-03-20', {
      programme: 'P',
      by: 'source,programme',
      from: '2024-03-01',
    });
    expect(rows).toMatchObject([
      { month: '2024-03', district: '001', ...MONEY },
      { month: '2024-03', district: '250', ...MONEY },
    ]);
  });
});

/** What one stream has and the other lacks: the event that is left out, or one more of a type with another amount. */
const DOCTORED: readonly (readonly [what: string, type: string, change: 'missing' | 'twice', difference: number])[] = [
  ['a loan without what its fund set aside', 'CapitalCommitted', 'missing', -12_000],
  ['capital set aside without its loan', 'LoanDisbursed', 'missing', 12_000],
  ['capital set aside twice', 'CapitalCommitted', 'twice', 12_000],
  ['a payment that did not come back to the fund', 'PrincipalReturned', 'missing', 400],
  ['a return without its payment', 'InstallmentPaid', 'missing', -400],
  ['capital received that nobody sent', 'CapitalAllocated', 'missing', -CAPITAL],
  ['capital sent that nobody received', 'CapitalReceived', 'missing', CAPITAL],
];

describe('an event without its other side', () => {
  const { events } = lentAndRecovered();

  function doctored(type: string, change: 'missing' | 'twice'): readonly [Envelope, readonly Envelope[]] {
    const at = events.findIndex((event) => event.type === type);
    const event = events[at] as Envelope;
    const before = events.slice(0, at);
    return [event, [...before, ...(change === 'twice' ? [event, event] : []), ...events.slice(at + 1)]];
  }

  test.each(DOCTORED)('%s is a difference, named by its district and month', async (_, type, change, difference) => {
    const [event, others] = doctored(type, change);
    const answer = await identity(others, '2024-03-20');
    expect(answer.holds).toBe(false);
    for (const row of answer.rows) {
      const differs = row.district === '001' && row.asOf >= event.meta.bookingDate;
      expect([row.month, row.difference]).toEqual([row.month, differs ? difference : 0]);
      expect(Number(row.available) - Number(row.fundBalance)).toBe(row.difference);
      expect(row.holds).toBe(!differs);
    }
    const since = answer.totals.filter(({ asOf }) => asOf >= event.meta.bookingDate);
    for (const total of since) expect(total).toMatchObject({ difference, holds: false });
    // Known before it was recorded, nothing is missing.
    expect((await identity(others, '2024-03-20', { knownOn: addDays(event.meta.bookingDate, -1) })).holds).toBe(true);
  });

  test('is under way on the day that is open, and a difference when that is closed', async () => {
    const ledger = testLedger(FIRST);
    setUp(ledger);
    lend(ledger, FIRST, 'L', { amount: 12_000, termMonths: 12, every: 12 });
    const cut = ledger.events.slice(0, -1);
    expect((await identity(cut, '2024-01-10')).rows).toMatchObject([{ committed: 12_000, difference: 0, holds: true }]);
    const written = ledger.events.length;
    ledger.openUntil(day('2024-01-11'));
    const closed = [...cut, ...ledger.events.slice(written)];
    expect((await identity(closed, '2024-01-10')).rows).toMatchObject([{ committed: 0, difference: 12_000 }]);
  });

  test('differences of two districts do not make up for one another', async () => {
    const [, others] = doctored('CapitalReallocated', 'missing');
    const { holds, totals, rows } = await identity(others, '2024-03-20');
    expect(rows.filter(({ month }) => month === '2024-03')).toMatchObject([
      { district: '001', difference: 1_000, holds: false },
      { district: '250', difference: -1_000, holds: false },
    ]);
    expect([holds, totals.at(-1)]).toMatchObject([false, { difference: 0, holds: false }]);
  });
});

test('in generated histories, is what the balances say of each month, and holds', async () => {
  await fc.assert(
    fc.asyncProperty(plans({ loans: 3, steps: 24 }), fc.nat(), fc.option(fc.nat()), async (plan, a, k) => {
      const ledger = play(plan);
      const view = viewOf(districtBalances, ledger.events);
      const pick = (days: readonly LocalDate[], n: number) => days[n % days.length] as LocalDate;
      const at = { asOf: pick(asOfDays(ledger), a), knownOn: k === null ? null : pick(recordedDays(ledger), k) };
      const answer = await ask(
        capitalIdentityQuery,
        view,
        { by: 'programme,source', from: addMonths(at.asOf, -5) },
        at,
      );
      expect(answer.holds).toBe(true);
      for (const { month, asOf, toReturn: _, fundBalance, difference, holds, ...row } of answer.rows) {
        expect([month, difference, holds]).toEqual([month, 0, true]);
        const balances = await ask(districtBalancesQuery, view, { by: 'programme,source' }, { ...at, asOf });
        expect(balances.rows).toContainEqual(row);
        expect(fundBalance).toBe(row.available);
      }
    }),
    { numRuns: 30 },
  );
});
