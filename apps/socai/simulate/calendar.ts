import { dateOfDay, dayNumber, type LocalDate, weekday } from '../../../libs/kernel/dates.js';

export interface Day {
  /** Days since 1970-01-01. */
  readonly number: number;
  readonly date: LocalDate;
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly dayOfMonth: number;
  readonly isOfficeDay: boolean;
}

export function dayAt(number: number): Day {
  const date = dateOfDay(number);
  const day = weekday(date);
  return {
    ...{ number, date, year: Number(date.slice(0, 4)), month: Number(date.slice(5, 7)) },
    ...{ dayOfMonth: Number(date.slice(8, 10)), isOfficeDay: day >= 1 && day <= 5 },
  };
}

/** The first Monday to Friday from a day on. */
export function officeDayFrom(number: number): number {
  let day = number;
  while (!dayAt(day).isOfficeDay) day++;
  return day;
}

/** Months since year 0. */
export const monthOf = ({ year, month }: Pick<Day, 'year' | 'month'>): number => year * 12 + month - 1;

const firstDays = new Map<number, number>();

/** The day number of a day of a month that has it. */
export function dayOfMonth(month: number, day: number): number {
  let first = firstDays.get(month);
  if (first === undefined) {
    const year = Math.floor(month / 12);
    first = dayNumber(`${year}-${two((month % 12) + 1)}-01` as LocalDate);
    firstDays.set(month, first);
  }
  return first + day - 1;
}

/** 08:00 in Vietnam, and the half past four at which the counter closes; the day's close follows at 17:30. */
const OPENS_MS = 1 * 3_600_000;
const OPEN_MS = 8.5 * 3_600_000;
const CLOSES_MS = 10.5 * 3_600_000;

/** When the line of that index, of that many, is recorded: spread over the counter's hours, never going back. */
export function recordedAt(date: LocalDate, index: number, of: number): string {
  return instant(date, OPENS_MS + Math.floor((OPEN_MS * index) / of));
}

export const closedAt = (date: LocalDate): string => instant(date, CLOSES_MS);

function instant(date: LocalDate, ms: number): string {
  const [hour, minute] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
  const [second, rest] = [Math.floor(ms / 1_000) % 60, ms % 1_000];
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}.${rest < 100 ? '0' : ''}${two(rest)}Z`;
}

const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`);
