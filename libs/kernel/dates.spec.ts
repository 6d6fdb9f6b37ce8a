import {
  addDays,
  addMonths,
  dateOfDay,
  dayNumber,
  dayOf,
  daysBetween,
  type Instant,
  type LocalDate,
  parseDate,
  parseInstant,
  rollFollowing,
  weekday,
} from './dates.js';

const day = (text: string) => text as LocalDate;

describe('a day', () => {
  it.each(['2024-02-29', '2000-02-29', '1990-01-01', '2199-12-31', '2021-12-31', '2023-04-30'])('%s exists', (text) => {
    expect(parseDate(text)).toBe(text);
  });

  it.each([
    '2023-02-29',
    '1900-02-29',
    '2100-02-29',
    '2021-04-31',
    '2021-00-10',
    '2021-13-01',
    '2021-01-00',
    '2021-01-32',
    '2021-1-1',
    '15/07/2021',
    '2021-07-15T00:00:00Z',
    ' 2021-07-15',
    '2021-07-15\n',
    '',
  ])('%j does not exist', (text) => {
    expect(parseDate(text)).toBeNull();
  });

  it.each([
    ['2021-07-15', '2021-08-15', 31],
    ['2021-09-15', '2021-10-15', 30],
    ['2024-02-28', '2024-03-01', 2],
    ['2023-02-28', '2023-03-01', 1],
    ['2022-01-15', '2022-02-24', 40],
    ['2022-02-24', '2022-01-15', -40],
    ['1990-01-01', '2199-12-31', 76_700],
  ])('from %s to %s are %d days', (from, to, days) => {
    expect(daysBetween(day(from), day(to))).toBe(days);
    expect(addDays(day(from), days)).toBe(to);
  });

  it('is its number and back, over a leap year', () => {
    for (let number = dayNumber(day('2023-12-30')); number <= dayNumber(day('2025-01-02')); number++) {
      expect(dayNumber(dateOfDay(number))).toBe(number);
    }
    expect(dayNumber(day('1970-01-01'))).toBe(0);
    expect(dayNumber(day('1969-12-31'))).toBe(-1);
  });
});

describe('months from an anchor', () => {
  // Domain §4, E12: always from the anchor, so the 31st comes back after a February.
  it.each([
    [6, '2024-02-29'],
    [12, '2024-08-31'],
    [18, '2025-02-28'],
    [24, '2025-08-31'],
    [30, '2026-02-28'],
    [36, '2026-08-31'],
  ])('E12: 2023-08-31 and %d months is %s', (months, expected) => {
    expect(addMonths(day('2023-08-31'), months)).toBe(expected);
  });

  it.each([
    ['2021-01-31', 1, '2021-02-28'],
    ['2020-01-31', 1, '2020-02-29'],
    ['2024-02-29', 12, '2025-02-28'],
    ['2021-12-15', 1, '2022-01-15'],
    ['2021-12-31', 600, '2071-12-31'],
    ['2021-03-31', -1, '2021-02-28'],
    ['2021-01-31', -2, '2020-11-30'],
    ['2021-07-15', 0, '2021-07-15'],
  ])('%s and %d months is %s', (anchor, months, expected) => {
    expect(addMonths(day(anchor), months)).toBe(expected);
  });

  it('do not leave the calendar without notice', () => {
    expect(() => addMonths(day('9999-12-01'), 1)).toThrow('leaves the calendar');
  });
});

describe('a roll to the following working day', () => {
  it.each([
    ['2022-01-14', 5, '2022-01-14'],
    ['2022-01-15', 6, '2022-01-17'],
    ['2022-01-16', 0, '2022-01-17'],
    ['2022-01-17', 1, '2022-01-17'],
    ['2022-12-31', 6, '2023-01-02'],
    ['1969-12-28', 0, '1969-12-29'],
  ])('%s, weekday %d, goes to %s', (date, weekdayNumber, rolled) => {
    expect(weekday(day(date))).toBe(weekdayNumber);
    expect(rollFollowing(day(date))).toBe(rolled);
  });
});

describe('an instant', () => {
  it.each([
    ['2021-07-15T09:30:00+07:00', '2021-07-15T02:30:00.000Z'],
    ['2021-07-15T02:30:00Z', '2021-07-15T02:30:00.000Z'],
    ['2021-07-15T02:30:00.1239Z', '2021-07-15T02:30:00.123Z'],
    ['2021-07-15T00:00:00-05:30', '2021-07-15T05:30:00.000Z'],
    ['2021-07-15t02:30:00z', '2021-07-15T02:30:00.000Z'],
  ])('%s is %s', (text, canonical) => {
    expect(parseInstant(text)).toBe(canonical);
  });

  it.each([
    '2021-02-30T00:00:00Z',
    '2021-07-15',
    '2021-07-15 02:30:00Z',
    '2021-07-15T02:30:00',
    '2021-07-15T25:00:00Z',
    '2021-07-15T24:00:00Z',
    '2021-07-15T02:30Z',
    '2021-07-15T02:30:00+25:00',
  ])('%s is none', (text) => {
    expect(parseInstant(text)).toBeNull();
  });

  it.each([
    ['2021-07-14T16:59:59.999Z', '2021-07-14'],
    ['2021-07-14T17:00:00.000Z', '2021-07-15'],
    ['2021-07-15T16:59:59.999Z', '2021-07-15'],
    ['2020-02-28T17:00:00.000Z', '2020-02-29'],
    ['2021-12-31T17:00:00.000Z', '2022-01-01'],
  ])('%s lies in Ho Chi Minh on %s', (at, expected) => {
    expect(dayOf(at as Instant)).toBe(expected);
  });
});
