import { asDong } from '../../kernel/money.js';
import type { Rate } from '../../kernel/rate.js';
import { lent, paid } from '../examples.js';
import { day, given, openUntil, type Sent } from '../scenario.js';
import { EMPTY_BOOK, withPart } from './book.js';
import { accruedInterest, interestDue } from './interest.js';
import { splitPart } from './schedule.js';
import type { ApprovedLoan, Loan } from './state.js';
import { loanOn } from './view.js';

/* Domain §4, worked examples. R = 7.92 %, Ro = 10.296 %, Rp = 3.96 %. */

const E4 = lent('2021-07-15');
const interestOf = (loan: Loan, on: string) => loanOn(loan, day(on))?.interest;
const accrued = (past: readonly Sent[], on: string) => interestOf(given(...past).fold<Loan>('loan-L').state, on);

describe('interest in term', () => {
  it.each([
    ['E1', 50_000_000, '2021-07-15', '2021-08-15', '0.0792', 336_329],
    ['E1 preferential', 50_000_000, '2021-07-15', '2021-08-15', '0.0396', 168_164],
    ['E2', 50_000_000, '2021-09-15', '2021-10-15', '0.0792', 325_479],
    ['E2 preferential', 50_000_000, '2021-09-15', '2021-10-15', '0.0396', 162_740],
    ['E3 through 2023', 50_000_000, '2023-01-01', '2024-01-01', '0.0792', 3_960_000],
    ['E3 through leap 2024', 50_000_000, '2024-01-01', '2025-01-01', '0.0792', 3_970_849],
    ['E11', 200_000_000, '2026-01-01', '2026-02-01', '0.079248', 1_346_130],
    ['E11 special', 200_000_000, '2026-01-01', '2026-02-01', '0.0624', 1_059_945],
    ['nothing at no rate', 50_000_000, '2021-07-15', '2021-08-15', '0', 0],
    ['nothing on the day itself', 50_000_000, '2021-07-15', '2021-07-15', '0.0792', 0],
  ])('%s: %d from %s to %s at %s is %d', (_, amount, from, to, annualRate, expected) => {
    const past = lent(from, { amount, termMonths: 60, installmentEveryMonths: 60 }, { annualRate });
    expect(accrued(past, to)).toMatchObject({ accruedInTerm: expected, accruedOverdue: 0 });
  });

  it('rounds once, from the exact sum, beyond 2^53 on the way', () => {
    const past = lent(
      '2021-07-15',
      { amount: 10 ** 12, termMonths: 60, installmentEveryMonths: 60 },
      { annualRate: '0.079248123456' },
    );
    // 10^12 * 0.079248123456 * 31 / 365 = 6,730,662,539.979...
    const exact = (10n ** 12n * 79_248_123_456n * 31n * 2n + 365n * 10n ** 12n) / (2n * 365n * 10n ** 12n);
    expect(accrued(past, '2021-08-15')).toMatchObject({ accruedInTerm: Number(exact) });
  });
});

describe('overdue interest', () => {
  it.each([
    ['E1', 50_000_000, '2021-07-15', '2021-08-15', '0.0792', 437_227],
    ['E2', 50_000_000, '2021-09-15', '2021-10-15', '0.0792', 423_123],
    ['E8', 8_335_000, '2024-07-15', '2024-10-15', '0.0792', 216_306],
    ['E11', 200_000_000, '2026-01-01', '2026-02-01', '0.079248', 1_749_970],
  ])('%s: %d due on %s and unpaid to %s at 130 %% of %s is %d', (_, amount, due, to, annualRate, expected) => {
    const shares = splitPart(asDong(amount), day('2020-01-01'), [{ number: 1, dueDate: day(due) }]);
    const part = { valueDate: day(due), amount: asDong(amount), voucher: 'V', commitment: '', shares };
    const book = withPart(EMPTY_BOOK, part);
    const terms = { annualRate: annualRate as Rate, overdueFactor: '1.3' as Rate };
    expect(accruedInterest(book, terms, day(to))).toEqual({ inTerm: 0n, overdue: BigInt(expected) });
  });

  it('E8: the last instalment of 8,335,000 paid three months late', () => {
    const past = lent('2024-01-15', { amount: 8_335_000, termMonths: 6, installmentEveryMonths: 6 });
    expect(accrued(past, '2024-07-15')).toMatchObject({ accruedOverdue: 0 });
    expect(accrued(past, '2024-10-15')).toMatchObject({ accruedOverdue: 216_306 });
  });

  it('begins on the rolled due day, in term until then', () => {
    // Due nominally on Saturday 2022-01-15, so on Monday the 17th.
    const past = lent('2021-07-15', { termMonths: 6 }, { dueDayRoll: 'FOLLOWING' });
    expect(accrued(past, '2022-01-17')).toMatchObject({ accruedInTerm: 2_017_973, accruedOverdue: 0 });
    expect(accrued(past, '2022-01-18')).toMatchObject({ accruedInTerm: 2_017_973, accruedOverdue: 14_104 });
  });
});

