import fc from 'fast-check';
import { addDays, daysBetween, type LocalDate } from '../../kernel/dates.js';
import type { LoanStored } from '../../lending/loan/events.js';
import type { Loan } from '../../lending/loan/state.js';
import { loanOn } from '../../lending/loan/view.js';
import { day, lend, loanState, setUp, type TestLedger, testLedger } from './ledger.js';

/* For specs: random histories of loans through lending's own decisions: late, partial, backdated, reversed, in parts. */

export interface Step {
  readonly kind: 'wait' | 'pay' | 'interest' | 'prepay' | 'settle' | 'part' | 'reverse' | 'late entry';
  /** Which loan, how much, and when, each from 0 to below 1. */
  readonly loan: number;
  readonly share: number;
  readonly when: number;
}

const KINDS = [
  ...(['wait', 'wait', 'wait', 'pay', 'pay', 'pay', 'interest'] as const),
  ...(['prepay', 'settle', 'part', 'reverse', 'late entry'] as const),
];

const fraction = fc.integer({ min: 0, max: 999 }).map((n) => n / 1000);

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  loan: fraction,
  share: fraction,
  when: fraction,
} as const);

export interface Plan {
  readonly loans: number;
  readonly first: LocalDate;
  readonly termMonths: number;
  readonly every: number;
  readonly dueDayRoll: string;
  readonly arrearsOrder: string;
  readonly steps: readonly Step[];
}

export const plans = (options: { readonly loans: number; readonly steps: number }): fc.Arbitrary<Plan> =>
  fc.record({
    loans: fc.constant(options.loans),
    first: fc.constantFrom('2021-07-15', '2021-12-31', '2023-08-31', '2024-02-29').map(day),
    termMonths: fc.integer({ min: 1, max: 12 }),
    every: fc.constantFrom(1, 2, 3, 6),
    dueDayRoll: fc.constantFrom('NONE', 'FOLLOWING'),
    arrearsOrder: fc.constantFrom('INTEREST_FIRST', 'PRINCIPAL_FIRST'),
    steps: fc.array(step, { minLength: 4, maxLength: options.steps, size: 'max' }),
  });

const AMOUNT = 10_000_000;
const PLACES = [
  { district: '001', massOrganisation: 'WOMEN', borrowerClass: 'POOR' },
  { district: '250', massOrganisation: 'FARMERS', borrowerClass: 'POOR' },
  { district: '250', massOrganisation: 'WOMEN', borrowerClass: 'OTHER' },
] as const;

/** The ledger that a plan leads to. Refusals are part of it: they leave nothing. */
export function play(plan: Plan): TestLedger {
  const ledger = testLedger(plan.first);
  for (let n = 0; n < plan.loans; n++) {
    const [programme, borrower] = [`P${n}`, `B${n}`];
    setUp(ledger, { programme, borrower, ...PLACES[n % PLACES.length], ...plan });
    const of = { amount: AMOUNT, termMonths: plan.termMonths, every: plan.every, borrower, programme };
    lend(ledger, plan.first, `L${n}`, of, false);
  }
  let receipts = 0;
  for (const [index, step] of plan.steps.entries()) {
    const loan = `L${Math.floor(step.loan * plan.loans)}`;
    if (index < plan.loans) disburse(ledger, `L${index}`, { ...step, share: 0.4 + step.share / 2 }, index);
    else receipts = take(ledger, loan, step, { index, receipts });
  }
  return ledger;
}

function take(ledger: TestLedger, loan: string, step: Step, at: { index: number; receipts: number }): number {
  const receipt = `R-${at.receipts}`;
  switch (step.kind) {
    case 'wait':
      ledger.openUntil(addDays(ledger.open, 1 + Math.floor(step.share ** 2 * 90)));
      return at.receipts;
    case 'late entry':
      // The clock runs on while the day stays open.
      ledger.clock = addDays(ledger.clock, 1 + Math.floor(step.share * 5));
      return at.receipts;
    case 'part':
      disburse(ledger, loan, step, at.index);
      return at.receipts;
    case 'reverse': {
      const valueDate = ledger.open;
      const which = `R-${Math.floor(step.share * at.receipts)}`;
      ledger.send('reverse-payment', valueDate, { loan, receipt: which, reason: 'sai số tiền', decision: 'QD-9' });
      return at.receipts;
    }
    default:
      pay(ledger, loan, receipt, step);
      return at.receipts + 1;
  }
}

function disburse(ledger: TestLedger, loan: string, step: Step, index: number): void {
  const amount = 1 + Math.floor(step.share * AMOUNT);
  ledger.send('disburse-loan', backdated(ledger, step), { loan, amount, voucher: `V-${index}` });
}

function pay(ledger: TestLedger, loan: string, receipt: string, step: Step): void {
  const state = loanState(ledger, loan) as Loan;
  if (state.status !== 'APPROVED') return;
  const valueDate = backdated(ledger, step);
  const rest = state.book.installments.filter(({ principal, paid }) => principal > paid);
  const [next] = rest;
  if (next === undefined) return;
  const unpaid = next.principal - next.paid;
  if (step.kind === 'prepay') {
    const principalPrepaid = 1 + Math.floor(step.share * unpaid);
    const sent = { loan, receipt, amount: principalPrepaid, method: 'CASH', allocation: { principalPrepaid } };
    ledger.send('record-payment', valueDate, sent);
    return;
  }
  if (step.kind === 'settle') {
    const on = loanOn(state, ledger.open);
    const amount = (on?.outstanding ?? 0) + Math.max(0, Number(on?.interest.due ?? 0));
    ledger.send('record-payment', valueDate, { loan, receipt, amount, method: 'TRANSFER' });
    return;
  }
  const most = step.kind === 'interest' ? 20_000 : step.share > 0.9 ? 3 * unpaid : unpaid + 30_000;
  const amount = 1 + Math.floor(step.share * most);
  ledger.send('record-payment', valueDate, { loan, receipt, amount, method: 'CASH' });
}

/** Mostly the open day, now and then one of the days before it. */
function backdated(ledger: TestLedger, step: Step): LocalDate {
  if (step.when < 0.6) return ledger.open;
  const first = ledger.events[0]?.meta.valueDate ?? ledger.open;
  const back = Math.floor((step.when - 0.6) * 2.5 * Math.min(60, daysBetween(first, ledger.open) + 1));
  return addDays(ledger.open, -back);
}

/** Days on which figures change, and days between. */
export function asOfDays(ledger: TestLedger): readonly LocalDate[] {
  const days = new Set<LocalDate>();
  for (const event of ledger.events as readonly LoanStored[]) {
    for (const n of [-1, 0, 1]) days.add(addDays(event.meta.valueDate, n));
    if (event.type !== 'LoanDisbursed') continue;
    for (const { dueDate } of event.data.installments) {
      for (const n of [-1, 0, 1, 30, 31, 90, 91]) days.add(addDays(dueDate, n));
    }
  }
  return [...days].sort();
}

export const recordedDays = (ledger: TestLedger): readonly LocalDate[] =>
  [...new Set(ledger.events.map(({ meta }) => day(meta.recordedAt.slice(0, 10))))].sort();
