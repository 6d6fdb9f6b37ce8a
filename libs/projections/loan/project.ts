import type { LoanStored } from '../../lending/loan/events.js';
import type { Change } from '../../read-store/port.js';
import { recordedDay } from '../cube.js';
import type { Projection } from '../projection.js';
import { collections, EVENTS, VERSION } from './documents.js';

export const loan: Projection = {
  name: 'loan',
  version: VERSION,
  collections,
  project: {
    LedgerOpened: 'ignored',
    BusinessDayClosing: 'ignored',
    BusinessDayClosed: 'ignored',
    LateEntriesCounted: 'ignored',
    ProgrammeOpened: 'ignored',
    PolicyPublished: 'ignored',
    TrancheFunded: 'ignored',
    CapitalAllocated: 'ignored',
    CapitalReallocated: 'ignored',
    CapitalReceived: 'ignored',
    CapitalCommitted: 'ignored',
    CapitalReleased: 'ignored',
    PrincipalReturned: 'ignored',
    GroupRegistered: 'ignored',
    BorrowerRegistered: 'ignored',
    BorrowerReclassified: 'ignored',
    LoanApplied: keep,
    LoanApproved: keep,
    LoanRejected: keep,
    LoanDisbursed: keep,
    InstallmentPaid: keep,
    PaymentReversed: keep,
    LoanSettled: keep,
    LoanReopened: keep,
    LoanOverdue: keep,
  },
};

function keep(event: LoanStored): readonly Change[] {
  const { type, version, revision, position, data } = event;
  const { valueDate, bookingDate, recordedAt, causationId } = event.meta;
  return [
    {
      op: 'put',
      collection: EVENTS,
      key: { loan: data.loan, revision },
      fields: {
        position,
        type,
        version,
        data,
        recorded: recordedDay(event),
        meta: { valueDate, bookingDate, recordedAt, causationId },
      },
    },
  ];
}
