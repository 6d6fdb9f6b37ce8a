import { compareByReading } from './compare.js';
import { add, batch, INSTANCE, MODEL } from './contract/model.js';
import { memoryReadStore } from './memory/overlay.js';
import type { ReadStore } from './port.js';
import { ReadStoreUnavailable } from './port.js';

const BUILT = 'quality.1.1';

/** Two equal instances. Each is written so often while it is read, and begins its read again, as a store without snapshots does. */
async function restless(of: string, times: number): Promise<Pick<ReadStore, 'read'>> {
  const store = memoryReadStore();
  for (const instance of [INSTANCE, BUILT]) await store.open(instance, MODEL);
  let sequence = 0;
  const write = async () => {
    const changes = [add('D1', '2026-01-05', 1, 1)];
    const [from, to] = [sequence, ++sequence];
    await store.applyAll([INSTANCE, BUILT].map((instance) => batch(from, to, changes, 0, instance)));
  };
  await write();
  let left = times;
  return {
    async read(instance, work) {
      for (; instance === of && left > 0; left--) {
        await store.read(instance, work);
        await write();
      }
      return store.read(instance, work);
    },
  };
}

describe('a comparison by reading', () => {
  it.each([INSTANCE, BUILT])(
    'holds states of one time against one another where the read of %s begins again',
    async (of) => {
      const store = await restless(of, 3);
      const { difference } = await compareByReading(store, MODEL, INSTANCE, BUILT);
      expect(await difference).toBeNull();
    },
  );

  it('ends where an instance never stands still', async () => {
    const store = await restless(BUILT, Number.POSITIVE_INFINITY);
    const { difference } = await compareByReading(store, MODEL, INSTANCE, BUILT);
    await expect(difference).rejects.toThrow(ReadStoreUnavailable);
  });
});
