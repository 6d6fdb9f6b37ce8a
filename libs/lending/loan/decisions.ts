import { type LocalDate, laterOf } from '../../kernel/dates.js';
import {
  type Calendar,
  type CommandOf,
  type Decision,
  decided,
  type Folded,
  type NewEvent,
  type Refusal,
  type Warning,
} from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/fields.js';
import type { asDong, Dong } from '../../kernel/money.js';
import { ok, type Result } from '../../kernel/result.js';
import type { Borrower } from '../borrower/state.js';
import { commitCapital } from '../district-fund/decisions.js';
import type { DistrictFund } from '../district-fund/state.js';
import { type Policies, type Policy, policyInForce } from '../policy/state.js';
import type { Programme } from '../programme/state.js';
import { refuse } from '../refusals.js';
import { ageing } from './ageing.js';
import { allocate } from './allocation.js';
import { type Book, type Installment, paymentsOf } from './book.js';
import type {
  applyForLoanFields,
  approveLoanFields,
  disburseLoanFields,
  markOverdueFields,
  recordPaymentFields,
  rejectLoanFields,
  reversePaymentFields,
} from './commands.js';
import type { LoanData, LoanNew } from './events.js';
import { hasReceipt } from './payments.js';
import { dueDates, splitPart } from './schedule.js';
import { type Application, type ApprovedLoan, type Dimensions, evolve, type Loan, type LoanEvent } from './state.js';
import { isSettled } from './view.js';

type Decided = Result<Decision, Refusal>;

export function applyForLoan(
  about: Folded<Loan>,
  { data, valueDate }: CommandOf<DataOf<typeof applyForLoanFields>>,
  facts: { readonly programme: Folded<Programme>; readonly borrower: Folded<Borrower> },
): Decided {
  if (about.state.status !== 'NONE') return refuse('LOAN_EXISTS', 'loan');
  if (!facts.programme.state.opened) return refuse('PROGRAMME_UNKNOWN', 'programme');
  const borrower = facts.borrower.state;
  if (borrower === null) return refuse('BORROWER_UNKNOWN', 'borrower');
  const { district, commune, massOrganisation, group, borrowerClass } = borrower;
  const applied: Draft = {
    type: 'LoanApplied',
    data: { ...data, district, commune, massOrganisation, group, borrowerClass, borrowerKind: borrower.kind },
    valueDate,
  };
  return decided(about.stream, { ...applied, data: { ...applied.data, ageing: [] } });
}

/** Fixes the terms by the policy in force on the value date; limits are checked on the approved amount and the term. */
export function approveLoan(
  about: Folded<Loan>,
  { data, valueDate }: CommandOf<DataOf<typeof approveLoanFields>>,
  facts: { readonly policy: Folded<Policies> },
): Decided {
  const loan = about.state;
  if (loan.status === 'NONE') return refuse('LOAN_UNKNOWN', 'loan');
  if (loan.status !== 'APPLIED') return refuse('LOAN_NOT_APPLIED', 'loan', { status: loan.status });
  const { application } = loan;
  if (valueDate < application.valueDate) return refuseOrder(application.valueDate);
  if (data.amount > application.amount) {
    return refuse('APPROVAL_ABOVE_APPLICATION', 'amount', { applied: application.amount });
  }
  const policy = policyInForce(facts.policy.state, valueDate, application);
  if (policy === undefined) return refuse('POLICY_UNKNOWN', 'valueDate', { valueDate });
  const beyond = refuseLimits(application, data.amount, policy);
  if (beyond !== null) return beyond;
  const { annualRate, overdueFactor, arrearsOrder, dueDayRoll, revision: policyRevision } = policy;
  const terms = { annualRate, overdueFactor, arrearsOrder, dueDayRoll, policyRevision };
  const { amount, decision } = data;
  return written(about, [{ type: 'LoanApproved', data: { amount, decision, ...terms }, valueDate }]);
}

