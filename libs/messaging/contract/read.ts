import type { LogCheckpoint, TransactionalLog } from '../port.js';
import { type Bench, byPartition, EMPTY, held, kept, published, reading, times } from './harness.js';

export function readCases({ harness, until }: Bench): void {
  let log: TransactionalLog;
  beforeEach(async () => {
    log = harness().publisher();
    await log.recover();
  });
  afterEach(async () => {
    await log.close();
  });

  it('delivers each partition in order, whole and unchanged, and what comes later', async () => {
    const first = await published(log, EMPTY, [0, 1, 0], times(250, 1));
    const all = kept();
    const reader = reading(harness().feed('order'), all);
    await until('the first ones', () => all.count() === first.messages.length);
    const second = await published(log, first.checkpoint, [2, 1], [0]);
    await until('the later ones', () => all.count() === first.messages.length + second.messages.length);
    await reader.stop();
    expect(all.broken).toEqual([]);
    expect(held(all)).toEqual(byPartition([...first.messages, ...second.messages]));
  });

  it('begins behind the position that the reader says, wherever that is', async () => {
    const batches = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? [1, 0] : [1]));
    const { messages } = await published(log, EMPTY, ...batches);
    const ofOne = messages.filter(({ partition }) => partition === 1);
    const seen = await Promise.all(
      [0, 1, 7, 39, 40].map(async (position) => {
        const all = kept();
        all.messages.set(1, ofOne.slice(0, position));
        const given: number[] = [];
        const reader = reading(harness().feed(`from-${position}`), all, (partition, of) => {
          if (partition === 1) given.push(...of.map(({ sequence }) => sequence));
        });
        await until(`partition 1 from ${position}`, () => reader.caughtUp.has(1));
        await reader.stop();
        return { position, given, broken: all.broken };
      }),
    );
    for (const { position, given, broken } of seen) {
      expect(given).toEqual(Array.from({ length: 40 - position }, (_, i) => position + 1 + i));
      expect(broken).toEqual([]);
    }
  });

  it('says of a partition that it is caught up, though it never held anything', async () => {
    await published(log, EMPTY, [0, 0]);
    const all = kept();
    const reader = reading(harness().feed('level'), all);
    await until('all partitions', () => reader.caughtUp.size === harness().partitions);
    expect(all.count()).toBe(2);
    expect(reader.asked.size).toBe(harness().partitions);
    await reader.stop();
  });

  it('asks where to go on after a rejection, and holds no other partition up', async () => {
    const { messages } = await published(log, EMPTY, times(5, 0), times(5, 1));
    const all = kept();
    let refusals = 0;
    const reader = reading(harness().feed('rejects'), all, (partition) => {
      if (partition === 0 && (refusals < 2 || !reader.caughtUp.has(1))) {
        refusals++;
        throw new Error('not now');
      }
    });
    await until('everything', () => all.count() === messages.length);
    await reader.stop();
    expect(reader.asked.get(0)).toBe(refusals + 1);
    expect(held(all)).toEqual(byPartition(messages));
  });

  it('ends when it is stopped, after what is being applied is done, and runs again', async () => {
    const { messages } = await published(log, EMPTY, times(5, 0));
    const all = kept();
    let release = (): void => undefined;
    const waited = new Promise<void>((resolve) => {
      release = resolve;
    });
    let applying = false;
    const feed = harness().feed('again');
    const reader = reading(feed, all, async () => {
      applying = true;
      await waited;
    });
    await until('the reader', () => applying);
    const stopped = reader.stop().then(() => 'stopped');
    expect(await Promise.race([stopped, pause(50).then(() => 'waiting')])).toBe('waiting');
    release();
    await stopped;
    expect(all.count()).toBe(messages.length);
    const again = reading(feed, all);
    await until('the second run', () => again.caughtUp.size === harness().partitions);
    await again.stop();
    expect(again.applied.size).toBe(0);
  });

  it('shares the partitions of a group, and one takes over from where the other came', async () => {
    const all = kept();
    const [one, two] = [reading(harness().feed('shared'), all), reading(harness().feed('shared'), all)];
    let checkpoint: LogCheckpoint = EMPTY;
    let count = 0;
    const more = async () => {
      const next = await published(log, checkpoint, [0, 1, 2]);
      checkpoint = next.checkpoint;
      count += 3;
      await until('what was published', () => all.count() === count);
    };
    const shared = () => [one, two].every(({ applied }) => applied.size > 0);
    await until('both', () => one.asked.size > 0 && two.asked.size > 0);
    for (let i = 0; i < 20 && !shared(); i++) await more();
    expect(shared()).toBe(true);
    await one.stop();
    for (let i = 0; i < 3; i++) await more();
    await two.stop();
    expect(all.broken).toEqual([]);
    expect(all.messages.get(0)?.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: count / 3 }, (_, i) => i + 1),
    );
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
