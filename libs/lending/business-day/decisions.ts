import { addDays, type LocalDate } from '../../kernel/dates.js';
import type { Calendar, CommandOf, Decision, Folded, NewEvent, Refusal } from '../../kernel/decider.js';
import { decided } from '../../kernel/decider.js';
import { invariant, type Result } from '../../kernel/result.js';
import { refuse } from '../refusals.js';
import { BUSINESS_DAY_STREAM } from '../vocabulary.js';
import type { BusinessDayNew } from './events.js';
import type { BusinessDay } from './state.js';

/** A value date lies between the ledger's first day and the open business day (contract §1, Days). */
export function refuseValueDate(valueDate: LocalDate, day: Calendar): { ok: false; error: Refusal } | null {
  if (day.open === null || day.first === null) return refuse('LEDGER_EMPTY', 'valueDate');
  if (valueDate > day.open) return refuse('VALUE_DATE_AFTER_OPEN_DAY', 'valueDate', { open: day.open });
  if (valueDate < day.first) return refuse('VALUE_DATE_BEFORE_LEDGER', 'valueDate', { first: day.first });
  return null;
}

/**
 * Announces the close of the open day, and of each day after it up to `date`. A day that is closed already is accepted
 * and writes nothing; a day ahead of the clock cannot be closed.
 */
export function closeBusinessDay(
  about: Folded<BusinessDay>,
  command: CommandOf<{ readonly date: LocalDate }>,
): Result<Decision, Refusal> {
  const { open, closing } = about.state;
  const { date } = command.data;
  if (open === null) return refuse('LEDGER_EMPTY', 'date');
  if (date < open) return decided(BUSINESS_DAY_STREAM);
  if (date > command.today) return refuse('DAY_AHEAD_OF_CLOCK', 'date', { today: command.today });
  invariant(closing === null, 'one close at a time');
  return decided(BUSINESS_DAY_STREAM, announceClose(open, date));
}

/** Ends the close of a day with its control totals, and announces the next day's where the command named a later one. */
export function completeClose(
  about: Folded<BusinessDay>,
  command: CommandOf<{ readonly date: LocalDate; readonly totals: ClosedTotals; readonly late: readonly Late[] }>,
): Result<Decision, Refusal> {
  const { closing, lastClosed } = about.state;
  const { date, totals } = command.data;
  // Whoever else works on the same close was first: its totals are written once.
  if (lastClosed !== null && date <= lastClosed) return decided(BUSINESS_DAY_STREAM);
  invariant(closing?.date === date, `the close of ${date} is under way`);
  const late = command.data.late.map(({ date: booked, entries }): BusinessDayNew => {
    return { type: 'LateEntriesCounted', data: { date: booked, countedOn: date, entries }, valueDate: date };
  });
  const closed: BusinessDayNew = { type: 'BusinessDayClosed', data: { date, totals }, valueDate: date };
  return date < closing.through
    ? decided(BUSINESS_DAY_STREAM, ...late, closed, announceClose(addDays(date, 1), closing.through))
    : decided(BUSINESS_DAY_STREAM, ...late, closed);
}

type Late = Pick<Extract<BusinessDayNew, { type: 'LateEntriesCounted' }>['data'], 'date' | 'entries'>;
type ClosedTotals = Extract<BusinessDayNew, { type: 'BusinessDayClosed' }>['data']['totals'];

const announceClose = (date: LocalDate, through: LocalDate): BusinessDayNew & NewEvent => ({
  type: 'BusinessDayClosing',
  data: { date, through },
  valueDate: date,
  bookingDate: date,
});
