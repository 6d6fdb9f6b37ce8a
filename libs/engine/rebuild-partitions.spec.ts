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
import { Marks } from './marks.js';
import { rebuildPartitioned } from './rebuild-partitions.js';
import {
  ALL,
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
const DAY_MS = 86_400_000;

/** How fast everything goes: a server may be slow on a machine that does other work. */
interface Pace {
  readonly lookMs: number;
  readonly commandMs: number;
  readonly levelMs: number;
}

const QUICK: Pace = { lookMs: LOOK_MS, commandMs: 2, levelMs: 6_000 };
const OF_A_SERVER: Pace = { lookMs: 500, commandMs: 100, levelMs: 60_000 };
const CASE_MS_MAX = 180_000;

const rebuild = (
  { store, readStore }: { store: EventStore; readStore: ReadStore },
  followed: Followed,
  { now = Date.now, lookMs = LOOK_MS } = {},
) =>
  rebuildPartitioned(
    { store, readStore, domain: lendingDomain(), partitions, toAll: DAYS, now, lookMs },
    followed,
    () => {},
    new AbortController().signal,
  );

/** A store that keeps no snapshots: what is compared is what stands there when it comes to it, some looks later. */
const comparingLate = (readStore: ReadStore, { lookMs } = QUICK): ReadStore =>
  instead(readStore, 'compare', async (model, left, right) => {
    const late = async () => {
      await wait(lookMs * 6);
      return (await readStore.compare(model, left, right)).difference;
    };
    return { difference: late() };
  });

async function rebuiltTwice(readStore: ReadStore, { lookMs, commandMs, levelMs } = QUICK): Promise<void> {
  const all = await chain(20, readStore);
  const { log, store } = all;
  const followed = counting('bold');
  const projectors = [
    [0, 1],
    [2, 3],
  ].map((of) => projectorOver(all, [followed], of, 7, { lookMs }));
  const isLevel = () => until(() => level(log, store, readStore, 'bold'), levelMs);
  await isLevel();
  let writing = true;
  const commands = (async () => {
    for (let n = 20; writing; n++) {
      await all.ledger.handle(group(n));
      await wait(commandMs);
    }
  })();
  for (const instance of ['bold.1.1', 'bold.1.2']) {
    expect(await rebuild(all, followed, { lookMs })).toMatchObject({ instance, difference: null, switched: true });
  }
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
    const next = later(counting('bold'));
    const second = projectorOver(all, [next]);
    expect(await rebuild(all, next)).toMatchObject({ instance: 'bold.2', difference: null, switched: true });
    await all.ledger.handle(group(99));
    await until(() => level(log, store, readStore, 'bold'));
    expect(await documentsOf(readStore, 'bold')).toEqual(await expected(store));
    await second.stop();
    await all.stop();
  });
});

const later = (followed: Followed): Followed => ({ ...followed, model: { ...followed.model, version: 2 } });

describe('a projector of a later version', () => {
  it('says that the live one is of an earlier, and builds its own as soon as nobody else does, until it is there', async () => {
    const all = await chain(10);
    const { log, store, readStore } = all;
    const first = projectorOver(all, [counting('bold')]);
    await until(() => level(log, store, readStore, 'bold'));
    await first.stop();
    let ahead = 0;
    const now = () => Date.now() + ahead;
    // Somebody died while he rebuilt.
    const value = { instance: 'bold.2', paused: false, until: now() + DAY_MS };
    await new Marks(readStore).put({ kind: 'rebuild', model: 'bold', partition: 0, value });
    let tries = 0;
    const { projector, faults, stop } = projectorOver(all, [later(counting('bold'))], ALL, 7, {
      now,
      outdated: async (one) => {
        if (tries++ === 0) throw new Error('no event store');
        await rebuild(all, one, { now });
      },
    });
    const told = (text: RegExp) => until(() => text.test(projector.status()[0]?.fault ?? ''));
    await told(/^bold\.1 is live, of an earlier version: bold\.2 is being built$/);
    ahead += DAY_MS;
    await told(/^bold\.1 is live, of an earlier version, and building the later one failed: no event store$/);
    expect(projector.status()[0]).toMatchObject({ instance: 'bold.1', state: 'running', caughtUp: false });
    expect([tries, faults]).toEqual([1, [new Error('no event store')]]);
    ahead += DAY_MS;
    expect(projector.status()[0]?.lagSeconds).toBeGreaterThan(DAY_MS / 1_000);
    await until(() => projector.status()[0]?.caughtUp === true && projector.status()[0]?.instance === 'bold.2');
    await until(() => level(log, store, readStore, 'bold'));
    expect(projector.status()[0]).toMatchObject({ fault: null, lagSeconds: 0 });
    expect(await documentsOf(readStore, 'bold')).toEqual(await expected(store));
    await stop();
    await all.stop();
  });

  it('is left alone by one of an earlier version, which says so', async () => {
    const all = await chain(1);
    const { readStore } = all;
    const { model } = later(counting('bold'));
    await readStore.open('bold.2', model);
    await readStore.switchTo('bold', 'bold.2');
    const outdated = () => Promise.reject(new Error('it is not outdated'));
    const { projector, faults, stop } = projectorOver(all, [counting('bold')], ALL, 7, { outdated });
    await until(() => projector.status()[0]?.fault === 'bold.2 is live, of a later version than this program makes');
    await stop();
    expect([faults, await readStore.live('bold')]).toEqual([[], 'bold.2']);
    await all.stop();
  });
});

describeWith(mongodb, `a rebuild over partitions on a server of MongoDB's protocol: ${mongodb.what}`, () => {
  it(
    'gives the same documents and checkpoints, and finds no difference while commands go on',
    async () => {
      const database = `socai-test-${randomBytes(6).toString('hex')}`;
      const readStore = await openMongoReadStore({ url: mongodb.url, database });
      await rebuiltTwice(comparingLate(readStore, OF_A_SERVER), OF_A_SERVER);
      await readStore.close();
      const client = new MongoClient(mongodb.url);
      await client.db(database).dropDatabase();
      await client.close();
    },
    CASE_MS_MAX,
  );
});
