import type { Change } from '../port.js';
import { ALL, add, at, batch, collect, INSTANCE, MODEL, put, remove, sumOf } from './model.js';
import type { ReadStorePlace, ReadStoreTraits } from './place.js';

/** More than any adapter reads ahead. */
const MANY = 2_500;
const READS_AT_ONCE = 40;

/** A case that needs a snapshot of the server, or that it is skipped and why. */
export function withSnapshots({ noSnapshots }: ReadStoreTraits, name: string, work: () => Promise<void>): void {
  (noSnapshots === undefined ? it : it.skip)(noSnapshots === undefined ? name : `${name}: ${noSnapshots}`, work);
}

export function snapshotContract(place: () => ReadStorePlace, traits: ReadStoreTraits): void {
  describe('what one read sees', () => {
    beforeEach(() => place().store.open(INSTANCE, MODEL));

    withSnapshots(traits, 'is one state, while batches are applied in between', async () => {
      const { store } = place();
      await store.apply(batch(0, 1, [add('D1', '2026-01-05', 1, 1), put('L1', { days: 1 }), put('L2', { days: 1 })]));
      await store.read(INSTANCE, async (view) => {
        await store.apply(
          batch(1, 2, [add('D1', '2026-01-05', 10, 1), put('L1', { days: 2 }), remove('L2'), put('L3')]),
        );
        expect(view.checkpoint).toEqual(at(1));
        expect(await view.sum('cells', ALL)).toEqual([{ amount: 1, loans: 1 }]);
        await store.apply(batch(2, 3, [add('D2', '2026-01-05', 100, 1), remove('L1')]));
        expect((await collect(view.find('loans'))).map(({ loan, days }) => [loan, days])).toEqual([
          ['L1', 1],
          ['L2', 1],
        ]);
        expect(await view.get('loans', { loan: 'L3', part: 0 })).toBeUndefined();
      });
      expect(await store.read(INSTANCE, async (view) => view.checkpoint)).toEqual(at(3));
      expect(await sumOf(store)).toEqual([{ amount: 111, loans: 3 }]);
    });

    withSnapshots(traits, 'stays while it is pulled slowly, and holds no writer up', async () => {
      const { store } = place();
      const loans: Change[] = [...Array(MANY).keys()].map((n) => put(`L${n.toString().padStart(5, '0')}`, { days: 0 }));
      await store.apply(batch(0, 1, loans));
      let applied = 1;
      let seen = 0;
      await store.read(INSTANCE, async (view) => {
        for await (const { days } of view.find('loans')) {
          expect(days).toBe(0);
          if (seen++ % 250 !== 0) continue;
          await store.apply(
            batch(
              applied,
              applied + 1,
              loans.map((loan) => ({ ...loan, fields: { days: applied } })),
            ),
          );
          applied++;
        }
      });
      expect([seen, applied]).toEqual([MANY, 1 + MANY / 250]);
    });

    it('is a state between two batches, for many reads at once', async () => {
      const { store } = place();
      const reads = Promise.all(
        [...Array(READS_AT_ONCE).keys()].map(() =>
          store.read(INSTANCE, async (view) => {
            const [before] = await view.sum('cells', ALL);
            await new Promise((resolve) => setTimeout(resolve, 1));
            const [after] = await view.sum('cells', ALL);
            return [view.checkpoint.sequence, before?.amount ?? 0, after?.amount ?? 0];
          }),
        ),
      );
      for (let n = 0; n < 50; n++) {
        await store.apply(batch(n, n + 1, [add('D1', '2026-01-05', 1)]));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      for (const [sequence, before, after] of await reads) expect([before, after]).toEqual([sequence, sequence]);
    });
  });
}
