import fc from 'fast-check';
import { addDays, dateOfDay, dayNumber, type LocalDate } from '../kernel/dates.js';
import { dayspan, lagged, type Range, rangeOf, type Span, spansOf } from './spans.js';

const FIRST = dayNumber('2022-11-20' as LocalDate);
const days = fc.integer({ min: 0, max: 1_000 }).map((n) => dateOfDay(FIRST + n));
const end = fc.option(days, { freq: 8 });
const ranges: fc.Arbitrary<Range> = fc.record({ from: end, to: end });
const ways = fc.record({ byYear: fc.boolean(), nearest: fc.boolean() });

const within = (day: LocalDate, { from, to }: Range) => (from === null || day >= from) && (to === null || day <= to);

const holds = ({ grain, gte, lte }: Span, day: LocalDate): boolean => {
  const text = day.slice(0, { year: 4, month: 7, day: 10 }[grain]);
  return (gte === null || text >= gte) && (lte === null || text <= lte);
};

const range = (from: string | null, to: string | null) => ({ from, to }) as Range;

describe('the spans of a range of days', () => {
  test('come to each of its days once, and to no other', () => {
    fc.assert(
      fc.property(ranges, days, ways, (asked, at, how) => {
        const times = spansOf(asked, how).reduce((sum, span) => sum + (holds(span, at) ? span.sign : 0), 0);
        expect(times).toBe(within(at, asked) ? 1 : 0);
      }),
      { numRuns: 5_000 },
    );
  });

  test('go from the first day of each to its last', () => {
    fc.assert(
      fc.property(ranges, days, ways, (asked, at, how) => {
        for (const span of spansOf(asked, how)) expect(within(at, rangeOf(span))).toBe(holds(span, at));
      }),
      { numRuns: 2_000 },
    );
  });

  test('after lags are the days that count in them, each with the lags after which it does; of a long one, in one run', () => {
    const lags = fc.uniqueArray(fc.constantFrom(0, 1, 31, 91));
    fc.assert(
      fc.property(ranges, lags, days, ({ from, to }, all, at) => {
        const runs = lagged(dayspan(from, to), all).filter(({ span }) => holds(span, at));
        const counting = all.filter((lag) => within(addDays(at, lag), { from, to }));
        expect(runs.flatMap((run) => run.lags)).toEqual(counting);
        const isLong = from === null || to === null || dayNumber(to) - dayNumber(from) > 91;
        if (isLong) expect(runs.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 5_000 },
    );
  });

  test('up to a day have half a month of days at most, and half a year of months, where they may be taken away', () => {
    fc.assert(
      fc.property(days, (to) => {
        for (const { grain, gte, lte } of spansOf({ from: null, to }, { byYear: true, nearest: true })) {
          if (gte === null || lte === null) continue;
          expect(grain).not.toBe('year');
          const size = Number(lte.slice(-2)) - Number(gte.slice(-2)) + 1;
          expect(size).toBeLessThanOrEqual(grain === 'day' ? 15 : 6);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    [
      'months and the days of the last',
      range(null, '2024-03-14'),
      false,
      false,
      ['+month ..2024-02', '+day 2024-03-01..2024-03-14'],
    ],
    [
      'the month that ends soon, without its last days',
      range(null, '2024-03-24'),
      false,
      true,
      ['+month ..2024-03', '-day 2024-03-25..2024-03-31'],
    ],
    [
      'the day before a month, and the month',
      range('2024-01-31', '2024-02-29'),
      false,
      true,
      ['+month 2024-02..2024-02', '+day 2024-01-31..2024-01-31'],
    ],
    ['days of one month', range('2024-01-02', '2024-01-31'), true, true, ['+day 2024-01-02..2024-01-31']],
    ['nothing', range('2024-01-02', '2024-01-01'), true, true, []],
    [
      'years, and the months and days of the last',
      range(null, '2024-03-14'),
      true,
      true,
      ['+year ..2023', '+month 2024-01..2024-02', '+day 2024-03-01..2024-03-14'],
    ],
    [
      'the year that ends soon, without its last months and days',
      range(null, '2024-10-24'),
      true,
      true,
      ['+year ..2024', '-month 2024-11..2024-12', '-day 2024-10-25..2024-10-31'],
    ],
    ['months of one year', range('2024-02-01', '2024-11-30'), true, true, ['+month 2024-02..2024-11']],
  ])('are %s', (_, asked, byYear, nearest, expected) => {
    const texts = spansOf(asked, { byYear, nearest }).map(
      ({ grain, sign, gte, lte }) => `${sign === 1 ? '+' : '-'}${grain} ${gte ?? ''}..${lte ?? ''}`,
    );
    expect(texts).toEqual(expected);
  });
});
