import { InvariantBroken } from '../../kernel/result.js';
import type { Change } from '../port.js';
import { AT_START } from '../port.js';
import { add, at, batch, foundIn, INSTANCE, MODEL, put, remove, sumOf } from './model.js';
import type { ReadStorePlace } from './place.js';

const INT64_MAX = 2n ** 63n - 1n;
const PAST_2_53 = 2n ** 53n + 1n;

export function writeContract(place: () => ReadStorePlace): void {
  describe('a batch', () => {
    beforeEach(() => place().store.open(INSTANCE, MODEL));
    exactlyOnce(place);
    severalPartitions(place);
    togetherOrNotAtAll(place);
    effects(place);
    refusedNames(place);
    refusedTypes(place);
    budget(place);
  });
}

function exactlyOnce(place: () => ReadStorePlace): void {
  it('that is repeated answers elsewhere and changes nothing', async () => {
    const { store } = place();
    const first = batch(0, 3, [add('D1', '2026-01-05', 100, 1)]);
    expect(await store.apply(first)).toEqual({ outcome: 'applied' });
    expect(await store.apply(first)).toEqual({ outcome: 'elsewhere', checkpoint: at(3) });
    expect(await sumOf(store)).toEqual([{ amount: 100, loans: 1 }]);
  });

  it('that another writer was faster than is elsewhere: one of them wins', async () => {
    const { store, second } = place();
    const other = (await second?.()) ?? store;
    const outcomes = await Promise.all([
      store.apply(batch(0, 1, [add('D1', '2026-01-05', 1)])),
      other.apply(batch(0, 2, [add('D1', '2026-01-05', 10)])),
    ]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['applied', 'elsewhere']);
    const { sequence } = await store.checkpoint(INSTANCE, 0);
    expect(await sumOf(store)).toEqual([{ amount: sequence === 1 ? 1 : 10, loans: 0 }]);
  });

  it('of one sequence and another position is elsewhere', async () => {
    const { store } = place();
    await store.apply(batch(0, 3, []));
    const from = { sequence: 3, position: 'other' };
    expect(await store.apply({ ...batch(3, 4, []), from })).toMatchObject({ outcome: 'elsewhere' });
  });

  it('that does not go forward could be applied twice, so it is refused', async () => {
    const { store } = place();
    await expect(store.apply(batch(0, 0, [add('D1', '2026-01-05', 1)]))).rejects.toThrow(InvariantBroken);
  });

  it('without changes moves the checkpoint', async () => {
    const { store } = place();
    expect(await store.checkpoint(INSTANCE, 0)).toEqual(AT_START);
    expect(await store.apply(batch(0, 7, []))).toEqual({ outcome: 'applied' });
    expect(await store.checkpoint(INSTANCE, 0)).toEqual(at(7));
  });

  it('moves the checkpoint of its own partition only', async () => {
    const { store } = place();
    await store.apply(batch(0, 1, [add('D1', '2026-01-05', 1)], 0));
    await store.apply(batch(0, 5, [add('D1', '2026-01-05', 10)], 3));
    expect(await store.apply(batch(0, 2, [], 3))).toEqual({ outcome: 'elsewhere', checkpoint: at(5) });
    expect([await store.checkpoint(INSTANCE, 0), await store.checkpoint(INSTANCE, 1)]).toEqual([at(1), AT_START]);
    const checkpoints = await store.read(INSTANCE, async (view) => [view.checkpoint, [...view.checkpoints]]);
    expect(checkpoints).toEqual([
      at(1),
      expect.arrayContaining([
        [0, at(1)],
        [3, at(5)],
      ]),
    ]);
    expect(await sumOf(store)).toEqual([{ amount: 11, loans: 0 }]);
  });
}

