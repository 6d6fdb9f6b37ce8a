import { asDong } from '../../kernel/money.js';
import type { DistrictFundStored } from '../../lending/district-fund/events.js';
import type { FundStored } from '../../lending/fund/events.js';
import type { LoanStored } from '../../lending/loan/events.js';
import type { Change } from '../../read-store/port.js';
import { cell, recordedDay } from '../cube.js';
import type { Projection } from '../projection.js';
import { rollUpOf } from '../roll-up.js';
import {
  BALANCES,
  type BookedMeasure,
  CLOSES,
  collections,
  type Measure,
  type SOURCE_MEASURES,
  SOURCES,
  VERSION,
} from './documents.js';

export const districtBalances: Projection = {
  name: 'district-balances',
  version: VERSION,
  collections,
  rollUp: rollUpOf([BALANCES, SOURCES]),
  project: {
    LedgerOpened: 'ignored',
    BusinessDayClosing: 'ignored',
    BusinessDayClosed: (event) => [
      {
        op: 'put',
        collection: CLOSES,
        key: { day: event.data.date },
        fields: { recorded: recordedDay(event), position: event.position },
      },
    ],
    LateEntriesCounted: 'ignored',
    ProgrammeOpened: 'ignored',
    PolicyPublished: 'ignored',
    TrancheFunded: (event) => source(event, { funded: event.data.amount }),
    CapitalAllocated: (event) => [...source(event, { sent: event.data.amount }), ...sent(event, event.data)],
    CapitalReallocated: (event) => {
      const { programme, source, amount } = event.data;
      const from = { programme, source, district: event.data.fromDistrict };
      const to = { programme, source, district: event.data.toDistrict };
      const taken = { entries: 1, allocated: -amount, committed: -amount };
      return [...entry(event, from, taken, { bookedCommitted: -amount }), ...sent(event, { ...to, amount })];
    },
    CapitalReceived: (event) => {
      const { amount } = event.data;
      const received = { entries: 1, allocated: amount, inTransit: -amount, fundBalance: amount };
      return entry(event, event.data, received, { bookedSent: -amount });
    },
    CapitalCommitted: (event) => setAside(event, event.data.amount),
    CapitalReleased: (event) => setAside(event, 0 - event.data.amount),
    PrincipalReturned: (event) => {
      const { collected, reversed, returned } = event.data;
      const deltas = { entries: 1, principalReturned: returned, fundBalance: returned };
      return entry(event, event.data, deltas, { bookedCollected: reversed - collected });
    },
    GroupRegistered: 'ignored',
    BorrowerRegistered: 'ignored',
    BorrowerReclassified: 'ignored',
    LoanApplied: 'ignored',
    LoanApproved: 'ignored',
    LoanRejected: 'ignored',
    LoanDisbursed: (event) => {
      const { amount } = event.data;
      const lent = { entries: 1, committed: -amount, disbursed: amount };
      return entry(event, event.data, lent, { bookedCommitted: -amount });
    },
    InstallmentPaid: (event) => collected(event, 1),
    PaymentReversed: (event) => collected(event, -1),
    LoanSettled: 'ignored',
    LoanReopened: 'ignored',
    LoanOverdue: 'ignored',
  },
};

function collected(
  event: Extract<LoanStored, { type: 'InstallmentPaid' | 'PaymentReversed' }>,
  sign: 1 | -1,
): readonly Change[] {
  const { principalOverdue, principalDue, principalPrepaid } = event.data.allocation;
  const principal = sign * asDong(principalOverdue + principalDue + principalPrepaid);
  if (principal === 0) return [];
  return entry(event, event.data, { entries: 1, principalCollected: principal }, { bookedCollected: principal });
}

const setAside = (event: Extract<DistrictFundStored, { type: 'CapitalCommitted' | 'CapitalReleased' }>, by: number) =>
  entry(event, event.data, { entries: 1, committed: by, fundBalance: 0 - by }, { bookedCommitted: by });

/** On its way until the district's fund has received it: no entry of that fund yet. */
const sent = (event: FundStored, { amount, ...to }: FundOf & { readonly amount: number }) =>
  entry(event, to, { inTransit: amount }, { bookedSent: amount });

interface FundOf {
  readonly programme: string;
  readonly source: string;
  readonly district: string;
}

function entry(
  event: LoanStored | DistrictFundStored | FundStored,
  of: FundOf,
  deltas: { readonly [M in Measure]?: number },
  booked: { readonly [M in BookedMeasure]?: number },
): readonly Change[] {
  const { valueDate, bookingDate } = event.meta;
  const recorded = recordedDay(event);
  // Most entries count from the day on which they are booked: one cell for both.
  if (valueDate === bookingDate) return [cell(BALANCES, of, valueDate, recorded, { ...deltas, ...booked })];
  return [cell(BALANCES, of, valueDate, recorded, deltas), cell(BALANCES, of, bookingDate, recorded, booked)];
}

const source = (event: FundStored, deltas: { readonly [M in (typeof SOURCE_MEASURES)[number]]?: number }) => [
  cell(SOURCES, event.data, event.meta.valueDate, recordedDay(event), deltas),
];
