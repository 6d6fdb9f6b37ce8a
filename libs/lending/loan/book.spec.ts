import fc from 'fast-check';
import { addDays } from '../../kernel/dates.js';
import { asDong } from '../../kernel/money.js';
import { PAYMENT_METHODS } from '../codes.js';
import { day } from '../scenario.js';
import { unpaidByEntries, unpaidOn } from './ageing.js';
import {
  type Book,
  balanceDaysTo,
  EMPTY_BOOK,
  isRunning,
  paymentsOf,
  withPart,
  withPayment,
  withReversal,
} from './book.js';
import { balanceDaysByEntries, interestPaid } from './interest.js';
import { hasReceipt } from './payments.js';

const FIRST = day('2021-07-15');
const dated = (offset: number) => addDays(FIRST, offset);
const DUE = [30, 60, 90, 120].map((offset, index) => ({ installment: index + 1, dueDate: dated(offset) }));
/** Beside usual amounts some whose days pass 2^53, so that the running figures have to be exact there too. */
const amount = fc.oneof(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 0, max: 1_000_000_000_000 }));
const interest = fc.integer({ min: 0, max: 5_000_000 });

interface Entry {
  readonly at: number;
  readonly shares: readonly number[];
  readonly interest: readonly [number, number];
  readonly method: (typeof PAYMENT_METHODS)[number];
  /** A payment that is taken back, if there is one, before this one comes. */
  readonly reverses: number | null;
}

const entries = fc.array(
  fc.record<Entry>({
    at: fc.integer({ min: 0, max: 150 }),
    shares: fc.array(amount, { minLength: 4, maxLength: 4 }),
    interest: fc.tuple(interest, interest),
    method: fc.constantFrom(...PAYMENT_METHODS),
    reverses: fc.option(fc.nat(10)),
  }),
  { maxLength: 12 },
);

function partOf({ at, shares: amounts }: Pick<Entry, 'at' | 'shares'>, voucher: string) {
  const shares = DUE.map((of, index) => ({ ...of, principal: asDong((amounts[index] ?? 0) * 20) }));
  const total = shares.reduce((sum, { principal }) => sum + principal, 0);
  return { valueDate: dated(at), amount: asDong(total), voucher, shares, commitment: voucher };
}

function paymentOf({ at, shares: amounts, interest: [inTerm, overdue], method }: Entry, receipt: string) {
  const shares = DUE.map((of, index) => ({ ...of, principal: asDong(amounts[index] ?? 0) })).filter(
    ({ principal }) => principal > 0,
  );
  const principal = shares.reduce((sum, share) => sum + share.principal, 0);
  const allocation = {
    ...{ interestInTerm: asDong(inTerm), interestOverdue: asDong(overdue) },
    ...{ principalOverdue: asDong(0), principalDue: asDong(principal), principalPrepaid: asDong(0) },
  };
  const total = asDong(principal + inTerm + overdue);
  return { receipt, amount: total, method, allocation, valueDate: dated(at), shares, reversed: false };
}

/** A book by its functions, and the payments as they were given to it. */
function bookOf(past: readonly Entry[]) {
  let book: Book = withPart(EMPTY_BOOK, partOf({ at: 0, shares: [1e9, 1e9, 1e9, 1e12] }, 'V-0'));
  const given: ReturnType<typeof paymentOf>[] = [];
  past.forEach((entry, index) => {
    const reversed = entry.reverses === null ? undefined : given[entry.reverses];
    if (reversed !== undefined && !reversed.reversed) {
      book = withReversal(book, reversed.receipt);
      reversed.reversed = true;
    }
    const payment = paymentOf(entry, `R/${index}`);
    book = withPayment(book, payment);
    given.push(payment);
    if (index === 4) book = withPart(book, partOf({ at: entry.at, shares: entry.shares }, 'V-1'));
  });
  return { book, given };
}

describe('a book', () => {
  it('gives its payments back as they were recorded, and knows their numbers', () => {
    const check = (past: readonly Entry[]) => {
      const { book, given } = bookOf(past);
      expect(paymentsOf(book)).toEqual(given);
      expect(given.every(({ receipt }) => hasReceipt(book.payments, receipt))).toBe(true);
      for (const other of ['R', 'R/', `R/${given.length}`, '/0', '0'])
        expect(hasReceipt(book.payments, other)).toBe(false);
    };
    fc.assert(fc.property(entries, check), { numRuns: 200 });
  });

  it('has running figures that are those of its entries, on every day that they speak of', () => {
    const check = (past: readonly Entry[]) => {
      const { book } = bookOf(past);
      for (let offset = 0; offset <= 200; offset += 5) {
        const on = dated(offset);
        expect(unpaidOn(book, on)).toEqual(unpaidByEntries(book, on));
        if (!isRunning(book, on)) continue;
        const { inTerm, overdue } = balanceDaysTo(book, on);
        expect({ inTerm: BigInt(inTerm), overdue: BigInt(overdue) }).toEqual(balanceDaysByEntries(book, on));
      }
      const standing = paymentsOf(book).filter(({ reversed }) => !reversed);
      expect(interestPaid(book)).toEqual({
        inTerm: standing.reduce((sum, { allocation }) => sum + BigInt(allocation.interestInTerm), 0n),
        overdue: standing.reduce((sum, { allocation }) => sum + BigInt(allocation.interestOverdue), 0n),
      });
    };
    fc.assert(fc.property(entries, check), { numRuns: 200 });
  });

  it('leaves what it came from as it was', () => {
    const { book } = bookOf([]);
    const before = structuredClone(book);
    const payment = paymentOf({ at: 9, shares: [1, 0, 0, 0], interest: [1, 0], method: 'CASH', reverses: null }, 'R');
    withReversal(withPayment(book, payment), 'R');
    withPart(book, partOf({ at: 9, shares: [1, 1, 1, 1] }, 'V-1'));
    expect(book).toEqual(before);
  });
});
