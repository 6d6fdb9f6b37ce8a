import fc from 'fast-check';
import { addDays, dateOfDay, dayNumber, type LocalDate } from '../kernel/dates.js';
import { foldChanges } from '../read-store/fold.js';
import { IN_MAX } from '../read-store/port.js';
import { amountOf, type Cube, cell, cells, DAYS_SOUGHT_MAX, type Question, recordedDay, sumCells } from './cube.js';
import { rollUpOf } from './roll-up.js';
import { EVER, type Range } from './spans.js';
import { TinyView } from './testing/view.js';

const FIRST = dayNumber('2022-11-20' as LocalDate);
const days = fc.integer({ min: 0, max: 800 }).map((n) => dateOfDay(FIRST + n));
const end = fc.option(days, { freq: 8 });
const ranges: fc.Arbitrary<Range> = fc.record({ from: end, to: end });

type Dimension = 'district' | 'kind' | 'due';

/** Levels that keep of recording what the levels of read models keep. `soon` and `later` are ahead of `amount`. */
const CUBE: Cube<Dimension> = {
  name: 'finest',
  measures: ['amount', 'count', 'soon', 'later'],
  lags: { soon: { of: 'amount', days: 1 }, later: { of: 'amount', days: 31 } },
  levels: [
    { collection: 'all', dimensions: [], knownByMonth: 'days', aheadByDay: true },
    {
      collection: 'district',
      dimensions: ['district'],
      knownByMonth: 'days',
      aheadByYear: 'days',
      byYear: true,
    },
    { collection: 'due', dimensions: ['due'], knownByMonth: 'days' },
    { collection: 'kind', dimensions: ['kind'], knownByMonth: 'months', aheadByYear: 'months', byYear: true },
    { collection: 'full', dimensions: ['district', 'kind', 'due'], aheadByYear: 'months', byYear: true },
  ],
};

interface Posting {
  readonly value: LocalDate;
  readonly recorded: LocalDate;
  readonly of: Readonly<Record<Dimension, string>>;
  readonly measures: { readonly amount: number; readonly count: number; readonly soon: number; readonly later: number };
}

const amounts = fc.integer({ min: -9, max: 9 });
const posting: fc.Arbitrary<Posting> = fc.record({
  value: days,
  recorded: days,
  of: fc.record({ district: fc.constantFrom('001', '250'), kind: fc.constantFrom('A', 'B'), due: days }),
  measures: fc.record({ amount: amounts, count: amounts, soon: amounts, later: amounts }),
});

const changesOf = (postings: readonly Posting[]) =>
  rollUpOf([CUBE])(
    foldChanges(postings.map(({ of, value, recorded, measures }) => cell(CUBE, of, value, recorded, measures))),
  );

const within = (day: LocalDate, { from, to }: Range) => (from === null || day >= from) && (to === null || day <= to);

/** What a question asks for, counted posting by posting. */
function counted(postings: readonly Posting[], { by, value, due = EVER, knownOn }: Question<Dimension>) {
  const totals = new Map<string, { amount: number; count: number }>();
  for (const { of, recorded, measures, ...at } of postings) {
    if ((knownOn !== null && recorded > knownOn) || !within(of.due as LocalDate, due)) continue;
    const { amount, count, soon, later } = measures;
    for (const [lag, counts] of [
      [0, { amount, count }],
      [1, { amount: soon, count: 0 }],
      [31, { amount: later, count: 0 }],
    ] as const) {
      const day = addDays(at.value, lag);
      if (!within(day, value)) continue;
      const key = by.map((name) => (name === 'value' ? day.slice(0, 7) : of[name])).join(' ');
      const total = totals.get(key) ?? { amount: 0, count: 0 };
      totals.set(key, { amount: total.amount + counts.amount, count: total.count + counts.count });
    }
  }
  return totals;
}

const questions: fc.Arbitrary<Question<Dimension>> = fc.record({
  by: fc.subarray(['district', 'kind', 'due', 'value'] as const),
  measures: fc.constant(['amount', 'count']),
  value: ranges,
  due: fc.oneof(fc.constant(EVER), ranges),
  knownOn: fc.option(days, { freq: 5 }),
});

/** Sums of a view by the same keys as `counted`, without those of nothing. */
async function summed(view: TinyView, question: Question<Dimension>) {
  const totals = new Map<string, { amount: number; count: number }>();
  for (const row of await sumCells(view, CUBE, question)) {
    const key = question.by.map((name) => (name === 'value' ? String(row.value).slice(0, 7) : row[name])).join(' ');
    const total = totals.get(key) ?? { amount: 0, count: 0 };
    const [amount, count] = ['amount', 'count'].map((name) => Number(amountOf(row, name)));
    totals.set(key, { amount: total.amount + (amount ?? 0), count: total.count + (count ?? 0) });
  }
  return something(totals);
}

