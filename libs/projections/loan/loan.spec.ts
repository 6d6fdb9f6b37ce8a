import fc from 'fast-check';
import type { Loan } from '../../lending/loan/state.js';
import { loanOn } from '../../lending/loan/view.js';
import { asOfDays, plans, play, recordedDays } from '../testing/histories.js';
import { accepted, day, lend, setUp, type TestLedger, testLedger } from '../testing/ledger.js';
import { loansKnown } from '../testing/recount.js';
import { ask, viewOf } from '../testing/view.js';
import { loan as projection } from './project.js';
import { loanQuery } from './query.js';
import { statementQuery } from './statement.js';

const at = (asOf: string, knownOn?: string) => ({
  ...{ asOf: day(asOf), knownOn: knownOn === undefined ? null : day(knownOn) },
});
const loanOf = (ledger: TestLedger, asOf: string, knownOn?: string) =>
  ask(loanQuery, viewOf(projection, ledger.events), { loan: 'L' }, at(asOf, knownOn));
const statementOf = (ledger: TestLedger, asOf: string, asked: { from?: string; knownOn?: string } = {}) => {
  const from = asked.from === undefined ? {} : { from: asked.from };
  return ask(statementQuery, viewOf(projection, ledger.events), { loan: 'L', ...from }, at(asOf, asked.knownOn));
};

/** E4, paid once on the day and once late, with one payment reversed and one that is entered days after it counts. */
function story(): TestLedger {
  const ledger = testLedger(day('2021-07-15'));
  setUp(ledger);
  lend(ledger, day('2021-07-15'), 'L', { amount: 50_000_000, termMonths: 36, every: 6 });
  ledger.openUntil(day('2022-01-15'));
  const pay = (receipt: string, on: string, amount: number) =>
    accepted(ledger.send('record-payment', day(on), { loan: 'L', amount, receipt, method: 'CASH' }));
  pay('R-1', '2022-01-15', 1_996_274);
  ledger.openUntil(day('2022-02-24'));
  pay('R-2', '2022-02-24', 8_333_000 + 455_671);
  ledger.openUntil(day('2022-03-01'));
  const undone = { loan: 'L', receipt: 'R-2', reason: 'nhầm khoản vay', decision: 'QD-2' };
  accepted(ledger.send('reverse-payment', ledger.open, undone));
  pay('R-3', '2022-02-20', 500_000);
  return ledger;
}

describe('a loan', () => {
  const ledger = story();

  test('on a day', async () => {
    const answer = await loanOf(ledger, '2022-02-24', '2022-02-28');
    expect(answer).toMatchObject({
      ...{ loan: 'L', status: 'ACTIVE', outstanding: 41_667_000, inTerm: 41_667_000, overdue: 0, daysPastDue: 0 },
      interest: { accruedInTerm: 1_996_274 + 361_647, accruedOverdue: 94_024, paid: 2_451_945, due: 0 },
      disbursements: [{ valueDate: '2021-07-15', amount: 50_000_000, voucher: 'V-1' }],
      ...{ borrower: 'B', programme: 'P', district: '001', massOrganisation: 'WOMEN', group: 'G-B' },
      application: { jobs: 1, termMonths: 36 },
      terms: { annualRate: '0.0792', policyRevision: 0 },
    });
    expect(answer.installments[0]).toEqual({
      ...{ number: 1, dueDate: '2022-01-15', principal: 8_333_000, paid: 8_333_000, status: 'PAID' },
    });
    expect(answer.payments).toEqual([
      {
        ...{ receipt: 'R-1', valueDate: '2022-01-15', amount: 1_996_274, method: 'CASH', reversed: false },
        allocation: {
          ...{ interestInTerm: 1_996_274, interestOverdue: 0 },
          ...{ principalOverdue: 0, principalDue: 0, principalPrepaid: 0 },
        },
      },
      expect.objectContaining({ receipt: 'R-2', reversed: false }),
    ]);
  });

  test('as known now: the reversal and what was entered late are seen on the days from which they count', async () => {
    const answer = await loanOf(ledger, '2022-02-24');
    expect(answer).toMatchObject({ overdue: 8_333_000 - 89_897, daysPastDue: 40 });
    expect(answer.payments.map(({ receipt, reversed }) => [receipt, reversed])).toEqual([
      ['R-1', false],
      ['R-3', false],
      ['R-2', true],
    ]);
  });

  test('has the revision of its stream, whatever is asked', async () => {
    const last = ledger.events.filter(({ stream }) => stream === 'loan-L').at(-1)?.revision;
    expect((await loanOf(ledger, '2021-07-15', '2021-07-15')).revision).toBe(last);
    expect((await loanOf(ledger, '2199-12-31')).revision).toBe(last);
  });

  test.each([
    ['before it was applied for', 'L', '2021-07-14', null],
    ['before it was known', 'L', '2022-02-24', '2021-07-14'],
    ['that nobody applied for', 'M', '2022-02-24', null],
  ])('is not found %s', async (_, loan, asOf, knownOn) => {
    const view = viewOf(projection, ledger.events);
    const days = { asOf: day(asOf), knownOn: knownOn === null ? null : day(knownOn), today: day('2022-03-01') };
    expect(await loanQuery.run(view, { loan: loan as never }, days)).toBeNull();
    expect(await statementQuery.run(view, { loan: loan as never, from: null }, days)).toBeNull();
    expect([loanQuery.missing, statementQuery.missing]).toEqual(['LOAN_NOT_KNOWN', 'LOAN_NOT_KNOWN']);
  });

  test('that was only applied for has no terms yet', async () => {
    const applied = testLedger(day('2024-01-10'));
    setUp(applied);
    lend(applied, applied.open, 'L', { amount: 1_000, termMonths: 1, every: 1 }, false);
    expect(await loanOf(applied, '2024-01-10')).toMatchObject({ status: 'APPROVED', terms: { amount: 1_000 } });
    const [beforeApproval] = applied.events.filter(({ type }) => type === 'LoanApplied');
    const view = viewOf(projection, beforeApproval === undefined ? [] : [beforeApproval]);
    const answer = await ask(loanQuery, view, { loan: 'L' }, at('2024-01-10'));
    expect(answer).toMatchObject({ status: 'APPLIED', terms: null, installments: [], payments: [] });
  });
});

