import { InvariantBroken } from '../../kernel/result.js';
import type { Find, Sum, Where } from '../port.js';
import { add, at, batch, collect, foundIn, INSTANCE, loansOf, MODEL, put, sumOf } from './model.js';
import type { ReadStorePlace } from './place.js';

export function readContract(place: () => ReadStorePlace): void {
  describe('a search', () => {
    beforeEach(async () => {
      await place().store.open(INSTANCE, MODEL);
      await place().store.apply(batch(0, 1, LOANS));
    });
    gets(place);
    conditions(place);
    orders(place);
    pulls(place);
  });
  describe('a sum', () => {
    beforeEach(async () => {
      await place().store.open(INSTANCE, MODEL);
      await place().store.apply(batch(0, 1, CELLS));
    });
    sums(place);
  });
  describe('a read', () => {
    beforeEach(() => place().store.open(INSTANCE, MODEL));
    refusals(place);
  });
}

const TERMS = { tên: 'Nguyễn Thị Bưởi', nested: [{ a: null, b: [1.5, -0.25, true] }, '☃ \u0000 "\\'], empty: {} };

const LOANS = [
  put('L1', { district: 'Đông Anh', days: 30, terms: TERMS }),
  put('L2', { district: 'Ba Vì', days: -5, terms: null }),
  put('L3', { district: null, days: 0, terms: 'text' }),
  put('L4', { district: 'Ba Vì', days: null, terms: 12 }),
  put('L5', { district: '', days: 90, terms: [] }),
  // In byte order U+FF5E comes before U+1F33E; by UTF-16 units it would come after.
  put('L6', { district: '～', days: 30, terms: false }),
  put('L7', { district: '🌾', days: Number.MAX_SAFE_INTEGER, terms: 0 }),
  put('L1', { district: 'Ba Vì', days: 30 }, 2),
];

function gets(place: () => ReadStorePlace): void {
  it('by key gives the document as it was put, json and all', async () => {
    const { store } = place();
    const got = await store.read(INSTANCE, (view) => view.get('loans', { part: 0, loan: 'L1' }));
    expect(got).toEqual({ loan: 'L1', part: 0, district: 'Đông Anh', days: 30, terms: TERMS });
  });

  it('by a key that is not there gives undefined', async () => {
    const { store } = place();
    expect(await store.read(INSTANCE, (view) => view.get('loans', { loan: 'L1', part: 1 }))).toBeUndefined();
  });

  it('gives every json value back as it was', async () => {
    const found = await foundIn(place().store, { where: { part: 0 } });
    expect(found.map(({ terms }) => terms)).toEqual([TERMS, null, 'text', 12, [], false, 0]);
  });
}