function severalPartitions(place: () => ReadStorePlace): void {
  it('of another partition adds to the same cells: what is read is the sum', async () => {
    const { store } = place();
    const day = '2026-01-05';
    await store.applyAll([
      batch(0, 1, [add('D1', day, 2n ** 60n, 1), add('D2', day, 5)], 0),
      batch(0, 4, [add('D1', day, 1, 1), add('D3', day, 7)], 1),
      batch(0, 2, [put('L7', { days: 7 })], 2),
    ]);
    const [first, second, third] = [
      { ...KEY, amount: 2n ** 60n + 1n, loans: 2 },
      { ...KEY, district: 'D2', amount: 5, loans: 0 },
      { ...KEY, district: 'D3', amount: 7, loans: 0 },
    ];
    expect(await foundIn(store, {}, 'cells')).toEqual([first, second, third]);
    expect(await foundIn(store, { order: ['-district'], limit: 2 }, 'cells')).toEqual([third, second]);
    expect(await foundIn(store, { limit: 1 }, 'cells')).toEqual([first]);
    expect(await store.read(INSTANCE, (view) => view.get('cells', KEY))).toEqual(first);
    expect(await sumOf(store, { where: [{}], by: ['district'], measures: ['loans'] })).toEqual([
      { district: 'D1', loans: 2 },
      { district: 'D2', loans: 0 },
      { district: 'D3', loans: 0 },
    ]);
    expect(await foundIn(store)).toMatchObject([{ loan: 'L7', days: 7 }]);
    await store.applyAll([batch(4, 5, [add('D1', day, -1, -1)], 1), batch(2, 3, [put('L7', { days: 8 })], 2)]);
    expect(await sumOf(store)).toEqual([{ amount: 2n ** 60n + 12n, loans: 1 }]);
    expect(await foundIn(store)).toMatchObject([{ loan: 'L7', days: 8 }]);
  });
}

function togetherOrNotAtAll(place: () => ReadStorePlace): void {
  it('with a bad change at its end writes nothing, and the checkpoint stands', async () => {
    const { store } = place();
    await store.apply(batch(0, 1, [add('D1', '2026-01-05', 5), put('L1', { days: 1 })]));
    const bad: Change = { op: 'put', collection: 'nowhere', key: { loan: 'L9' }, fields: {} };
    const changes = [add('D1', '2026-01-05', 100), put('L1', { days: 2 }), put('L2'), remove('L1'), bad];
    await expect(store.apply(batch(1, 2, changes))).rejects.toThrow(InvariantBroken);
    expect(await store.checkpoint(INSTANCE, 0)).toEqual(at(1));
    expect(await sumOf(store)).toEqual([{ amount: 5, loans: 0 }]);
    expect(await foundIn(store)).toMatchObject([{ loan: 'L1', days: 1 }]);
  });

  it.each([
    ['upwards', INT64_MAX, 1],
    ['downwards', -INT64_MAX - 1n, -1],
  ])('that takes a sum %s past 64 bits writes nothing', async (_way, edge, more) => {
    const { store } = place();
    await store.apply(batch(0, 1, [add('D1', '2026-01-05', edge)]));
    const over = batch(1, 2, [add('D2', '2026-01-05', 1), add('D1', '2026-01-05', more)]);
    await expect(store.apply(over)).rejects.toThrow(/64 bits/);
    expect(await store.checkpoint(INSTANCE, 0)).toEqual(at(1));
    expect(await sumOf(store)).toEqual([{ amount: edge, loans: 0 }]);
  });

  it('beside others in one call has an outcome of its own', async () => {
    const { store } = place();
    await store.open('quality.1.next', MODEL);
    await store.apply(batch(0, 4, []));
    const outcomes = await store.applyAll([
      batch(0, 1, [add('D1', '2026-01-05', 1)]),
      batch(0, 2, [add('D1', '2026-01-05', 2)], 0, 'quality.1.next'),
      batch(2, 3, [add('D1', '2026-01-05', 3)], 0, 'quality.1.next'),
    ]);
    const [elsewhere, applied] = [{ outcome: 'elsewhere', checkpoint: at(4) }, { outcome: 'applied' }];
    expect(outcomes).toEqual([elsewhere, applied, applied]);
    expect(await sumOf(store)).toEqual([]);
    expect(await sumOf(store, { where: [{}], by: [], measures: ['amount'] }, 'quality.1.next')).toEqual([
      { amount: 5 },
    ]);
    expect(await store.applyAll([])).toEqual([]);
  });

  it('beside one with a bad change writes nothing either', async () => {
    const { store } = place();
    await store.open('quality.1.next', MODEL);
    const bad: Change = { op: 'put', collection: 'loans', key: { loan: 'L1', part: 0 }, fields: { colour: 'red' } };
    const good = batch(0, 1, [add('D1', '2026-01-05', 1)]);
    await expect(store.applyAll([good, batch(0, 1, [bad], 0, 'quality.1.next')])).rejects.toThrow(InvariantBroken);
    expect([await store.checkpoint(INSTANCE, 0), await sumOf(store)]).toEqual([AT_START, []]);
  });
}

