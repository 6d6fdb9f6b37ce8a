import fc from 'fast-check';
import { compareScalars, compareText } from './order.js';

const text = fc.string({ unit: 'binary', maxLength: 6 });

describe('text', () => {
  it('is ordered as the bytes of its UTF-8 are', () => {
    fc.assert(
      fc.property(text, text, text, (start, a, b) => {
        const bytes = Buffer.compare(Buffer.from(start + a), Buffer.from(start + b));
        expect(Math.sign(compareText(start + a, start + b))).toBe(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['～', '🌾'],
    ['Z', 'a'],
    ['a', 'aa'],
    ['Đ', 'đ'],
  ])('%s comes before %s', (a, b) => {
    expect(compareText(a, b)).toBeLessThan(0);
    expect(compareText(b, a)).toBeGreaterThan(0);
  });
});

it('null comes before numbers, and numbers before text', () => {
  expect(['', 'a', 2, null, 10, -1].sort(compareScalars)).toEqual([null, -1, 2, 10, '', 'a']);
});
