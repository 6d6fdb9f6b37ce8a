import type { Instant, LocalDate } from '../../kernel/dates.js';
import { type DataOf, date, optional } from '../../kernel/fields.js';
import { loanOn } from '../../lending/loan/view.js';
import { loanId } from '../../lending/vocabulary.js';
import type { ReadView } from '../../read-store/port.js';
import type { AsOf, Query } from '../projection.js';
import { type Kept, knownLoan } from './known.js';

const parameters = {
  loan: loanId(),
  /** The first value date of the lines; what came before it is the opening balance. */
  from: optional(date()),
};

/** One entry of the loan's account of principal. */
export interface StatementLine {
  readonly valueDate: LocalDate;
  readonly bookingDate: LocalDate;
  readonly recordedAt: Instant;
  readonly position: string;
  readonly type: 'LoanDisbursed' | 'InstallmentPaid' | 'PaymentReversed';
  readonly voucher: string | null;
  readonly receipt: string | null;
  /** Of the voucher or the receipt, always above zero. */
  readonly amount: number;
  /** What the entry adds to the balance: below zero for a payment. */
  readonly principal: number;
  /** Interest in the entry, with the sign of its principal: below zero for a payment, above for a reversal. */
  readonly interest: number;
  readonly balance: number;
}

export interface Statement {
  readonly loan: string;
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate;
  readonly from: LocalDate | null;
  readonly opening: number;
  readonly lines: readonly StatementLine[];
  readonly closing: number;
}

export const statementQuery: Query<typeof parameters, Statement> = {
  name: 'statement',
  summary: "One loan's account: opening balance, entries with running balance, closing balance.",
  model: 'loan',
  parameters,
  missing: 'LOAN_NOT_KNOWN',
  rows: 'lines',
  run,
};

async function run(view: ReadView, { loan: id, from }: DataOf<typeof parameters>, at: AsOf): Promise<Statement | null> {
  const { loan, events } = await knownLoan(view, id, at.knownOn);
  if (loanOn(loan, at.asOf) === null) return null;
  const entries = events
    .filter((event): event is Entry => event.type in SIGNS && event.meta.valueDate <= at.asOf)
    // By value date, then as recorded: the sort keeps the order of what is equal.
    .sort((a, b) => (a.meta.valueDate < b.meta.valueDate ? -1 : a.meta.valueDate > b.meta.valueDate ? 1 : 0));
  let [opening, balance] = [0, 0];
  const lines: StatementLine[] = [];
  for (const entry of entries) {
    const line = lineOf(entry, balance);
    balance = line.balance;
    if (from !== null && line.valueDate < from) opening = balance;
    else lines.push(line);
  }
  return { loan: id, asOf: at.asOf, knownOn: at.knownOn ?? at.today, from, opening, lines, closing: balance };
}

const SIGNS = { LoanDisbursed: 1, InstallmentPaid: -1, PaymentReversed: 1 } as const;

type Entry = Extract<Kept, { type: keyof typeof SIGNS }>;

function lineOf({ type, position, data, meta }: Entry, before: number): StatementLine {
  const sign = SIGNS[type];
  const interest = 'allocation' in data ? data.allocation.interestInTerm + data.allocation.interestOverdue : 0;
  const principal = data.amount === interest ? 0 : sign * (data.amount - interest);
  return {
    valueDate: meta.valueDate,
    bookingDate: meta.bookingDate,
    recordedAt: meta.recordedAt,
    position,
    type,
    voucher: 'voucher' in data ? data.voucher : null,
    receipt: 'receipt' in data ? data.receipt : null,
    amount: data.amount,
    principal,
    // No -0, which JSON would not show and a comparison would.
    interest: interest === 0 ? 0 : sign * interest,
    balance: before + principal,
  };
}
