import { RATE_SCALE, type Rate, ratioText, scaled, scaleText } from './rate.js';

describe('a rate', () => {
  it.each([
    ['0', 0n],
    ['1', RATE_SCALE],
    ['0.0792', 79_200_000_000n],
    ['0.079248', 79_248_000_000n],
    ['0.1030224', 103_022_400_000n],
    ['0.000000000001', 1n],
    ['1.30', (13n * RATE_SCALE) / 10n],
    ['9999.999999999999', 10_000n * RATE_SCALE - 1n],
  ])('%s is exactly %s parts', (text, parts) => {
    expect(scaled(text as Rate)).toBe(parts);
  });

  it.each(['', '.5', '0.', '00.1', '-0.1', '+1', '1e-2', '0,0792', '0.0000000000001', '10000', ' 0.1', '0.1\n', '٠'])(
    '%j is none',
    (text) => {
      expect(scaleText(text)).toBeNull();
      expect(() => scaled(text as Rate)).toThrow('is not a rate');
    },
  );
});

describe('a ratio as text', () => {
  it.each([
    [30_333_000n, 233_334_000n, 6, '0.129998'],
    [53_334_000n, 233_334_000n, 6, '0.228574'],
    [1n, 3n, 6, '0.333333'],
    [2n, 3n, 6, '0.666667'],
    [1n, 2_000_000n, 6, '0.000001'],
    [1n, 2_000_001n, 6, '0.000000'],
    [0n, 5n, 2, '0.00'],
    [5n, 5n, 2, '1.00'],
  ])('%s / %s with %d places is %s', (numerator, denominator, decimals, text) => {
    expect(ratioText(numerator, denominator, decimals)).toBe(text);
  });
});