function effects(place: () => ReadStorePlace): void {
  it('adds exactly past 2^53 and below zero, in any order', async () => {
    const { store } = place();
    const changes = [
      add('D1', '2026-01-05', PAST_2_53, -3),
      add('D2', '2026-01-05', -PAST_2_53, 1),
      add('D1', '2026-01-05', 1, 1),
      add('D1', '2026-01-05', Number.MAX_SAFE_INTEGER, 0),
      add('D2', '2026-01-05', -7, 0),
    ];
    await store.apply(batch(0, 1, changes));
    await store.apply(batch(1, 2, [...changes].reverse()));
    expect(await sumOf(store, { where: [{}], by: ['district'], measures: ['amount', 'loans'] })).toEqual([
      { district: 'D1', amount: 2n * (PAST_2_53 + 1n + 2n ** 53n - 1n), loans: -4 },
      { district: 'D2', amount: -2n * (PAST_2_53 + 7n), loans: 2 },
    ]);
    expect(await sumOf(store)).toEqual([{ amount: 2n ** 54n - 14n, loans: -2 }]);
  });

  it('counts a measure that it does not name as 0', async () => {
    const { store } = place();
    const key = { district: 'D1', day: '2026-01-05', bucket: 0 };
    await store.apply(batch(0, 1, [{ op: 'add', collection: 'cells', key, measures: { loans: 2 } }]));
    expect(await foundIn(store, {}, 'cells')).toEqual([{ ...key, amount: 0, loans: 2 }]);
  });

  it('puts and removes in order: the last one stands', async () => {
    const { store } = place();
    await store.apply(
      batch(0, 1, [put('L1', { days: 1 }), put('L1', { days: 2 }), put('L2'), remove('L2'), remove('L3')]),
    );
    await store.apply(batch(1, 2, [remove('L1'), put('L1', { days: 3 }), put('L3', { days: 4 })]));
    expect((await foundIn(store)).map(({ loan, days }) => [loan, days])).toEqual([
      ['L1', 3],
      ['L3', 4],
    ]);
  });

  it('puts and removes in any order, of many documents between one another', async () => {
    const { store } = place();
    const numbers = [...Array(90).keys()].map((n) => (n * 37) % 90);
    await store.apply(
      batch(
        0,
        1,
        numbers.map((n) => put(`L${n}`, { days: 0 })),
      ),
    );
    const mixed = numbers.map((n) => (n % 2 === 0 ? remove(`L${n}`) : put(`L${n}`, { days: n })));
    await store.apply(batch(1, 2, mixed));
    const odd = [...Array(45).keys()].map((n) => 2 * n + 1);
    const daysOf = async (): Promise<unknown[]> => (await foundIn(store, { order: ['days'] })).map(({ days }) => days);
    expect(await daysOf()).toEqual(odd);
    await store.apply(batch(2, 3, [...mixed, put('L0', { days: 500 }), remove('L1'), put('L0', { days: 501 })]));
    expect(await daysOf()).toEqual([...odd.slice(1), 501]);
  });

  it('replaces all the fields of what it puts', async () => {
    const { store } = place();
    await store.apply(batch(0, 1, [put('L1', { district: 'D1', days: 1, terms: { rate: '0.07' } })]));
    await store.apply(batch(1, 2, [put('L1', { days: 2 })]));
    expect(await foundIn(store)).toEqual([{ loan: 'L1', part: 0, district: null, days: 2, terms: null }]);
  });

  it('of thousands of changes is applied whole', async () => {
    const { store } = place();
    const numbers = [...Array(3_000).keys()];
    await store.apply(
      batch(
        0,
        1,
        numbers.flatMap((n) => [add(`D${n % 700}`, '2026-01-05', n), put(`L${n}`, { days: n })]),
      ),
    );
    await store.apply(
      batch(
        1,
        2,
        numbers.filter((n) => n % 3 > 0).map((n) => remove(`L${n}`)),
      ),
    );
    expect(await sumOf(store)).toEqual([{ amount: (2_999 * 3_000) / 2, loans: 0 }]);
    expect((await foundIn(store, { order: ['days'] })).map(({ days }) => days)).toEqual(
      numbers.filter((n) => n % 3 === 0),
    );
  });
}

