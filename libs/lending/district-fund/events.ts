import type { EventTable, NewOf, StoredOf } from '../../kernel/decider.js';
import { amount, date, nullable, oneOf, reference, signedAmount } from '../../kernel/fields.js';
import { borrowerId, district, loanId, programmeId, sourceId } from '../vocabulary.js';

/* Storage format: change with care. A district's capital is kept per programme, district and source. */

const districtFund = { programme: programmeId(), source: sourceId(), district: district() };

export const PURPOSES = ['DISBURSEMENT', 'REALLOCATION'] as const;

/** What a commitment is for: all that the append after it needs, so that whoever finishes writes the same bytes. */
const commitment = {
  amount: amount(),
  purpose: oneOf(PURPOSES),
  loan: nullable(loanId()),
  borrower: nullable(borrowerId()),
  voucher: nullable(reference()),
  toDistrict: nullable(district()),
  decision: nullable(reference()),
};

export const returnPrincipalFields = {
  ...districtFund,
  businessDay: date(),
  /** Principal of payments booked on the day. */
  collected: signedAmount(),
  /** Principal of reversals booked on the day. */
  reversed: signedAmount(),
};

export const districtFundEvents = {
  CapitalReceived: {
    version: 1,
    summary: "Capital arrived in a district's fund, from the source or from another district.",
    fields: {
      ...districtFund,
      amount: amount(),
      fromDistrict: nullable(district()),
      decision: reference(),
    },
  },
  CapitalCommitted: {
    version: 1,
    summary: 'Capital is set aside for a disbursement or a reallocation under way.',
    fields: { ...districtFund, ...commitment },
  },
  CapitalReleased: {
    version: 1,
    summary: 'Capital that was set aside is free again: what it was for was refused in the end.',
    fields: { ...districtFund, ...commitment },
  },
  PrincipalReturned: {
    version: 1,
    summary: "The day's recovered principal came back to the district's fund (vốn quay vòng).",
    fields: {
      ...returnPrincipalFields,
      /** collected - reversed - what earlier closes left uncovered, but never taking the fund below zero. */
      returned: signedAmount(),
      /** What reversals leave for the next closes to take. */
      uncovered: signedAmount(),
    },
  },
} as const satisfies EventTable;

export type DistrictFundStored = StoredOf<typeof districtFundEvents>;
export type DistrictFundNew = NewOf<typeof districtFundEvents>;
export type CapitalCommitted = Extract<DistrictFundStored, { type: 'CapitalCommitted' }>;
