import type { LocalDate } from '../../kernel/dates.js';
import type { Refusal } from '../../kernel/decider.js';
import { asDong, type Dong, narrow, subtract, ZERO } from '../../kernel/money.js';
import { ok, type Result } from '../../kernel/result.js';
import type { PaymentMethod } from '../codes.js';
import { refuse } from '../refusals.js';
import type { Installment } from './book.js';
import type { Allocation, Share } from './events.js';
import { interestDue } from './interest.js';
import type { ApprovedLoan } from './state.js';

/** What a payment is taken for, and the principal by the instalment that it pays. */
export interface Allocated {
  readonly allocation: Allocation;
  readonly shares: readonly Share[];
}

export interface PaymentRequest {
  readonly amount: Dong;
  readonly method: PaymentMethod;
  readonly valueDate: LocalDate;
  /** null: by the default order. A missing field is null and counts 0. */
  readonly explicit: { readonly [K in keyof Allocation]: Dong | null } | null;
}

type Component = keyof Allocation;

const COMPONENTS = [
  'interestInTerm',
  'interestOverdue',
  'principalOverdue',
  'principalDue',
  'principalPrepaid',
] as const satisfies readonly Component[];

/** For a loan with an overdue portion whose policy says so (contract §1, Payments). */
const PRINCIPAL_FIRST = [
  'principalOverdue',
  'principalDue',
  'interestInTerm',
  'interestOverdue',
  'principalPrepaid',
] as const satisfies readonly Component[];

/** Allocates a payment by the default order or as the caller says, within what is unpaid on its value date. */
export function allocate(loan: ApprovedLoan, request: PaymentRequest): Result<Allocated, Refusal> {
  const unpaid = unpaidUnder(loan, request.valueDate);
  const payable = COMPONENTS.reduce((sum, component) => sum + unpaid[component], 0n);
  if (BigInt(request.amount) > payable) {
    return refuse('PAYMENT_ABOVE_DUE', 'amount', { payable: payable.toString() });
  }
  const allocated =
    request.explicit === null
      ? ok(inOrder(loan, request.amount, unpaid))
      : asTheCallerSays(request.amount, request.explicit, unpaid);
  if (!allocated.ok) return allocated;
  const allocation = allocated.value;
  const principal = allocation.principalOverdue + allocation.principalDue + allocation.principalPrepaid;
  if (request.method === 'GROUP_LEADER' && principal > 0) {
    const interest = unpaid.interestInTerm + unpaid.interestOverdue;
    return refuse('GROUP_LEADER_PRINCIPAL', 'method', { payable: interest.toString() });
  }
  return ok({ allocation, shares: sharesOf(loan.book.installments, allocation, request.valueDate) });
}

/**
 * What is unpaid under each component on a value date: interest accrued to it less all interest received, and the
 * instalments by the rest that no recorded payment has paid; overdue, due or prepaid is judged on the value date.
 */
function unpaidUnder(loan: ApprovedLoan, on: LocalDate): Record<Component, bigint> {
  const due = interestDue(loan, on);
  const unpaid = {
    interestInTerm: due.inTerm > 0n ? due.inTerm : 0n,
    interestOverdue: due.overdue > 0n ? due.overdue : 0n,
    principalOverdue: 0n,
    principalDue: 0n,
    principalPrepaid: 0n,
  };
  for (const installment of loan.book.installments) {
    unpaid[classOf(installment, on)] += BigInt(installment.principal - installment.paid);
  }
  return unpaid;
}

function classOf({ dueDate }: Installment, on: LocalDate): 'principalOverdue' | 'principalDue' | 'principalPrepaid' {
  return dueDate < on ? 'principalOverdue' : dueDate === on ? 'principalDue' : 'principalPrepaid';
}

function inOrder(loan: ApprovedLoan, amount: Dong, unpaid: Record<Component, bigint>): Allocation {
  const principalFirst = loan.approval.arrearsOrder === 'PRINCIPAL_FIRST' && unpaid.principalOverdue > 0n;
  const allocation = {
    interestInTerm: ZERO,
    interestOverdue: ZERO,
    principalOverdue: ZERO,
    principalDue: ZERO,
    principalPrepaid: ZERO,
  };
  let rest = amount;
  for (const component of principalFirst ? PRINCIPAL_FIRST : COMPONENTS) {
    const taken = BigInt(rest) < unpaid[component] ? rest : asDong(Number(narrow(unpaid[component])));
    allocation[component] = taken;
    rest = subtract(rest, taken);
  }
  return allocation;
}

function asTheCallerSays(
  amount: Dong,
  explicit: NonNullable<PaymentRequest['explicit']>,
  unpaid: Record<Component, bigint>,
): Result<Allocation, Refusal> {
  const of = (component: Component): Dong => explicit[component] ?? ZERO;
  const sum = COMPONENTS.reduce((total, component) => total + BigInt(of(component)), 0n);
  if (sum !== BigInt(amount)) return refuse('ALLOCATION_SUM', 'allocation', { amount, sum: sum.toString() });
  for (const component of COMPONENTS) {
    if (BigInt(of(component)) > unpaid[component]) {
      const left = unpaid[component].toString();
      return refuse('ALLOCATION_ABOVE_UNPAID', `allocation.${component}`, { component, unpaid: left });
    }
  }
  return ok({
    interestInTerm: of('interestInTerm'),
    interestOverdue: of('interestOverdue'),
    principalOverdue: of('principalOverdue'),
    principalDue: of('principalDue'),
    principalPrepaid: of('principalPrepaid'),
  });
}

// Oldest instalment first within each component.
function sharesOf(installments: readonly Installment[], allocation: Allocation, on: LocalDate): readonly Share[] {
  const left = {
    principalOverdue: allocation.principalOverdue,
    principalDue: allocation.principalDue,
    principalPrepaid: allocation.principalPrepaid,
  };
  const shares: Share[] = [];
  for (const installment of installments) {
    const component = classOf(installment, on);
    const principal = asDong(Math.min(left[component], installment.principal - installment.paid));
    if (principal === 0) continue;
    left[component] = subtract(left[component], principal);
    shares.push({ installment: installment.number, dueDate: installment.dueDate, principal });
  }
  return shares;
}
