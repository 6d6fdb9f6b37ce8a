import { daysBetween, type LocalDate } from '../../kernel/dates.js';
import { type Amount, type Dong, narrow } from '../../kernel/money.js';
import { positionOn, unpaidOn } from './ageing.js';
import { type Book, type Part, type Payment, paymentsOf } from './book.js';
import { accruedInterest, interestPaid } from './interest.js';
import type { Application, ApprovedLoan, Loan, LoanFlag } from './state.js';

/*
 * A loan on a day: what follows from the facts with value dates up to it. Which facts are known is the caller's choice
 * of the events that were folded.
 */

export type LoanStatus = 'APPLIED' | 'APPROVED' | 'REJECTED' | 'ACTIVE' | 'SETTLED';

/** Statuses that nothing sets yet (extension, freeze, write-off) are named, since others read this. */
export type PortionStatus = 'IN_TERM' | 'EXTENDED' | 'OVERDUE' | 'FROZEN' | 'WRITTEN_OFF' | 'PAID';

export interface LoanOnADay {
  readonly status: LoanStatus;
  readonly flags: readonly LoanFlag[];
  readonly outstanding: Dong;
  readonly inTerm: number;
  readonly overdue: number;
  readonly daysPastDue: number;
  readonly interest: {
    readonly accruedInTerm: Amount;
    readonly accruedOverdue: Amount;
    readonly paid: Amount;
    readonly due: Amount;
  };
  readonly installments: readonly PortionOnADay[];
  readonly disbursements: readonly Part[];
  readonly payments: readonly Payment[];
}

export interface PortionOnADay {
  readonly number: number;
  readonly dueDate: LocalDate;
  readonly principal: number;
  readonly paid: number;
  readonly status: PortionStatus;
}

/** The loan at the end of a day, or null when it was not applied for by then. */
export function loanOn(loan: Loan, day: LocalDate): LoanOnADay | null {
  if (loan.status === 'NONE' || loan.application.valueDate > day) return null;
  if (loan.status !== 'APPROVED') {
    return { ...NOTHING, status: loan.status === 'REJECTED' && loan.rejectedOn <= day ? 'REJECTED' : 'APPLIED' };
  }
  if (loan.approval.valueDate > day) return { ...NOTHING, status: 'APPLIED' };
  const disbursements = upTo(loan.book.parts, day);
  if (disbursements.length === 0) return { ...NOTHING, status: 'APPROVED' };
  return disbursedLoanOn(loan, day, disbursements);
}

/** Settled: nothing is outstanding and neither component of interest has accrued beyond what was paid of it. */
export function isSettled({ book, approval }: ApprovedLoan, on: LocalDate): boolean {
  if (!book.parts.some(({ valueDate }) => valueDate <= on) || positionOn(book, on).outstanding > 0) return false;
  const [accrued, paid] = [accruedInterest(book, approval, on), interestPaid(book, on)];
  return accrued.inTerm <= paid.inTerm && accrued.overdue <= paid.overdue;
}

/** What was applied for, once it was. */
export const applicationOf = (loan: Loan): Application | null => (loan.status === 'NONE' ? null : loan.application);

const NOTHING: LoanOnADay = {
  status: 'APPLIED',
  flags: [],
  outstanding: 0 as Dong,
  inTerm: 0,
  overdue: 0,
  daysPastDue: 0,
  interest: { accruedInTerm: 0, accruedOverdue: 0, paid: 0, due: 0 },
  installments: [],
  disbursements: [],
  payments: [],
};

function disbursedLoanOn(loan: ApprovedLoan, day: LocalDate, disbursements: readonly Part[]): LoanOnADay {
  const { book, approval } = loan;
  const { outstanding, oldestUnpaidDueDate } = positionOn(book, day);
  const installments = portionsOn(book, day, disbursements);
  const overdue = installments.reduce((sum, p) => (p.status === 'OVERDUE' ? sum + p.principal - p.paid : sum), 0);
  const [accrued, paid] = [accruedInterest(book, approval, day), interestPaid(book, day)];
  const received = paid.inTerm + paid.overdue;
  return {
    status: isSettled(loan, day) ? 'SETTLED' : 'ACTIVE',
    flags: [...loan.flags].sort(),
    outstanding,
    inTerm: outstanding - overdue,
    overdue,
    daysPastDue: oldestUnpaidDueDate === null ? 0 : Math.max(0, daysBetween(oldestUnpaidDueDate, day)),
    interest: {
      accruedInTerm: narrow(accrued.inTerm),
      accruedOverdue: narrow(accrued.overdue),
      paid: narrow(received),
      due: narrow(accrued.inTerm + accrued.overdue - received),
    },
    installments,
    disbursements,
    payments: upTo(paymentsOf(book), day),
  };
}

function portionsOn(book: Book, day: LocalDate, parts: readonly Part[]): readonly PortionOnADay[] {
  const unpaid = unpaidOn(book, day);
  const principal = book.installments.map(() => 0);
  for (const { shares } of parts) {
    for (const share of shares) {
      principal[share.installment - 1] = (principal[share.installment - 1] ?? 0) + share.principal;
    }
  }
  return book.installments.map(({ number, dueDate }, index) => {
    const [owed, rest] = [principal[index] as number, unpaid[index] as number];
    // An instalment of 0 counts as paid (domain §4).
    const status = rest === 0 ? 'PAID' : dueDate < day ? 'OVERDUE' : 'IN_TERM';
    return { number, dueDate, principal: owed, paid: owed - rest, status };
  });
}

function upTo<T extends { readonly valueDate: LocalDate }>(entries: readonly T[], day: LocalDate): readonly T[] {
  return entries
    .filter(({ valueDate }) => valueDate <= day)
    .sort((a, b) => (a.valueDate < b.valueDate ? -1 : a.valueDate > b.valueDate ? 1 : 0));
}
