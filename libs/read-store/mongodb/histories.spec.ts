import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { describeWith, server } from '../../../test/services.js';
import { DatabaseShelf } from './database.js';
import type { Shelf } from './shelf.js';
import { type TriedServer, tryHistories } from './testing/histories.js';
import { emptyServer, MemoryShelf } from './testing/memory-shelf.js';

const HISTORIES_MS_MAX = 300_000;
const mongodb = await server('MONGODB_URL');

test(
  'whatever crashes, sleeps and comes between, each batch has its effect once and no reader sees half of one',
  async () => {
    await tryHistories(
      async () => {
        const held = emptyServer();
        return { shelf: (step) => new MemoryShelf(held, step), dispose: async () => {} };
      },
      Number(process.env.HISTORIES ?? 300),
    );
  },
  HISTORIES_MS_MAX,
);

describeWith(mongodb, `on a server of MongoDB's protocol: ${mongodb.what}`, () => {
  let client: MongoClient;
  beforeAll(async () => {
    client = await MongoClient.connect(mongodb.url, { useBigInt64: true, writeConcern: { w: 'majority' } });
  });
  afterAll(() => client.close());

  /** A step is a command here: what a server does inside of one is its own. */
  async function onServer(): Promise<TriedServer> {
    const db = client.db(`socai-test-${randomBytes(6).toString('hex')}`);
    const inner = new DatabaseShelf(db);
    await inner.prepare();
    return { shelf: (step) => stepped(inner, step), dispose: async () => void (await db.dropDatabase()) };
  }

  test('the same holds there', () => tryHistories(onServer, 8), HISTORIES_MS_MAX);
});

function stepped(inner: Shelf, step: () => Promise<void>): Shelf {
  return {
    enter: (of) => step().then(() => inner.enter(of)),
    holds: (of) => step().then(() => inner.holds(of)),
    claims: (of) => step().then(() => inner.claims(of)),
    claim: (claim) => step().then(() => inner.claim(claim)),
    done: (claim) => step().then(() => inner.done(claim)),
    forget: (of, partition, batches) => step().then(() => inner.forget(of, partition, batches)),
    write: (collection, writes) => step().then(() => inner.write(collection, writes)),
    group: (collection, group) => step().then(() => inner.group(collection, group)),
    async *read(collection, query) {
      await step();
      yield* inner.read(collection, query);
    },
  };
}