export function rejectLoan(
  about: Folded<Loan>,
  { data, valueDate }: CommandOf<DataOf<typeof rejectLoanFields>>,
): Decided {
  const loan = about.state;
  if (loan.status === 'NONE') return refuse('LOAN_UNKNOWN', 'loan');
  if (loan.status !== 'APPLIED') return refuse('LOAN_NOT_APPLIED', 'loan', { status: loan.status });
  if (valueDate < loan.application.valueDate) return refuseOrder(loan.application.valueDate);
  const { reason, decision } = data;
  return written(about, [{ type: 'LoanRejected', data: { reason, decision }, valueDate }]);
}

/**
 * Commits capital on the district's fund; a process then disburses on the loan. The loan's own decision is tried
 * first, so that only a race leaves capital to be released (design §3).
 */
export function disburseLoan(
  about: Folded<Loan>,
  { data, valueDate }: CommandOf<DataOf<typeof disburseLoanFields>>,
  facts: { readonly calendar: Calendar; readonly capital?: Folded<DistrictFund> },
): Decided {
  const tried = disbursement(about, { ...data, valueDate, openDay: facts.calendar.open ?? valueDate });
  if (!tried.ok || about.state.status !== 'APPROVED' || facts.capital === undefined) return tried;
  const { programme, source, district, loan, borrower } = about.state.application;
  const { amount, voucher } = data;
  return commitCapital(
    facts.capital,
    {
      ...{ programme, source, district, amount, loan, borrower, voucher },
      ...{ purpose: 'DISBURSEMENT', toDistrict: null, decision: null },
    },
    valueDate,
  );
}

/** What a disbursement records on the loan, or why it cannot. */
export function disbursement(
  about: Folded<Loan>,
  part: {
    readonly amount: Dong;
    readonly voucher: string;
    readonly valueDate: LocalDate;
    readonly openDay: LocalDate;
  },
): Decided {
  const loan = about.state;
  const { amount, voucher, valueDate } = part;
  if (loan.status === 'NONE') return refuse('LOAN_UNKNOWN', 'loan');
  if (loan.status !== 'APPROVED') return refuse('LOAN_NOT_APPROVED', 'loan', { status: loan.status });
  const { book, approval, application } = loan;
  if (isSettled(loan, part.openDay)) return refuse('LOAN_SETTLED', 'loan');
  const earliest = [...book.parts, ...standing(book)].reduce((day, e) => laterOf(day, e.valueDate), approval.valueDate);
  if (valueDate < earliest) return refuseOrder(earliest);
  const due = dueOf(loan, valueDate);
  const last = due.at(-1)?.dueDate ?? valueDate;
  if (valueDate >= last) return refuse('VALUE_DATE_AFTER_LAST_DUE', 'valueDate', { last });
  const available = approval.amount - book.parts.reduce((sum, p) => sum + p.amount, 0);
  if (amount > available) return refuse('DISBURSEMENT_ABOVE_APPROVAL', 'amount', { available });
  if (book.parts.some((p) => p.voucher === voucher)) return refuse('VOUCHER_ALREADY_USED', 'voucher', { voucher });
  const installments = splitPart(amount, valueDate, due);
  const jobs = book.parts.length === 0 ? application.jobs : 0;
  return written(about, [{ type: 'LoanDisbursed', data: { amount, voucher, jobs, installments }, valueDate }]);
}

