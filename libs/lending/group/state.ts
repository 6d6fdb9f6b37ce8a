import type { Aggregate } from '../../kernel/decider.js';
import type { GroupStored } from './events.js';

/** null until it is registered. */
export type Group = GroupStored['data'] | null;

export const group: Aggregate<Group> = {
  category: 'group',
  initial: null,
  evolve: (_, stored) => (stored as GroupStored).data,
};
