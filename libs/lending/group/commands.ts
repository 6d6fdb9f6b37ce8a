import { type CommandOf, command, decided, type Folded } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/fields.js';
import { refuse } from '../refusals.js';
import { groupStream } from '../vocabulary.js';
import { groupFields } from './events.js';
import type { Group } from './state.js';

type RegisterGroup = DataOf<typeof groupFields>;

export const groupCommands = [
  command({
    name: 'register-group',
    summary: 'Registers a savings-and-credit group with its place and mass organisation.',
    fields: groupFields,
    public: true,
    dated: true,
    about: ({ group }: RegisterGroup) => groupStream(group),
    reads: () => ({}),
    writes: () => [],
    decide: registerGroup,
  }),
];

function registerGroup(about: Folded<Group>, { data, valueDate }: CommandOf<RegisterGroup>) {
  if (about.state !== null) return refuse('GROUP_EXISTS', 'group');
  return decided(about.stream, { type: 'GroupRegistered', data, valueDate });
}
