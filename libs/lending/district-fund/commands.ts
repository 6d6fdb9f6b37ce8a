import { type CommandOf, command, type Folded } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/fields.js';
import { reallocateCapitalFields } from '../fund/events.js';
import type { Fund } from '../fund/state.js';
import { refuse } from '../refusals.js';
import { districtFundStream, fundStream } from '../vocabulary.js';
import { commitCapital, returnPrincipal } from './decisions.js';
import { returnPrincipalFields } from './events.js';
import type { DistrictFund } from './state.js';

type ReallocateCapital = DataOf<typeof reallocateCapitalFields>;

const fromFund = ({ programme, source, fromDistrict }: ReallocateCapital) =>
  districtFundStream({ programme, source, district: fromDistrict });
const toFund = ({ programme, source, toDistrict }: ReallocateCapital) =>
  districtFundStream({ programme, source, district: toDistrict });

export const districtFundCommands = [
  command({
    name: 'reallocate-capital',
    summary: "Moves capital from one district's fund to another's.",
    fields: reallocateCapitalFields,
    public: true,
    dated: true,
    about: fundStream,
    // Stale: the commitment's own append is guarded by the district fund's revision, so it is decided again.
    reads: (data: ReallocateCapital) => ({ from: fromFund(data) }),
    writes: (data: ReallocateCapital) => [fromFund(data), toFund(data)],
    decide: reallocateCapital,
  }),
  command({
    name: 'return-principal',
    summary: "Brings a day's recovered principal back to a district's fund.",
    fields: returnPrincipalFields,
    public: false,
    dated: false,
    about: districtFundStream,
    reads: () => ({}),
    writes: () => [],
    decide: returnPrincipal,
  }),
];

interface Facts {
  readonly from: Folded<DistrictFund>;
}

// The district's fund commits first; a process then records the reallocation on the fund (design §3, two streams).
function reallocateCapital(about: Folded<Fund>, { data, valueDate }: CommandOf<ReallocateCapital>, facts: Facts) {
  if (about.revision < 0) return refuse('FUND_UNKNOWN', 'source');
  const { programme, source, fromDistrict, toDistrict, amount, decision } = data;
  if (fromDistrict === toDistrict) return refuse('DISTRICTS_ALIKE', 'toDistrict');
  return commitCapital(
    facts.from,
    {
      ...{ programme, source, district: fromDistrict, amount, decision, toDistrict },
      ...{ purpose: 'REALLOCATION', loan: null, borrower: null, voucher: null },
    },
    valueDate,
  );
}