function conditions(place: () => ReadStorePlace): void {
  const cases: readonly (readonly [string, Where, readonly string[]])[] = [
    ['nothing', {}, ['L1', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7']],
    ['equal text', { district: 'Ba Vì' }, ['L1', 'L2', 'L4']],
    ['equal empty text', { district: '' }, ['L5']],
    ['an equal number', { days: 30 }, ['L1', 'L1', 'L6']],
    ['null', { district: null }, ['L3']],
    ['null of a number', { days: null }, ['L4']],
    ['part of the key', { loan: 'L1' }, ['L1', 'L1']],
    ['the whole key', { loan: 'L1', part: 2 }, ['L1']],
    ['numbers from and to, inclusive', { days: { gte: 0, lte: 30 } }, ['L1', 'L1', 'L3', 'L6']],
    ['numbers between, exclusive', { days: { gt: 0, lt: 90 } }, ['L1', 'L1', 'L6']],
    ['negative numbers', { days: { lt: 0 } }, ['L2']],
    ['the largest number', { days: { gt: 90 } }, ['L7']],
    ['text from', { district: { gte: 'Ba Vì', lt: 'C' } }, ['L1', 'L2', 'L4']],
    ['text after, by bytes', { district: { gt: '～' } }, ['L7']],
    ['text of the key', { loan: { gt: 'L5' } }, ['L6', 'L7']],
    ['a list of text', { district: { in: ['🌾', '', 'Ba Vì', '🌾'] } }, ['L1', 'L2', 'L4', 'L5', 'L7']],
    ['a list of one number', { days: { in: [90] } }, ['L5']],
    ['a list in the key', { loan: { in: ['L7', 'L2', 'L9'] } }, ['L2', 'L7']],
    ['several at once', { district: 'Ba Vì', days: { gte: -5 }, part: 0 }, ['L2']],
    ['what nothing meets', { district: 'Ba Vì', days: { gt: 30 } }, []],
  ];
  it.each(cases)('finds by %s', async (_what, where, loans) => {
    expect(await loansOf(place().store, { where })).toEqual(loans);
  });
}

function orders(place: () => ReadStorePlace): void {
  const cases: readonly (readonly [string, Find, readonly string[]])[] = [
    ['the key downwards', { order: ['-loan'], where: { part: 0 } }, ['L7', 'L6', 'L5', 'L4', 'L3', 'L2', 'L1']],
    ['a number, null first', { order: ['days'] }, ['L4', 'L2', 'L3', 'L1', 'L1', 'L6', 'L5', 'L7']],
    ['a number downwards, null last', { order: ['-days'] }, ['L7', 'L5', 'L6', 'L1', 'L1', 'L3', 'L2', 'L4']],
    ['text by bytes', { order: ['district'] }, ['L3', 'L5', 'L1', 'L2', 'L4', 'L1', 'L6', 'L7']],
    [
      'several ways at once',
      { order: ['-district', 'days', '-loan'] },
      ['L7', 'L6', 'L1', 'L4', 'L2', 'L1', 'L5', 'L3'],
    ],
    ['the key, and a limit', { limit: 3 }, ['L1', 'L1', 'L2']],
    ['a number, and a limit', { order: ['-days'], limit: 2 }, ['L7', 'L5']],
    ['a limit beyond the end', { where: { days: 90 }, limit: 10 }, ['L5']],
    ['a limit of none', { limit: 0 }, []],
  ];
  it.each(cases)('comes in the order of %s', async (_what, find, loans) => {
    expect(await loansOf(place().store, find)).toEqual(loans);
  });

  it('puts what is equal in the order of the key, in the direction of the last name', async () => {
    const { store } = place();
    const parts = async (order: string[]): Promise<unknown[]> =>
      (await foundIn(store, { where: { loan: 'L1' }, order })).map(({ part }) => part);
    expect([await parts(['days']), await parts(['-days'])]).toEqual([
      [0, 2],
      [2, 0],
    ]);
  });
}

function pulls(place: () => ReadStorePlace): void {
  it('can be left half way, and gone through beside another of the same kind', async () => {
    const { store } = place();
    await store.read(INSTANCE, async (view) => {
      for await (const { loan } of view.find('loans')) {
        expect(loan).toBe('L1');
        break;
      }
      const pairs: string[] = [];
      for await (const outer of view.find('loans', { where: { part: 2 } })) {
        for await (const inner of view.find('loans', { where: { part: 0 } })) pairs.push(`${outer.loan}${inner.loan}`);
      }
      expect(pairs).toHaveLength(7);
    });
    await store.apply(batch(1, 2, [put('L0')]));
    expect(await loansOf(store, { limit: 1 })).toEqual(['L0']);
  });

  it('that is begun and forgotten does not keep the next read in the past', async () => {
    const { store } = place();
    await store.read(INSTANCE, (view) => view.find('loans')[Symbol.asyncIterator]().next());
    await store.apply(batch(1, 2, [put('L0')]));
    expect(await loansOf(store, { limit: 1 })).toEqual(['L0']);
    expect(await store.checkpoint(INSTANCE, 0)).toEqual(at(2));
  });

  it('finds cells by their key, with exact measures', async () => {
    const { store } = place();
    await store.apply(batch(1, 2, [add('D1', '2026-01-05', 2n ** 60n, 1), add('D2', '2026-01-06', -1, 2, 30)]));
    expect(await foundIn(store, { order: ['-day'] }, 'cells')).toEqual([
      { district: 'D2', day: '2026-01-06', bucket: 30, amount: -1, loans: 2 },
      { district: 'D1', day: '2026-01-05', bucket: 0, amount: 2n ** 60n, loans: 1 },
    ]);
  });

  it('finds what leaves 32 bits in steps that are within them, and comes back', async () => {
    const { store } = place();
    const amounts = async () => (await foundIn(store, {}, 'cells')).map(({ amount }) => amount);
    const step = 2_000_000_000;
    await store.apply(batch(1, 2, [add('D1', '2026-01-05', step)]));
    await store.apply(batch(2, 3, [add('D1', '2026-01-05', step)]));
    expect(await amounts()).toEqual([2 * step]);
    await store.apply(batch(3, 4, [add('D1', '2026-01-05', -step)]));
    await store.apply(batch(4, 5, [add('D1', '2026-01-05', -2 * step)]));
    expect(await amounts()).toEqual([-step]);
  });
}

const CELLS = [
  add('Ba Vì', '2026-01-05', 1, 1),
  add('Ba Vì', '2026-01-06', 10, 1, 30),
  add('Đông Anh', '2026-01-05', 100, 1, 30),
  add('～', '2026-02-01', 1_000, 1),
  add('🌾', '2026-02-01', 2n ** 60n, 1, 90),
];

const AMOUNT = ['amount'];
const SUMS: readonly (readonly [string, Sum, readonly object[]])[] = [
  ['of all', { where: [{}], by: [], measures: ['amount', 'loans'] }, [{ amount: 2n ** 60n + 1_111n, loans: 5 }]],
  ['of nothing', { where: [], by: [], measures: AMOUNT }, []],
  ['of no cell', { where: [{ day: '2027-01-01' }], by: [], measures: AMOUNT }, []],
  ['of no cell by a name', { where: [{ day: '2027-01-01' }], by: ['day'], measures: AMOUNT }, []],
  [
    'by one name',
    { where: [{}], by: ['bucket'], measures: ['loans'] },
    [
      { bucket: 0, loans: 2 },
      { bucket: 30, loans: 2 },
      { bucket: 90, loans: 1 },
    ],
  ],
  [
    'by a name in byte order',
    { where: [{ day: { gte: '2026-01-06' } }], by: ['district'], measures: AMOUNT },
    [
      { district: 'Ba Vì', amount: 10 },
      { district: '～', amount: 1_000 },
      { district: '🌾', amount: 2n ** 60n },
    ],
  ],
  [
    'by several names',
    { where: [{ day: { lt: '2026-02-01' } }], by: ['day', 'bucket'], measures: AMOUNT },
    [
      { day: '2026-01-05', bucket: 0, amount: 1 },
      { day: '2026-01-05', bucket: 30, amount: 100 },
      { day: '2026-01-06', bucket: 30, amount: 10 },
    ],
  ],
  [
    'of disjoint alternatives',
    {
      where: [
        { district: 'Ba Vì', day: { lte: '2026-01-05' } },
        { district: 'Đông Anh' },
        { bucket: { in: [90, 91] } },
      ],
      by: [],
      measures: AMOUNT,
    },
    [{ amount: 2n ** 60n + 101n }],
  ],
  [
    'of disjoint alternatives by a name',
    {
      where: [{ day: { lt: '2026-01-06' } }, { day: { gt: '2026-01-06' }, bucket: 0 }],
      by: ['day'],
      measures: ['amount', 'loans'],
    },
    [
      { day: '2026-01-05', amount: 101, loans: 2 },
      { day: '2026-02-01', amount: 1_000, loans: 1 },
    ],
  ],
  [
    'of a cell that meets two counts it twice',
    { where: [{ bucket: 0 }, { bucket: 0 }], by: [], measures: AMOUNT },
    [{ amount: 2_002 }],
  ],
  [
    'of no measure tells which there are',
    { where: [{ bucket: 30 }], by: ['district'], measures: [] },
    [{ district: 'Ba Vì' }, { district: 'Đông Anh' }],
  ],
];

function sums(place: () => ReadStorePlace): void {
  it.each(SUMS)('%s', async (_what, sum, rows) => {
    expect(await sumOf(place().store, sum)).toEqual(rows);
  });

  it('past 64 bits is refused rather than wrong', async () => {
    const { store } = place();
    await store.apply(batch(1, 2, [add('D1', '2026-01-05', 2n ** 62n), add('D2', '2026-01-05', 2n ** 62n)]));
    await expect(sumOf(store)).rejects.toThrow(/64 bits/);
  });
}

function refusals(place: () => ReadStorePlace): void {
  const searches: readonly (readonly [string, string, Find])[] = [
    ['colour', 'loans', { where: { colour: 'red' } }],
    ['terms', 'loans', { where: { terms: 'text' } }],
    ['amount', 'cells', { where: { amount: 1 } }],
    ['colour', 'loans', { order: ['-colour'] }],
    ['terms', 'loans', { order: ['terms'] }],
    ['days', 'loans', { where: { days: '30' } }],
    ['days', 'loans', { where: { days: { gte: '30' } } }],
    ['days', 'loans', { where: { days: {} } }],
    ['district', 'loans', { where: { district: 5 } }],
    ['district', 'loans', { where: { district: true } }],
    ['district', 'loans', { where: { district: { in: [] } } }],
    ['loan', 'loans', { where: { loan: null } }],
    ['-1', 'loans', { limit: -1 }],
    ['elsewhere', 'elsewhere', {}],
  ];
  it.each(searches)(
    'of what the definition does not have is refused by name: %s of %s, %j',
    async (name, collection, find) => {
      const refused = foundIn(place().store, find, collection);
      await expect(refused).rejects.toThrow(InvariantBroken);
      await expect(refused).rejects.toThrow(name);
    },
  );

  const wrong: readonly (readonly [string, Sum])[] = [
    ['profit', { where: [{}], by: [], measures: ['profit'] }],
    ['district', { where: [{}], by: [], measures: ['district'] }],
    ['amount', { where: [{}], by: ['amount'], measures: [] }],
    ['colour', { where: [{ colour: 'red' }], by: [], measures: ['amount'] }],
  ];
  it.each(wrong)('of a sum that cannot be is refused by name: %s', async (name, sum) => {
    const refused = sumOf(place().store, sum);
    await expect(refused).rejects.toThrow(InvariantBroken);
    await expect(refused).rejects.toThrow(name);
  });

  it('of an instance that does not exist is refused by name', async () => {
    await expect(place().store.read('quality.9', async () => 1)).rejects.toThrow('quality.9');
  });

  it('whose work fails gives its failure, and the next one works', async () => {
    const { store } = place();
    const failure = new Error('the work failed');
    await expect(store.read(INSTANCE, async () => Promise.reject(failure))).rejects.toBe(failure);
    expect(await store.read(INSTANCE, async (view) => collect(view.find('loans')))).toEqual([]);
  });

  it('that has ended is of no more use', async () => {
    const view = await place().store.read(INSTANCE, async (it) => it);
    await expect(view.get('loans', { loan: 'L1', part: 0 })).rejects.toThrow(InvariantBroken);
  });
}