export function recordPayment(
  about: Folded<Loan>,
  { data, valueDate }: CommandOf<DataOf<typeof recordPaymentFields>>,
  { calendar }: { readonly calendar: Calendar },
): Decided {
  const loan = disbursedLoan(about.state);
  if (!loan.ok) return loan;
  const { book } = loan.value;
  const openDay = calendar.open ?? valueDate;
  const { amount, receipt, method } = data;
  if (hasReceipt(book.payments, receipt)) return refuse('RECEIPT_ALREADY_USED', 'receipt', { receipt });
  if (isSettled(loan.value, openDay)) return refuse('LOAN_SETTLED', 'loan');
  const earliest = book.parts.reduce((day, part) => laterOf(day, part.valueDate), loan.value.approval.valueDate);
  if (valueDate < earliest) return refuseOrder(earliest);
  const allocated = allocate(loan.value, { amount, method, valueDate, explicit: data.allocation });
  if (!allocated.ok) return allocated;
  const { allocation, shares: installments } = allocated.value;
  const paid = recorded(loan.value, {
    type: 'InstallmentPaid',
    data: { amount, receipt, method, allocation, installments },
    valueDate,
  });
  const settled = isSettled(paid.after as ApprovedLoan, openDay);
  return known(
    about,
    settled ? [paid, recorded(paid.after, { type: 'LoanSettled', data: {}, valueDate })] : [paid],
    valueDate < openDay ? prepaidBesideOverdue(paid.after, openDay) : [],
  );
}

/** Counts from the value date of the payment that it takes back (contract §1, Payments). */
export function reversePayment(
  about: Folded<Loan>,
  { data, valueDate }: CommandOf<DataOf<typeof reversePaymentFields>>,
  { calendar }: { readonly calendar: Calendar },
): Decided {
  const loan = disbursedLoan(about.state);
  if (!loan.ok) return loan;
  const openDay = calendar.open ?? valueDate;
  const { receipt, reason, decision } = data;
  const payment = paymentsOf(loan.value.book).find((p) => p.receipt === receipt);
  if (payment === undefined) return refuse('RECEIPT_UNKNOWN', 'receipt', { receipt });
  if (payment.reversed) return refuse('PAYMENT_ALREADY_REVERSED', 'receipt', { receipt });
  if (valueDate < payment.valueDate) return refuseOrder(payment.valueDate);
  const { amount, method, allocation, shares: installments, valueDate: paidOn } = payment;
  const reversed = recorded(loan.value, {
    type: 'PaymentReversed',
    data: { amount, receipt, method, allocation, installments, reason, decision },
    valueDate: paidOn,
  });
  const reopened = isSettled(loan.value, openDay) && !isSettled(reversed.after as ApprovedLoan, openDay);
  return known(
    about,
    reopened ? [reversed, recorded(reversed.after, { type: 'LoanReopened', data: {}, valueDate: paidOn })] : [reversed],
    prepaidBesideOverdue(reversed.after, openDay),
  );
}

/**
 * Records what a day's close found, by what was recorded before the close announced itself: it is not judged again,
 * and each portion is recorded once.
 */
export function markOverdue(about: Folded<Loan>, { data }: CommandOf<DataOf<typeof markOverdueFields>>): Decided {
  const loan = about.state;
  const recorded = loan.status === 'APPROVED' ? loan.recordedOverdue : new Set<number>();
  const found = data.portions.filter(({ installment }) => !recorded.has(installment));
  return written(
    about,
    found.map(({ installment, dueDate, amount, overdueFrom }) => ({
      type: 'LoanOverdue',
      data: { installment, dueDate, amount },
      valueDate: overdueFrom,
    })),
  );
}

// ------------------------------------------------------------------------------------------------------ helpers

/** An event without what is derived: dimensions, and what it changes. */
type Draft = LoanNew extends infer E
  ? E extends LoanNew
    ? {
        readonly type: E['type'];
        readonly data: Omit<E['data'], keyof Dimensions | 'ageing'> & Partial<Dimensions>;
        readonly valueDate: LocalDate;
      }
    : never
  : never;

/** An event, and the loan after it. */
interface Recorded {
  readonly event: NewEvent;
  readonly after: Loan;
}

/** A draft as an event: it says whose the loan is and what it changes, folded by `evolve` itself. */
function recorded(before: Loan, { type, data, valueDate }: Draft): Recorded {
  // What a draft lacks, evolve does not read: dimensions stand in the application.
  const after = evolve(before, { type, data, meta: { valueDate, causationId: '' } } as unknown as LoanEvent);
  const stretches = ageing(before, after, valueDate);
  return { event: { type, data: Object.assign(dimensionsOf(before), data, { ageing: stretches }), valueDate }, after };
}

