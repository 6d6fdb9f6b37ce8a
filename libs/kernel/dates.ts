import { invariant } from './result.js';

declare const localDate: unique symbol;
/** A calendar day in Asia/Ho_Chi_Minh, `YYYY-MM-DD`: text order is time order. */
export type LocalDate = string & { readonly [localDate]: true };

declare const instant: unique symbol;
/** A moment, RFC 3339 in UTC with milliseconds: text order is time order. */
export type Instant = string & { readonly [instant]: true };

/** The days that a command may name (contract §1, Bounds). */
export const DATE_MIN = '1990-01-01' as LocalDate;
export const DATE_MAX = '2199-12-31' as LocalDate;

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DAY_MS = 86_400_000;
/** Vietnam has kept UTC+7 without summer time since 1975-06-13, before any date that the ledger takes. */
const OFFSET_MS = 7 * 3_600_000;

/** The text as a day that exists in the calendar, or null. */
export function parseDate(text: string): LocalDate | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month) ? (text as LocalDate) : null;
}

/** The text as an instant in its canonical form, or null. Any RFC 3339 offset is taken. */
export function parseInstant(text: string): Instant | null {
  if (!RFC_3339.test(text) || parseDate(text.slice(0, 10)) === null) return null;
  const at = Date.parse(text.toUpperCase());
  return Number.isNaN(at) ? null : (new Date(at).toISOString() as Instant);
}

// Seconds are required, `t` and `z` may be small; leap seconds are not taken.
const RFC_3339 =
  /^\d{4}-\d{2}-\d{2}[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Days since 1970-01-01; the arithmetic of every other function here. */
export function dayNumber(date: LocalDate): number {
  const known = dayNumbers.get(date);
  if (known !== undefined) return known;
  const day = daysFromCivil(Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10)));
  if (dayNumbers.size >= DAYS_KEPT_MAX) dayNumbers.clear();
  dayNumbers.set(date, day);
  return day;
}

// The same few thousand days are asked for again and again while interest is computed.
const DAYS_KEPT_MAX = 20_000;
const dayNumbers = new Map<LocalDate, number>();

/** The day that is `day` days after 1970-01-01. */
export function dateOfDay(day: number): LocalDate {
  return new Date(day * DAY_MS).toISOString().slice(0, 10) as LocalDate;
}

export const addDays = (date: LocalDate, days: number): LocalDate => dateOfDay(dayNumber(date) + days);

/** Days in the half-open interval [from, to); negative when `to` is earlier. */
export const daysBetween = (from: LocalDate, to: LocalDate): number => dayNumber(to) - dayNumber(from);

/** `anchor` plus whole months; a day that the month lacks becomes its last (domain §4). */
export function addMonths(anchor: LocalDate, months: number): LocalDate {
  const zeroBased = Number(anchor.slice(0, 4)) * 12 + Number(anchor.slice(5, 7)) - 1 + months;
  const [year, month] = [Math.floor(zeroBased / 12), (zeroBased % 12) + 1];
  invariant(year >= 1 && year <= 9999, `${anchor} plus ${months} months leaves the calendar`);
  return civil(year, month, Math.min(Number(anchor.slice(8, 10)), daysInMonth(year, month)));
}

/** 0 is Sunday, 6 is Saturday. */
export const weekday = (date: LocalDate): number => (((dayNumber(date) + 4) % 7) + 7) % 7;

/** The first Monday to Friday on or after `date`. */
export function rollFollowing(date: LocalDate): LocalDate {
  const day = weekday(date);
  return day === 6 ? addDays(date, 2) : day === 0 ? addDays(date, 1) : date;
}

/** The day in Asia/Ho_Chi_Minh that holds an instant. */
export function dayOf(at: Instant): LocalDate {
  // The offset is whole hours, so all instants of one hour share a day: YYYY-MM-DDTHH.
  const hour = at.slice(0, 13);
  if (hour !== lastHour) {
    lastDay = new Date(Date.parse(at) + OFFSET_MS).toISOString().slice(0, 10) as LocalDate;
    lastHour = hour;
  }
  return lastDay;
}

// One command after another asks for the clock's day.
let lastHour = '';
let lastDay = '' as LocalDate;

export const yearOf = (date: LocalDate): number => Number(date.slice(0, 4));
/** `YYYY-MM`. */
export const monthOf = (date: LocalDate): string => date.slice(0, 7);
export const laterOf = <T extends string>(a: T, b: T): T => (a > b ? a : b);
export const earlierOf = <T extends string>(a: T, b: T): T => (a < b ? a : b);

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function civil(year: number, month: number, day: number): LocalDate {
  const two = (n: number) => n.toString().padStart(2, '0');
  return `${year.toString().padStart(4, '0')}-${two(month)}-${two(day)}` as LocalDate;
}

function daysFromCivil(year: number, month: number, day: number): number {
  return Math.round(Date.UTC(year, month - 1, day) / DAY_MS);
}
