import { MONTHS_MAX, monthsOf } from './months.js';
import { day } from './testing/ledger.js';

const told = (from: string, asOf: string) => monthsOf(day(from), day(asOf));

test.each([
  [
    '2024-01-31',
    '2024-03-05',
    ['2024-01 2024-01-01 2024-01-31', '2024-02 2024-02-01 2024-02-29', '2024-03 2024-03-01 2024-03-05'],
  ],
  ['2023-12-31', '2024-01-01', ['2023-12 2023-12-01 2023-12-31', '2024-01 2024-01-01 2024-01-01']],
  ['2024-01-20', '2024-01-05', ['2024-01 2024-01-01 2024-01-05']],
  ['2024-02-01', '2024-01-31', []],
])('the months from %s to %s', (from, asOf, expected) => {
  expect(told(from, asOf).map(({ month, first, last }) => `${month} ${first} ${last}`)).toEqual(expected);
});

test('are the last ones where there are too many', () => {
  const months = told('1990-01-01', '2199-12-31');
  expect([months.length, months[0]?.first, months.at(-1)?.last]).toEqual([MONTHS_MAX, '2190-01-01', '2199-12-31']);
  expect(told('2024-01-01', '2024-01-31')).toHaveLength(1);
});