const something = (totals: ReadonlyMap<string, { amount: number; count: number }>) =>
  [...totals].filter(([, { amount, count }]) => amount !== 0 || count !== 0).sort(([a], [b]) => (a < b ? -1 : 1));

describe('sums of cells', () => {
  test('are what counting the postings gives, at every level, of any days, as known on any day', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(posting, { maxLength: 12 }), fc.array(questions), async (postings, asked) => {
        const view = new TinyView().apply(changesOf(postings));
        for (const question of asked) {
          expect(await summed(view, question)).toEqual(something(counted(postings, question)));
        }
      }),
      { numRuns: 600 },
    );
  });

  test('are the same whichever batches the postings came in', () => {
    fc.assert(
      fc.property(fc.array(fc.array(posting, { maxLength: 8 }), { maxLength: 4 }), (batches) => {
        const split = new TinyView();
        for (const batch of batches.toReversed()) split.apply(changesOf(batch));
        expect(split.rows()).toEqual(new TinyView().apply(changesOf(batches.flat())).rows());
      }),
      { numRuns: 200 },
    );
  });

  test('of what came to nothing since are still something as known before', async () => {
    const [value, of] = [day('2024-01-01'), { district: '001', kind: 'A', due: '2024-01-01' }];
    const view = new TinyView().apply(
      rollUpOf([CUBE])([
        cell(CUBE, of, value, day('2024-01-01'), { amount: 5 }),
        cell(CUBE, of, value, day('2024-01-09'), { amount: -5 }),
      ]),
    );
    const asked = { by: ['district' as const], measures: ['amount'], value: { from: null, to: day('2024-01-02') } };
    expect(await sumCells(view, CUBE, { ...asked, knownOn: day('2024-01-05') })).toEqual([
      { district: '001', amount: 5 },
    ]);
  });

  test('read few cells: those of today one set by month, those of a day before the months since as well', async () => {
    const { postings, question } = fiveYears();
    const view = new TinyView().apply(changesOf(postings));
    const read = async (asked: Partial<Question<Dimension>>) => {
      view.cellsRead = 0;
      expect(await summed(view, { ...question, ...asked })).toEqual(
        something(counted(postings, { ...question, ...asked })),
      );
      return view.cellsRead;
    };
    // 61 months and the days of the last, each for those of today and those that lag.
    expect(await read({})).toBeLessThan(130);
    expect(await read({ knownOn: day('2023-06-10') })).toBeLessThan(300);
    expect(await read({ knownOn: day('2022-06-10'), value: { from: null, to: day('2024-06-15') } })).toBeLessThan(800);
  });

  test('read few cells of the month that the day of knowing cuts, however many the finest are', async () => {
    const postings = aheadOfOneMonth();
    const view = new TinyView().apply(changesOf(postings));
    const question: Question<Dimension> = {
      ...{ by: [], measures: ['amount', 'count'], knownOn: day('2024-01-15') },
      value: { from: null, to: day('2025-02-10') },
    };
    expect(await summed(view, question)).toEqual(something(counted(postings, question)));
    // Fifteen days of recording, of each the months and the days of two more, each for those of their day and those
    // that lag. The finest hold 3,600 that were recorded on those days.
    expect(view.cellsRead).toBeLessThan(15 * 20);
  });

  test('read few cells of what was ahead years before, whichever level keeps it by months or years alone', async () => {
    const postings = aheadOfFourYears();
    const view = new TinyView().apply(changesOf(postings));
    const read = async (by: Question<Dimension>['by'], knownOn: string) => {
      const question = { by, measures: ['amount', 'count'], knownOn: day(knownOn), value: UP_TO_2025 };
      view.cellsRead = 0;
      expect(await summed(view, question)).toEqual(something(counted(postings, question)));
      return view.cellsRead;
    };
    // The finest hold 10,215 and 11,607 of them. Where years alone are kept, those recorded in half a year at most.
    expect(await read(['kind'], '2024-06-10')).toBeLessThan(1_800);
    expect(await read(['district', 'kind'], '2024-01-10')).toBeLessThan(1_800);
    expect(await read(['district', 'kind'], '2024-06-10')).toBeLessThan(1_800 + 161 * 24);
  });

  test('of more days of recording than a store is asked for at once are those of all', async () => {
    const of = { district: '001', kind: 'A', due: '2024-01-01' };
    const measures = { amount: 1, count: 1, soon: 1, later: 0 };
    const postings = ['1998-05-05', '2019-12-30', '2022-02-02'].map((recorded) => ({
      ...{ of, measures, recorded: day(recorded), value: day('2024-03-04') },
    }));
    const question: Question<Dimension> = {
      ...{ by: ['kind'], measures: ['amount', 'count'], knownOn: day('2021-06-10') },
      value: { from: null, to: day('2024-03-05') },
    };
    const view = new TinyView().apply(changesOf(postings));
    expect(await summed(view, question)).toEqual([['A', { amount: 4, count: 2 }]]);
    expect(DAYS_SOUGHT_MAX).toBeLessThanOrEqual(IN_MAX);
  });
});

