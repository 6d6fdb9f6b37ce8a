import fc from 'fast-check';
import { addDays } from '../../kernel/dates.js';
import { asDong } from '../../kernel/money.js';
import { lent, paid, reversed } from '../examples.js';
import { day, given, openUntil, type Sent } from '../scenario.js';
import { ageing, positionOn } from './ageing.js';
import { type Book, EMPTY_BOOK, withPart, withPayment, withReversal } from './book.js';
import type { LoanData, Stretch } from './events.js';
import { splitPart } from './schedule.js';
import type { ApprovedLoan, Loan } from './state.js';

const ON = '2021-07-15';
const LOAN = lent(ON, { amount: 3_000, termMonths: 3, installmentEveryMonths: 1 });
const BEFORE = { outstanding: 3_000, oldestUnpaidDueDate: '2021-08-15' };
const prepaid = (amount: number) => ({ allocation: { principalPrepaid: amount } });
const stretchesOf = (past: readonly Sent[], sent: Sent) =>
  given(...past)
    .decide(sent)
    .written.map(({ data }) => (data as LoanData<'InstallmentPaid'>).ageing)[0];

describe('the stretches of an entry', () => {
  it('are one, for good, of the first part', () => {
    const data = given(...LOAN).world.all.at(-1)?.data as LoanData<'LoanDisbursed'>;
    const before = { outstanding: 0, oldestUnpaidDueDate: null };
    expect(data.ageing).toEqual([{ from: ON, to: null, before, after: BEFORE }]);
  });

  it('are one, for good, of a plain payment', () => {
    const after = { outstanding: 2_000, oldestUnpaidDueDate: '2021-09-15' };
    const past = [...LOAN, openUntil('2021-07-20')];
    expect(stretchesOf(past, paid('2021-07-20', 1_000, prepaid(1_000)))).toEqual([
      { from: '2021-07-20', to: null, before: BEFORE, after },
    ]);
  });

  it('are none of a payment of interest alone', () => {
    expect(stretchesOf([...LOAN, openUntil('2021-08-15')], paid('2021-08-15', 1))).toEqual([]);
  });

  it('are one more for each later entry of a backdated payment', () => {
    const later = paid('2021-07-30', 1_500, prepaid(1_500));
    const past = [...LOAN, openUntil('2021-07-30'), later, openUntil('2021-08-10')];
    expect(stretchesOf(past, paid('2021-07-20', 600, { receipt: 'R-2', ...prepaid(600) }))).toEqual([
      {
        ...{ from: '2021-07-20', to: '2021-07-30', before: BEFORE },
        // It pays what no recorded payment has paid yet: the second instalment, while the first still looks unpaid.
        after: { outstanding: 2_400, oldestUnpaidDueDate: '2021-08-15' },
      },
      {
        ...{ from: '2021-07-30', to: null, before: { outstanding: 1_500, oldestUnpaidDueDate: '2021-09-15' } },
        after: { outstanding: 900, oldestUnpaidDueDate: '2021-10-15' },
      },
    ]);
  });

  it('of a reversal run from the value date of the payment that it takes back', () => {
    const past = [...LOAN, openUntil('2021-07-20'), paid('2021-07-20', 1_000, prepaid(1_000)), openUntil('2021-09-01')];
    expect(stretchesOf(past, reversed('2021-09-01'))).toEqual([
      {
        from: '2021-07-20',
        to: null,
        before: { outstanding: 2_000, oldestUnpaidDueDate: '2021-09-15' },
        after: BEFORE,
      },
    ]);
  });
});

// ------------------------------------------------------------------------------------------------- any history

const DUE = [30, 60, 90].map((days, index) => ({ number: index + 1, dueDate: addDays(day(ON), days) }));
const START = given(...LOAN).fold<ApprovedLoan>('loan-L').state;
const dated = (offset: number) => addDays(day(ON), offset);

interface Entry {
  readonly at: number;
  readonly amount: number;
  readonly reversed: boolean;
}

/** A book of one part and payments, oldest instalment first in the order in which they were recorded. */
function bookOf(entries: readonly Entry[]): Book {
  const shares = splitPart(asDong(9_000), day(ON), DUE);
  const part = { valueDate: day(ON), amount: asDong(9_000), voucher: 'V', commitment: '', shares };
  const left = shares.map(({ principal }) => principal as number);
  return entries.reduce(
    (book, entry, index) => {
      let rest = entry.amount;
      const taken = shares.flatMap((share, place) => {
        const principal = Math.min(rest, left[place] ?? 0);
        rest -= principal;
        if (!entry.reversed) left[place] = (left[place] ?? 0) - principal;
        return principal === 0 ? [] : [{ ...share, principal: asDong(principal) }];
      });
      const receipt = `R-${index}`;
      const principalDue = asDong(entry.amount - rest);
      const allocation = { ...NO_ALLOCATION, principalDue };
      const valueDate = dated(entry.at);
      const paid = withPayment(book, {
        receipt,
        amount: principalDue,
        method: 'CASH',
        allocation,
        valueDate,
        shares: taken,
      });
      return entry.reversed ? withReversal(paid, receipt) : paid;
    },
    withPart(EMPTY_BOOK, part),
  );
}

const NO_ALLOCATION = {
  ...{ interestInTerm: asDong(0), interestOverdue: asDong(0) },
  ...{ principalOverdue: asDong(0), principalDue: asDong(0), principalPrepaid: asDong(0) },
};

const entries = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 100 }),
    amount: fc.integer({ min: 1, max: 3_000 }),
    reversed: fc.boolean(),
  }),
  { maxLength: 6 },
);

function covers(stretches: readonly Stretch[], on: string): readonly Stretch[] {
  return stretches.filter(({ from, to }) => from <= on && (to === null || on < to));
}

describe('the stretches of any entry', () => {
  it('cover each day on which the loan differs once, and say what it was and is', () => {
    const check = (past: readonly Entry[], entry: Entry, reverses: boolean) => {
      const last = { ...entry, reversed: false };
      const [without, with_] = [bookOf([...past, { ...last, reversed: true }]), bookOf([...past, last])];
      const [before, after] = reverses ? [with_, without] : [without, with_];
      const from = dated(entry.at);
      const loanOf = (book: Book): Loan => ({ ...START, book });
      const stretches = ageing(loanOf(before), loanOf(after), from);
      const days = Array.from({ length: 111 }, (_, offset) => dated(offset));
      const said = days.map((on) => {
        const own = covers(stretches, on);
        const unchanged = positionOn(before, on);
        return [
          own.length > 1 || (own.length === 1 && on < from),
          own[0]?.before ?? unchanged,
          own[0]?.after ?? unchanged,
        ];
      });
      expect(said).toEqual(days.map((on) => [false, positionOn(before, on), positionOn(after, on)]));
    };
    fc.assert(
      fc.property(
        entries,
        entries.filter(({ length }) => length > 0).map(([e]) => e as Entry),
        fc.boolean(),
        check,
      ),
      {
        numRuns: 150,
      },
    );
  });
});
