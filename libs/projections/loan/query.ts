import type { LocalDate } from '../../kernel/dates.js';
import type { DataOf } from '../../kernel/fields.js';
import { amountJson } from '../../kernel/money.js';
import type { Allocation } from '../../lending/loan/events.js';
import type { Dimensions, Loan, LoanFlag } from '../../lending/loan/state.js';
import { applicationOf, type LoanOnADay, type LoanStatus, loanOn } from '../../lending/loan/view.js';
import { loanId } from '../../lending/vocabulary.js';
import type { ReadView } from '../../read-store/port.js';
import type { AsOf, Query } from '../projection.js';
import { knownLoan } from './known.js';

const parameters = { loan: loanId() };

type Money = number | string;

export interface LoanAnswer extends Dimensions {
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate;
  readonly status: LoanStatus;
  /** The second axis: empty until a command of a later version sets one. */
  readonly flags: readonly LoanFlag[];
  readonly outstanding: Money;
  readonly inTerm: Money;
  readonly overdue: Money;
  readonly daysPastDue: number;
  readonly interest: {
    readonly accruedInTerm: Money;
    readonly accruedOverdue: Money;
    readonly paid: Money;
    readonly due: Money;
  };
  readonly installments: LoanOnADay['installments'];
  readonly disbursements: readonly {
    readonly valueDate: LocalDate;
    readonly amount: Money;
    readonly voucher: string;
  }[];
  readonly payments: readonly {
    readonly receipt: string;
    readonly valueDate: LocalDate;
    readonly amount: Money;
    readonly method: string;
    readonly allocation: Allocation;
    readonly reversed: boolean;
  }[];
  /** As applied for. */
  readonly application: {
    readonly valueDate: LocalDate;
    readonly amount: Money;
    readonly termMonths: number;
    readonly installmentEveryMonths: number;
    readonly jobs: number;
    readonly purpose: string;
  };
  /** As approved: null until then. */
  readonly terms: {
    readonly valueDate: LocalDate;
    readonly amount: Money;
    readonly decision: string;
    readonly annualRate: string;
    readonly overdueFactor: string;
    readonly arrearsOrder: string;
    readonly dueDayRoll: string;
    readonly policyRevision: number;
  } | null;
  readonly revision: number;
}

export const loanQuery: Query<typeof parameters, LoanAnswer> = {
  name: 'loan',
  summary: 'One loan: its schedule, payments, arrears and interest, as of a day and as known on a day.',
  model: 'loan',
  parameters,
  missing: 'LOAN_NOT_KNOWN',
  run,
};

async function run(view: ReadView, { loan: id }: DataOf<typeof parameters>, at: AsOf): Promise<LoanAnswer | null> {
  const { loan, revision } = await knownLoan(view, id, at.knownOn);
  const [onADay, application] = [loanOn(loan, at.asOf), applicationOf(loan)];
  if (onADay === null || application === null) return null;
  const { programme, source, district, commune, massOrganisation, group, borrower, borrowerClass } = application;
  const { valueDate, amount, termMonths, installmentEveryMonths, jobs, purpose } = application;
  const { interest } = onADay;
  return {
    loan: application.loan,
    asOf: at.asOf,
    knownOn: at.knownOn ?? at.today,
    status: onADay.status,
    flags: onADay.flags,
    outstanding: onADay.outstanding,
    inTerm: onADay.inTerm,
    overdue: onADay.overdue,
    daysPastDue: onADay.daysPastDue,
    interest: {
      accruedInTerm: amountJson(interest.accruedInTerm),
      accruedOverdue: amountJson(interest.accruedOverdue),
      paid: amountJson(interest.paid),
      due: amountJson(interest.due),
    },
    installments: onADay.installments,
    disbursements: onADay.disbursements.map((part) => ({
      ...{ valueDate: part.valueDate, amount: part.amount, voucher: part.voucher },
    })),
    payments: onADay.payments.map((payment) => ({
      ...{ receipt: payment.receipt, valueDate: payment.valueDate, amount: payment.amount, method: payment.method },
      ...{ allocation: payment.allocation, reversed: payment.reversed },
    })),
    ...{ borrower, programme, source, district, commune, massOrganisation, group, borrowerClass },
    application: { valueDate, amount, termMonths, installmentEveryMonths, jobs, purpose },
    terms: termsOf(loan, at.asOf),
    revision,
  };
}

function termsOf(loan: Loan, asOf: LocalDate): LoanAnswer['terms'] {
  if (loan.status !== 'APPROVED' || loan.approval.valueDate > asOf) return null;
  const { valueDate, amount, decision, annualRate, overdueFactor, arrearsOrder, dueDayRoll, policyRevision } =
    loan.approval;
  return { valueDate, amount, decision, annualRate, overdueFactor, arrearsOrder, dueDayRoll, policyRevision };
}
