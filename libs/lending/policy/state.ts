import type { LocalDate } from '../../kernel/dates.js';
import type { Aggregate } from '../../kernel/decider.js';
import type { PolicyStored } from './events.js';

export type Policy = PolicyStored['data'] & { readonly revision: number };

/** All policies of a programme, in the order in which they were published. */
export interface Policies {
  readonly published: readonly Policy[];
}

export const policies: Aggregate<Policies> = {
  category: 'policy',
  initial: { published: [] },
  evolve: ({ published }, stored) => {
    const { data, revision } = stored as PolicyStored;
    return { published: [...published, { ...data, revision }] };
  },
};

/**
 * The policy in force on a day: the most specific (source and class, source, class, neither), then the latest
 * effective date, then the last published (contract §1, Policy and limits).
 */
export function policyInForce(
  { published }: Policies,
  on: LocalDate,
  of: { readonly source: string; readonly borrowerClass: string },
): Policy | undefined {
  let best: Policy | undefined;
  for (const policy of published) {
    const applies =
      policy.effectiveFrom <= on &&
      (policy.source === null || policy.source === of.source) &&
      (policy.borrowerClass === null || policy.borrowerClass === of.borrowerClass);
    if (applies && (best === undefined || !precedes(policy, best))) best = policy;
  }
  return best;
}

// A later publication wins a tie: callers go through the list in the order of publication.
function precedes(a: Policy, b: Policy): boolean {
  return specificity(a) !== specificity(b) ? specificity(a) < specificity(b) : a.effectiveFrom < b.effectiveFrom;
}

const specificity = ({ source, borrowerClass }: Policy): number =>
  (source === null ? 0 : 2) + (borrowerClass === null ? 0 : 1);
