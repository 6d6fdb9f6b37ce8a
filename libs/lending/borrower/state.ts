import type { Aggregate } from '../../kernel/decider.js';
import { unreachable } from '../../kernel/result.js';
import type { BorrowerStored } from './events.js';

/** null until registered. */
export type Borrower = Extract<BorrowerStored, { type: 'BorrowerRegistered' }>['data'] | null;

export const borrower: Aggregate<Borrower> = {
  category: 'borrower',
  initial: null,
  evolve: (state, stored) => {
    const event = stored as BorrowerStored;
    switch (event.type) {
      case 'BorrowerRegistered':
        return event.data;
      case 'BorrowerReclassified':
        return state && { ...state, borrowerClass: event.data.borrowerClass };
      default:
        return unreachable(event);
    }
  },
};
