import { addDays, addMonths, earlierOf, type LocalDate, laterOf, monthOf } from '../kernel/dates.js';

/* The rows of queries that tell a figure at the end of each month. */

/** So many months are told, the last ones; `from` of the answer says where they begin. */
export const MONTHS_MAX = 120;

export interface Month {
  /** `YYYY-MM`. */
  readonly month: string;
  readonly first: LocalDate;
  /** The month's last day, or the day asked for in its own month. */
  readonly last: LocalDate;
}

/** The months from that of `from` to that of `asOf`. */
export function monthsOf(from: LocalDate, asOf: LocalDate): readonly Month[] {
  const months: Month[] = [];
  let first = firstOfMonth(laterOf(from, addMonths(asOf, 1 - MONTHS_MAX)));
  while (first <= asOf) {
    const next = addMonths(first, 1);
    months.push({ month: monthOf(first), first, last: earlierOf(addDays(next, -1), asOf) });
    first = next;
  }
  return months;
}

export const firstOfMonth = (day: LocalDate): LocalDate => `${monthOf(day)}-01` as LocalDate;

/** What months add, told apart by the month that `monthIn` finds in it; under '' what was before `first`. */
export function byMonth<T>(
  found: readonly T[],
  first: LocalDate,
  monthIn: (row: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const months = new Map<string, T[]>();
  for (const row of found) {
    const month = monthIn(row);
    const name = month < monthOf(first) ? '' : month;
    const rows = months.get(name);
    if (rows === undefined) months.set(name, [row]);
    else rows.push(row);
  }
  return months;
}
