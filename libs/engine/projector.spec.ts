import fc from 'fast-check';
import { until } from '../../test/until.js';
import { lendingDomain } from '../lending/catalogue.js';
import { FeedCrashed, type PartitionedFeed } from '../messaging/port.js';
import { memoryReadStore } from '../read-store/memory/overlay.js';
import type { ApplyOutcome, Batch, ReadStore } from '../read-store/port.js';
import { FollowingCheckpoints } from './follow-checkpoints.js';
import { FollowerBehind, FollowerHalted } from './ledger.js';
import { tokenOf } from './partitions.js';
import { pause } from './pause.js';
import { Projector } from './projector.js';
import {
  ALL,
  chain,
  counting,
  DAYS,
  documentsOf,
  expected,
  fail,
  group,
  instead,
  LOOK_MS,
  level,
  losingReadStore,
  partitions,
  projectorOver,
} from './testing/chain.js';

type Fate = 'none' | 'before' | 'after' | 'half';
/** What was begun and left half way, by instance and partition: shared by all that write to one store. */
type Flights = Map<string, Batch>;

/** Writes and dies: before, after, in the middle of a batch, or not at all. */
function mishaps(readStore: ReadStore, fates: Fate[], flights: Flights): ReadStore {
  const apply: ReadStore['apply'] = async (batch) => {
    const fate = fates.shift() ?? 'none';
    if (fate === 'before') throw new Error('the store is away');
    const outcome = await applyOne(readStore, batch, fate === 'half', flights);
    if (fate === 'after') throw new Error('the answer is lost');
    return outcome;
  };
  return instead(readStore, 'apply', apply);
}

async function applyOne(readStore: ReadStore, batch: Batch, half: boolean, flights: Flights): Promise<ApplyOutcome> {
  const key = `${batch.model}/${batch.partition}`;
  const begun = flights.get(key);
  const checkpoint = await readStore.checkpoint(batch.model, batch.partition);
  const here = checkpoint.sequence === batch.from.sequence;
  if (here && begun !== undefined && begun.to.sequence !== batch.to.sequence) {
    return { outcome: 'elsewhere', checkpoint, inFlight: begun.to };
  }
  if (here && begun !== undefined) expect(batch).toEqual(begun);
  if (here && half) {
    flights.set(key, batch);
    throw new Error('died in the middle');
  }
  if (here) flights.delete(key);
  return readStore.apply(batch);
}