describe('E4 paid', () => {
  const due = ['2022-01-15', '2022-07-15', '2023-01-15', '2023-07-15', '2024-01-15', '2024-07-15'];
  const principal = [8_333_000, 8_333_000, 8_333_000, 8_333_000, 8_333_000, 8_335_000];

  it('E5: on schedule, interest by half-year, 6,940,143 in all', () => {
    let history = given(...E4);
    const halves = due.map((on, index) => {
      history = history.after(openUntil(on));
      const interest = Number(interestOf(history.fold<Loan>('loan-L').state, on)?.due);
      history = history.after(paid(on, interest + (principal[index] as number), { receipt: `R-${index}` }));
      return interest;
    });
    expect(halves).toEqual([1_996_274, 1_636_451, 1_330_876, 981_903, 665_478, 329_161]);
    expect(loanOn(history.fold<Loan>('loan-L').state, day('2024-07-15'))).toMatchObject({
      status: 'SETTLED',
      outstanding: 0,
      interest: { accruedInTerm: 6_940_143, accruedOverdue: 0, paid: 6_940_143, due: 0 },
    });
  });

  it('E6: by 36 monthly postings comes to the same đồng', () => {
    let history = given(...E4);
    for (let month = 1; month <= 36; month++) {
      const on = new Date(Date.UTC(2021, 6 + month, 15)).toISOString().slice(0, 10);
      history = history.after(openUntil(on));
      const interest = Number(interestOf(history.fold<Loan>('loan-L').state, on)?.due);
      const part = month % 6 === 0 ? (principal[month / 6 - 1] as number) : 0;
      history = history.after(paid(on, interest + part, { receipt: `R-${month}` }));
    }
    expect(interestOf(history.fold<Loan>('loan-L').state, '2024-07-15')).toMatchObject({ paid: 6_940_143, due: 0 });
  });

  it('E7: the first instalment 40 days late', () => {
    const history = given(...E4, openUntil('2022-01-15'), paid('2022-01-15', 1_996_274), openUntil('2022-02-24'));
    const loan = history.fold<ApprovedLoan>('loan-L').state;
    expect(interestDue(loan, day('2022-02-24'))).toEqual({ inTerm: 361_647n, overdue: 94_024n });
    history.when(...paid('2022-02-24', 455_671 + 8_333_000, { receipt: 'R-2' })).gives([
      'InstallmentPaid',
      {
        allocation: {
          ...{ interestInTerm: 361_647, interestOverdue: 94_024 },
          ...{ principalOverdue: 8_333_000, principalDue: 0, principalPrepaid: 0 },
        },
      },
    ]);
  });

  it('accrues each part from its own day', () => {
    const past: readonly Sent[] = [
      ...E4.slice(0, -1),
      ['disburse-loan', '2021-07-15', { loan: 'L', amount: 20_000_000, voucher: 'V-1' }],
      openUntil('2021-09-15'),
      ['disburse-loan', '2021-09-15', { loan: 'L', amount: 30_000_000, voucher: 'V-2' }],
    ];
    // 20 m * 62 days + 50 m * 30 days.
    expect(accrued(past, '2021-10-15')).toMatchObject({
      accruedInTerm: Math.round(((20 * 62 + 50 * 30) * 79_200) / 365),
    });
  });
});
