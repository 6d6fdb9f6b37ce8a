import type { Aggregate } from '../../kernel/decider.js';

export interface Programme {
  readonly opened: boolean;
}

export const programme: Aggregate<Programme> = {
  category: 'programme',
  initial: { opened: false },
  evolve: () => ({ opened: true }),
};
