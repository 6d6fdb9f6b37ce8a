import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { describeWith, server } from '../../../test/services.js';
import { add, batch as batchOf, collect, INSTANCE, MODEL, put } from '../contract/model.js';
import { AT_START, type Batch, type ReadStore } from '../port.js';
import { openMongoReadStore } from './store.js';

const mongodb = await server('MONGODB_URL');
const LOST = { code: 'UNREACHABLE', message: expect.stringContaining(`holds no ${INSTANCE}`) };

const batch = (sequence: number): Batch =>
  batchOf(sequence - 1, sequence, [add('D1', '2026-01-05', 100, 1), put(`L${sequence}`, { days: sequence })]);

describeWith(mongodb, `data that ${mongodb.what} has lost`, () => {
  let client: MongoClient;
  let database: string;
  let stores: ReadStore[] = [];
  beforeAll(async () => {
    client = await MongoClient.connect(mongodb.url);
  });
  afterAll(() => client.close());
  beforeEach(async () => {
    database = `socai-test-${randomBytes(6).toString('hex')}`;
    const open = () => openMongoReadStore({ url: mongodb.url, database });
    stores = [await open(), await open()];
    for (const store of stores) await store.open(INSTANCE, MODEL);
    for (const sequence of [1, 2]) await stores[0]?.apply(batch(sequence));
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    await client.db(database).dropDatabase();
  });
  const lose = () => client.db(database).dropDatabase();

  test('are not gone on from: who wrote the batch before is refused, and writes nothing', async () => {
    const [one, other] = stores as [ReadStore, ReadStore];
    await lose();
    await expect(one.apply(batch(3))).rejects.toMatchObject(LOST);
    await expect(one.checkpoint(INSTANCE, 0)).rejects.toMatchObject(LOST);
    await expect(one.read(INSTANCE, async () => 'read')).rejects.toMatchObject(LOST);

    await other.open(INSTANCE, MODEL);
    expect(await one.apply(batch(3))).toEqual({ outcome: 'elsewhere', checkpoint: AT_START });
    for (const sequence of [1, 2, 3]) expect(await one.apply(batch(sequence))).toEqual({ outcome: 'applied' });
    const cells = await other.read(INSTANCE, (view) => collect(view.find('cells')));
    expect(cells).toMatchObject([{ amount: 300, loans: 3 }]);
  });

  test('are not missed by a read that was under way', async () => {
    const [one] = stores as [ReadStore];
    const reading = one.read(INSTANCE, async (view) => {
      await lose();
      return { found: await view.get('loans', { loan: 'L1', part: 0 }), cells: await collect(view.find('cells')) };
    });
    await expect(reading).rejects.toMatchObject(LOST);
  });

  test('and were made anew meanwhile by others are read as these are', async () => {
    const [one, other] = stores as [ReadStore, ReadStore];
    let reads = 0;
    const loans = await one.read(INSTANCE, async (view) => {
      if (reads++ === 0) {
        await lose();
        await other.open(INSTANCE, MODEL);
        await other.apply(batch(1));
      }
      return collect(view.find('loans'));
    });
    expect(loans).toMatchObject([{ loan: 'L1', days: 1 }]);
  });
});
