import { InvariantBroken } from '../../kernel/result.js';
import type { ReadModel, ReadStore } from '../port.js';
import { AT_START, ReadStoreUnavailable } from '../port.js';
import { ALL, add, at, batch, collect, INSTANCE, loansOf, MODEL, put, sumOf } from './model.js';
import type { ReadStorePlace } from './place.js';

const NEXT = 'quality.2';
const NEXT_MODEL: ReadModel = { ...MODEL, version: 2 };
const CELLS_ONLY: ReadModel = { ...MODEL, collections: MODEL.collections.slice(0, 1) };

export function instanceContract(place: () => ReadStorePlace): void {
  describe('an instance', () => {
    opening(place);
    switching(place);
    building(place);
    dropping(place);
    sharing(place);
    reopening(place);
    closing(place);
  });
}

function opening(place: () => ReadStorePlace): void {
  it('is opened as often as one likes', async () => {
    const { store } = place();
    await store.open(INSTANCE, MODEL);
    await store.apply(batch(0, 1, [put('L1')]));
    await store.open(INSTANCE, { ...MODEL, collections: [...MODEL.collections].reverse() });
    expect(await loansOf(store)).toEqual(['L1']);
    expect(await store.instances()).toEqual([INSTANCE]);
  });

  const key = { loan: 'text', part: 'integer' } as const;
  const others: readonly (readonly [string, ReadModel])[] = [
    ['cells.measures', { ...MODEL, collections: [{ name: 'cells', key: { day: 'text' }, measures: ['x'] }] }],
    ['loans.key', CELLS_ONLY],
    ['loans.fields', { ...MODEL, collections: [{ name: 'loans', key, fields: { days: 'text' } }] }],
    ['loans.key', { ...MODEL, collections: [{ name: 'loans', key: { part: 'integer', loan: 'text' } }] }],
  ];
  it.each(others)(
    'that was made from another definition is refused, and what differs is named: %s',
    async (part, other) => {
      const { store } = place();
      await store.open(INSTANCE, MODEL);
      const refused = store.open(INSTANCE, other);
      await expect(refused).rejects.toThrow(InvariantBroken);
      await expect(refused).rejects.toThrow(part);
    },
  );

  const impossible: readonly (readonly [string, string, ReadModel])[] = [
    ['another name', 'other.1', MODEL],
    ['another version', 'quality.2', MODEL],
    ['a name that ends a quotation', 'quality.1."; --', MODEL],
    [
      'a collection of both kinds',
      INSTANCE,
      { ...MODEL, collections: [{ name: 'c', key: { a: 'text' }, measures: ['m'], fields: { f: 'text' } }] },
    ],
    ['a collection without a key', INSTANCE, { ...MODEL, collections: [{ name: 'c', key: {} }] }],
    ['a column that is no word', INSTANCE, { ...MODEL, collections: [{ name: 'c', key: { 'a" b': 'text' } }] }],
    ['a column twice', INSTANCE, { ...MODEL, collections: [{ name: 'c', key: { a: 'text' }, fields: { A: 'text' } }] }],
    [
      'an index of json',
      INSTANCE,
      { ...MODEL, collections: [{ name: 'c', key: { a: 'text' }, fields: { j: 'json' }, indexes: [['j']] }] },
    ],
  ];
  it.each(impossible)('that no store could hold is refused: %s', async (_what, instance, model) => {
    await expect(place().store.open(instance, model)).rejects.toThrow(InvariantBroken);
    expect(await place().store.instances()).toEqual([]);
  });

  it('keeps its documents and checkpoints apart from another of the same model', async () => {
    const { store } = place();
    await store.open(INSTANCE, MODEL);
    await store.open('quality.1.again', MODEL);
    await store.apply(batch(0, 5, [put('L1')]));
    await store.apply(batch(0, 2, [add('D1', '2026-01-05', 3)], 0, 'quality.1.again'));
    expect([await store.checkpoint(INSTANCE, 0), await store.checkpoint('quality.1.again', 0)]).toEqual([at(5), at(2)]);
    expect([await sumOf(store), await sumOf(store, ALL, 'quality.1.again')]).toEqual([[], [{ amount: 3, loans: 0 }]]);
  });
}

