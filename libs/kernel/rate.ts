import { invariant } from './result.js';

declare const rate: unique symbol;
/** A decimal fraction as text with at most twelve decimals (`"0.0792"`): exact, and the same in every language. */
export type Rate = string & { readonly [rate]: true };

export const RATE_DECIMALS_MAX = 12;
/** Every rate is a whole number of these parts of one. */
export const RATE_SCALE = 10n ** BigInt(RATE_DECIMALS_MAX);

const DECIMAL = /^(0|[1-9]\d{0,3})(?:\.(\d{1,12}))?$/;

/** The rate times `RATE_SCALE`, exactly. */
export function scaled(value: Rate): bigint {
  const known = scaledRates.get(value);
  if (known !== undefined) return known;
  const parts = scaleText(value);
  invariant(parts !== null, `${value} is not a rate`);
  if (scaledRates.size >= RATES_KEPT_MAX) scaledRates.clear();
  scaledRates.set(value, parts);
  return parts;
}

// A programme has a handful of rates, and every payment asks for one.
const RATES_KEPT_MAX = 1_000;
const scaledRates = new Map<Rate, bigint>();

/** A decimal text times `RATE_SCALE`, or null when the text is no decimal of at most twelve places. */
export function scaleText(text: string): bigint | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  return BigInt(match[1] as string) * RATE_SCALE + BigInt((match[2] ?? '').padEnd(RATE_DECIMALS_MAX, '0'));
}

/** `numerator / denominator` as a decimal text with `decimals` places, rounded half up; both at least zero. */
export function ratioText(numerator: bigint, denominator: bigint, decimals: number): string {
  const scale = 10n ** BigInt(decimals);
  const rounded = (2n * numerator * scale + denominator) / (2n * denominator);
  return `${rounded / scale}.${(rounded % scale).toString().padStart(decimals, '0')}`;
}
