import { type LocalDate, monthOf } from '../../kernel/dates.js';
import type { LoanStored, Position, Stretch } from '../../lending/loan/events.js';
import type { Change } from '../../read-store/port.js';
import { cell, dayAfter, recordedDay } from '../cube.js';
import type { Projection } from '../projection.js';
import { rollUpOf } from '../roll-up.js';
import {
  collections,
  LAGS,
  LATE,
  type Measure,
  PROGRAMMES,
  QUALITY,
  RECOVERED,
  RECOVERED_IN_MONTH,
  VERSION,
} from './documents.js';

/*
 * Arrears grow by time passing, with no event: so what time will do is posted ahead, and what prevents it takes it back
 * (design §6, ageing without a clock). Everything is keyed by the event's own recorded day, so a figure as known on a
 * day has exactly what the events up to it have posted.
 */

export const portfolioQuality: Projection = {
  name: 'portfolio-quality',
  version: VERSION,
  collections,
  rollUp: rollUpOf([QUALITY, LATE]),
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

type Deltas = Record<Measure, number>;

/** What an event adds, by day: a handful of days, found one after another. */
interface Point {
  readonly day: LocalDate;
  readonly deltas: Deltas;
}

/** Each instalment falls due on its day and is overdue from the day after, until a payment prevents it. */
function disbursed(event: Extract<LoanStored, { type: 'LoanDisbursed' }>): readonly Change[] {
  const { data, meta } = event;
  const points: Point[] = [];
  add(points, meta.valueDate, 'parts', 1);
  for (const { dueDate, principal } of data.installments) {
    add(points, dueDate, 'fellDue', principal);
    add(points, dueDate, 'overdueAhead', principal);
  }
  age(points, data.ageing);
  const recorded = recordedDay(event);
  return points.map(({ day, deltas }) => cell(QUALITY, data, day, recorded, deltas));
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
  const points: Point[] = [];
  for (const { dueDate, principal } of data.installments) {
    const amount = sign * principal;
    from(points, valueDate, dueDate, 'overdue', -amount);
    if (valueDate < dueDate) {
      add(points, dueDate, 'fellDue', -amount);
      add(points, valueDate, 'prepaid', amount);
      continue;
    }
    add(points, valueDate, 'collected', amount);
    if (monthOf(dueDate) < monthOf(valueDate)) add(points, valueDate, RECOVERED_IN_MONTH, amount);
    if (valueDate > dueDate && amount !== 0) {
      changes.push(cell(LATE, { ...data, due: dueDate }, valueDate, recorded, { [RECOVERED]: amount }));
    }
  }
  age(points, data.ageing);
  for (const { day, deltas } of points) changes.push(cell(QUALITY, data, day, recorded, deltas));
  return changes;
}

function age(points: Point[], stretches: readonly Stretch[]): void {
  for (const { from, to, before, after } of stretches) {
    place(points, from, to, before, -1);
    place(points, from, to, after, 1);
  }
}

/** A position on the days from `start` to before `to`: PAR over n days begins n + 1 days after the oldest due day. */
function place(points: Point[], start: LocalDate, to: LocalDate | null, at: Position, sign: 1 | -1): void {
  if (at.outstanding === 0) return;
  const amount = sign * at.outstanding;
  add(points, start, 'loans', sign);
  add(points, start, 'outstanding', amount);
  if (to !== null) {
    add(points, to, 'loans', -sign);
    add(points, to, 'outstanding', -amount);
  }
  const oldest = at.oldestUnpaidDueDate;
  if (oldest === null) return;
  for (const measure of PAR) {
    if (to !== null && dayAfter(oldest, LAG[measure].days) >= to) continue;
    from(points, start, oldest, measure, amount);
    if (to !== null) add(points, to, measure, -amount);
  }
}

/** The measure that counts from a lag after the due day, or from `start` where that is later. */
function from(points: Point[], start: LocalDate, due: LocalDate, measure: Lagging, amount: number): void {
  const { ahead, days } = LAG[measure];
  if (start >= dayAfter(due, days)) add(points, start, measure, amount);
  else add(points, due, ahead, amount);
}

const PAR = ['par0', 'par30', 'par90'] as const;
type Lagging = 'overdue' | (typeof PAR)[number];

const LAG = {
  overdue: { ahead: 'overdueAhead', days: LAGS.overdueAhead.days },
  par0: { ahead: 'par0Ahead', days: LAGS.par0Ahead.days },
  par30: { ahead: 'par30Ahead', days: LAGS.par30Ahead.days },
  par90: { ahead: 'par90Ahead', days: LAGS.par90Ahead.days },
} as const satisfies Record<Lagging, { readonly ahead: Measure; readonly days: number }>;

function add(points: Point[], day: LocalDate, measure: Measure, amount: number): void {
  if (amount === 0) return;
  let point = points.find((one) => one.day === day);
  if (point === undefined) {
    point = { day, deltas: nothing() };
    points.push(point);
  }
  point.deltas[measure] += amount;
}

/** One shape for all: they are added to one another measure by measure. */
const nothing = (): Deltas => ({
  parts: 0,
  loans: 0,
  outstanding: 0,
  overdue: 0,
  par0: 0,
  par30: 0,
  par90: 0,
  fellDue: 0,
  collected: 0,
  prepaid: 0,
  recoveredInMonth: 0,
  overdueAhead: 0,
  par0Ahead: 0,
  par30Ahead: 0,
  par90Ahead: 0,
});
