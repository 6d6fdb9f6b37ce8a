import { addDays, addMonths, dateOfDay, dayNumber, type LocalDate, monthOf } from '../kernel/dates.js';

/* Ranges of days as what a cube keeps of them: years, months and days. */

/** Days, both ends included; null: without end. */
export interface Range {
  readonly from: LocalDate | null;
  readonly to: LocalDate | null;
}

export const EVER: Range = { from: null, to: null };

/** A run of whole years, of whole months or of days, both ends included; null: without end. */
export interface Span {
  readonly grain: 'year' | 'month' | 'day';
  /** Whether it is added or taken away again. */
  readonly sign: 1 | -1;
  readonly gte: string | null;
  readonly lte: string | null;
}

export const isEmpty = ({ from, to }: Range): boolean => from !== null && to !== null && from > to;

export const dayspan = (gte: string | null, lte: string | null): Span => ({ grain: 'day', sign: 1, gte, lte });

/**
 * Whole years and months where the range holds any, and the months and days before and after them: added, or, where
 * `nearest` says so and they are fewer, those to the end of a whole one taken away.
 */
export function spansOf(
  range: Range,
  { byYear, nearest }: { readonly byYear: boolean; readonly nearest: boolean },
): readonly Span[] {
  if (isEmpty(range)) return [];
  const { whole: months, rest: days } = cut(range, MONTHS, nearest);
  if (months === null) return days;
  if (!byYear) return [{ grain: 'month', sign: 1, gte: months.from, lte: months.to }, ...days];
  const { whole: years, rest } = cut(months, YEARS, nearest);
  const whole: readonly Span[] = years === null ? [] : [{ grain: 'year', sign: 1, gte: years.from, lte: years.to }];
  return [...whole, ...rest, ...days];
}

/** Wholes, and their parts: the last two digits of a part tell its place in its whole. */
interface Wholes {
  readonly part: 'month' | 'day';
  readonly of: (part: string) => string;
  readonly last: (whole: string) => string;
  readonly move: (whole: string, by: 1 | -1) => string;
}

const MONTHS: Wholes = {
  part: 'day',
  of: (day) => day.slice(0, 7),
  last: (month) => addDays(addMonths(`${month}-01` as LocalDate, 1), -1),
  move: (month, by) => monthOf(addMonths(`${month}-01` as LocalDate, by)),
};

const YEARS: Wholes = {
  part: 'month',
  of: (month) => month.slice(0, 4),
  last: (year) => `${year}-12`,
  move: (year, by) => String(Number(year) + by),
};

interface Ends {
  readonly from: string | null;
  readonly to: string | null;
}

/** The wholes of a range of parts, if any, and what of its parts is to be added to them or taken away. */
function cut(
  { from, to }: Ends,
  { part, of, last, move }: Wholes,
  nearest: boolean,
): { readonly whole: Ends | null; readonly rest: readonly Span[] } {
  const rest: Span[] = [];
  const partsFrom = (sign: 1 | -1, gte: string, lte: string) => rest.push({ grain: part, sign, gte, lte });
  const whole = { from: null as string | null, to: null as string | null };
  if (from !== null) {
    const [own, before] = [of(from), placeOf(from) - 1];
    const back = before === 0 || (nearest && before < placeOf(last(own)) - before);
    whole.from = back ? own : move(own, 1);
    if (!back) partsFrom(1, from, last(own));
    else if (before > 0) partsFrom(-1, partOf(own, 1), partOf(own, before));
  }
  if (to !== null) {
    const [own, place] = [of(to), placeOf(to)];
    const after = placeOf(last(own)) - place;
    const on = after === 0 || (nearest && after < place);
    whole.to = on ? own : move(own, -1);
    if (!on) partsFrom(1, partOf(own, 1), to);
    else if (after > 0) partsFrom(-1, partOf(own, place + 1), last(own));
  }
  const alone = from !== null && to !== null && of(from) === of(to) && rest.length > 0;
  if (alone || (whole.from !== null && whole.to !== null && whole.from > whole.to)) {
    return { whole: null, rest: [{ grain: part, sign: 1, gte: from, lte: to }] };
  }
  return { whole, rest };
}

const placeOf = (part: string): number => Number(part.slice(-2));
const partOf = (whole: string, place: number): string => `${whole}-${String(place).padStart(2, '0')}`;

/**
 * The days whose measures count in a span of days after one of some lags, each run of them with the lags after which it
 * does. Of a long span, runs are cut where that changes, so that no day is in two of them; of a short one there is a run a
 * lag: its days are few, and each run more is a search more.
 */
export function lagged(
  { gte, lte, ...span }: Span,
  lags: readonly number[],
): readonly { readonly span: Span; readonly lags: readonly number[] }[] {
  const first = gte === null ? -Infinity : dayNumber(gte as LocalDate);
  const last = lte === null ? Infinity : dayNumber(lte as LocalDate);
  const run = (from: number, to: number, own: readonly number[]) => ({
    ...{ span: { ...span, gte: textOf(from), lte: textOf(to) }, lags: own },
  });
  if (last - first <= Math.max(...lags)) return lags.map((lag) => run(first - lag, last - lag, [lag]));
  const cuts = [...new Set(lags.flatMap((lag) => [first - lag, last + 1 - lag]))].sort((a, b) => a - b);
  return cuts.slice(1).flatMap((next, before) => {
    const [from, to] = [cuts[before] as number, next - 1];
    const counting = lags.filter((lag) => first - lag <= from && to <= last - lag);
    return counting.length === 0 ? [] : [run(from, to, counting)];
  });
}

const textOf = (day: number): LocalDate | null => (Number.isFinite(day) ? dateOfDay(day) : null);

/** The days from the first of a span to its last. */
export function rangeOf({ grain, gte, lte }: Span): Range {
  const last = (to: string) => (grain === 'day' ? to : MONTHS.last(grain === 'year' ? YEARS.last(to) : to));
  return {
    from: gte === null ? null : ((gte + FIRST_OF[grain]) as LocalDate),
    to: lte === null ? null : (last(lte) as LocalDate),
  };
}

const FIRST_OF = { year: '-01-01', month: '-01', day: '' } as const satisfies Record<Span['grain'], string>;

/** Days, one by one. */
export function daysOf(from: LocalDate, to: LocalDate): readonly LocalDate[] {
  const days: LocalDate[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return days;
}
