import { dayNumber, type LocalDate, laterOf } from '../../kernel/dates.js';
import { type Amount, add, addExact, type Dong, multiplyExact, subtract, ZERO } from '../../kernel/money.js';
import { InvariantBroken, invariant } from '../../kernel/result.js';
import type { LoanData, Share } from './events.js';
import { NO_PAYMENTS, type PackedPayments, packed, reversedIn, unpacked } from './payments.js';

export interface Part {
  readonly valueDate: LocalDate;
  readonly amount: Dong;
  readonly voucher: string;
  readonly shares: readonly Share[];
  /** The id of the commitment that it used. */
  readonly commitment: string;
}

export interface Payment extends Pick<LoanData<'InstallmentPaid'>, 'receipt' | 'amount' | 'method' | 'allocation'> {
  readonly valueDate: LocalDate;
  readonly shares: readonly Share[];
  readonly reversed: boolean;
}

export interface Installment {
  readonly number: number;
  readonly dueDate: LocalDate;
  /** By everything recorded, whatever the value dates. */
  readonly principal: Dong;
  readonly paid: Dong;
}

/** What interest is reckoned from: đồng times days, or đồng, of each component. Exact. */
export interface ByComponent {
  readonly inTerm: Amount;
  readonly overdue: Amount;
}

/**
 * Money in and out, by everything recorded. Figures of a day follow from it (see interest.ts, ageing.ts, view.ts): from
 * `upTo` on from the running figures, which each entry carries on by its own shares alone; on an earlier day, which only
 * backdated entries and questions about the past ask for, from the entries themselves.
 */
export interface Book {
  readonly installments: readonly Installment[];
  readonly parts: readonly Part[];
  /** See `paymentsOf`. */
  readonly payments: PackedPayments;
  /** The latest value date of an entry, whether it stands or is reversed; null when there is none. */
  readonly upTo: LocalDate | null;
  /** Unpaid principal times days, to `upTo`. */
  readonly balanceDays: ByComponent;
  /** Interest received. */
  readonly received: ByComponent;
}

const NOTHING: ByComponent = { inTerm: 0, overdue: 0 };
export const EMPTY_BOOK: Book = {
  ...{ installments: [], parts: [], payments: NO_PAYMENTS },
  ...{ upTo: null, balanceDays: NOTHING, received: NOTHING },
};

/** In the order in which they were recorded. */
export const paymentsOf = (book: Book): readonly Payment[] => unpacked(book.payments, book.installments);

/** Whether the running figures are those of a day: no entry lies behind it. */
export const isRunning = ({ upTo }: Book, day: LocalDate): boolean => upTo === null || day >= upTo;

const OBJECT_BYTES = 64;

/** About how much memory it takes: an object an instalment, one a share, a byte a character. */
export const bytesOf = ({ installments, parts, payments }: Book): number =>
  OBJECT_BYTES * installments.length * (1 + parts.length) + payments.length;

/** The book with a part that was paid out. */
export function withPart(book: Book, part: Part): Book {
  const { shares, valueDate } = part;
  // The first part's shares name every instalment: all due days lie after the day that they run from.
  const before =
    book.parts.length > 0
      ? book.installments
      : shares.map(({ installment: number, dueDate }) => ({ number, dueDate, principal: ZERO, paid: ZERO }));
  return {
    installments: withShares(before, shares, 'principal', add),
    parts: [...book.parts, part],
    payments: book.payments,
    ...carriedOn(book, shares, valueDate, 1),
    received: book.received,
  };
}

/** The book with a payment that was received. */
export function withPayment(book: Book, payment: Omit<Payment, 'reversed'>): Book {
  const { allocation, shares, valueDate } = payment;
  return {
    installments: withShares(book.installments, shares, 'paid', add),
    parts: book.parts,
    payments: packed(book.payments, payment),
    ...carriedOn(book, shares, valueDate, -1),
    received: {
      inTerm: addExact(book.received.inTerm, allocation.interestInTerm),
      overdue: addExact(book.received.overdue, allocation.interestOverdue),
    },
  };
}

/** The book as if a payment had never come: only its number stays used. */
export function withReversal(book: Book, receipt: string): Book {
  const payment = paymentsOf(book).find((one) => one.receipt === receipt);
  invariant(payment !== undefined && !payment.reversed, `the payment ${receipt} stands`);
  const { allocation, shares, valueDate } = payment;
  return {
    installments: withShares(book.installments, shares, 'paid', subtract),
    parts: book.parts,
    payments: reversedIn(book.payments, receipt),
    ...carriedOn(book, shares, valueDate, 1),
    received: {
      inTerm: addExact(book.received.inTerm, -allocation.interestInTerm),
      overdue: addExact(book.received.overdue, -allocation.interestOverdue),
    },
  };
}

/** The running balance days to a day from `upTo` on. */
export function balanceDaysTo({ upTo, balanceDays, installments }: Book, day: LocalDate): ByComponent {
  if (upTo === null || day === upTo) return balanceDays;
  const [from, on] = [dayNumber(upTo), dayNumber(day)];
  let { inTerm, overdue } = balanceDays;
  for (const { dueDate, principal, paid } of installments) {
    if (principal === paid) continue;
    const turn = turnOf(from, on, dueDate);
    inTerm = addExact(inTerm, multiplyExact(principal - paid, turn - from));
    overdue = addExact(overdue, multiplyExact(principal - paid, on - turn));
  }
  return { inTerm, overdue };
}

/** The day in [from, on] on which an instalment's balance turns from the in-term rate to the overdue one. */
export const turnOf = (from: number, on: number, dueDate: LocalDate): number =>
  Math.min(on, Math.max(from, dayNumber(dueDate)));

/** A share counts on the days from its value date on, so an entry carries the figures on by its own shares alone. */
function carriedOn(
  book: Book,
  shares: readonly Share[],
  valueDate: LocalDate,
  sign: 1 | -1,
): Pick<Book, 'upTo' | 'balanceDays'> {
  if (isRunning(book, valueDate)) return { upTo: valueDate, balanceDays: balanceDaysTo(book, valueDate) };
  const upTo = laterOf(book.upTo ?? valueDate, valueDate);
  const [from, on] = [dayNumber(valueDate), dayNumber(upTo)];
  let { inTerm, overdue } = book.balanceDays;
  for (const { dueDate, principal } of shares) {
    const turn = turnOf(from, on, dueDate);
    inTerm = addExact(inTerm, multiplyExact(sign * principal, turn - from));
    overdue = addExact(overdue, multiplyExact(sign * principal, on - turn));
  }
  return { upTo, balanceDays: { inTerm, overdue } };
}

function withShares(
  installments: readonly Installment[],
  shares: readonly Share[],
  side: 'principal' | 'paid',
  sum: (a: Dong, b: Dong) => Dong,
): readonly Installment[] {
  if (shares.length === 0) return installments;
  const changed = [...installments];
  for (const { installment, principal } of shares) {
    const before = changed[installment - 1];
    if (before?.number !== installment) throw new InvariantBroken(`instalment ${installment} is on the schedule`);
    changed[installment - 1] = { ...before, [side]: sum(before[side], principal) };
  }
  return changed;
}
