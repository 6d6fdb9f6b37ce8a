import type { EventTable, NewOf, StoredOf } from '../../kernel/decider.js';
import { date, flag, integer, list, oneOf, record, reference, signedAmount } from '../../kernel/fields.js';

/* Storage format: change with care. A published version is never changed, only followed by another. */

/** The version of the whole file's conventions: envelope, seals, names of streams. */
export const FORMAT_VERSION = 1;

const control = () => record({ count: integer(0, Number.MAX_SAFE_INTEGER), amount: signedAmount() });

/** The control totals of a day: entries booked on it, and what its close found and moved. */
export const totals = () =>
  record({
    disbursements: control(),
    payments: control(),
    reversals: control(),
    /** Of payments booked on the day. */
    principalCollected: signedAmount(),
    /** Of reversals booked on the day. */
    principalReversed: signedAmount(),
    /** What the close moved back to the district funds. */
    principalReturned: signedAmount(),
    /** Portions that the close recorded as overdue. */
    overdue: control(),
  });

/** The most late entries that one close counts; what is left waits for the next one. */
export const LATE_ENTRIES_MAX = 2_000;

/** An entry that landed behind the close of the day that it is booked on, and where it stands. */
export const lateEntry = () =>
  record({
    stream: reference(200),
    revision: integer(0, Number.MAX_SAFE_INTEGER),
    control: oneOf(['disbursements', 'payments', 'reversals'] as const),
    amount: signedAmount(),
    principal: signedAmount(),
  });

export const businessDayEvents = {
  LedgerOpened: {
    version: 1,
    summary: 'The first entry of a ledger, written before its first command.',
    fields: { firstBusinessDay: date(), simulated: flag(), formatVersion: integer(1, 1_000_000) },
  },
  BusinessDayClosing: {
    version: 1,
    summary: 'A close announced itself: from here on the open day is the next one.',
    fields: { date: date(), through: date() },
  },
  BusinessDayClosed: {
    version: 1,
    summary: 'A day is closed: its overdue portions and returned principal are recorded.',
    fields: { date: date(), totals: totals() },
  },
  LateEntriesCounted: {
    version: 1,
    summary: 'Entries that landed in a day when its close had counted it: they are counted in the day that closes now.',
    /** `date` is the day that they are booked on, `countedOn` the one whose control totals hold them. */
    fields: { date: date(), countedOn: date(), entries: list(lateEntry(), LATE_ENTRIES_MAX) },
  },
} as const satisfies EventTable;

export type BusinessDayStored = StoredOf<typeof businessDayEvents>;
export type BusinessDayNew = NewOf<typeof businessDayEvents>;
