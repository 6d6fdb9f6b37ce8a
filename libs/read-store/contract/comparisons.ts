import { InvariantBroken } from '../../kernel/result.js';
import type { Change, Difference, ReadModel } from '../port.js';
import { add, at, batch, INSTANCE, MODEL, put, remove } from './model.js';
import type { ReadStoreHarness, ReadStorePlace, ReadStoreTraits } from './place.js';
import { withSnapshots } from './snapshots.js';

const BUILT = 'quality.1.built';
/** More than any adapter compares at once. */
const MANY = 5_000;
/** More differing texts of equal JSON than any adapter holds at once. */
const TEXTS = 250;

const cell = (district: string, amount: number | bigint, loans = 0) => ({
  ...{ district, day: '2026-01-05', bucket: 0 },
  ...{ amount, loans },
});
const loan = (name: string, days: number | null = null, terms: unknown = null) => ({
  ...{ loan: name, part: 0 },
  ...{ district: null, days, terms },
});
const day = (district: string, amount: number | bigint, loans = 0): Change =>
  add(district, '2026-01-05', amount, loans);
const named = (n: number): string => `L${n.toString().padStart(5, '0')}`;

export function comparisonContract(
  place: () => ReadStorePlace,
  harness: ReadStoreHarness,
  traits: ReadStoreTraits,
): void {
  describe('a comparison of two instances', () => {
    beforeEach(async () => {
      await place().store.open(INSTANCE, MODEL);
      await place().store.open(BUILT, MODEL);
    });
    small(place);
    long(place);
    beside(place, traits);
  });
  describe('a comparison of two instances of many rows', () => missing(harness));
}

const SMALL: readonly (readonly [string, readonly Change[], readonly Change[], Difference | null])[] = [
  ['nothing of two that are empty', [], [], null],
  [
    'nothing of two that are equal',
    [day('D1', 1, 2), put('L1', { days: 1 }), put('L2', { terms: [1, { a: null }] })],
    [put('L2', { terms: [1, { a: null }] }), put('L1', { days: 1 }), day('D1', 1, 2)],
    null,
  ],
  [
    'a field',
    [put('L1', { days: 1 }), put('L2', { days: 1 })],
    [put('L1', { days: 1 }), put('L2', { days: 2 })],
    { collection: 'loans', left: loan('L2', 1), right: loan('L2', 2) },
  ],
  [
    'a field that is null on one side',
    [put('L1')],
    [put('L1', { days: 0 })],
    { collection: 'loans', left: loan('L1'), right: loan('L1', 0) },
  ],
  [
    'a value inside JSON',
    [put('L1', { terms: { a: [1, 2] } })],
    [put('L1', { terms: { a: [2, 1] } })],
    { collection: 'loans', left: loan('L1', null, { a: [1, 2] }), right: loan('L1', null, { a: [2, 1] }) },
  ],
  [
    'nothing of JSON whose members are in another order',
    [put('L1', { terms: { a: 1, b: { c: 2, d: 3 } } })],
    [put('L1', { terms: { b: { d: 3, c: 2 }, a: 1 } })],
    null,
  ],
  [
    'a document that is missing on the left',
    [put('L1'), put('L3')],
    [put('L1'), put('L2'), put('L3')],
    { collection: 'loans', left: null, right: loan('L2') },
  ],
  [
    'a document that is missing on the right',
    [put('L1'), put('L2'), put('L3')],
    [put('L1'), put('L3')],
    { collection: 'loans', left: loan('L2'), right: null },
  ],
  [
    'a document after all of the other side',
    [put('L1')],
    [put('L1'), put('L2')],
    { collection: 'loans', left: null, right: loan('L2') },
  ],
  ['documents where the other side has none', [put('L1')], [], { collection: 'loans', left: loan('L1'), right: null }],
  [
    'a document of another key as two, the first of which is told',
    [put('L1', {}, 1)],
    [put('L1', {}, 0)],
    { collection: 'loans', left: null, right: loan('L1') },
  ],
  ['nothing of cells that came to 0', [day('D1', 5, 1), day('D1', -5, -1)], [day('D2', 0)], null],
  [
    'a cell that came to 0 as one that is missing on the left',
    [day('D1', 5), day('D1', -5), day('D2', 1)],
    [day('D1', 5), day('D2', 1)],
    { collection: 'cells', left: null, right: cell('D1', 5) },
  ],
  [
    'a cell that came to 0 as one that is missing on the right',
    [day('D1', 0, 1)],
    [day('D1', 0)],
    { collection: 'cells', left: cell('D1', 0, 1), right: null },
  ],
  [
    'a cell that the other side has not',
    [day('D1', 1)],
    [day('D0', 0), day('D1', 1), day('D2', 3)],
    { collection: 'cells', left: null, right: cell('D2', 3) },
  ],
  [
    'a sum past 2^53 in its last place',
    [day('D1', 2n ** 60n)],
    [day('D1', 2n ** 60n + 1n)],
    { collection: 'cells', left: cell('D1', 2n ** 60n), right: cell('D1', 2n ** 60n + 1n) },
  ],
  [
    'the first of several by its collection',
    [day('D9', 1), put('L1')],
    [day('D9', 2)],
    { collection: 'cells', left: cell('D9', 1), right: cell('D9', 2) },
  ],
  [
    'the first of several by its key, whichever was written first: missing on the left',
    [put('L4', { days: 4 }), put('L3'), put('L5')],
    [put('L4', { days: 5 }), put('L3'), put('L2')],
    { collection: 'loans', left: null, right: loan('L2') },
  ],
  [
    'the first of several by its key, whichever was written first: of other fields',
    [put('L9'), put('L2', { days: 1 }), put('L4')],
    [put('L2', { days: 2 }), put('L3')],
    { collection: 'loans', left: loan('L2', 1), right: loan('L2', 2) },
  ],
  [
    'the first of several by its key in the order of UTF-8',
    [put('～'), put('🌾')],
    [],
    { collection: 'loans', left: loan('～'), right: null },
  ],
];

