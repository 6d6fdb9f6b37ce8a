import { dayNumber, type LocalDate } from '../../kernel/dates.js';
import { roundHalfUp } from '../../kernel/money.js';
import { RATE_SCALE, type Rate, scaled } from '../../kernel/rate.js';
import { type Book, balanceDaysTo, isRunning, paymentsOf, turnOf } from './book.js';
import type { Share } from './events.js';
import type { ApprovedLoan } from './state.js';

/** Actual/365, in leap years too (domain §4). */
const DAYS_OF_YEAR = 365n;

/** Đồng accrued from the first disbursement to a day, each component rounded once from its exact sum. */
export interface Accrued {
  readonly inTerm: bigint;
  readonly overdue: bigint;
}

export interface InterestTerms {
  readonly annualRate: Rate;
  readonly overdueFactor: Rate;
}

/**
 * Interest on [first disbursement, on). An instalment's unpaid amount bears the in-term rate until its due day and the
 * overdue rate from it; money received on a day stops interest from that day on. Every part and every standing payment
 * adds or takes away its own days, so nothing depends on the order in which they were recorded.
 */
export function accruedInterest(book: Book, terms: InterestTerms, on: LocalDate): Accrued {
  const days = isRunning(book, on) ? balanceDaysTo(book, on) : balanceDaysByEntries(book, on);
  const rate = scaled(terms.annualRate);
  const inTerm = roundHalfUp(BigInt(days.inTerm) * rate, DAYS_OF_YEAR * RATE_SCALE);
  if (days.overdue === 0) return { inTerm, overdue: 0n };
  const overdueRate = rate * scaled(terms.overdueFactor);
  return {
    inTerm,
    overdue: roundHalfUp(BigInt(days.overdue) * overdueRate, DAYS_OF_YEAR * RATE_SCALE * RATE_SCALE),
  };
}

/** What was received of each component, by everything recorded or only with value dates up to a day. */
export function interestPaid(book: Book, upTo?: LocalDate): Accrued {
  if (upTo === undefined || isRunning(book, upTo)) {
    return { inTerm: BigInt(book.received.inTerm), overdue: BigInt(book.received.overdue) };
  }
  let [inTerm, overdue] = [0n, 0n];
  for (const { allocation, reversed, valueDate } of paymentsOf(book)) {
    if (reversed || valueDate > upTo) continue;
    inTerm += BigInt(allocation.interestInTerm);
    overdue += BigInt(allocation.interestOverdue);
  }
  return { inTerm, overdue };
}

/** Accrued to a day less everything received: below zero is a credit against later interest of the same component. */
export function interestDue(loan: Pick<ApprovedLoan, 'book' | 'approval'>, on: LocalDate): Accrued {
  const accrued = accruedInterest(loan.book, loan.approval, on);
  const received = interestPaid(loan.book);
  return { inTerm: accrued.inTerm - received.inTerm, overdue: accrued.overdue - received.overdue };
}

/** Đồng times days, exact, entry by entry: a share counts on the days [valueDate, day), split at its due day. */
export function balanceDaysByEntries(book: Book, day: LocalDate): Accrued {
  const on = dayNumber(day);
  let [inTerm, overdue] = [0n, 0n];
  const count = (shares: readonly Share[], valueDate: LocalDate, sign: bigint) => {
    const from = dayNumber(valueDate);
    if (from >= on) return;
    for (const { dueDate, principal } of shares) {
      const amount = sign * BigInt(principal);
      const turn = turnOf(from, on, dueDate);
      inTerm += amount * BigInt(turn - from);
      overdue += amount * BigInt(on - turn);
    }
  };
  for (const part of book.parts) count(part.shares, part.valueDate, 1n);
  for (const payment of paymentsOf(book)) if (!payment.reversed) count(payment.shares, payment.valueDate, -1n);
  return { inTerm, overdue };
}
