import { addMonths, type Day, DECIMAL, dayNumber, decimal, rollForward, roundHalfUp, sum } from './exact.js';
import type { Fact, FactOf, Portion } from './facts.js';
import { ofType } from './facts.js';

/** One loan as a set of facts tells it: all of them for a command, those known by a day for a query. */
export interface Book {
  readonly application: FactOf<'LoanApplied'>;
  readonly approval: FactOf<'LoanApproved'> | undefined;
  readonly rejected: boolean;
  readonly parts: readonly FactOf<'LoanDisbursed'>[];
  readonly payments: readonly FactOf<'InstallmentPaid'>[];
  readonly reversed: ReadonlySet<string>;
  /** Payments less those reversed: "a reversal counts from the value date of the payment that it reverses". */
  readonly standing: readonly FactOf<'InstallmentPaid'>[];
}

export interface Installment {
  readonly number: number;
  readonly dueDate: Day;
  readonly principal: bigint;
  readonly paid: bigint;
  readonly unpaid: bigint;
}

export const bookOf = (facts: readonly Fact[], loan: string): Book | undefined => {
  const own = facts.filter((fact) => 'loan' in fact && fact.loan === loan);
  const application = ofType(own, 'LoanApplied')[0];
  if (application === undefined) return undefined;
  const payments = ofType(own, 'InstallmentPaid');
  const reversed = new Set(ofType(own, 'PaymentReversed').map((fact) => fact.receipt));
  return {
    application,
    approval: ofType(own, 'LoanApproved')[0],
    rejected: ofType(own, 'LoanRejected').length > 0,
    parts: ofType(own, 'LoanDisbursed'),
    payments,
    reversed,
    standing: payments.filter((payment) => !reversed.has(payment.receipt)),
  };
};

/** "ceil(term / interval) of them, the last due at the end of the term"; a rolled day is the due day. */
export const dueDaysOf = (anchor: Day, termMonths: number, every: number, roll: string): Day[] => {
  const count = Math.ceil(termMonths / every);
  return Array.from({ length: count }, (_, index) => {
    const nominal = addMonths(anchor, Math.min((index + 1) * every, termMonths));
    return roll === 'FOLLOWING' ? rollForward(nominal) : nominal;
  });
};

/** "The schedule runs from the first disbursement", which may be the one on `ifFirst`. */
export const dueDays = (book: Book, ifFirst?: Day): Day[] => {
  const anchor = book.parts[0]?.valueDate ?? ifFirst;
  if (anchor === undefined || book.approval === undefined) return [];
  const { termMonths, every } = book.application;
  return dueDaysOf(anchor, termMonths, every, book.approval.terms.dueDayRoll);
};

/**
 * "floor(P/n) to 1,000 đ, the remainder on the last", "each part is split so over the instalments whose due day lies
 * after its value date".
 */
export const sharesOf = (days: readonly Day[], amount: bigint, valueDate: Day): Portion[] => {
  const count = BigInt(days.filter((day) => day > valueDate).length);
  const each = (amount / count / 1000n) * 1000n;
  return days.flatMap((dueDate, index) =>
    dueDate > valueDate
      ? [
          {
            installment: index + 1,
            dueDate,
            principal: index === days.length - 1 ? amount - each * (count - 1n) : each,
          },
        ]
      : [],
  );
};

const principalOn = (portions: readonly Portion[], installment: number): bigint =>
  sum(portions.filter((portion) => portion.installment === installment).map((portion) => portion.principal));

/** "an instalment's principal is the sum of its shares"; paid is what the payments' own allocation put on it. */
export const installmentsOf = (book: Book): Installment[] =>
  dueDays(book).map((dueDate, index) => {
    const number = index + 1;
    const principal = sum(book.parts.map((part) => principalOn(part.shares, number)));
    const paid = sum(book.standing.map((payment) => principalOn(payment.portions, number)));
    return { number, dueDate, principal, paid, unpaid: principal - paid };
  });

export const outstandingOf = (book: Book): bigint => sum(installmentsOf(book).map((item) => item.unpaid));

/** Unpaid at the end of `day`, and late: "It counts as overdue from the day after the due day". */
export const overdueOn = (book: Book, day: Day): Installment[] =>
  installmentsOf(book).filter((item) => item.unpaid > 0n && item.dueDate < day);

export interface Interest {
  readonly inTerm: bigint;
  readonly overdue: bigint;
}

/**
 * Interest accrued by the start of `to`: for every day before it and every instalment, what is unpaid at the end of
 * the day times the day's rate over 365, in term before the due day and at the overdue rate from it. Summed exactly,
 * "each rounded once from its exact sum".
 */
export const accruedBy = (book: Book, to: Day): Interest => {
  const first = book.parts[0];
  if (first === undefined || book.approval === undefined) return { inTerm: 0n, overdue: 0n };
  const rate = decimal(book.approval.terms.annualRate);
  const factor = decimal(book.approval.terms.overdueFactor);
  const due = dueDays(book).map(dayNumber);
  const unpaid = due.map(() => 0n);
  const moves = movesByDay(book);
  let inTerm = 0n;
  let overdue = 0n;
  const end = dayNumber(to);
  for (let day = dayNumber(first.valueDate); day < end; day++) {
    for (const { installment, principal } of moves.get(day) ?? [])
      unpaid[installment - 1] = (unpaid[installment - 1] ?? 0n) + principal;
    for (const [index, balance] of unpaid.entries()) {
      if (day < (due[index] ?? 0)) inTerm += balance * rate;
      else overdue += balance * rate * factor;
    }
  }
  return {
    inTerm: roundHalfUp(inTerm, 365n * DECIMAL),
    overdue: roundHalfUp(overdue, 365n * DECIMAL * DECIMAL),
  };
};

/** What each day adds to or takes from an instalment: "Money received on a day stops interest from that day on." */
const movesByDay = (book: Book): Map<number, Portion[]> => {
  const moves = new Map<number, Portion[]>();
  const move = (valueDate: Day, portions: readonly Portion[]): void => {
    const day = dayNumber(valueDate);
    moves.set(day, [...(moves.get(day) ?? []), ...portions]);
  };
  for (const part of book.parts) move(part.valueDate, part.shares);
  for (const payment of book.standing)
    move(
      payment.valueDate,
      payment.portions.map((portion) => ({ ...portion, principal: -portion.principal })),
    );
  return moves;
};

export const interestReceived = (book: Book): Interest => ({
  inTerm: sum(book.standing.map((payment) => payment.allocation.interestInTerm)),
  overdue: sum(book.standing.map((payment) => payment.allocation.interestOverdue)),
});

/**
 * "A loan is settled when [...] nothing is outstanding and neither component of interest has accrued beyond what was
 * paid of it (a credit in one never pays the other)".
 */
export const isSettled = (book: Book, day: Day): boolean => {
  const accrued = accruedBy(book, day);
  const received = interestReceived(book);
  return (
    book.parts.length > 0 &&
    outstandingOf(book) === 0n &&
    accrued.inTerm <= received.inTerm &&
    accrued.overdue <= received.overdue
  );
};