describe('a statement', () => {
  const ledger = story();

  test('goes by value date, then as recorded, with a running balance', async () => {
    const { opening, lines, closing } = await statementOf(ledger, '2022-12-31');
    expect([opening, closing]).toEqual([0, 50_000_000 - 89_897]);
    expect(
      lines.map(({ type, valueDate, bookingDate, principal, interest, balance }) => [
        ...[type, valueDate, bookingDate, principal, interest, balance],
      ]),
    ).toEqual([
      ['LoanDisbursed', '2021-07-15', '2021-07-15', 50_000_000, 0, 50_000_000],
      ['InstallmentPaid', '2022-01-15', '2022-01-15', 0, -1_996_274, 50_000_000],
      ['InstallmentPaid', '2022-02-20', '2022-03-01', -89_897, -410_103, 49_910_103],
      ['InstallmentPaid', '2022-02-24', '2022-02-24', -8_333_000, -455_671, 41_577_103],
      ['PaymentReversed', '2022-02-24', '2022-03-01', 8_333_000, 455_671, 49_910_103],
    ]);
    expect(lines[0]).toMatchObject({ voucher: 'V-1', receipt: null, amount: 50_000_000 });
    expect(lines.at(-1)).toMatchObject({ voucher: null, receipt: 'R-2', amount: 8_788_671 });
  });

  test('opens with what came before its first day', async () => {
    const { opening, lines, closing } = await statementOf(ledger, '2022-02-24', { from: '2022-02-24' });
    expect([opening, lines.length, closing]).toEqual([49_910_103, 2, 49_910_103]);
  });

  test('is as known on a day', async () => {
    const { lines, closing } = await statementOf(ledger, '2022-12-31', { knownOn: '2022-02-28' });
    expect([lines.length, closing]).toEqual([3, 41_667_000]);
  });
});

test('in generated histories, the loan is what folding says and its statement closes on outstanding', async () => {
  await fc.assert(
    fc.asyncProperty(plans({ loans: 1, steps: 25 }), fc.nat(), fc.nat(), async (plan, a, k) => {
      const ledger = play(plan);
      const view = viewOf(projection, ledger.events);
      const pick = (days: readonly string[], n: number) => days[n % days.length] as string;
      const asked = at(pick(asOfDays(ledger), a), pick(recordedDays(ledger), k));
      const [folded = { status: 'NONE' } as Loan] = loansKnown(ledger.events, asked.knownOn);
      const expected = loanOn(folded, asked.asOf);
      const days = { ...asked, today: day('2199-12-31') };
      const answer = await loanQuery.run(view, { loan: 'L0' as never }, days);
      const statement = await statementQuery.run(view, { loan: 'L0' as never, from: null }, days);
      expect(answer === null).toBe(expected === null);
      if (answer === null || expected === null) return;
      expect([answer.status, answer.outstanding, answer.overdue]).toEqual([
        ...[expected.status, expected.outstanding, expected.overdue],
      ]);
      expect(statement?.closing).toBe(answer.outstanding);
    }),
    { numRuns: 40 },
  );
});
