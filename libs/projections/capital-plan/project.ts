import type { LocalDate } from '../../kernel/dates.js';
import { asDong } from '../../kernel/money.js';
import type { LoanStored } from '../../lending/loan/events.js';
import type { Change } from '../../read-store/port.js';
import { cell, recordedDay } from '../cube.js';
import type { Projection } from '../projection.js';
import { rollUpOf } from '../roll-up.js';
import { collections, FLOWS, type Measure, PROGRAMMES, VERSION } from './documents.js';

export const capitalPlan: Projection = {
  name: 'capital-plan',
  version: VERSION,
  collections,
  rollUp: rollUpOf([FLOWS]),
  project: {
    LedgerOpened: 'ignored',
    BusinessDayClosing: 'ignored',
    BusinessDayClosed: 'ignored',
    LateEntriesCounted: 'ignored',
    ProgrammeOpened: (event) => [
      {
        op: 'put',
        collection: PROGRAMMES,
        key: { programme: event.data.programme },
        fields: { recorded: recordedDay(event), valueDate: event.meta.valueDate, targets: event.data.targets },
      },
    ],
    PolicyPublished: 'ignored',
    TrancheFunded: (event) => flow(event, { funded: event.data.amount }),
    CapitalAllocated: (event) => flow(event, { allocated: event.data.amount }),
    // Allocated takes no notice of what moves between districts (contract §2).
    CapitalReallocated: 'ignored',
    CapitalReceived: 'ignored',
    CapitalCommitted: 'ignored',
    CapitalReleased: 'ignored',
    PrincipalReturned: 'ignored',
    GroupRegistered: 'ignored',
    BorrowerRegistered: 'ignored',
    BorrowerReclassified: 'ignored',
    LoanApplied: 'ignored',
    LoanApproved: 'ignored',
    LoanRejected: 'ignored',
    LoanDisbursed: (event) => flow(event, { disbursed: event.data.amount, jobs: event.data.jobs }),
    InstallmentPaid: (event) => recovered(event, 1),
    PaymentReversed: (event) => recovered(event, -1),
    LoanSettled: 'ignored',
    LoanReopened: 'ignored',
    LoanOverdue: 'ignored',
  },
};

function recovered(
  event: Extract<LoanStored, { type: 'InstallmentPaid' | 'PaymentReversed' }>,
  sign: 1 | -1,
): readonly Change[] {
  const { principalOverdue, principalDue, principalPrepaid } = event.data.allocation;
  const principal = asDong(principalOverdue + principalDue + principalPrepaid);
  return principal === 0 ? [] : flow(event, { recovered: sign * principal });
}

type Dated = Parameters<typeof recordedDay>[0] & {
  readonly data: { readonly programme: string };
  readonly meta: { readonly valueDate: LocalDate };
};

function flow(event: Dated, deltas: { readonly [M in Measure]?: number }): readonly Change[] {
  const { funded = 0, allocated = 0, disbursed = 0, recovered = 0, jobs = 0 } = deltas;
  // One shape for all: they are added to one another measure by measure.
  const measures = { funded, allocated, disbursed, recovered, jobs };
  return [cell(FLOWS, event.data, event.meta.valueDate, recordedDay(event), measures)];
}
