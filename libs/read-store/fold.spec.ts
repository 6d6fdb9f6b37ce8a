import fc from 'fast-check';
import { InvariantBroken } from '../kernel/result.js';
import { add, at, collect, INSTANCE, MODEL, put, remove } from './contract/model.js';
import { foldChanges, mergeFolded } from './fold.js';
import { memoryReadStore } from './memory/overlay.js';
import type { Change, Found, ReadView } from './port.js';

const RUNS = 200;

const few = (prefix: string): fc.Arbitrary<string> => fc.integer({ min: 0, max: 3 }).map((n) => `${prefix}${n}`);
const measure = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 58n), max: 2n ** 58n }),
);
const adding = fc.tuple(few('D'), few('2026-01-0'), measure, measure).map((it): Change => add(...it));
const putting = fc.tuple(few('L'), fc.integer({ min: 0, max: 9 })).map(([loan, days]): Change => put(loan, { days }));
const removing = few('L').map((loan) => remove(loan));
const history = fc.array(fc.oneof(adding, putting, removing), { maxLength: 30 });

describe('a folded batch', () => {
  it('has the effect of all its changes in order', async () => {
    await fc.assert(
      fc.asyncProperty(history, history, async (earlier, changes) => {
        const [folded, unfolded] = [await applied(earlier, foldChanges(changes)), await applied(earlier, changes)];
        expect(folded).toEqual(unfolded);
      }),
      { numRuns: RUNS },
    );
  });

  it('has one change a document, and none that adds nothing', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const folded = foldChanges(changes);
        const documents = folded.map(({ collection, key }) => JSON.stringify([collection, key]));
        expect(new Set(documents).size).toBe(documents.length);
        for (const change of folded) {
          if (change.op === 'add') expect(Object.values(change.measures).some((it) => BigInt(it) !== 0n)).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('that was folded in parts is merged into the same', () => {
    fc.assert(
      fc.property(fc.array(fc.array(adding, { maxLength: 10 }), { maxLength: 4 }), (parts) => {
        expect(mergeFolded(parts.map(foldChanges)).sort(byKey)).toEqual(foldChanges(parts.flat()).sort(byKey));
      }),
      { numRuns: RUNS },
    );
  });

  it('has every sum in the smaller of its two forms', () => {
    expect(foldChanges([add('D1', '2026-01-01', 0n, 2n ** 53n)])).toEqual([add('D1', '2026-01-01', 0, 2n ** 53n)]);
    expect(mergeFolded([[add('D1', '2026-01-01', 0n, 1)], [add('D1', '2026-01-01', 0, 0n)]])).toEqual([
      add('D1', '2026-01-01', 0, 1),
    ]);
  });

  it('leaves the changes that it was given as they were', () => {
    const changes = [add('D1', '2026-01-01', 1, 1), add('D1', '2026-01-01', 2, 2)];
    const before = structuredClone(changes);
    foldChanges(changes);
    expect(changes).toEqual(before);
  });
});

describe('two keys', () => {
  const cells = (...keys: Record<string, string | number>[]): Change[] =>
    keys.map((key) => ({ op: 'add', collection: 'c', key, measures: { m: 1 } }));

  it.each([
    ['that differ in where a value ends', { a: '1', b: '1:1' }, { a: '11', b: ':1' }],
    ['that look like the lengths of others', { a: 'x1:', b: 'y' }, { a: 'x', b: '1:y' }],
    ['that look like how others end', { a: 'xs', b: 'y' }, { a: 'x', b: 'sy' }],
    ['of which one is empty', { a: '', b: 'x' }, { a: 'x', b: '' }],
    ['of a number and its text', { a: 1, b: 'x' }, { a: '#1;', b: 'x' }],
  ])('%s stay two', (_what, one, other) => {
    expect(foldChanges(cells(one, other))).toHaveLength(2);
  });

  it('with their names in another order are one', () => {
    expect(foldChanges(cells({ a: 'x', b: 'y' }, { b: 'y', a: 'x' }))).toEqual([
      { op: 'add', collection: 'c', key: { a: 'x', b: 'y' }, measures: { m: 2 } },
    ]);
  });

  it('of one collection have the same names', () => {
    expect(() => foldChanges(cells({ a: 'x', b: 'y' }, { a: 'x' }))).toThrow(InvariantBroken);
    expect(() => foldChanges(cells({ a: 'x' }, { a: 'x', b: 'y' }))).toThrow(InvariantBroken);
  });
});

it('a document that is added to and put is a mistake', () => {
  const key = { loan: 'L1', part: 0 };
  const adds: Change = { op: 'add', collection: 'loans', key, measures: { m: 1 } };
  expect(() => foldChanges([adds, put('L1')])).toThrow(InvariantBroken);
  expect(() => foldChanges([put('L1'), adds])).toThrow(InvariantBroken);
});

/** All that a store holds, but for cells of 0, after two batches. */
async function applied(earlier: readonly Change[], changes: readonly Change[]): Promise<Found[]> {
  const store = memoryReadStore();
  await store.open(INSTANCE, MODEL);
  await store.apply({ model: INSTANCE, partition: 0, from: at(0), to: at(1), changes: earlier });
  await store.apply({ model: INSTANCE, partition: 0, from: at(1), to: at(2), changes });
  const all = async (view: ReadView): Promise<Found[]> => [
    ...(await collect(view.find('cells'))).filter(({ amount, loans }) => amount !== 0 || loans !== 0),
    ...(await collect(view.find('loans'))),
  ];
  return store.read(INSTANCE, all);
}

const byKey = (a: Change, b: Change): number => (JSON.stringify(a.key) < JSON.stringify(b.key) ? -1 : 1);
