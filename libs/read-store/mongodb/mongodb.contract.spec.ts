import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { describeWith, server } from '../../../test/services.js';
import type { ReadStorePlace } from '../contract/place.js';
import { readStoreContract } from '../contract.js';
import type { ReadStore } from '../port.js';
import { openMongoReadStore } from './store.js';

const mongodb = await server('MONGODB_URL');

/** Some servers of this protocol read a whole collection for a search: cases of thousands of rows take their time. */
const CASE_MS_MAX = 60_000;
(import.meta as unknown as { readonly jest: { setTimeout(ms: number): void } }).jest.setTimeout(CASE_MS_MAX);

/** A database of its own, removed after the case. */
async function place(): Promise<ReadStorePlace> {
  const { url } = mongodb;
  const database = `socai-test-${randomBytes(6).toString('hex')}`;
  const opened: ReadStore[] = [];
  const another = async (): Promise<ReadStore> => {
    const store = await openMongoReadStore({ url, database });
    opened.push(store);
    return store;
  };
  const store = await another();
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
}

describeWith(mongodb, `on a server of MongoDB's protocol: ${mongodb.what}`, () => {
  readStoreContract('there', place, { noSnapshots: 'skipped, as a server of this protocol need not keep snapshots' });
});
