import fc from 'fast-check';
import { dateOfDay, dayNumber, type LocalDate } from '../kernel/dates.js';
import type { Where } from '../read-store/port.js';
import { addTo, amountOf, cells, cube, pieces, type Range, recordedDay, sumCells } from './cube.js';
import { TinyView } from './testing/view.js';

const FIRST = dayNumber('2023-11-20' as LocalDate);
const days = fc.integer({ min: 0, max: 170 }).map((n) => dateOfDay(FIRST + n));
const end = fc.option(days, { freq: 8 });
const ranges: fc.Arbitrary<Range> = fc.record({ from: end, to: end });

const PLAIN = cube({
  collection: 'plain',
  dimensions: ['district'],
  cuts: ['mm', 'md', 'dm', 'dd'],
});
const WITH_EVER = cube({
  collection: 'ever',
  dimensions: ['district'],
  cuts: ['emm', 'edd', 'mdm', 'ddd'],
});

const within = (day: LocalDate, { from, to }: Range) => (from === null || day >= from) && (to === null || day <= to);

describe('the pieces of a box of days', () => {
  const cellsOf = (of: typeof PLAIN, at: { value: LocalDate; due: LocalDate; recorded: LocalDate }) => {
    const changes: Parameters<typeof addTo>[0] = [];
    addTo(changes, [of], { district: '001' }, at, { amount: 1 });
    return new TinyView().apply(changes);
  };

  test.each([
    ['day and month', PLAIN],
    ['three axes, ever', WITH_EVER],
  ])('hold what lies in it once, and nothing else: %s', async (_, of) => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ value: days, due: days, recorded: days }),
        fc.record({ value: ranges, due: ranges, recorded: ranges }),
        async (at, box) => {
          const where = pieces(of, box);
          const found = where.length === 0 ? [] : await cellsOf(of, at).sum(of.collection, ask(where));
          const inside = of.axes.every((axis) => within(at[axis], box[axis]));
          expect(found.map((row) => amountOf(row, 'amount'))).toEqual(inside ? [1] : []);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  const ask = (where: readonly Where[]) => ({ where, by: [], measures: ['amount'] });

  test('are few: whole months, and the days around them', () => {
    const box = { value: { from: null, to: '2024-03-15' as LocalDate }, recorded: { from: null, to: null } };
    const due = box.recorded;
    expect(pieces(PLAIN, { ...box, due })).toEqual([
      { grains: 'mm', value: { lte: '2024-02' } },
      { grains: 'md', value: { gte: '2024-03-01', lte: '2024-03-15' } },
    ]);
    // Months that no cut keeps are read by their days.
    expect(pieces(cube({ ...PLAIN, cuts: ['dd'] }), { ...box, due })).toEqual([
      { grains: 'dd', value: { lte: '2024-02-31' } },
      { grains: 'dd', value: { gte: '2024-03-01', lte: '2024-03-15' } },
    ]);
    const monthEnd = { from: '2024-02-01' as LocalDate, to: '2024-02-29' as LocalDate };
    expect(pieces(PLAIN, { ...box, value: monthEnd, due: box.recorded })).toEqual([
      { grains: 'mm', value: { gte: '2024-02', lte: '2024-02' } },
    ]);
  });
});

test('what was known is the same, read as what was recorded by then or as all less what came later', async () => {
  const posting = fc.record({ value: days, recorded: days, amount: fc.integer({ min: -9, max: 9 }) });
  const [both, only] = (['ever', 'month'] as const).map((first) =>
    cube({
      collection: first,
      dimensions: ['district'],
      cuts: first === 'ever' ? ['em', 'ed', 'mm', 'dd'] : ['mm', 'md', 'dm', 'dd'],
    }),
  ) as [typeof PLAIN, typeof PLAIN];
  await fc.assert(
    fc.asyncProperty(fc.array(posting), ranges, fc.option(days), async (postings, value, knownOn) => {
      const view = new TinyView();
      for (const { amount, ...at } of postings) {
        const changes: Parameters<typeof addTo>[0] = [];
        addTo(changes, [both, only], { district: '001' }, at, { amount });
        view.apply(changes);
      }
      const question = { by: ['district'], measures: ['amount'], value, knownOn };
      const known = postings.filter((at) => within(at.value, value) && (knownOn === null || at.recorded <= knownOn));
      const total = known.reduce((sum, { amount }) => sum + amount, 0);
      for (const kept of [both, only]) {
        const [row] = await sumCells(view, kept, question);
        expect(row === undefined ? 0 : amountOf(row, 'amount')).toBe(total);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('what came to nothing since is still something as known before', async () => {
  const of = cube({ collection: 'c', dimensions: ['district'], cuts: ['ed', 'dd'] });
  // A store may leave out a cell whose deltas came to nothing: here, the one of all recordings.
  const key = (recorded: string, grains: string) => ({ grains, recorded, value: '2024-01-01', district: '001' });
  const view = new TinyView().apply([
    { op: 'add', collection: 'c', key: key('2024-01-01', 'dd'), measures: { amount: 5 } },
    { op: 'add', collection: 'c', key: key('2024-01-09', 'dd'), measures: { amount: -5 } },
  ]);
  const [from, to] = [null, '2024-01-02' as LocalDate];
  const asked = { by: ['district'], measures: ['amount'], value: { from, to }, knownOn: '2024-01-05' as LocalDate };
  expect(await sumCells(view, of, asked)).toEqual([{ district: '001', amount: 5 }]);
});

test('cells are keyed by grains, days and dimensions, recorded day first', () => {
  expect(cells(WITH_EVER, ['amount'])).toEqual({
    name: 'ever',
    key: { grains: 'text', recorded: 'text', value: 'text', due: 'text', district: 'text' },
    measures: ['amount'],
  });
});

test.each([
  ['2024-01-01T16:59:59.999Z', '2024-01-01'],
  ['2024-01-01T17:00:00.000Z', '2024-01-02'],
  ['2024-01-01T17:30:00.000Z', '2024-01-02'],
  ['2024-12-31T23:00:00.000Z', '2025-01-01'],
])('%s is recorded on %s in Hanoi', (recordedAt, day) => {
  expect(recordedDay({ meta: { recordedAt: recordedAt as never } })).toBe(day);
});