const KEY = { district: 'D1', day: '2026-01-05', bucket: 0 };

function refusedNames(place: () => ReadStorePlace): void {
  const cases: readonly (readonly [string, Change])[] = [
    ['elsewhere', { op: 'remove', collection: 'elsewhere', key: { loan: 'L1', part: 0 } }],
    ['profit', { op: 'add', collection: 'cells', key: KEY, measures: { profit: 1 } }],
    ['colour', put('L1', { colour: 'red' })],
    ['colour', { op: 'remove', collection: 'loans', key: { loan: 'L1', part: 0, colour: 'red' } }],
    ['bucket', { op: 'add', collection: 'cells', key: { district: 'D1', day: '2026-01-05' }, measures: {} }],
    ['cells', { op: 'put', collection: 'cells', key: KEY, fields: {} }],
    ['cells', { op: 'remove', collection: 'cells', key: KEY }],
    ['loans', { op: 'add', collection: 'loans', key: { loan: 'L1', part: 0 }, measures: {} }],
  ];
  it.each(cases)('that the definition does not know is refused by name: %s', async (name, change) => {
    const { store } = place();
    const refused = store.apply(batch(0, 1, [change]));
    await expect(refused).rejects.toThrow(InvariantBroken);
    await expect(refused).rejects.toThrow(name);
    expect(await store.checkpoint(INSTANCE, 0)).toEqual(AT_START);
  });

  it('of an instance that does not exist is refused by name', async () => {
    const { store } = place();
    const refused = store.apply(batch(0, 1, [], 0, 'quality.9'));
    await expect(refused).rejects.toThrow('quality.9');
  });
}

function refusedTypes(place: () => ReadStorePlace): void {
  const cases: readonly (readonly [string, string, Change])[] = [
    ['a fraction', 'amount', add('D1', '2026-01-05', 0.5)],
    ['a number that a double does not hold', 'amount', add('D1', '2026-01-05', 2 ** 53)],
    ['no number', 'amount', add('D1', '2026-01-05', Number.NaN)],
    ['more than 64 bits', 'amount', add('D1', '2026-01-05', 2n ** 63n)],
    ['a number for text', 'loan', { op: 'remove', collection: 'loans', key: { loan: 1, part: 0 } }],
    ['text for a number', 'part', { op: 'remove', collection: 'loans', key: { loan: 'L1', part: '0' } }],
    ['a fraction in a key', 'part', put('L1', {}, 0.5)],
    ['true for text', 'district', put('L1', { district: true })],
    ['an object for text', 'district', put('L1', { district: {} })],
    ['a bigint for a number', 'days', put('L1', { days: 1n })],
    ['undefined for a number', 'days', put('L1', { days: undefined })],
    ['undefined for json', 'terms', put('L1', { terms: undefined })],
    ['a bigint in json', 'terms', put('L1', { terms: { rate: 1n } })],
    ['U+0000', 'loan', put('L\0')],
    ['half a character', 'district', put('L1', { district: '\ud83d' })],
  ];
  it.each(cases)('with %s is refused by the name of the column', async (_what, name, change) => {
    const { store } = place();
    const refused = store.apply(batch(0, 1, [put('L0'), change]));
    await expect(refused).rejects.toThrow(InvariantBroken);
    await expect(refused).rejects.toThrow(name);
    expect(await foundIn(store)).toEqual([]);
  });
}

function budget(place: () => ReadStorePlace): void {
  it('takes no more durable writes than the adapter says', async () => {
    const { store, writes, writesMax } = place();
    if (writes === undefined || writesMax === undefined) return;
    const changes = [...Array(1_000).keys()].map((n) => add(`D${n}`, '2026-01-05', 1));
    const before = writes();
    await store.apply(batch(0, 1, changes));
    expect(writes() - before).toBeLessThanOrEqual(writesMax.apply);
    await store.open('quality.1.next', MODEL);
    const middle = writes();
    await store.applyAll([batch(1, 2, changes), batch(0, 2, changes, 1), batch(0, 2, changes, 0, 'quality.1.next')]);
    expect(writes() - middle).toBeLessThanOrEqual(writesMax.applyAll(2));
  });
}