function small(place: () => ReadStorePlace): void {
  it.each(SMALL)('finds %s', async (_what, left, right, expected) => {
    expect(await difference(place, left, right)).toEqual(expected);
  });

  it('takes the collections in the order of the model', async () => {
    const model: ReadModel = { ...MODEL, collections: [...MODEL.collections].reverse() };
    const [left, right] = [[day('D1', 1), put('L1')], [day('D1', 2)]];
    expect(await difference(place, left, right, model)).toMatchObject({ collection: 'loans' });
  });

  it('ends with nothing of an instance with itself', async () => {
    const { store } = place();
    await store.apply(batch(0, 1, [put('L1'), day('D1', 1)]));
    expect(await (await store.compare(MODEL, INSTANCE, INSTANCE)).difference).toBeNull();
  });

  it('refuses an instance that is not there', async () => {
    const { store } = place();
    await expect(store.compare(MODEL, INSTANCE, 'quality.1.gone')).rejects.toThrow(InvariantBroken);
    await expect(store.compare(MODEL, 'quality.1.gone', INSTANCE)).rejects.toThrow(InvariantBroken);
  });
}

const many = [...Array(MANY).keys()].map((n) => put(named(n), { days: n, terms: [n] }));
const cells = [...Array(MANY).keys()].map((n) => day(named(n), n + 1));

function long(place: () => ReadStorePlace): void {
  it('goes through more rows than are compared at once, whatever order they were written in', async () => {
    expect(await difference(place, [...many, ...cells], [...cells, ...many].reverse())).toBeNull();
  });

  it.each([0, MANY / 2, MANY - 1])('finds the first of many that differ: row %i', async (n) => {
    const changed = many.map((it, place) => (place < n ? it : put(named(place), { days: -1, terms: [place] })));
    expect(await difference(place, many.toReversed(), changed)).toEqual({
      collection: 'loans',
      left: loan(named(n), n, [n]),
      right: loan(named(n), -1, [n]),
    });
  });

  it('is not led astray by much JSON of other texts and equal values', async () => {
    const [one, other] = [
      [...Array(TEXTS).keys()].map((n) => put(named(n), { terms: { a: n, b: 2 } })),
      [...Array(TEXTS).keys()].map((n) => put(named(n), { terms: { b: 2, a: n } })),
    ];
    const last = TEXTS - 1;
    expect(await difference(place, one, [...other, put(named(last), { terms: { b: 3, a: last } })])).toMatchObject({
      left: { loan: named(last) },
      right: { terms: { a: last, b: 3 } },
    });
    expect(await difference(place, [], [put(named(last), { terms: { b: 2, a: last } })])).toBeNull();
  });
}

