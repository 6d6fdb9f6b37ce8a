import fc from 'fast-check';
import { add, at, batch, collect, INSTANCE, MODEL, put, remove } from '../contract/model.js';
import type { Change, Find, ReadStore, Sum } from '../port.js';
import { openSqliteReadStore } from '../sqlite/store.js';
import { memoryReadStore, overlayReadStore } from './overlay.js';

const RUNS = 60;

const TEXTS = ['', 'Ba Vì', 'Đông Anh', '～', '🌾'];
const text = fc.constantFrom(...TEXTS);
const small = fc.integer({ min: -2, max: 3 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(text, text, fc.oneof(small, fc.bigInt({ min: -(2n ** 57n), max: 2n ** 57n }))).map((it) => add(...it)),
  fc
    .tuple(text, fc.option(text), fc.option(small))
    .map(([loan, district, days]) => put(loan, { district, days, terms: [days] })),
  text.map((loan) => remove(loan)),
);
const changes = fc.array(change, { maxLength: 20 });
const loansFind: fc.Arbitrary<Find> = fc.record(
  {
    where: fc.record(
      {
        district: fc.option(
          fc.oneof(
            text,
            text.map((gte) => ({ gte })),
          ),
        ),
        days: fc.oneof(
          small,
          small.map((lt) => ({ lt })),
        ),
      },
      { requiredKeys: [] },
    ),
    order: fc.shuffledSubarray(['district', '-days', 'loan', '-district', 'days']),
    limit: fc.integer({ min: 0, max: 6 }),
  },
  { requiredKeys: [] },
);
const cellsFind: fc.Arbitrary<Find> = fc.record(
  { order: fc.shuffledSubarray(['-day', 'district', 'day', '-bucket']), limit: fc.integer({ min: 0, max: 6 }) },
  { requiredKeys: [] },
);
const cellsSum: fc.Arbitrary<Sum> = fc.record({
  where: fc.array(
    fc.record(
      {
        day: fc.oneof(
          text,
          text.map((gt) => ({ gt })),
        ),
      },
      { requiredKeys: [] },
    ),
    { maxLength: 3 },
  ),
  by: fc.subarray(['district', 'day']),
  measures: fc.subarray(['amount', 'loans']),
});

describe('an overlay', () => {
  it('answers as one store to which all was applied would, whatever stands in the base', async () => {
    await fc.assert(
      fc.asyncProperty(changes, changes, loansFind, cellsFind, cellsSum, async (below, above, loans, cells, sum) => {
        const [base, whole, bare] = [
          openSqliteReadStore({ path: ':memory:' }),
          openSqliteReadStore({ path: ':memory:' }),
          memoryReadStore(),
        ];
        const overlay = overlayReadStore(base);
        try {
          await opened(base, [below]);
          await opened(overlay, []);
          expect(await overlay.apply(batch(1, 2, above))).toEqual({ outcome: 'applied' });
          await opened(whole, [below, above]);
          await opened(bare, [below, above]);
          const answers = (store: ReadStore): Promise<unknown> => answersOf(store, loans, cells, sum);
          const expected = await answers(whole);
          expect(await answers(overlay)).toEqual(expected);
          expect(await answers(bare)).toEqual(expected);
        } finally {
          await Promise.all([base.close(), whole.close()]);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('never writes to its base', async () => {
    const base = openSqliteReadStore({ path: ':memory:' });
    await opened(base, [[put('L1'), add('D1', '2026-01-05', 1)]]);
    await base.switchTo('quality', INSTANCE);
    const before = base.transactions;
    const overlay = overlayReadStore(base);
    await overlay.open(INSTANCE, MODEL);
    await overlay.apply(batch(1, 5, [remove('L1'), put('L2'), add('D1', '2026-01-05', 1)]));
    await overlay.open('quality.1.dry', MODEL);
    await overlay.apply(batch(0, 5, [put('L3')], 0, 'quality.1.dry'));
    await overlay.switchTo('quality', 'quality.1.dry');
    await overlay.drop(INSTANCE);
    await overlay.close();
    expect(base.transactions).toBe(before);
    expect([await base.checkpoint(INSTANCE, 0), await base.live('quality'), await base.instances()]).toEqual([
      at(1),
      INSTANCE,
      [INSTANCE],
    ]);
    await base.close();
  });

  it('reads through to what was not opened in it', async () => {
    const base = memoryReadStore();
    await opened(base, [[put('L1')]]);
    await base.switchTo('quality', INSTANCE);
    const overlay = overlayReadStore(base);
    expect(await overlay.live('quality')).toBe(INSTANCE);
    expect(await overlay.read(INSTANCE, (view) => view.get('loans', { loan: 'L1', part: 0 }))).toMatchObject({
      loan: 'L1',
    });
    expect(await overlay.checkpoint(INSTANCE, 0)).toEqual(at(1));
  });

  it('goes on from where its base stands, and has an instance anew that it dropped', async () => {
    const base = memoryReadStore();
    await opened(base, [[put('L1')]]);
    const overlay = overlayReadStore(base);
    await overlay.open(INSTANCE, MODEL);
    expect(await overlay.apply(batch(0, 1, []))).toEqual({ outcome: 'elsewhere', checkpoint: at(1) });
    await overlay.drop(INSTANCE);
    expect(await overlay.instances()).toEqual([]);
    await overlay.open(INSTANCE, MODEL);
    expect(await overlay.apply(batch(0, 1, [put('L2')]))).toEqual({ outcome: 'applied' });
    const loans = await overlay.read(INSTANCE, async (view) => collect(view.find('loans')));
    expect(loans.map(({ loan }) => loan)).toEqual(['L2']);
  });
});

async function opened(store: ReadStore, batches: readonly (readonly Change[])[]): Promise<void> {
  await store.open(INSTANCE, MODEL);
  for (const [n, applied] of batches.entries()) await store.apply(batch(n, n + 1, applied));
}

const answersOf = (store: ReadStore, loans: Find, cells: Find, sum: Sum): Promise<unknown> =>
  store.read(INSTANCE, async (view) => ({
    checkpoint: view.checkpoint,
    loans: await collect(view.find('loans', loans)),
    cells: await collect(view.find('cells', cells)),
    sum: await view.sum('cells', sum),
    got: await Promise.all(TEXTS.map((loan) => view.get('loans', { loan, part: 0 }))),
    cell: await Promise.all(TEXTS.map((day) => view.get('cells', { district: 'Ba Vì', day, bucket: 0 }))),
  }));