const UP_TO_2025: Range = { from: null, to: day('2025-12-10') };

/** Each day, what counts in 24 months to come, of one combination a month: no two days of recording share a cell. */
function aheadOfFourYears(): readonly Posting[] {
  const first = dayNumber('2021-01-01' as LocalDate);
  const measures = { amount: 1, count: 1, soon: 1, later: 0 };
  return Array.from({ length: 1_461 }, (_, on) =>
    Array.from({ length: 24 }, (_, month) => ({
      ...{ recorded: dateOfDay(first + on), value: dateOfDay(first + on + 9 + 61 * month), measures },
      of: { district: month % 2 === 0 ? '001' : '250', kind: month % 3 === 0 ? 'A' : 'B', due: '2024-01-01' },
    })),
  ).flat();
}

/** Of each day of a month, what counts on some days of the next two years: at the finest, thirty cells of each. */
function aheadOfOneMonth(): readonly Posting[] {
  const first = dayNumber('2024-01-01' as LocalDate);
  const each = <T>(count: number, one: (n: number) => T) => Array.from({ length: count }, (_, n) => one(n));
  const measures = { amount: 1, count: 1, soon: 1, later: 0 };
  return each(28, (on) =>
    each(8, (ahead) =>
      each(30, (loan) => ({
        ...{ recorded: dateOfDay(first + on), value: dateOfDay(first + on + 3 + 70 * ahead), measures },
        of: { district: '001', kind: 'A', due: dateOfDay(first + loan) },
      })),
    ),
  ).flat(2);
}

/** A posting a day, of its day, and one of each third day for some time after. */
function fiveYears() {
  const postings: Posting[] = [];
  const first = dayNumber('2019-07-01' as LocalDate);
  const of = { district: '001', kind: 'A', due: '2024-01-01' };
  for (let n = 0; n < 1_826; n++) {
    const recorded = dateOfDay(first + n);
    const measures = { amount: 1, count: 1, soon: 1, later: 0 };
    postings.push({ value: recorded, recorded, of, measures });
    if (n % 3 === 0) postings.push({ value: dateOfDay(first + n + ((n * 7) % 700)), recorded, of, measures });
  }
  const question: Question<Dimension> = {
    ...{ by: [], measures: ['amount', 'count'], knownOn: null },
    value: { from: null, to: day('2024-06-15') },
  };
  return { postings, question };
}

test('cells are keyed by the days that a question has bounds on first', () => {
  const key = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'text']));
  expect(cells(CUBE).map(({ name, key }) => [name, key])).toEqual([
    ['all', key('grain', 'value')],
    ['all_late', key('grain', 'value', 'recorded')],
    ['all_ahead', key('grain', 'value', 'recorded')],
    ['all_ahead_by_day', key('grain', 'recorded', 'value')],
    ['district', key('grain', 'value', 'district')],
    ['district_late', key('grain', 'value', 'recorded', 'district')],
    ['district_ahead', key('grain', 'value', 'recorded', 'district')],
    ['district_ahead_by_year', key('grain', 'value', 'recorded', 'district')],
    ['due', key('grain', 'value', 'due')],
    ['due_late', key('grain', 'value', 'recorded', 'due')],
    ['due_ahead', key('grain', 'value', 'recorded', 'due')],
    ['kind', key('grain', 'value', 'kind')],
    ['kind_late', key('grain', 'value', 'recorded', 'kind')],
    ['kind_ahead', key('grain', 'value', 'recorded', 'kind')],
    ['kind_ahead_by_year', key('grain', 'value', 'recorded', 'kind')],
    ['full', key('grain', 'value', 'district', 'kind', 'due')],
    ['full_late', key('grain', 'recorded', 'value', 'district', 'kind', 'due')],
    ['full_ahead', key('grain', 'recorded', 'value', 'district', 'kind', 'due')],
    ['full_ahead_by_year', key('grain', 'value', 'recorded', 'district', 'kind', 'due')],
  ]);
  for (const { measures } of cells(CUBE)) expect(measures).toEqual(CUBE.measures);
});

test.each([
  ['2024-01-01T16:59:59.999Z', '2024-01-01'],
  ['2024-01-01T17:00:00.000Z', '2024-01-02'],
  ['2024-01-01T17:30:00.000Z', '2024-01-02'],
  ['2024-12-31T23:00:00.000Z', '2025-01-01'],
])('%s is recorded on %s in Hanoi', (recordedAt, on) => {
  expect(recordedDay({ meta: { recordedAt: recordedAt as never } })).toBe(on);
});

function day(text: string): LocalDate {
  return text as LocalDate;
}
