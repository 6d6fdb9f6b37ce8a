import { asDong } from '../../kernel/money.js';
import type { LoanStored } from '../../lending/loan/events.js';
import type { Change } from '../../read-store/port.js';
import { addTo, type Deltas, recordedDay } from '../cube.js';
import type { Projection } from '../projection.js';
import { BALANCES, collections, type Measure, VERSION } from './documents.js';

export const districtBalances: Projection = {
  name: 'district-balances',
  version: VERSION,
  collections,
  project: {
    LedgerOpened: 'ignored',
    BusinessDayClosing: 'ignored',
    BusinessDayClosed: 'ignored',
    ProgrammeOpened: 'ignored',
    PolicyPublished: 'ignored',
    TrancheFunded: 'ignored',
    // On its way until the district's fund has received it.
    CapitalAllocated: 'ignored',
    CapitalReallocated: (event) => {
      const { fromDistrict: district, programme, source, amount } = event.data;
      return entry(event, { programme, source, district }, { allocated: -amount, committed: -amount });
    },
    CapitalReceived: (event) => entry(event, event.data, { allocated: event.data.amount }),
    CapitalCommitted: (event) => entry(event, event.data, { committed: event.data.amount }),
    CapitalReleased: (event) => entry(event, event.data, { committed: -event.data.amount }),
    PrincipalReturned: (event) => entry(event, event.data, { principalReturned: event.data.returned }),
    GroupRegistered: 'ignored',
    BorrowerRegistered: 'ignored',
    BorrowerReclassified: 'ignored',
    LoanApplied: 'ignored',
    LoanApproved: 'ignored',
    LoanRejected: 'ignored',
    LoanDisbursed: (event) => entry(event, event.data, { committed: -event.data.amount, disbursed: event.data.amount }),
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
  const principal = asDong(principalOverdue + principalDue + principalPrepaid);
  return principal === 0 ? [] : entry(event, event.data, { principalCollected: sign * principal });
}

function entry(
  event: Parameters<typeof recordedDay>[0] & { readonly meta: { readonly valueDate: LoanStored['meta']['valueDate'] } },
  of: { readonly programme: string; readonly source: string; readonly district: string },
  deltas: { readonly [M in Measure]?: number },
): readonly Change[] {
  const changes: Change[] = [];
  const days = { value: event.meta.valueDate, recorded: recordedDay(event) };
  addTo(changes, CUBES, of, days, { entries: 1, ...deltas } satisfies Deltas);
  return changes;
}

const CUBES = [BALANCES];