/** In one place that is filled once: its instances are equal before each case, and each leaves them so. */
function missing(harness: ReadStoreHarness): void {
  let place: ReadStorePlace;
  beforeAll(async () => {
    place = await harness();
    for (const instance of [INSTANCE, BUILT]) await place.store.open(instance, MODEL);
    await place.store.applyAll([INSTANCE, BUILT].map((it) => batch(0, 1, [...many, ...cells], 0, it)));
  });
  afterAll(() => place.dispose());

  it.each([
    ['before all others', 'K'],
    ['amid them', `${named(MANY / 2)}+`],
    ['behind them', 'M'],
  ])('finds what is missing on either side: %s', async (_where, key) => {
    const { store } = place;
    const compared = async (left: string, right: string) => (await store.compare(MODEL, left, right)).difference;
    const { sequence: built } = await store.checkpoint(BUILT, 0);
    const { sequence } = await store.checkpoint(INSTANCE, 0);
    const found = cell(key, 1);
    await store.apply(batch(sequence, sequence + 1, [day(key, 1), put(key)]));
    expect(await compared(INSTANCE, BUILT)).toEqual({ collection: 'cells', left: found, right: null });
    expect(await compared(BUILT, INSTANCE)).toEqual({ collection: 'cells', left: null, right: found });
    await store.applyAll([
      batch(sequence + 1, sequence + 2, [remove(key)]),
      batch(built, built + 1, [day(key, 1), put(key)], 0, BUILT),
    ]);
    expect(await compared(INSTANCE, BUILT)).toEqual({ collection: 'loans', left: null, right: loan(key) });
    expect(await compared(BUILT, INSTANCE)).toEqual({ collection: 'loans', left: loan(key), right: null });
    await store.apply(batch(built + 1, built + 2, [remove(key)], 0, BUILT));
  });
}

/** What goes on while it is under way. */
function beside(place: () => ReadStorePlace, traits: ReadStoreTraits): void {
  withSnapshots(traits, 'is of one state of each side, while both are written', async () => {
    const { store } = place();
    const rows = [...Array(MANY).keys()].flatMap((n) => [put(named(n), { days: 0 }), day(named(n), 1)]);
    await store.applyAll([batch(0, 1, rows), batch(0, 1, rows, 0, BUILT)]);
    const comparison = await store.compare(MODEL, INSTANCE, BUILT);
    for (let n = 1; n < 6; n++) {
      await store.apply(batch(n, n + 1, [put(named(n)), remove(named(MANY - n)), day(named(0), n)]));
      await store.apply(batch(n, n + 1, [put(named(MANY + n))], 0, BUILT));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await store.checkpoint(INSTANCE, 0)).toEqual(at(6));
    expect(await comparison.difference).toBeNull();
    expect(await (await store.compare(MODEL, INSTANCE, BUILT)).difference).toMatchObject({ collection: 'cells' });
  });

  it('goes on to its end where an instance is dropped', async () => {
    const { store } = place();
    await store.applyAll([batch(0, 1, [put('L1')]), batch(0, 1, [put('L2')], 0, BUILT)]);
    const comparison = await store.compare(MODEL, INSTANCE, BUILT);
    await store.drop(BUILT);
    expect(await comparison.difference).toEqual({ collection: 'loans', left: loan('L1'), right: null });
  });
}

/** Of what is there now and these changes. */
async function difference(
  place: () => ReadStorePlace,
  left: readonly Change[],
  right: readonly Change[],
  model = MODEL,
): Promise<Difference | null> {
  const { store } = place();
  for (const [instance, changes] of [
    [INSTANCE, left],
    [BUILT, right],
  ] as const) {
    const { sequence } = await store.checkpoint(instance, 0);
    await store.apply(batch(sequence, sequence + 1, changes, 0, instance));
  }
  return (await store.compare(model, INSTANCE, BUILT)).difference;
}
