import type { Aggregate } from '../../kernel/decider.js';
import { add, type Dong, subtract, ZERO } from '../../kernel/money.js';
import { unreachable } from '../../kernel/result.js';
import type { FundStored } from './events.js';

export interface Fund {
  readonly funded: Dong;
  /** Funded and in no district yet. Never below zero. */
  readonly unallocated: Dong;
  /** The commitments whose capital was reallocated: what a reallocation that was interrupted is told by. */
  readonly reallocated: ReadonlySet<string>;
}

export const fund: Aggregate<Fund> = {
  category: 'fund',
  initial: { funded: ZERO, unallocated: ZERO, reallocated: new Set() },
  evolve: (state, stored) => {
    const event = stored as FundStored;
    switch (event.type) {
      case 'TrancheFunded':
        return {
          ...state,
          funded: add(state.funded, event.data.amount),
          unallocated: add(state.unallocated, event.data.amount),
        };
      case 'CapitalAllocated':
        return { ...state, unallocated: subtract(state.unallocated, event.data.amount) };
      case 'CapitalReallocated':
        return { ...state, reallocated: new Set([...state.reallocated, event.meta.causationId]) };
      default:
        return unreachable(event);
    }
  },
};
