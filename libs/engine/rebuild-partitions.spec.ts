import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { describeWith, server } from '../../test/services.js';
import { until } from '../../test/until.js';
import type { EventStore } from '../event-store/port.js';
import { lendingDomain } from '../lending/catalogue.js';
import { memoryReadStore } from '../read-store/memory/overlay.js';
import { openMongoReadStore } from '../read-store/mongodb/store.js';
import type { ReadStore } from '../read-store/port.js';
import type { Followed } from './ledger.js';
import { rebuildPartitioned } from './rebuild-partitions.js';
import {
  chain,
  counting,
  DAYS,
  documentsOf,
  expected,
  group,
  instead,
  LOOK_MS,
  level,
  partitions,
  projectorOver,
} from './testing/chain.js';

const mongodb = await server('MONGODB_URL');
/** A server may be slow on a machine that does other work. */
const SERVER_MS_MAX = 30_000;

const rebuild = ({ store, readStore }: { store: EventStore; readStore: ReadStore }, followed: Followed) =>
  rebuildPartitioned(
    { store, readStore, domain: lendingDomain(), partitions, toAll: DAYS, now: Date.now, lookMs: LOOK_MS },
    followed,
    () => {},
    new AbortController().signal,
  );

/** A store that keeps no snapshots: what is compared is what stands there when it comes to it. */
const comparingLate = (readStore: ReadStore): ReadStore =>
  instead(readStore, 'compare', async (model, left, right) => {
    const late = async () => {
      await wait(LOOK_MS * 6);
      return (await readStore.compare(model, left, right)).difference;
    };
    return { difference: late() };
  });

async function rebuiltTwice(readStore: ReadStore): Promise<void> {
  const all = await chain(20, readStore);
  const { log, store } = all;
  const followed = counting('bold');
  const projectors = [projectorOver(all, [followed], [0, 1]), projectorOver(all, [followed], [2, 3])];
  const isLevel = () => until(() => level(log, store, readStore, 'bold'), SERVER_MS_MAX);
  await isLevel();
  let writing = true;
  const commands = (async () => {
    for (let n = 20; writing; n++) {
      await all.ledger.handle(group(n));
      await wait(2);
    }
  })();
  expect(await rebuild(all, followed)).toMatchObject({ instance: 'bold.1.1', difference: null, switched: true });
  expect(await rebuild(all, followed)).toMatchObject({ instance: 'bold.1.2', difference: null, switched: true });
  writing = false;
  await commands;
  await isLevel();
  expect(await documentsOf(readStore, 'bold')).toEqual(await expected(store));
  expect((await readStore.instances()).filter((instance) => instance.startsWith('bold'))).toEqual(['bold.1.2']);
  for (const { stop } of projectors) await stop();
  await all.stop();
}

describe('a rebuild over partitions', () => {
  it('gives the same documents and checkpoints, and takes the place of the live one while commands go on', () =>
    rebuiltTwice(memoryReadStore()));

  it('finds no difference where there is none, however long it compares by what stands there', () =>
    rebuiltTwice(comparingLate(memoryReadStore())));

  it('names what differs, and builds a later version beside the earlier one', async () => {
    const all = await chain(10);
    const { log, store, readStore } = all;
    const first = projectorOver(all, [counting('bold')]);
    await until(() => level(log, store, readStore, 'bold'));
    const twice: Followed = {
      ...counting('bold'),
      project: (event) =>
        counting('bold')
          .project(event)
          .flatMap((one) => [one, one]),
    };
    expect((await rebuild(all, twice)).difference).toMatchObject({ live: { events: 10 }, rebuilt: { events: 20 } });
    await first.stop();
    const next: Followed = { ...counting('bold'), model: { ...counting('bold').model, version: 2 } };
    const second = projectorOver(all, [next]);
    expect(await rebuild(all, next)).toMatchObject({ instance: 'bold.2', difference: null, switched: true });
    await all.ledger.handle(group(99));
    await until(() => level(log, store, readStore, 'bold'));
    expect(await documentsOf(readStore, 'bold')).toEqual(await expected(store));
    await second.stop();
    await all.stop();
  });
});

describeWith(mongodb, `a rebuild over partitions on a server of MongoDB's protocol: ${mongodb.what}`, () => {
  it(
    'gives the same documents and checkpoints, and finds no difference while commands go on',
    async () => {
      const database = `socai-test-${randomBytes(6).toString('hex')}`;
      const readStore = await openMongoReadStore({ url: mongodb.url, database });
      await rebuiltTwice(readStore);
      await readStore.close();
      const client = new MongoClient(mongodb.url);
      await client.db(database).dropDatabase();
      await client.close();
    },
    SERVER_MS_MAX * 3,
  );
});
