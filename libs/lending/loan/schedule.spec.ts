import { asDong } from '../../kernel/money.js';
import { lent } from '../examples.js';
import { day, given } from '../scenario.js';
import { dueDates, splitPart } from './schedule.js';
import type { ApprovedLoan } from './state.js';

/** Due days and principal of the loan that the commands led to. */
const scheduleOf = (on: string, amount: number, termMonths: number, every: number, terms = {}) =>
  given(...lent(on, { amount, termMonths, installmentEveryMonths: every }, terms))
    .fold<ApprovedLoan>('loan-L')
    .state.book.installments.map(({ dueDate, principal }) => [dueDate, principal]);

describe('a schedule', () => {
  it('E4: 50 m over 36 months, every 6, from 2021-07-15', () => {
    expect(scheduleOf('2021-07-15', 50_000_000, 36, 6)).toEqual([
      ['2022-01-15', 8_333_000],
      ['2022-07-15', 8_333_000],
      ['2023-01-15', 8_333_000],
      ['2023-07-15', 8_333_000],
      ['2024-01-15', 8_333_000],
      ['2024-07-15', 8_335_000],
    ]);
  });

  it('E12: every 6 months from 2023-08-31, always from the anchor', () => {
    expect(scheduleOf('2023-08-31', 6_000_000, 36, 6).map(([dueDate]) => dueDate)).toEqual([
      '2024-02-29',
      '2024-08-31',
      '2025-02-28',
      '2025-08-31',
      '2026-02-28',
      '2026-08-31',
    ]);
  });

  it.each([
    [36, 6, 6, '2024-07-15'],
    [13, 6, 3, '2022-08-15'],
    [12, 12, 1, '2022-07-15'],
    [5, 12, 1, '2021-12-15'],
    [1, 1, 1, '2021-08-15'],
    [600, 1, 600, '2071-07-15'],
  ])('a term of %d months, every %d, has %d instalments, the last on %s', (termMonths, every, count, last) => {
    const terms = { termMonths, installmentEveryMonths: every, dueDayRoll: 'NONE' as const };
    const days = dueDates(day('2021-07-15'), terms);
    expect([days.length, days.at(-1)]).toEqual([count, last]);
  });

  it('rolls each due day apart, and runs from the anchor all the same', () => {
    expect(scheduleOf('2021-07-15', 3_000_000, 18, 6, { dueDayRoll: 'FOLLOWING' })).toEqual([
      ['2022-01-17', 1_000_000],
      ['2022-07-15', 1_000_000],
      ['2023-01-16', 1_000_000],
    ]);
  });

  it.each([
    [50_000_000, 6, [8_333_000, 8_333_000, 8_333_000, 8_333_000, 8_333_000, 8_335_000]],
    [999, 3, [0, 0, 999]],
    [5_999, 6, [0, 0, 0, 0, 0, 5_999]],
    [6_000, 6, [1_000, 1_000, 1_000, 1_000, 1_000, 1_000]],
    [1, 1, [1]],
    [10 ** 15, 3, [333_333_333_333_000, 333_333_333_333_000, 333_333_333_334_000]],
  ])('splits %d over %d: thousands, the remainder on the last', (amount, count, principal) => {
    const due = Array.from({ length: count }, (_, index) => ({
      number: index + 1,
      dueDate: day(`2022-01-${10 + index}`),
    }));
    expect(splitPart(asDong(amount), day('2022-01-01'), due).map((share) => share.principal)).toEqual(principal);
  });

  it('splits a later part over the instalments whose due day lies after its value date', () => {
    const due = ['2022-01-15', '2022-07-15', '2023-01-15'].map((dueDate, index) => ({
      number: index + 1,
      dueDate: day(dueDate),
    }));
    expect(splitPart(asDong(5_000), day('2022-01-15'), due)).toEqual([
      { installment: 2, dueDate: '2022-07-15', principal: 2_000 },
      { installment: 3, dueDate: '2023-01-15', principal: 3_000 },
    ]);
  });
});
