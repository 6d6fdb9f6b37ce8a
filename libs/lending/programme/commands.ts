import { type CommandOf, command, decided, type Folded } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/fields.js';
import { refuse } from '../refusals.js';
import { programmeStream } from '../vocabulary.js';
import { programmeFields } from './events.js';
import type { Programme } from './state.js';

type OpenProgramme = DataOf<typeof programmeFields>;

export const programmeCommands = [
  command({
    name: 'open-programme',
    summary: "Opens a programme with its plan's number, years and yearly targets.",
    fields: programmeFields,
    public: true,
    dated: true,
    about: ({ programme }: OpenProgramme) => programmeStream(programme),
    reads: () => ({}),
    writes: () => [],
    decide: openProgramme,
  }),
];

function openProgramme(about: Folded<Programme>, { data, valueDate }: CommandOf<OpenProgramme>) {
  if (about.state.opened) return refuse('PROGRAMME_EXISTS', 'programme');
  if (data.from > data.to) return refuse('PERIOD_INVALID', 'to');
  const years = data.targets.map(({ year }) => year);
  const twice = years.findIndex((year, index) => years.indexOf(year) !== index);
  if (twice >= 0) return refuse('YEAR_TWICE', `targets[${twice}].year`);
  return decided(about.stream, { type: 'ProgrammeOpened', data, valueDate });
}
