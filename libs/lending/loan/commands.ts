import { command } from '../../kernel/decider.js';
import {
  amount,
  type DataOf,
  date,
  integer,
  list,
  oneOf,
  optional,
  record,
  reference,
  words,
} from '../../kernel/fields.js';
import { PAYMENT_METHODS } from '../codes.js';
import {
  borrowerId,
  borrowerStream,
  districtFundStream,
  loanId,
  loanStream,
  policyStream,
  programmeId,
  programmeStream,
  sourceId,
} from '../vocabulary.js';
import {
  applyForLoan,
  approveLoan,
  disburseLoan,
  markOverdue,
  recordPayment,
  rejectLoan,
  reversePayment,
} from './decisions.js';
import { INSTALLMENTS_MAX } from './events.js';
import type { Loan } from './state.js';

export const applyForLoanFields = {
  loan: loanId(),
  borrower: borrowerId(),
  programme: programmeId(),
  source: sourceId(),
  amount: amount(),
  termMonths: integer(1, INSTALLMENTS_MAX),
  installmentEveryMonths: integer(1, 120),
  jobs: integer(1, 10_000),
  purpose: words(),
};
export const approveLoanFields = { loan: loanId(), amount: amount(), decision: reference() };
export const rejectLoanFields = { loan: loanId(), reason: words(), decision: reference() };
export const disburseLoanFields = { loan: loanId(), amount: amount(), voucher: reference() };
export const recordPaymentFields = {
  loan: loanId(),
  amount: amount(),
  receipt: reference(),
  method: oneOf(PAYMENT_METHODS),
  /** Left out: the default order. */
  allocation: optional(
    record({
      interestInTerm: optional(amount(0)),
      interestOverdue: optional(amount(0)),
      principalOverdue: optional(amount(0)),
      principalDue: optional(amount(0)),
      principalPrepaid: optional(amount(0)),
    }),
  ),
};
export const reversePaymentFields = { loan: loanId(), receipt: reference(), reason: words(), decision: reference() };
export const markOverdueFields = {
  loan: loanId(),
  portions: list(
    record({
      installment: integer(1, INSTALLMENTS_MAX),
      dueDate: date(),
      amount: amount(),
      /** The day from which it counts as overdue: the one after the due day. */
      overdueFrom: date(),
    }),
    INSTALLMENTS_MAX,
  ),
};

const about = ({ loan }: { readonly loan: string }) => loanStream(loan);
const none = () => ({});
const nowhere = () => [];

const capitalOf = (loan: Loan): string[] => (loan.status === 'APPROVED' ? [districtFundStream(loan.application)] : []);

export const loanCommands = [
  command({
    name: 'apply-for-loan',
    summary: "Applies for a loan; the borrower's dimensions are recorded with it.",
    fields: applyForLoanFields,
    public: true,
    dated: true,
    about,
    // Stale: the class before a reclassification that is being recorded at the same moment.
    reads: ({ programme, borrower }: DataOf<typeof applyForLoanFields>) => ({
      programme: programmeStream(programme),
      borrower: borrowerStream(borrower),
    }),
    writes: nowhere,
    decide: applyForLoan,
  }),
  command({
    name: 'approve-loan',
    summary: 'Approves an application, in whole or in part, on the terms of the policy in force.',
    fields: approveLoanFields,
    public: true,
    dated: true,
    about,
    // Stale: the terms before a policy that is being published at the same moment; the event names the revision.
    reads: (_: DataOf<typeof approveLoanFields>, loan: Loan): Record<string, string> =>
      loan.status === 'APPLIED' ? { policy: policyStream(loan.application.programme) } : {},
    writes: nowhere,
    decide: approveLoan,
  }),
  command({
    name: 'reject-loan',
    summary: 'Rejects an application.',
    fields: rejectLoanFields,
    public: true,
    dated: true,
    about,
    reads: none,
    writes: nowhere,
    decide: rejectLoan,
  }),
  command({
    name: 'disburse-loan',
    summary: "Pays out a loan or a part of it, from the district's idle capital.",
    fields: disburseLoanFields,
    public: true,
    dated: true,
    about,
    // Stale: nothing, the commitment's append is guarded by the district fund's own revision.
    reads: (_: DataOf<typeof disburseLoanFields>, loan: Loan): Record<string, string> => {
      const [capital] = capitalOf(loan);
      return capital === undefined ? {} : { capital };
    },
    writes: (_, loan) => capitalOf(loan),
    decide: disburseLoan,
  }),
  command({
    name: 'record-payment',
    summary: 'Records a payment; interest due, then principal due, then prepayment, unless allocated otherwise.',
    fields: recordPaymentFields,
    public: true,
    dated: true,
    about,
    reads: none,
    writes: nowhere,
    decide: recordPayment,
  }),
  command({
    name: 'reverse-payment',
    summary: 'Takes a payment back as of its own value date; the receipt number stays used.',
    fields: reversePaymentFields,
    public: true,
    dated: true,
    about,
    reads: none,
    writes: nowhere,
    decide: reversePayment,
  }),
  command({
    name: 'mark-overdue',
    summary: "Records the portions of a loan that a day's close found unpaid.",
    fields: markOverdueFields,
    public: false,
    dated: false,
    about,
    reads: none,
    writes: nowhere,
    decide: markOverdue,
  }),
];