function written(about: Folded<Loan>, drafts: readonly Draft[]): Decided {
  const events: NewEvent[] = [];
  let state = about.state;
  for (const draft of drafts) {
    const { event, after } = recorded(state, draft);
    events.push(event);
    state = after;
  }
  return decided(about.stream, ...events);
}

/** What was recorded, with the loan after it, so that nobody folds it again. */
function known({ stream }: Folded<Loan>, all: readonly Recorded[], warnings: readonly Warning[]): Decided {
  return ok({ step: { stream, events: all.map(({ event }) => event), state: all.at(-1)?.after }, warnings });
}

function dimensionsOf(loan: Loan): Dimensions | Record<string, never> {
  if (loan.status === 'NONE') return {};
  const { application: of } = loan;
  const { borrower, programme, source, district, commune, massOrganisation, group, borrowerClass } = of;
  return { loan: of.loan, borrower, programme, source, district, commune, massOrganisation, group, borrowerClass };
}

function disbursedLoan(loan: Loan): Result<ApprovedLoan, Refusal> {
  if (loan.status === 'NONE') return refuse('LOAN_UNKNOWN', 'loan');
  if (loan.status !== 'APPROVED' || loan.book.parts.length === 0) return refuse('LOAN_NOT_DISBURSED', 'loan');
  return ok(loan);
}

const refuseOrder = (earliest: LocalDate) => refuse('VALUE_DATE_ORDER', 'valueDate', { earliest });

const standing = (book: Book) => paymentsOf(book).filter((payment) => !payment.reversed);

/** The due days that a part is split over: those of the schedule, or of the one that this first part begins. */
function dueOf(loan: ApprovedLoan, valueDate: LocalDate): readonly Pick<Installment, 'number' | 'dueDate'>[] {
  if (loan.book.parts.length > 0) return loan.book.installments;
  const { termMonths, installmentEveryMonths } = loan.application;
  const { dueDayRoll } = loan.approval;
  return dueDates(valueDate, { termMonths, installmentEveryMonths, dueDayRoll }).map((dueDate, index) => ({
    number: index + 1,
    dueDate,
  }));
}

/** Decree 74/2019's two limits: a worker by the job, an establishment by its jobs and by the loan (domain §2). */
function refuseLimits(application: Application, amount: Dong, policy: Policy): { ok: false; error: Refusal } | null {
  const { borrowerKind, jobs, termMonths } = application;
  if (termMonths > policy.maxTermMonths) return refuse('LIMIT_TERM', 'loan', { limit: policy.maxTermMonths });
  const perJobs = BigInt(policy.maxPerJob) * BigInt(borrowerKind === 'WORKER' ? 1 : jobs);
  if (BigInt(amount) > perJobs) return refuse('LIMIT_PER_JOB', 'amount', { limit: perJobs.toString() });
  if (borrowerKind === 'ESTABLISHMENT' && amount > policy.maxPerLoan) {
    return refuse('LIMIT_PER_LOAN', 'amount', { limit: policy.maxPerLoan });
  }
  return null;
}

/** Payments whose money was taken as prepaid and stands beside an older portion that is overdue now. */
function prepaidBesideOverdue(loan: Loan, openDay: LocalDate): readonly Warning[] {
  if (loan.status !== 'APPROVED') return [];
  const oldest = loan.book.installments.find((i) => i.principal > i.paid && i.dueDate < openDay);
  if (oldest === undefined) return [];
  const receipts = standing(loan.book)
    .filter((p) => p.shares.some((s) => s.dueDate > p.valueDate && s.installment > oldest.number))
    .map((p) => p.receipt);
  return receipts.length === 0 ? [] : [{ code: 'PREPAID_BESIDE_OVERDUE', receipts }];
}

export type OverduePortion = Pick<LoanData<'LoanOverdue'>, 'installment' | 'dueDate'> & {
  readonly amount: ReturnType<typeof asDong>;
  readonly overdueFrom: LocalDate;
};
