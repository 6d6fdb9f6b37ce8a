import { type Amount, addExact } from '../../kernel/money.js';
import type { LoanStored, Share } from '../../lending/loan/events.js';

/*
 * What must hold inside one event of a loan, whatever stands around it. A rule that does not hold is recorded and never
 * thrown: the sums go on, and the health page names the event.
 */

export interface Rule {
  readonly rule: 'allocation-adds-up' | 'shares-add-up' | 'ageing-adds-up';
  readonly left: Amount;
  readonly right: Amount;
}

/** Those that do not hold. Almost every event keeps all: nothing is made for what holds. */
export function brokenRules(event: LoanStored): readonly Rule[] {
  const broken: Rule[] = [];
  const holds = (rule: Rule['rule'], left: Amount, right: Amount) => {
    if (left !== right) broken.push({ rule, left, right });
  };
  const ageing = agedBy(event);
  switch (event.type) {
    case 'LoanDisbursed':
      holds('shares-add-up', sharesOf(event.data), event.data.amount);
      holds('ageing-adds-up', ageing, event.data.amount);
      break;
    case 'InstallmentPaid':
    case 'PaymentReversed': {
      const { interestInTerm, interestOverdue } = event.data.allocation;
      const principal = principalOf(event);
      holds('allocation-adds-up', addExact(addExact(interestInTerm, interestOverdue), principal), event.data.amount);
      holds('shares-add-up', sharesOf(event.data), principal);
      holds('ageing-adds-up', ageing, event.type === 'PaymentReversed' ? principal : negated(principal));
      break;
    }
    default:
      holds('ageing-adds-up', ageing, 0);
  }
  return broken;
}

/** Principal that the allocation names, not the shares. */
export function principalOf(event: Extract<LoanStored, { type: 'InstallmentPaid' | 'PaymentReversed' }>): Amount {
  const { principalOverdue, principalDue, principalPrepaid } = event.data.allocation;
  return addExact(addExact(principalOverdue, principalDue), principalPrepaid);
}

/** What the event adds to outstanding for good, as the loan's own before and after say it. */
export function agedBy({ data }: LoanStored): Amount {
  const last = data.ageing.at(-1);
  return last === undefined || last.to !== null ? 0 : last.after.outstanding - last.before.outstanding;
}

export const negated = (amount: Amount): Amount => addExact(0, typeof amount === 'bigint' ? -amount : 0 - amount);

function sharesOf({ installments }: { readonly installments: readonly Share[] }): Amount {
  let sum: Amount = 0;
  for (const { principal } of installments) sum = addExact(sum, principal);
  return sum;
}
