import { type CommandOf, command, decided, type Folded } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/fields.js';
import { SUM_MAX } from '../../kernel/money.js';
import type { Programme } from '../programme/state.js';
import { refuse } from '../refusals.js';
import { districtFundStream, fundStream, programmeStream } from '../vocabulary.js';
import { allocateCapitalFields, fundTrancheFields } from './events.js';
import type { Fund } from './state.js';

type FundTranche = DataOf<typeof fundTrancheFields>;
type AllocateCapital = DataOf<typeof allocateCapitalFields>;

export const fundCommands = [
  command({
    name: 'fund-tranche',
    summary: 'Adds a tranche to a funding source; the first one brings the source into being.',
    fields: fundTrancheFields,
    public: true,
    dated: true,
    about: fundStream,
    // Stale: never wrong, a programme that was opened stays so.
    reads: ({ programme }: FundTranche) => ({ programme: programmeStream(programme) }),
    writes: () => [],
    decide: fundTranche,
  }),
  command({
    name: 'allocate-capital',
    summary: "Moves capital from a source to a district's fund.",
    fields: allocateCapitalFields,
    public: true,
    dated: true,
    about: fundStream,
    reads: () => ({}),
    writes: (data: AllocateCapital) => [districtFundStream(data)],
    decide: allocateCapital,
  }),
];

interface Facts {
  readonly programme: Folded<Programme>;
}

function fundTranche(about: Folded<Fund>, { data, valueDate }: CommandOf<FundTranche>, facts: Facts) {
  if (!facts.programme.state.opened) return refuse('PROGRAMME_UNKNOWN', 'programme');
  const available = SUM_MAX - about.state.funded;
  if (data.amount > available) return refuse('SUM_TOO_LARGE', 'amount', { available, max: SUM_MAX });
  return decided(about.stream, { type: 'TrancheFunded', data, valueDate });
}

function allocateCapital(about: Folded<Fund>, { data, valueDate }: CommandOf<AllocateCapital>) {
  if (about.revision < 0) return refuse('FUND_UNKNOWN', 'source');
  const { unallocated: available } = about.state;
  if (data.amount > available) return refuse('CAPITAL_NOT_FUNDED', 'amount', { available });
  return decided(about.stream, { type: 'CapitalAllocated', data, valueDate });
}
