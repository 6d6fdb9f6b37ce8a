import type { LocalDate } from '../../kernel/dates.js';
import type { Aggregate } from '../../kernel/decider.js';
import { InvariantBroken, invariant, unreachable } from '../../kernel/result.js';
import type { termsFields } from '../policy/events.js';
import { type Book, bytesOf, EMPTY_BOOK, withPart, withPayment, withReversal } from './book.js';
import type { LoanData, LoanStored } from './events.js';

export type Application = Omit<LoanData<'LoanApplied'>, 'ageing'> & { readonly valueDate: LocalDate };
/** What an approval fixed: whose the loan is stands in the application. */
export type Approval = Pick<LoanData<'LoanApproved'>, 'amount' | 'decision' | keyof typeof termsFields> & {
  readonly policyRevision: number;
  readonly valueDate: LocalDate;
};
export type Dimensions = Pick<
  LoanData<'LoanApplied'>,
  'loan' | 'borrower' | 'programme' | 'source' | 'district' | 'commune' | 'massOrganisation' | 'group' | 'borrowerClass'
>;

/** The second axis of status (domain §3): what is so of a loan beside where it stands. */
export type LoanFlag =
  | 'RESCHEDULED'
  | 'MISAPPROPRIATED'
  | 'BORROWED_ON_BEHALF'
  | 'WRONG_PURPOSE'
  | 'ABSENT'
  | 'DECEASED'
  | 'IN_LITIGATION';

/**
 * The first axis of status, as far as decisions made it: `APPROVED` covers what is disbursed, settled and reopened
 * too, since those follow from the book and a day.
 */
export type Loan =
  | { readonly status: 'NONE' }
  | { readonly status: 'APPLIED'; readonly application: Application }
  | { readonly status: 'REJECTED'; readonly application: Application; readonly rejectedOn: LocalDate }
  | ApprovedLoan;

export interface ApprovedLoan {
  readonly status: 'APPROVED';
  readonly application: Application;
  readonly approval: Approval;
  readonly book: Book;
  /** No command sets one yet: rescheduling and the others come with later issues. */
  readonly flags: ReadonlySet<LoanFlag>;
  /** Instalments that a close has recorded as overdue: once each, whatever is paid or reversed later. */
  readonly recordedOverdue: ReadonlySet<number>;
}

const NO_FLAGS: ReadonlySet<LoanFlag> = new Set();
const NONE_OVERDUE: ReadonlySet<number> = new Set();

export const loan: Aggregate<Loan> = {
  category: 'loan',
  initial: { status: 'NONE' },
  evolve: (state, stored) => evolve(state, stored as LoanStored),
  bytes: (state) => (state.status === 'APPROVED' ? APPROVED_BYTES + bytesOf(state.book) : APPROVED_BYTES),
};

/** Application and approval, measured. */
const APPROVED_BYTES = 1_800;

/** Needs of an event its type, data, value date and cause only: decisions fold what they are about to write with it. */
export type LoanEvent = LoanStored extends infer E
  ? E extends LoanStored
    ? Pick<E, 'type' | 'data'> & { readonly meta: Pick<E['meta'], 'valueDate' | 'causationId'> }
    : never
  : never;

export function evolve(state: Loan, event: LoanEvent): Loan {
  switch (event.type) {
    case 'LoanApplied':
      return { status: 'APPLIED', application: applicationOf(event.data, event.meta.valueDate) };
    case 'LoanApproved':
      invariant(state.status === 'APPLIED', 'an approval follows an application');
      return {
        ...{ status: 'APPROVED', application: state.application },
        approval: approvalOf(event.data, event.meta.valueDate),
        ...{ book: EMPTY_BOOK, flags: NO_FLAGS, recordedOverdue: NONE_OVERDUE },
      };
    case 'LoanRejected':
      invariant(state.status === 'APPLIED', 'a rejection follows an application');
      return { status: 'REJECTED', application: state.application, rejectedOn: event.meta.valueDate };
    case 'LoanSettled':
    case 'LoanReopened':
      return state;
    case 'LoanDisbursed':
    case 'InstallmentPaid':
    case 'PaymentReversed':
    case 'LoanOverdue':
      if (state.status !== 'APPROVED') throw new InvariantBroken(`${event.type} follows an approval`);
      return evolveApproved(state, event);
    default:
      return unreachable(event);
  }
}

type MoneyEvent = Extract<LoanEvent, { type: 'LoanDisbursed' | 'InstallmentPaid' | 'PaymentReversed' | 'LoanOverdue' }>;

function evolveApproved(loan: ApprovedLoan, event: MoneyEvent): ApprovedLoan {
  const { book } = loan;
  switch (event.type) {
    case 'LoanDisbursed': {
      const { amount, voucher, installments: shares } = event.data;
      const { valueDate, causationId: commitment } = event.meta;
      return withBook(loan, withPart(book, { valueDate, amount, voucher, shares, commitment }));
    }
    case 'InstallmentPaid': {
      const { receipt, amount, method, allocation, installments: shares } = event.data;
      const { valueDate } = event.meta;
      return withBook(loan, withPayment(book, { receipt, amount, method, allocation, shares, valueDate }));
    }
    case 'PaymentReversed':
      return withBook(loan, withReversal(book, event.data.receipt));
    case 'LoanOverdue':
      return { ...loan, recordedOverdue: new Set([...loan.recordedOverdue, event.data.installment]) };
    default:
      return unreachable(event);
  }
}

const withBook = (
  { status, application, approval, flags, recordedOverdue }: ApprovedLoan,
  book: Book,
): ApprovedLoan => ({
  ...{ status, application, approval, book, flags, recordedOverdue },
});

// Member by member: what an event says beside, such as the stretches of its ageing, is not kept with every loan.
function applicationOf(data: Omit<LoanData<'LoanApplied'>, 'ageing'>, valueDate: LocalDate): Application {
  const { loan, borrower, programme, source, district, commune, massOrganisation, group, borrowerClass } = data;
  const { borrowerKind, amount, termMonths, installmentEveryMonths, jobs, purpose } = data;
  return {
    ...{ loan, borrower, programme, source, district, commune, massOrganisation, group, borrowerClass },
    ...{ borrowerKind, amount, termMonths, installmentEveryMonths, jobs, purpose, valueDate },
  };
}

function approvalOf(data: Omit<Approval, 'valueDate'>, valueDate: LocalDate): Approval {
  const { amount, decision, annualRate, overdueFactor, arrearsOrder, dueDayRoll, policyRevision } = data;
  return { amount, decision, annualRate, overdueFactor, arrearsOrder, dueDayRoll, policyRevision, valueDate };
}
