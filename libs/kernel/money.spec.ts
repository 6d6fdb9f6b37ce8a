import { addExact, amountJson, asDong, narrow, roundHalfUp, subtract } from './money.js';

const MAX = Number.MAX_SAFE_INTEGER;

describe('đồng', () => {
  it.each([
    [1n, 2n, 1n],
    [3n, 2n, 2n],
    [-1n, 2n, 0n],
    [-3n, 2n, -1n],
    [-2n, 2n, -1n],
    [1n, 3n, 0n],
    [2n, 3n, 1n],
    [-1n, 3n, 0n],
    [-2n, 3n, -1n],
    [499n, 1_000n, 0n],
    [500n, 1_000n, 1n],
    [-500n, 1_000n, 0n],
    [-501n, 1_000n, -1n],
    [2n ** 70n + 1n, 2n, 2n ** 69n + 1n],
    [0n, 7n, 0n],
  ])('%s / %s rounds half up to %s', (numerator, denominator, rounded) => {
    expect(roundHalfUp(numerator, denominator)).toBe(rounded);
  });

  it.each([
    [1, 2, 3],
    [MAX, 0, MAX],
    [MAX, 1, 9_007_199_254_740_992n],
    [-MAX, -1, -9_007_199_254_740_992n],
    [9_007_199_254_740_992n, -1, MAX],
    [MAX, MAX, 18_014_398_509_481_982n],
    [2n ** 60n, 2n ** 60n, 2n ** 61n],
    [5n, -5, 0],
  ])('%s + %s is exactly %s', (a, b, sum) => {
    expect(addExact(a, b)).toBe(sum);
  });

  it('is a JSON integer below 2^53 and text of digits beyond', () => {
    expect(amountJson(MAX)).toBe(MAX);
    expect(amountJson(BigInt(MAX))).toBe(MAX);
    expect(amountJson(2n ** 53n)).toBe('9007199254740992');
    expect(amountJson(-(2n ** 53n))).toBe('-9007199254740992');
    expect(narrow(-BigInt(MAX))).toBe(-MAX);
  });

  it.each([0.5, MAX + 1, Number.NaN, Number.POSITIVE_INFINITY])('%s is no amount', (value) => {
    expect(() => asDong(value)).toThrow('is not a whole number');
  });

  it('does not leave what a double holds exactly without notice', () => {
    expect(() => subtract(asDong(-MAX), asDong(1))).toThrow('is not a whole number');
  });
});
