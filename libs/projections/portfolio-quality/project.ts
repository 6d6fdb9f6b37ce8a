import { addDays, type LocalDate, laterOf } from '../../kernel/dates.js';
import type { LoanStored, Position, Stretch } from '../../lending/loan/events.js';
import type { Change } from '../../read-store/port.js';
import { addPoints, addTo, type Points, post, recordedDay } from '../cube.js';
import type { Projection } from '../projection.js';
import { collections, LATE, type Measure, PROGRAMMES, QUALITY, RECOVERED, VERSION } from './documents.js';

/*
 * Arrears grow by time passing, with no event: so what time will do is posted ahead, and what prevents it takes it back
 * (design §6, ageing without a clock). Everything is keyed by the event's own recorded day, so a figure as known on a
 * day has exactly what the events up to it have posted.
 */

export const portfolioQuality: Projection = {
  name: 'portfolio-quality',
  version: VERSION,
  collections,
  project: {
    LedgerOpened: 'ignored',
    BusinessDayClosing: 'ignored',
    BusinessDayClosed: 'ignored',
    ProgrammeOpened: (event) => [
      {
        op: 'put',
        collection: PROGRAMMES,
        key: { programme: event.data.programme },
        fields: { recorded: recordedDay(event), targets: event.data.targets },
      },
    ],
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
    LoanApplied: 'ignored',
    LoanApproved: 'ignored',
    LoanRejected: 'ignored',
    LoanDisbursed: disbursed,
    InstallmentPaid: (event) => received(event, 1),
    PaymentReversed: (event) => received(event, -1),
    LoanSettled: 'ignored',
    LoanReopened: 'ignored',
    // It records what a close found; the figures follow from the schedule and what was paid.
    LoanOverdue: 'ignored',
  },
};

/** Each instalment falls due on its day and is overdue from the day after, until a payment prevents it. */
function disbursed(event: Extract<LoanStored, { type: 'LoanDisbursed' }>): readonly Change[] {
  const { data, meta } = event;
  const points: Points = new Map();
  add(points, meta.valueDate, 'parts', 1);
  for (const { dueDate, principal } of data.installments) {
    add(points, dueDate, 'fellDue', principal);
    add(points, dayAfter(dueDate, 1), 'overdue', principal);
  }
  age(points, data.ageing);
  const changes: Change[] = [];
  addPoints(changes, QUALITY, data, points, recordedDay(event));
  return changes;
}

/** A payment (sign 1) takes back what it prevents; a reversal (sign -1) puts it back, on the payment's own days. */
function received(
  event: Extract<LoanStored, { type: 'InstallmentPaid' | 'PaymentReversed' }>,
  sign: 1 | -1,
): readonly Change[] {
  const { data, meta } = event;
  const { valueDate } = meta;
  // Interest alone changes nothing here.
  if (data.installments.length === 0) return [];
  const recorded = recordedDay(event);
  const changes: Change[] = [];
  const points: Points = new Map();
  for (const { dueDate, principal } of data.installments) {
    const amount = sign * principal;
    add(points, laterOf(valueDate, dayAfter(dueDate, 1)), 'overdue', -amount);
    if (valueDate < dueDate) {
      add(points, dueDate, 'fellDue', -amount);
      add(points, valueDate, 'prepaid', amount);
      continue;
    }
    add(points, valueDate, 'collected', amount);
    if (valueDate > dueDate) {
      addTo(changes, LATE, data, { value: valueDate, due: dueDate, recorded }, { [RECOVERED]: amount });
    }
  }
  age(points, data.ageing);
  addPoints(changes, QUALITY, data, points, recorded);
  return changes;
}

function age(points: Points, stretches: readonly Stretch[]): void {
  for (const { from, to, before, after } of stretches) {
    place(points, from, to, before, -1);
    place(points, from, to, after, 1);
  }
}

/** A position on the days from `from` to before `to`: PAR over n days begins n + 1 days after the oldest due day. */
function place(points: Points, from: LocalDate, to: LocalDate | null, at: Position, sign: 1 | -1): void {
  if (at.outstanding === 0) return;
  const amount = sign * at.outstanding;
  span(points, from, to, 'loans', sign);
  span(points, from, to, 'outstanding', amount);
  const oldest = at.oldestUnpaidDueDate;
  if (oldest === null) return;
  span(points, laterOf(from, dayAfter(oldest, 1)), to, 'par0', amount);
  span(points, laterOf(from, dayAfter(oldest, 31)), to, 'par30', amount);
  span(points, laterOf(from, dayAfter(oldest, 91)), to, 'par90', amount);
}

function span(points: Points, from: LocalDate, to: LocalDate | null, measure: Measure, amount: number): void {
  if (to !== null && from >= to) return;
  add(points, from, measure, amount);
  if (to !== null) add(points, to, measure, -amount);
}

const add = (points: Points, day: LocalDate, measure: Measure, amount: number): void =>
  post(points, day, measure, amount);

/** `addDays`, remembered: the same few thousand due days come again and again. */
function dayAfter(day: LocalDate, days: 1 | 31 | 91): LocalDate {
  const known = AFTER[days];
  let after = known.get(day);
  if (after === undefined) {
    if (known.size >= DAYS_KEPT_MAX) known.clear();
    after = addDays(day, days);
    known.set(day, after);
  }
  return after;
}

const DAYS_KEPT_MAX = 20_000;
const AFTER = { 1: new Map<LocalDate, LocalDate>(), 31: new Map<LocalDate, LocalDate>(), 91: new Map() } as const;
