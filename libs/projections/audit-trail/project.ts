import { traceparentOf } from '../../kernel/envelope.js';
import type { Change } from '../../read-store/port.js';
import { recordedDay } from '../cube.js';
import type { Projection, Stored } from '../projection.js';
import { collections, ENTRIES, VERSION } from './documents.js';
import { summaryOf } from './summary.js';

/** Nothing is ignored: an audit trail that leaves something out is none. */
export const auditTrail: Projection = {
  name: 'audit-trail',
  version: VERSION,
  collections,
  project: {
    LedgerOpened: keep,
    BusinessDayClosing: keep,
    BusinessDayClosed: keep,
    LateEntriesCounted: keep,
    ProgrammeOpened: keep,
    PolicyPublished: keep,
    TrancheFunded: keep,
    CapitalAllocated: keep,
    CapitalReallocated: keep,
    CapitalReceived: keep,
    CapitalCommitted: keep,
    CapitalReleased: keep,
    PrincipalReturned: keep,
    GroupRegistered: keep,
    BorrowerRegistered: keep,
    BorrowerReclassified: keep,
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

/** What the rows are told apart by, of whatever event has it. */
interface Named {
  readonly decision?: string | null;
  readonly receipt?: string | null;
  readonly voucher?: string | null;
  readonly loan?: string | null;
  readonly borrower?: string | null;
  readonly district?: string | null;
  readonly fromDistrict?: string | null;
  readonly toDistrict?: string | null;
}

function keep(event: Stored): readonly Change[] {
  // What no field of its name has, an event is not told apart by.
  const data = event.data as Named;
  const { recordedAt, bookingDate, valueDate, actor } = event.meta;
  const [first = null, second] = districtsOf(data);
  const fields = {
    recorded: recordedDay(event),
    recordedAt,
    bookingDate,
    valueDate,
    actor,
    type: event.type,
    stream: event.stream,
    decision: data.decision ?? null,
    receipt: data.receipt ?? null,
    voucher: data.voucher ?? null,
    loan: data.loan ?? null,
    borrower: data.borrower ?? null,
    district: first,
    summary: summaryOf(event),
    traceparent: traceparentOf(event),
  };
  const { position } = event;
  const row: Change = { op: 'put', collection: ENTRIES, key: { position, place: 0 }, fields };
  if (second === undefined) return [row];
  return [row, { ...row, key: { position, place: 1 }, fields: { ...fields, district: second } }];
}

function districtsOf({ district, fromDistrict, toDistrict }: Named): readonly string[] {
  const found: string[] = [];
  if (district) found.push(district);
  if (fromDistrict) found.push(fromDistrict);
  if (toDistrict) found.push(toDistrict);
  return found;
}
