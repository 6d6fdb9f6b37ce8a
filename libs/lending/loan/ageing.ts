import type { LocalDate } from '../../kernel/dates.js';
import { asDong, ZERO } from '../../kernel/money.js';
import { InvariantBroken } from '../../kernel/result.js';
import { type Book, EMPTY_BOOK, type Installment, isRunning, paymentsOf } from './book.js';
import type { Position, Stretch } from './events.js';
import type { Loan } from './state.js';

/*
 * What an event of a loan says of the loan before and after. It comes from two folded states and nothing else, so it
 * cannot differ from the fold; a backdated entry says it for each later stretch that it changes (design §4).
 */

/** The stretches, from `from` on, in which two states of a loan differ; in order, none overlapping. */
export function ageing(before: Loan, after: Loan, from: LocalDate): readonly Stretch[] {
  const [old, now] = [bookOf(before), bookOf(after)];
  if (old === now) return [];
  // A plain entry has nothing after it: one stretch, for good.
  const starts = isRunning(now, from) ? [from] : [from, ...changesAfter(from, old, now)];
  const stretches: Stretch[] = [];
  starts.forEach((start, index) => {
    const stretch = {
      from: start,
      to: starts[index + 1] ?? null,
      before: positionOn(old, start),
      after: positionOn(now, start),
    };
    if (!alike(stretch.before, stretch.after)) stretches.push(stretch);
  });
  return stretches;
}

/** Unpaid principal at the end of a day, and the earliest due day with any, past or to come. */
export function positionOn(book: Book, day: LocalDate): Position {
  const byEntries = isRunning(book, day) ? null : unpaidByEntries(book, day);
  let outstanding = ZERO;
  let oldestUnpaidDueDate: LocalDate | null = null;
  for (let index = 0; index < book.installments.length; index++) {
    const { principal, paid, dueDate } = book.installments[index] as Installment;
    const rest = byEntries === null ? principal - paid : (byEntries[index] as number);
    if (rest < 0) throw new InvariantBroken(`instalment ${index + 1} is not paid below zero on ${day}`);
    outstanding = asDong(outstanding + rest);
    if (rest > 0 && oldestUnpaidDueDate === null) oldestUnpaidDueDate = dueDate;
  }
  return { outstanding, oldestUnpaidDueDate };
}

/** Unpaid principal of each instalment by what has a value date up to a day. */
export function unpaidOn(book: Book, day: LocalDate): readonly number[] {
  if (!isRunning(book, day)) return unpaidByEntries(book, day);
  return book.installments.map(({ principal, paid }) => principal - paid);
}

/** The same, entry by entry: for any day. */
export function unpaidByEntries(book: Book, day: LocalDate): readonly number[] {
  const unpaid = book.installments.map(() => 0);
  for (const { shares, valueDate } of book.parts) {
    if (valueDate > day) continue;
    for (const { installment, principal } of shares)
      unpaid[installment - 1] = (unpaid[installment - 1] ?? 0) + principal;
  }
  for (const { shares, valueDate, reversed } of paymentsOf(book)) {
    if (reversed || valueDate > day) continue;
    for (const { installment, principal } of shares)
      unpaid[installment - 1] = (unpaid[installment - 1] ?? 0) - principal;
  }
  return unpaid;
}

const bookOf = (loan: Loan): Book => (loan.status === 'APPROVED' ? loan.book : EMPTY_BOOK);

/** Days after `from` on which either book has an entry. Reversed payments count: they are in the other book. */
function changesAfter(from: LocalDate, ...books: readonly Book[]): readonly LocalDate[] {
  const days = new Set<LocalDate>();
  for (const book of books) {
    for (const { valueDate } of book.parts) if (valueDate > from) days.add(valueDate);
    for (const { valueDate } of paymentsOf(book)) if (valueDate > from) days.add(valueDate);
  }
  return [...days].sort();
}

const alike = (a: Position, b: Position): boolean =>
  a.outstanding === b.outstanding && a.oldestUnpaidDueDate === b.oldestUnpaidDueDate;
