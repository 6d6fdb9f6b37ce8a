import type { EventTable, NewOf, StoredOf } from '../../kernel/decider.js';
import { amount, date, integer, list, nullable, oneOf, record, reference, words } from '../../kernel/fields.js';
import { BORROWER_KINDS, PAYMENT_METHODS } from '../codes.js';
import { termsFields } from '../policy/events.js';
import {
  borrowerClass,
  borrowerId,
  commune,
  district,
  groupId,
  loanId,
  massOrganisation,
  programmeId,
  sourceId,
} from '../vocabulary.js';

/* Storage format: change with care. */

export const INSTALLMENTS_MAX = 600;

/** Recorded with the application, and never changed: no projection looks anything up. */
export const dimensionFields = {
  programme: programmeId(),
  source: sourceId(),
  district: district(),
  commune: commune(),
  massOrganisation: massOrganisation(),
  group: nullable(groupId()),
  borrowerClass: borrowerClass(),
};

const position = () => record({ outstanding: amount(0), oldestUnpaidDueDate: nullable(date()) });

/** The loan on the days from `from` to before `to` (null: for good), as it was known and as it is now. */
export const stretch = () => record({ from: date(), to: nullable(date()), before: position(), after: position() });

/** Every event of a loan says whose it is, its dimensions, and what it changes (see ageing.ts). */
const ofLoan = {
  loan: loanId(),
  borrower: borrowerId(),
  ...dimensionFields,
  ageing: list(stretch(), 10_000),
};

const share = () => record({ installment: integer(1, INSTALLMENTS_MAX), dueDate: date(), principal: amount(0) });
const shares = () => list(share(), INSTALLMENTS_MAX);

/** What a payment is taken for, in the order in which the default takes it. */
export const allocationFields = {
  interestInTerm: amount(0),
  interestOverdue: amount(0),
  principalOverdue: amount(0),
  principalDue: amount(0),
  principalPrepaid: amount(0),
};

const payment = {
  amount: amount(),
  receipt: reference(),
  method: oneOf(PAYMENT_METHODS),
  allocation: record(allocationFields),
  /** The principal by the instalment that it paid. */
  installments: shares(),
};

export const loanEvents = {
  LoanApplied: {
    version: 1,
    summary: "An application, with the borrower's dimensions as they are recorded then.",
    fields: {
      ...ofLoan,
      borrowerKind: oneOf(BORROWER_KINDS),
      amount: amount(),
      termMonths: integer(1, INSTALLMENTS_MAX),
      installmentEveryMonths: integer(1, 120),
      jobs: integer(1, 10_000),
      purpose: words(),
    },
  },
  LoanApproved: {
    version: 1,
    summary: 'Approval, with the terms of the policy in force on its value date: they are fixed from here on.',
    fields: {
      ...ofLoan,
      amount: amount(),
      decision: reference(),
      ...termsFields,
      policyRevision: integer(0, Number.MAX_SAFE_INTEGER),
    },
  },
  LoanRejected: {
    version: 1,
    summary: 'The application was rejected.',
    fields: { ...ofLoan, reason: words(), decision: reference() },
  },
  LoanDisbursed: {
    version: 1,
    summary: "One part of the loan was paid out; the first part fixes the schedule's days.",
    fields: {
      ...ofLoan,
      amount: amount(),
      voucher: reference(),
      /** With the first part; 0 after. */
      jobs: integer(0, 10_000),
      /** This part's shares. */
      installments: shares(),
    },
  },
  InstallmentPaid: {
    version: 1,
    summary: 'A payment, with what it was taken for.',
    fields: { ...ofLoan, ...payment },
  },
  PaymentReversed: {
    version: 1,
    summary: 'A payment is taken back as of its own value date; amounts are as in the payment, positive.',
    fields: { ...ofLoan, ...payment, reason: words(), decision: reference() },
  },
  LoanSettled: {
    version: 1,
    summary: 'Nothing is outstanding and no interest is due any more.',
    fields: ofLoan,
  },
  LoanReopened: {
    version: 1,
    summary: 'A reversal opened a settled loan again.',
    fields: ofLoan,
  },
  LoanOverdue: {
    version: 1,
    summary: 'The close of a day found a portion unpaid; its value date is the day after the due day.',
    fields: {
      ...ofLoan,
      installment: integer(1, INSTALLMENTS_MAX),
      dueDate: date(),
      amount: amount(),
    },
  },
} as const satisfies EventTable;

export type LoanStored = StoredOf<typeof loanEvents>;
export type LoanNew = NewOf<typeof loanEvents>;
export type LoanData<Type extends LoanStored['type']> = Extract<LoanStored, { type: Type }>['data'];
export type Share = LoanData<'LoanDisbursed'>['installments'][number];
export type Allocation = LoanData<'InstallmentPaid'>['allocation'];
export type Stretch = LoanData<'LoanApplied'>['ageing'][number];
export type Position = Stretch['before'];
