import { type Amount, addExact } from '../../kernel/money.js';
import type { LoanStored } from '../../lending/loan/events.js';

/*
 * What must hold inside one event of a loan, whatever stands around it. A rule that does not hold is recorded and never
 * thrown: the sums go on, and the health page names the event.
 */

export interface Rule {
  readonly rule: 'allocation-adds-up' | 'shares-add-up' | 'ageing-adds-up';
  readonly left: Amount;
  readonly right: Amount;
}

export function brokenRules(event: LoanStored): readonly Rule[] {
  return rulesOf(event).filter(({ left, right }) => left !== right);
}

function rulesOf(event: LoanStored): readonly Rule[] {
  const ageing = agedBy(event);
  switch (event.type) {
    case 'LoanDisbursed': {
      const { amount, installments } = event.data;
      return [
        { rule: 'shares-add-up', left: sum(installments.map((share) => share.principal)), right: amount },
        { rule: 'ageing-adds-up', left: ageing, right: amount },
      ];
    }
    case 'InstallmentPaid':
    case 'PaymentReversed': {
      const { amount, allocation, installments } = event.data;
      const principal = principalOf(event);
      return [
        { rule: 'allocation-adds-up', left: sum(Object.values(allocation)), right: amount },
        { rule: 'shares-add-up', left: sum(installments.map((share) => share.principal)), right: principal },
        {
          rule: 'ageing-adds-up',
          left: ageing,
          right: event.type === 'PaymentReversed' ? principal : negated(principal),
        },
      ];
    }
    default:
      return [{ rule: 'ageing-adds-up', left: ageing, right: 0 }];
  }
}

/** Principal that the allocation names, not the shares. */
export function principalOf(event: Extract<LoanStored, { type: 'InstallmentPaid' | 'PaymentReversed' }>): Amount {
  const { principalOverdue, principalDue, principalPrepaid } = event.data.allocation;
  return sum([principalOverdue, principalDue, principalPrepaid]);
}

/** What the event adds to outstanding for good, as the loan's own before and after say it. */
export function agedBy({ data }: LoanStored): Amount {
  const last = data.ageing.at(-1);
  return last === undefined || last.to !== null ? 0 : last.after.outstanding - last.before.outstanding;
}

export const negated = (amount: Amount): Amount => addExact(0, typeof amount === 'bigint' ? -amount : 0 - amount);

const sum = (amounts: readonly number[]): Amount => amounts.reduce<Amount>(addExact, 0);