function switching(place: () => ReadStorePlace): void {
  it('is live when it is switched to', async () => {
    const { store } = place();
    expect(await store.live('quality')).toBeUndefined();
    await store.open(INSTANCE, MODEL);
    await store.open(NEXT, NEXT_MODEL);
    await store.switchTo('quality', INSTANCE);
    expect(await store.live('quality')).toBe(INSTANCE);
    await store.switchTo('quality', NEXT);
    expect(await store.live('quality')).toBe(NEXT);
    await expect(store.switchTo('quality', 'quality.3')).rejects.toThrow(/quality\.3/);
    await expect(store.switchTo('other', NEXT)).rejects.toThrow(InvariantBroken);
  });

  it('is rebuilt beside the live one and switched to with no failed read', async () => {
    const { store } = place();
    await store.open(INSTANCE, MODEL);
    await store.apply(batch(0, 20, [add('D1', '2026-01-05', 20)]));
    await store.switchTo('quality', INSTANCE);
    let done = false;
    const readers = [...Array(4).keys()].map(() => readUntil(store, () => done));
    await store.open(NEXT, NEXT_MODEL);
    for (let n = 0; n < 20; n++) {
      await store.apply(batch(n, n + 1, [add('D1', '2026-01-05', 1)], 0, NEXT));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await store.switchTo('quality', NEXT);
    await new Promise((resolve) => setTimeout(resolve, 5));
    done = true;
    for (const seen of await Promise.all(readers)) expect([...seen]).toEqual([20]);
    await store.drop(INSTANCE);
    expect(await sumOf(store, ALL, NEXT)).toEqual([{ amount: 20, loans: 0 }]);
  });
}

/** What the live instance's total was, time and again. */
async function readUntil(store: ReadStore, done: () => boolean): Promise<Set<unknown>> {
  const seen = new Set<unknown>();
  while (!done()) {
    const live = await store.live('quality');
    if (live === undefined) throw new Error('a reader saw no live instance');
    const [total] = await sumOf(store, ALL, live);
    seen.add(total?.amount);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return seen;
}

function building(place: () => ReadStorePlace): void {
  const fill = async ({ store }: ReadStorePlace): Promise<void> => {
    await store.open(INSTANCE, MODEL, { building: true });
    await store.apply(batch(0, 1, [put('L1', { district: 'D2', days: 9 }), put('L2', { district: 'D1', days: 4 })]));
    await store.apply(batch(1, 2, [add('D1', '2026-01-05', 7), put('L3', { district: 'D1', days: 3 })]));
  };
  const check = async (store: ReadStore): Promise<void> => {
    expect(await loansOf(store, { where: { district: 'D1' }, order: ['days'] })).toEqual(['L3', 'L2']);
    expect(await loansOf(store, { order: ['-days'], limit: 2 })).toEqual(['L1', 'L2']);
    const sum = { where: [{ day: '2026-01-05' }], by: ['district'], measures: ['amount'] };
    expect(await sumOf(store, sum)).toEqual([{ district: 'D1', amount: 7 }]);
  };

  it('that is building is read as any other, before it is finished and after', async () => {
    await fill(place());
    const { store } = place();
    await check(store);
    await store.finish(INSTANCE);
    await check(store);
    await store.finish(INSTANCE);
    expect(await store.apply(batch(2, 3, [put('L4', { district: 'D1', days: 1 })]))).toEqual({ outcome: 'applied' });
    expect(await loansOf(store, { where: { district: 'D1' }, order: ['days'] })).toEqual(['L4', 'L3', 'L2']);
  });

  it('that is building is read while it is finished, and may be live', async () => {
    await fill(place());
    const { store } = place();
    await store.switchTo('quality', INSTANCE);
    await store.read(INSTANCE, async (view) => {
      await store.finish(INSTANCE);
      expect(await collect(view.find('loans', { where: { district: 'D2' } }))).toMatchObject([{ loan: 'L1' }]);
    });
    expect(await store.live('quality')).toBe(INSTANCE);
  });

  it('that is building is the same instance when it is opened again, also as another that is not', async () => {
    await fill(place());
    const { store, reopen } = place();
    await store.open(INSTANCE, MODEL);
    const again = (await reopen?.()) ?? store;
    await again.open(INSTANCE, MODEL, { building: true });
    await again.finish(INSTANCE);
    expect(await again.checkpoint(INSTANCE, 0)).toEqual(at(2));
    await check(again);
  });

  it('that does not exist is not finished', async () => {
    await expect(place().store.finish('quality.9')).rejects.toThrow('quality.9');
  });
}

/** Two stores on one place, each of which may have anything in its memory. */
function sharing(place: () => ReadStorePlace): void {
  it('that one store makes, writes and switches to is seen by another', async () => {
    const { store, second } = place();
    const other = await second?.();
    if (other === undefined) return;
    await store.open(INSTANCE, MODEL);
    expect(await other.instances()).toEqual([INSTANCE]);
    expect(await other.checkpoint(INSTANCE, 0)).toEqual(AT_START);
    await store.apply(batch(0, 3, [put('L1')]));
    expect([await other.checkpoint(INSTANCE, 0), await loansOf(other)]).toEqual([at(3), ['L1']]);
    await other.apply(batch(3, 4, [put('L2')]));
    expect([await store.checkpoint(INSTANCE, 0), await loansOf(store)]).toEqual([at(4), ['L1', 'L2']]);
    await store.switchTo('quality', INSTANCE);
    expect(await other.live('quality')).toBe(INSTANCE);
    await expect(other.drop(INSTANCE)).rejects.toThrow(INSTANCE);
    await expect(other.open(INSTANCE, CELLS_ONLY)).rejects.toThrow('loans');
  });

  it('that one store drops is gone for another, whose reads under way go on to their end', async () => {
    const { store, second } = place();
    const other = await second?.();
    if (other === undefined) return;
    await store.open(INSTANCE, MODEL);
    await store.apply(batch(0, 1, [put('L1'), put('L2'), add('D1', '2026-01-05', 5)]));
    await other.read(INSTANCE, async (view) => {
      const loans: unknown[] = [];
      for await (const { loan } of view.find('loans')) {
        loans.push(loan);
        if (loans.length === 1) await store.drop(INSTANCE);
      }
      expect(loans).toEqual(['L1', 'L2']);
      expect(await view.sum('cells', ALL)).toEqual([{ amount: 5, loans: 0 }]);
    });
    await expect(other.read(INSTANCE, async () => 1)).rejects.toThrow(INSTANCE);
    await expect(other.checkpoint(INSTANCE, 0)).rejects.toThrow(INSTANCE);
    await expect(other.apply(batch(1, 2, []))).rejects.toThrow(INSTANCE);
    expect(await other.instances()).toEqual([]);
  });

  it('that one store drops and makes anew, of another definition, is the new one for another', async () => {
    const { store, second } = place();
    const other = await second?.();
    if (other === undefined) return;
    await store.open(INSTANCE, MODEL);
    await other.open(INSTANCE, MODEL);
    await other.apply(batch(0, 5, [put('L1')]));
    expect(await loansOf(other)).toEqual(['L1']);
    await store.drop(INSTANCE);
    await store.open(INSTANCE, CELLS_ONLY);
    await expect(other.apply(batch(0, 1, [put('L1')]))).rejects.toThrow('loans');
    expect(await other.apply(batch(0, 1, [add('D1', '2026-01-05', 1)]))).toEqual({ outcome: 'applied' });
    expect([await sumOf(store), await sumOf(other)]).toEqual(Array(2).fill([{ amount: 1, loans: 0 }]));
    await store.drop(INSTANCE);
    await store.open(INSTANCE, CELLS_ONLY, { building: true });
    expect(await sumOf(other)).toEqual([]);
    await other.finish(INSTANCE);
    expect(await other.checkpoint(INSTANCE, 0)).toEqual(AT_START);
  });
}

function dropping(place: () => ReadStorePlace): void {
  it('is not dropped while it is live', async () => {
    const { store } = place();
    await store.open(INSTANCE, MODEL);
    await store.switchTo('quality', INSTANCE);
    await expect(store.drop(INSTANCE)).rejects.toThrow(INSTANCE);
    expect(await store.instances()).toEqual([INSTANCE]);
  });

  it('is gone with its checkpoints when it is dropped, and begins anew when it is opened again', async () => {
    const { store } = place();
    await store.open(INSTANCE, MODEL);
    await store.apply(batch(0, 3, [put('L1')]));
    await store.drop(INSTANCE);
    expect(await store.instances()).toEqual([]);
    await expect(store.drop(INSTANCE)).rejects.toThrow(INSTANCE);
    await expect(store.checkpoint(INSTANCE, 0)).rejects.toThrow(INSTANCE);
    await store.open(INSTANCE, CELLS_ONLY);
    expect(await store.checkpoint(INSTANCE, 0)).toEqual(AT_START);
    await expect(store.apply(batch(0, 1, [put('L1')]))).rejects.toThrow('loans');
    await store.apply(batch(0, 1, [add('D1', '2026-01-05', 1)]));
    expect(await sumOf(store)).toEqual([{ amount: 1, loans: 0 }]);
  });
}

function reopening(place: () => ReadStorePlace): void {
  it('is there again after the store is reopened, with its checkpoints, and still refuses another definition', async () => {
    const { store, reopen } = place();
    if (reopen === undefined) return;
    await store.open(INSTANCE, MODEL);
    await store.switchTo('quality', INSTANCE);
    await store.apply(batch(0, 4, [add('D1', '2026-01-05', 2n ** 60n), put('L1', { terms: { a: 'ơ' } })]));
    await store.apply(batch(0, 6, [], 2));
    const again = await reopen();
    expect([await again.live('quality'), await again.instances()]).toEqual([INSTANCE, [INSTANCE]]);
    expect([await again.checkpoint(INSTANCE, 0), await again.checkpoint(INSTANCE, 2)]).toEqual([at(4), at(6)]);
    await expect(again.open(INSTANCE, CELLS_ONLY)).rejects.toThrow('loans');
    await again.open(INSTANCE, MODEL);
    expect(await again.apply(batch(0, 4, [put('L2')]))).toEqual({ outcome: 'elsewhere', checkpoint: at(4) });
    expect(await loansOf(again)).toEqual(['L1']);
    expect(await sumOf(again)).toEqual([{ amount: 2n ** 60n, loans: 0 }]);
  });
}

function closing(place: () => ReadStorePlace): void {
  it('of a store that is closed is out of reach, by name, and closing twice does no harm', async () => {
    const { store } = place();
    await store.open(INSTANCE, MODEL);
    await store.close();
    await store.close();
    const closed = expect.objectContaining({ name: 'ReadStoreUnavailable', code: 'STORE_CLOSED' });
    await expect(store.apply(batch(0, 1, []))).rejects.toEqual(closed);
    await expect(store.read(INSTANCE, async () => 1)).rejects.toEqual(closed);
    await expect(store.live('quality')).rejects.toBeInstanceOf(ReadStoreUnavailable);
  });
}
