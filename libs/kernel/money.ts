import { InvariantBroken } from './result.js';

declare const dong: unique symbol;
/** A whole number of đồng that a double holds exactly. Made by `parse` of a field or by `asDong`. */
export type Dong = number & { readonly [dong]: true };

/** The largest amount that one command may name (contract §1, Bounds). */
export const AMOUNT_MAX = 1_000_000_000_000_000;
/** No stream's own sum passes this: a command that would make it do so is refused. */
export const SUM_MAX = Number.MAX_SAFE_INTEGER;

export const ZERO = 0 as Dong;

/** `value` as đồng; anything but a safe integer is a broken invariant. */
export function asDong(value: number): Dong {
  if (!Number.isSafeInteger(value)) throw new InvariantBroken(`${value} is not a whole number of đồng below 2^53`);
  return value as Dong;
}

export const add = (a: Dong, b: Dong): Dong => asDong(a + b);
export const subtract = (a: Dong, b: Dong): Dong => asDong(a - b);
export const smaller = (a: Dong, b: Dong): Dong => (a < b ? a : b);

/** A sum that may pass 2^53: a number while it is exact, a bigint beyond. */
export type Amount = number | bigint;

/** The exact sum of two amounts, in the smaller of the two forms. */
export function addExact(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return narrow(BigInt(a) + BigInt(b));
}

/** The exact product of an amount and a whole number, in the smaller of the two forms. */
export function multiplyExact(a: Amount, by: number): Amount {
  if (typeof a === 'number') {
    const product = a * by;
    // Rounded or not: what passes 2^53 is never taken for a safe integer.
    if (Number.isSafeInteger(product)) return product;
  }
  return narrow(BigInt(a) * BigInt(by));
}

/** A bigint as a number where that is exact. */
export function narrow(value: bigint): Amount {
  return value >= EXACT_MIN && value <= EXACT_MAX ? Number(value) : value;
}

const EXACT_MIN = BigInt(Number.MIN_SAFE_INTEGER);
const EXACT_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** An amount as JSON has it: an integer below 2^53, a string of digits beyond (contract, first paragraph). */
export function amountJson(value: Amount): number | string {
  const narrowed = typeof value === 'bigint' ? narrow(value) : value;
  return typeof narrowed === 'number' ? narrowed : narrowed.toString();
}

/** `numerator / denominator`, rounded half up (towards plus infinity on the half). `denominator` is above zero. */
export function roundHalfUp(numerator: bigint, denominator: bigint): bigint {
  return floorDivide(2n * numerator + denominator, 2n * denominator);
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