describe('a projector', () => {
  it('takes every event exactly once, whatever becomes of its writes and however many share the partitions', async () => {
    const fate = fc.constantFrom<Fate>('none', 'before', 'after', 'half');
    const sizes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 20 }), fc.boolean(), sizes, async (fates, zombie, [one, other]) => {
        const all = await chain(40);
        const { log, store, readStore } = all;
        const flights: Flights = new Map();
        const faulty = mishaps(readStore, [...fates], flights);
        const sound = mishaps(readStore, [], flights);
        const followed = [counting('bold'), counting('calm')];
        // A zombie believes that it still has partitions which another one reads.
        const projectors = [
          projectorOver({ log, readStore: faulty }, followed, zombie ? ALL : [0, 1], one),
          projectorOver({ log, readStore: sound }, followed, zombie ? ALL : [2, 3], other),
        ];
        for (let n = 40; n < 60; n++) await all.ledger.handle(group(n));
        for (const { name } of followed.map(({ model }) => model)) {
          await until(() => level(log, store, readStore, name));
          expect(await documentsOf(readStore, name)).toEqual(await expected(store));
        }
        for (const { stop } of projectors) await stop();
        await all.stop();
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('makes the read models anew where the read store lost them, whoever is first to do so and though nothing comes', async () => {
    const { readStore, lose } = losingReadStore();
    const all = await chain(20, readStore);
    const { log, store } = all;
    const followed = [counting('bold'), counting('calm')];
    const projectors = [
      [0, 1],
      [2, 3],
    ].map((of) => projectorOver({ log, readStore }, followed, of));
    for (let losses = 0; losses < 3; losses++) {
      for (const { name } of followed.map(({ model }) => model)) {
        await until(() => level(log, store, readStore, name).catch(() => false));
        expect(await documentsOf(readStore, name)).toEqual(await expected(store));
      }
      lose();
    }
    for (const { stop } of projectors) await stop();
    await all.stop();
  });

  it('lets each read model go at its own pace: one that writes slowly holds up no other, and writes what has gathered', async () => {
    const all = await chain(30);
    const { log, store, readStore } = all;
    const sizes: number[] = [];
    let go: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow = instead(readStore, 'apply', async (batch) => {
      if (batch.model === 'slow.1') {
        await held;
        sizes.push(batch.to.sequence - batch.from.sequence);
      }
      return readStore.apply(batch);
    });
    const { projector, stop } = projectorOver({ log, readStore: slow }, [counting('slow'), counting('quick')], ALL, 2);
    await until(() => level(log, store, readStore, 'quick'));
    await until(() => projector.status()[1]?.caughtUp === true);
    expect(projector.status()[0]).toMatchObject({ name: 'slow', caughtUp: false, sequence: 0 });
    expect(
      projector
        .partitions()
        .filter(({ lagSeconds }) => lagSeconds > 0)
        .map(({ name }) => name),
    ).toContain('slow');
    go();
    await until(() => level(log, store, readStore, 'slow'));
    await until(() => projector.status()[0]?.caughtUp === true);
    expect(Math.max(...sizes)).toBeGreaterThan(2);
    expect(await documentsOf(readStore, 'slow')).toEqual(await expected(store));
    await stop();
    await all.stop();
  });

  it('writes what stands before the event that halts it, also where the store fails meanwhile', async () => {
    const all = await chain(12);
    const { log, readStore } = all;
    const faults = new Map<string, number>();
    const shaky = instead(readStore, 'apply', async (batch) => {
      const key = `${batch.model}/${batch.partition}`;
      const tries = faults.get(key) ?? 0;
      faults.set(key, tries + 1);
      if (tries < 2) throw new Error('the store is away');
      return readStore.apply(batch);
    });
    const feared = new Set(['BusinessDayClosed']);
    const close = { command: 'close-business-day', id: 'close', data: { date: '2021-07-01' } };
    await all.ledger.handle(close);
    const { projector, stop } = projectorOver({ log, readStore: shaky }, [counting('timid', feared)]);
    await until(() => projector.partitions().some(({ halted }) => halted !== null));
    const stopped = projector.partitions().find(({ halted }) => halted !== null);
    const before = log.messages(0).findIndex(({ event }) => feared.has(event.type));
    expect(before).toBeGreaterThan(0);
    expect(stopped).toMatchObject({ partition: 0, sequence: log.messages(0)[before - 1]?.sequence, fault: null });
    expect((await readStore.checkpoint('timid.1', 0)).sequence).toBe(stopped?.sequence);
    await stop();
    await all.stop();
  });

  it('ends when what is being written has ended', async () => {
    const all = await chain(5);
    let [begun, ended] = [0, 0];
    const slow = instead(all.readStore, 'apply', async (batch) => {
      begun++;
      await pause(50, new AbortController().signal);
      const outcome = await all.readStore.apply(batch);
      ended++;
      return outcome;
    });
    const { stop } = projectorOver({ log: all.log, readStore: slow }, [counting('bold')]);
    await until(() => begun > 0);
    await stop();
    expect([begun > 0, begun - ended]).toEqual([true, 0]);
    await all.stop();
  });

  it.each([
    ['hole', (own: unknown[]) => own.splice(3, 1)],
    ['double', (own: unknown[]) => own.splice(3, 0, own[2])],
    ['reorder', (own: unknown[]) => own.splice(3, 0, own[0])],
  ])('stops a partition with a %s in its sequence, by name, and no other partition', async (kind, spoil) => {
    const all = await chain(30);
    const { log, store, readStore } = all;
    await until(async () => log.checkpoint().position === (await store.head())?.position);
    log.damage(2, (messages) => {
      const spoilt = [...messages];
      spoil(spoilt);
      return spoilt;
    });
    const { projector, faults, stop } = projectorOver(all, [counting('bold')]);
    await until(() => faults.length > 0);
    await until(async () => (await readStore.checkpoint('bold.1', 3)).sequence === log.checkpoint().sequences.get(3));
    expect(String(faults[0])).toMatch(new RegExp(`SequenceBroken: a ${kind} in partition 2`));
    expect((await readStore.checkpoint('bold.1', 2)).sequence).toBeLessThan(4);
    expect(projector.partitions().find(({ partition }) => partition === 2)?.fault).toMatch(kind);
    expect(projector.status()[0]?.fault).toMatch(kind);
    await stop();
    await all.stop();
  });

  it('ends with a feed that crashed for ever, and with no other fault of one', async () => {
    const ends = [new Error('no broker'), new FeedCrashed('the consumer ended for ever')];
    const faults: unknown[] = [];
    const feed: PartitionedFeed = { run: () => Promise.reject(ends.shift()) };
    const projector = new Projector({
      ...{ feed, readStore: memoryReadStore(), domain: lendingDomain(), followed: [counting('bold')], partitions },
      ...{ toAll: DAYS, now: Date.now, onFault: (fault) => faults.push(fault), lookMs: LOOK_MS },
    });
    await expect(projector.run(new AbortController().signal)).rejects.toThrow(FeedCrashed);
    expect(faults.map(String)).toEqual(['Error: no broker', 'FeedCrashed: the consumer ended for ever']);
  });

  it('halts a read model in the partition of an event that it cannot take, shows it, and takes it when retried', async () => {
    const all = await chain(12);
    const { log, store, readStore } = all;
    const feared = new Set(['GroupRegistered']);
    const { projector, stop } = projectorOver(all, [counting('bold'), counting('timid', feared)]);
    await until(() => level(log, store, readStore, 'bold'));
    await until(() => projector.status()[1]?.state === 'halted');
    expect((await readStore.checkpoint('timid.1', 0)).sequence).toBe(log.checkpoint().sequences.get(0));
    const shown = new FollowingCheckpoints({
      ...{ store, readStore, followed: [counting('bold'), counting('timid')], partitions, toAll: DAYS, now: Date.now },
      ...{ onFault: fail, lookMs: LOOK_MS },
    });
    await shown.start();
    expect(shown.status()[1]).toMatchObject({
      state: 'halted',
      halted: { type: 'GroupRegistered', error: /cannot take/ },
    });
    const head = (await store.head())?.position ?? '';
    const token = tokenOf(partitions, DAYS, [{ stream: 'group-G11', position: head }]);
    await expect(shown.read('timid', token, async () => {})).rejects.toThrow(FollowerHalted);
    feared.clear();
    expect([shown.retry('timid'), shown.retry('nobody')]).toEqual([true, false]);
    await until(() => level(log, store, readStore, 'timid'));
    await until(() => shown.status()[1]?.state === 'running');
    expect(await documentsOf(readStore, 'timid')).toEqual(await expected(store));
    await shown.stop();
    await stop();
    await all.stop();
  });
});

describe('a reader elsewhere', () => {
  it('waits for the partitions that its token names, and for no others; without one it reads what there is', async () => {
    const all = await chain(6);
    const { store, readStore, log } = all;
    const followed = [counting('bold')];
    const reader = new FollowingCheckpoints({
      ...{ store, readStore, followed, partitions, toAll: DAYS, now: Date.now, onFault: fail, lookMs: LOOK_MS },
    });
    await reader.start();
    const { stop } = projectorOver(all, followed, [0, 1, 2]);
    await until(async () => (await readStore.live('bold')) !== undefined);
    expect(await reader.read('bold', '', async (instance) => instance)).toBe('bold.1');
    const placed = new Map<number, { stream: string; position: string }>();
    for await (const { stream, position } of store.readAll()) placed.set(partitions.of(stream), { stream, position });
    const own = placed.get(1) as { stream: string; position: string };
    await reader.read('bold', tokenOf(partitions, DAYS, [own]), async (instance) => {
      expect((await readStore.checkpoint(instance, 1)).position >= own.position).toBe(true);
    });
    // Nobody reads partition 3.
    expect(log.messages(3).length).toBeGreaterThan(0);
    await expect(reader.read('bold', tokenOf(partitions, DAYS, placed.values()), async () => {})).rejects.toThrow(
      FollowerBehind,
    );
    await reader.stop();
    await stop();
    await all.stop();
  }, 20_000);

  it('looks once for all who wait at one moment', async () => {
    const all = await chain(6);
    const { store, log } = all;
    const followed = [counting('bold')];
    let [looks, held] = [0, true];
    const readStore = instead(all.readStore, 'live', async (name) => {
      looks++;
      await until(() => !held);
      return all.readStore.live(name);
    });
    const { stop } = projectorOver(all, followed);
    await until(() => level(log, store, all.readStore, 'bold'));
    const reader = new FollowingCheckpoints({
      ...{ store, readStore, followed, partitions, toAll: DAYS, now: Date.now, onFault: fail, lookMs: LOOK_MS },
    });
    const last = await store.head();
    const token = tokenOf(partitions, DAYS, last === undefined ? [] : [last]);
    const reads = Array.from({ length: 50 }, () => reader.read('bold', token, async (instance) => instance));
    await until(() => looks > 0);
    held = false;
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['bold.1']));
    expect(looks).toBe(1);
    await stop();
    await all.stop();
  });

  it('is caught up, and ends its wait for everything, only when each partition has come to its own last event', async () => {
    const all = await chain(6);
    const { store, readStore, log } = all;
    const followed = [counting('bold')];
    const reader = new FollowingCheckpoints({
      ...{ store, readStore, followed, partitions, toAll: DAYS, now: Date.now, onFault: fail, lookMs: LOOK_MS },
    });
    const others = projectorOver(all, followed, [0, 1, 2]);
    let third = projectorOver(all, followed, [3]);
    await until(() => level(log, store, readStore, 'bold'));
    await reader.start();
    expect(reader.status()[0]).toMatchObject({ caughtUp: true, lagSeconds: 0 });
    await third.stop();
    // The last event of all is in a partition that is read.
    const groupIn = (partition: number) =>
      group([...Array(100).keys()].find((n) => n >= 6 && partitions.of(`group-G${n}`) === partition) as number);
    for (const partition of [3, 1]) await all.ledger.handle(groupIn(partition));
    const head = (await store.head())?.position;
    await until(async () => (await readStore.checkpoint('bold.1', 1)).position === head);
    await until(() => (reader.status()[0]?.lagSeconds ?? 0) > (LOOK_MS * 5) / 1_000);
    let looks = 0;
    let ended = false;
    const caughtUp = reader.catchUp(() => looks++).then(() => (ended = true));
    await until(() => looks >= 3);
    expect(ended).toBe(false);
    third = projectorOver(all, followed, [3]);
    await caughtUp;
    expect(await level(log, store, readStore, 'bold')).toBe(true);
    await until(() => reader.status()[0]?.caughtUp === true);
    await reader.stop();
    for (const one of [others, third]) await one.stop();
    await all.stop();
  }, 20_000);
});
