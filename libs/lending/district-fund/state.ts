import type { Aggregate } from '../../kernel/decider.js';
import { add, type Dong, subtract, ZERO } from '../../kernel/money.js';
import { unreachable } from '../../kernel/result.js';
import type { DistrictFundStored } from './events.js';

export interface DistrictFund {
  /** What may be committed now. Never below zero. */
  readonly available: Dong;
  /** What reversals took back that the fund did not have yet: the next closes take it. */
  readonly uncovered: Dong;
  /** Ids of the fund's events whose capital arrived here. */
  readonly received: ReadonlySet<string>;
  /** Ids of the commitments that were released. */
  readonly released: ReadonlySet<string>;
}

export const districtFund: Aggregate<DistrictFund> = {
  category: 'districtFund',
  initial: { available: ZERO, uncovered: ZERO, received: new Set(), released: new Set() },
  evolve: (state, stored) => {
    const event = stored as DistrictFundStored;
    const { causationId } = event.meta;
    switch (event.type) {
      case 'CapitalReceived':
        return {
          ...state,
          available: add(state.available, event.data.amount),
          received: new Set([...state.received, causationId]),
        };
      case 'CapitalCommitted':
        return { ...state, available: subtract(state.available, event.data.amount) };
      case 'CapitalReleased':
        return {
          ...state,
          available: add(state.available, event.data.amount),
          released: new Set([...state.released, causationId]),
        };
      case 'PrincipalReturned':
        return {
          ...state,
          available: add(state.available, event.data.returned),
          uncovered: event.data.uncovered,
        };
      default:
        return unreachable(event);
    }
  },
};
