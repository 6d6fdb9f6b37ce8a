import { at, batch, collect, INSTANCE, MODEL, put } from '../contract/model.js';
import type { ReadStore } from '../port.js';
import { openSqliteReadStore } from './store.js';

const BUILT = 'quality.1.built';
const ROWS = 10_000;
const TURNS_MIN = 4;

describe('a comparison inside SQLite', () => {
  let store: ReadStore;
  beforeEach(async () => {
    store = openSqliteReadStore({ path: ':memory:', readers: 1 });
    const rows = [...Array(ROWS).keys()].map((n) => put(`L${n}`, { terms: [n] }));
    for (const instance of [INSTANCE, BUILT]) {
      await store.open(instance, MODEL);
      await store.apply(batch(0, 1, rows, 0, instance));
    }
  });
  afterEach(() => store.close());

  it('lets others have their turn between its statements', async () => {
    const { difference } = await store.compare(MODEL, INSTANCE, BUILT);
    let [turns, ended] = [0, false];
    const end = difference.finally(() => {
      ended = true;
    });
    while (!ended) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    expect(await end).toBeNull();
    expect(turns).toBeGreaterThan(TURNS_MIN);
  });

  it('takes one connection, and gives it back as it was', async () => {
    const comparison = await store.compare(MODEL, INSTANCE, BUILT);
    const read = store.read(INSTANCE, async (view) => [view.checkpoint, (await collect(view.find('loans'))).length]);
    await store.apply(batch(1, 2, [put('M')]));
    expect(await comparison.difference).toBeNull();
    expect(await read).toEqual([at(2), ROWS + 1]);
    expect(await (await store.compare(MODEL, INSTANCE, BUILT)).difference).toMatchObject({ left: { loan: 'M' } });
  });

  it('is refused what it asks for next when the store is closed', async () => {
    const { difference } = await store.compare(MODEL, INSTANCE, BUILT);
    await store.close();
    await expect(difference).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});
