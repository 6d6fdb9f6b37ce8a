import { type CommandOf, command, decided, type Folded } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/fields.js';
import type { Group } from '../group/state.js';
import { refuse } from '../refusals.js';
import { borrowerStream, groupStream } from '../vocabulary.js';
import { reclassifyBorrowerFields, registerBorrowerFields } from './events.js';
import type { Borrower } from './state.js';

type RegisterBorrower = DataOf<typeof registerBorrowerFields>;
type ReclassifyBorrower = DataOf<typeof reclassifyBorrowerFields>;

const about = ({ borrower }: { readonly borrower: string }) => borrowerStream(borrower);

export const borrowerCommands = [
  command({
    name: 'register-borrower',
    summary: 'Registers a borrower with class, place and group.',
    fields: registerBorrowerFields,
    public: true,
    dated: true,
    about,
    // Stale: never wrong, a group keeps the place and the mass organisation that it was registered with.
    reads: ({ group }: RegisterBorrower): Record<string, string> =>
      group === null ? {} : { group: groupStream(group) },
    writes: () => [],
    decide: registerBorrower,
  }),
  command({
    name: 'reclassify-borrower',
    summary: "Changes a borrower's class for later applications.",
    fields: reclassifyBorrowerFields,
    public: true,
    dated: true,
    about,
    reads: () => ({}),
    writes: () => [],
    decide: reclassifyBorrower,
  }),
];

interface Facts {
  readonly group?: Folded<Group>;
}

function registerBorrower(about: Folded<Borrower>, { data, valueDate }: CommandOf<RegisterBorrower>, facts: Facts) {
  if (about.state !== null) return refuse('BORROWER_EXISTS', 'borrower');
  const group = facts.group?.state ?? null;
  if (data.group !== null && group === null) return refuse('GROUP_UNKNOWN', 'group');
  // A borrower's district is that of the group (contract §1, Dimensions).
  if (group !== null && group.district !== data.district) {
    return refuse('DISTRICT_NOT_OF_GROUP', 'district', { district: group.district });
  }
  const massOrganisation = group?.massOrganisation ?? 'NONE';
  return decided(about.stream, { type: 'BorrowerRegistered', data: { ...data, massOrganisation }, valueDate });
}

function reclassifyBorrower(about: Folded<Borrower>, { data, valueDate }: CommandOf<ReclassifyBorrower>) {
  if (about.state === null) return refuse('BORROWER_UNKNOWN', 'borrower');
  const { district, borrowerClass: previousClass } = about.state;
  return decided(about.stream, {
    type: 'BorrowerReclassified',
    data: { ...data, district, previousClass },
    valueDate,
  });
}
