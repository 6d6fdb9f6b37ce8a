import type { EventTable, StoredOf } from '../../kernel/decider.js';
import { amount, reference } from '../../kernel/fields.js';
import { district, programmeId, sourceId } from '../vocabulary.js';

/* Storage format: change with care. Funding and allocation are kept per programme and source. */

const fund = { programme: programmeId(), source: sourceId() };

export const fundTrancheFields = { ...fund, amount: amount(), decision: reference() };
export const allocateCapitalFields = { ...fund, district: district(), amount: amount(), decision: reference() };
export const reallocateCapitalFields = {
  ...fund,
  fromDistrict: district(),
  toDistrict: district(),
  amount: amount(),
  decision: reference(),
};

export const fundEvents = {
  TrancheFunded: {
    version: 1,
    summary: 'A tranche (đợt cấp vốn) was added to a funding source.',
    fields: fundTrancheFields,
  },
  CapitalAllocated: {
    version: 1,
    summary: "Capital left the fund for a district; the district's fund receives it next.",
    fields: allocateCapitalFields,
  },
  CapitalReallocated: {
    version: 1,
    summary: "Capital that a district's fund set aside goes to another district, whose fund receives it next.",
    fields: reallocateCapitalFields,
  },
} as const satisfies EventTable;

export type FundStored = StoredOf<typeof fundEvents>;
