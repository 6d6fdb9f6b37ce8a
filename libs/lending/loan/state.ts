import type { LocalDate } from '../../kernel/dates.js';
import type { Aggregate } from '../../kernel/decider.js';
import { add, type Dong, subtract, ZERO } from '../../kernel/money.js';
import { invariant, unreachable } from '../../kernel/result.js';
import type { LoanData, LoanStored, Share } from './events.js';

export type Application = LoanData<'LoanApplied'> & { readonly valueDate: LocalDate };
export type Approval = LoanData<'LoanApproved'> & { readonly valueDate: LocalDate };
export type Dimensions = Pick<
  LoanData<'LoanApplied'>,
  'loan' | 'borrower' | 'programme' | 'source' | 'district' | 'commune' | 'massOrganisation' | 'group' | 'borrowerClass'
>;

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

/** Money in and out, by everything recorded. Figures of a day follow from it (see interest.ts, ageing.ts, view.ts). */
export interface Book {
  readonly installments: readonly Installment[];
  readonly parts: readonly Part[];
  readonly payments: readonly Payment[];
}

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
export const EMPTY_BOOK: Book = { installments: [], parts: [], payments: [] };

export const loan: Aggregate<Loan> = {
  category: 'loan',
  initial: { status: 'NONE' },
  evolve: (state, stored) => evolve(state, stored as LoanStored),
};

/** Needs of an event its type, data, value date and cause only: decisions fold what they are about to write with it. */
export type LoanEvent = LoanStored extends infer E
  ? E extends LoanStored
    ? Pick<E, 'type' | 'data'> & { readonly meta: Pick<E['meta'], 'valueDate' | 'causationId'> }
    : never
  : never;

export function evolve(state: Loan, event: LoanEvent): Loan {
  switch (event.type) {
    case 'LoanApplied':
      return { status: 'APPLIED', application: { ...event.data, valueDate: event.meta.valueDate } };
    case 'LoanApproved': {
      invariant(state.status === 'APPLIED', 'an approval follows an application');
      const approval = { ...event.data, valueDate: event.meta.valueDate };
      const { application } = state;
      return {
        ...{ status: 'APPROVED', application, approval },
        book: EMPTY_BOOK,
        flags: NO_FLAGS,
        recordedOverdue: new Set(),
      };
    }
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
      invariant(state.status === 'APPROVED', `${event.type} follows an approval`);
      return evolveApproved(state, event);
    default:
      return unreachable(event);
  }
}

type MoneyEvent = Extract<LoanEvent, { type: 'LoanDisbursed' | 'InstallmentPaid' | 'PaymentReversed' | 'LoanOverdue' }>;

function evolveApproved(loan: ApprovedLoan, event: MoneyEvent): ApprovedLoan {
  const { book } = loan;
  switch (event.type) {
    case 'LoanDisbursed':
      return { ...loan, book: disbursed(book, event.data, event.meta) };
    case 'InstallmentPaid':
      return { ...loan, book: paid(book, event.data, event.meta.valueDate) };
    case 'PaymentReversed':
      return { ...loan, book: reversed(book, event.data) };
    case 'LoanOverdue':
      return { ...loan, recordedOverdue: new Set([...loan.recordedOverdue, event.data.installment]) };
    default:
      return unreachable(event);
  }
}

function disbursed(book: Book, data: LoanData<'LoanDisbursed'>, meta: LoanEvent['meta']): Book {
  const { amount, voucher, installments: shares } = data;
  const part: Part = { valueDate: meta.valueDate, amount, voucher, shares, commitment: meta.causationId };
  // The first part's shares name every instalment: all due days lie after the day that they run from.
  const before =
    book.parts.length > 0
      ? book.installments
      : shares.map(({ installment: number, dueDate }) => ({ number, dueDate, principal: ZERO, paid: ZERO }));
  return { ...book, installments: withShares(before, shares, 'principal', add), parts: [...book.parts, part] };
}

function paid(book: Book, data: LoanData<'InstallmentPaid'>, valueDate: LocalDate): Book {
  const { receipt, amount, method, allocation, installments: shares } = data;
  const payment: Payment = { receipt, amount, method, allocation, shares, valueDate, reversed: false };
  return {
    ...book,
    installments: withShares(book.installments, shares, 'paid', add),
    payments: [...book.payments, payment],
  };
}

function reversed(book: Book, data: LoanData<'PaymentReversed'>): Book {
  return {
    ...book,
    installments: withShares(book.installments, data.installments, 'paid', subtract),
    payments: book.payments.map((payment) =>
      payment.receipt === data.receipt ? { ...payment, reversed: true } : payment,
    ),
  };
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
    invariant(before?.number === installment, `instalment ${installment} is on the schedule`);
    changed[installment - 1] = { ...before, [side]: sum(before[side], principal) };
  }
  return changed;
}
