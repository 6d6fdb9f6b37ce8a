import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { readStoreContract } from '../contract.js';
import type { ReadStore } from '../port.js';
import { openMongoReadStore } from './store.js';

const url = process.env.MONGODB_URL;
const NO_SNAPSHOTS = 'servers of this protocol need not keep snapshots';

if (url === undefined) {
  const [without] = [describe].map((it) => (url === undefined ? it.skip : it));
  without?.("the read store on a server of MongoDB's protocol: no MONGODB_URL", () => {
    it('passes the contract', () => {});
  });
} else {
  readStoreContract(
    `on a server of MongoDB's protocol`,
    async () => {
      const database = `socai-test-${randomBytes(6).toString('hex')}`;
      const store = await openMongoReadStore({ url, database });
      const opened: ReadStore[] = [store];
      const another = async (): Promise<ReadStore> => {
        const next = await openMongoReadStore({ url, database });
        opened.push(next);
        return next;
      };
      return {
        store,
        second: another,
        reopen: async () => {
          await store.close();
          return another();
        },
        dispose: async () => {
          for (const it of opened) await it.close();
          const client = new MongoClient(url);
          await client.db(database).dropDatabase();
          await client.close();
        },
      };
    },
    { noSnapshots: NO_SNAPSHOTS },
  );
}
