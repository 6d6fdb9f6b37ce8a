import { daysBetween, type LocalDate } from '../../kernel/dates.js';
import type { Envelope } from '../../kernel/envelope.js';
import { unpaidOn } from '../../lending/loan/ageing.js';
import { paymentsOf } from '../../lending/loan/book.js';
import type { LoanStored } from '../../lending/loan/events.js';
import { type Dimensions, evolve, type Loan } from '../../lending/loan/state.js';
import { loanOn } from '../../lending/loan/view.js';
import { recordedDay } from '../cube.js';

/* For specs: quality counted again from folded loans, one by one, without any cell. Slow on purpose. */

export interface Recount {
  loans: number;
  outstanding: number;
  overdue: number;
  par0: number;
  par30: number;
  par90: number;
  fellDue: number;
  collectedOfDue: number;
  prepaid: number;
  arrearsRecovered: number;
}

export interface Asked {
  readonly from: LocalDate;
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate | null;
}

/** Each loan as known on a day. */
export function loansKnown(events: readonly Envelope[], knownOn: LocalDate | null): readonly Loan[] {
  const loans = new Map<string, Loan>();
  for (const event of events as readonly LoanStored[]) {
    if (!event.stream.startsWith('loan-') || (knownOn !== null && recordedDay(event) > knownOn)) continue;
    loans.set(event.stream, evolve(loans.get(event.stream) ?? { status: 'NONE' }, event));
  }
  return [...loans.values()];
}

/** The figures of the loans that a test takes, of those with a part paid out. */
export function recount(events: readonly Envelope[], asked: Asked, takes: (of: Dimensions) => boolean = () => true) {
  const total = nothing();
  let rows = 0;
  for (const loan of loansKnown(events, asked.knownOn)) {
    if (loan.status !== 'APPROVED' || !takes(loan.application)) continue;
    if ((loanOn(loan, asked.asOf)?.disbursements.length ?? 0) === 0) continue;
    rows++;
    addLoan(total, loan, asked);
  }
  return { rows, total };
}

const nothing = (): Recount => ({
  ...{ loans: 0, outstanding: 0, overdue: 0, par0: 0, par30: 0, par90: 0 },
  ...{ fellDue: 0, collectedOfDue: 0, prepaid: 0, arrearsRecovered: 0 },
});

function addLoan(total: Recount, loan: Extract<Loan, { status: 'APPROVED' }>, { from, asOf }: Asked): void {
  const { book } = loan;
  const unpaid = unpaidOn(book, asOf);
  const late = book.installments.filter((i, index) => (unpaid[index] ?? 0) > 0 && i.dueDate < asOf);
  const outstanding = unpaid.reduce((sum, rest) => sum + rest, 0);
  const daysLate = late[0] === undefined ? 0 : daysBetween(late[0].dueDate, asOf);
  total.loans += outstanding > 0 ? 1 : 0;
  total.outstanding += outstanding;
  total.overdue += late.reduce((sum, i) => sum + (unpaid[i.number - 1] ?? 0), 0);
  total.par0 += daysLate > 0 ? outstanding : 0;
  total.par30 += daysLate > 30 ? outstanding : 0;
  total.par90 += daysLate > 90 ? outstanding : 0;
  const within = (day: LocalDate) => day >= from && day <= asOf;
  for (const part of book.parts) {
    for (const { dueDate, principal } of part.shares) {
      if (part.valueDate <= asOf && within(dueDate)) total.fellDue += principal;
    }
  }
  for (const { valueDate, shares, reversed } of paymentsOf(book)) {
    if (reversed || valueDate > asOf) continue;
    for (const { dueDate, principal } of shares) {
      const prepaid = valueDate < dueDate;
      if (prepaid && within(dueDate)) total.fellDue -= principal;
      if (prepaid && within(valueDate)) total.prepaid += principal;
      if (!prepaid && within(dueDate)) total.collectedOfDue += principal;
      if (dueDate < from && within(valueDate)) total.arrearsRecovered += principal;
    }
  }
}
