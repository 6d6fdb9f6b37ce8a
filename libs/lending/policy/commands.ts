import { type CommandOf, command, decided, type Folded } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/fields.js';
import type { Programme } from '../programme/state.js';
import { refuse } from '../refusals.js';
import { policyStream, programmeStream } from '../vocabulary.js';
import { publishPolicyFields } from './events.js';
import type { Policies } from './state.js';

type PublishPolicy = DataOf<typeof publishPolicyFields>;

export const policyCommands = [
  command({
    name: 'publish-policy',
    summary: 'Publishes rates and limits for a programme, or one source or class of it, from a day on.',
    fields: publishPolicyFields,
    public: true,
    dated: true,
    about: ({ programme }: PublishPolicy) => policyStream(programme),
    // Stale: never wrong, a programme that was opened stays so.
    reads: ({ programme }) => ({ programme: programmeStream(programme) }),
    writes: () => [],
    decide: publishPolicy,
  }),
];

interface Facts {
  readonly programme: Folded<Programme>;
}

function publishPolicy(about: Folded<Policies>, { data, valueDate }: CommandOf<PublishPolicy>, facts: Facts) {
  if (!facts.programme.state.opened) return refuse('PROGRAMME_UNKNOWN', 'programme');
  return decided(about.stream, { type: 'PolicyPublished', data, valueDate });
}
