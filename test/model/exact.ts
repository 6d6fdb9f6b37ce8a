/** Days as text, exact numbers as BigInt. Nothing here knows a loan. */

/** `YYYY-MM-DD`: text order is time order. */
export type Day = string;

const MS_A_DAY = 86_400_000;

export const dayNumber = (day: Day): number => Date.parse(`${day}T00:00:00Z`) / MS_A_DAY;
export const dayOf = (number: number): Day => new Date(number * MS_A_DAY).toISOString().slice(0, 10);
export const addDays = (day: Day, days: number): Day => dayOf(dayNumber(day) + days);
export const daysBetween = (from: Day, to: Day): number => dayNumber(to) - dayNumber(from);
export const yearOf = (day: Day): number => Number(day.slice(0, 4));

export const isDay = (value: unknown): value is Day =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}$/.test(value) &&
  !Number.isNaN(Date.parse(`${value}T00:00:00Z`)) &&
  dayOf(dayNumber(value)) === value &&
  value >= '1990-01-01' &&
  value <= '2199-12-31';

/** The day in Asia/Ho_Chi_Minh (seven hours ahead, no summer time) of an instant. */
export const localDay = (instant: string): Day =>
  new Date(Date.parse(instant) + 7 * 3_600_000).toISOString().slice(0, 10);

/** "Due dates run from the anchor day, never from the previous due date; a missing day becomes the month's last." */
export const addMonths = (anchor: Day, months: number): Day => {
  const [year = 0, month = 0, day = 0] = anchor.split('-').map(Number);
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0));
  return last.toISOString().slice(0, 8) + String(Math.min(day, last.getUTCDate())).padStart(2, '0');
};

/** "over Saturdays and Sundays" */
export const rollForward = (day: Day): Day => {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  return weekday === 6 ? addDays(day, 2) : weekday === 0 ? addDays(day, 1) : day;
};

/** Decimals have at most twelve places, so every one is an integer over 10^12. */
export const DECIMAL = 10n ** 12n;
export const decimal = (text: string): bigint => {
  const [whole = '0', places = ''] = text.split('.');
  return BigInt(whole) * DECIMAL + BigInt(places.padEnd(12, '0'));
};

export const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
export const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Half up, of what is not negative. */
export const roundHalfUp = (numerator: bigint, denominator: bigint): bigint =>
  (2n * numerator + denominator) / (2n * denominator);

/** "fractions with six decimals, rounded half up, `null` where the denominator is zero" */
export const ratio = (numerator: bigint, denominator: bigint): string | null => {
  if (denominator === 0n) return null;
  const digits = roundHalfUp(numerator * 1_000_000n, denominator)
    .toString()
    .padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
};

/** "answers give integers while they are below 2^53 and strings beyond" */
export const shown = (amount: bigint): number | string =>
  amount < 2n ** 53n && amount > -(2n ** 53n) ? Number(amount) : amount.toString();
