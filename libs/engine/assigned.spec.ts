import { setImmediate as turn } from 'node:timers/promises';
import type { Envelope } from '../kernel/envelope.js';
import type { Message } from '../messaging/port.js';
import { Assigned, type Following, SequenceBroken } from './assigned.js';
import { counting } from './testing/chain.js';

const message = (sequence: number): Message =>
  ({ partition: 3, sequence, event: { position: String(sequence) } as Envelope }) as Message;
const messages = (from: number, to: number): Message[] =>
  Array.from({ length: to - from + 1 }, (_, n) => message(from + n));

const model = (name: string, sequence = 0): Following => ({
  ...{ followed: counting(name), instance: `${name}.1`, checkpoint: { sequence, position: '' } },
  ...{ halted: null, marked: false, inFlight: null, caughtUpAt: 0, fault: null },
});

/** A partition whose writes each wait until they are let go, by name. */
function partition(models: readonly Following[], position = 0) {
  const waiting: { readonly name: string; readonly events: readonly Envelope[]; end(error?: Error): Promise<void> }[] =
    [];
  const [applied, failures, lost]: [number[], unknown[], string[]] = [[], [], []];
  const stop = new AbortController();
  const clock = { now: 7 };
  const assigned = new Assigned({
    ...{
      partition: 3,
      position,
      models,
      upcast: (event) => event,
      now: () => clock.now,
      restMs: 1,
      signal: stop.signal,
    },
    write: (of, events) =>
      new Promise((resolve, reject) => {
        waiting.push({
          ...{ name: of.followed.model.name, events },
          async end(error) {
            waiting.splice(waiting.indexOf(this), 1);
            if (error !== undefined) reject(error);
            else {
              of.checkpoint = { sequence: of.checkpoint.sequence + events.length, position: '' };
              resolve();
            }
            for (let turns = 0; turns < 5; turns++) await turn();
          },
        });
      }),
    applied: (of) => applied.push(...of.map(({ sequence }) => sequence)),
    failed: (error) => failures.push(error),
    lost: ({ instance }) => lost.push(instance),
  });
  const write = (name: string) => {
    const found = waiting.find((it) => it.name === name);
    if (found === undefined) throw new Error(`${name} writes nothing`);
    return found;
  };
  return { assigned, waiting, applied, failures, lost, write, stop, clock };
}

describe('an assigned partition', () => {
  it('gives each read model what it has not, and says what all of them have', async () => {
    const { assigned, applied, write } = partition([model('one'), model('other', 2)]);
    await assigned.take(messages(1, 4));
    await turn();
    expect(write('one').events.map(({ position }) => position)).toEqual(['1', '2', '3', '4']);
    expect(write('other').events.map(({ position }) => position)).toEqual(['3', '4']);
    await write('other').end();
    expect(applied).toEqual([]);
    await write('one').end();
    expect(applied).toEqual([1, 2, 3, 4]);
  });

  it('is read on while a read model is behind, until that is 2,000 events', async () => {
    const { assigned, write } = partition([model('slow'), model('quick')]);
    await assigned.take(messages(1, 2_000));
    await turn();
    await write('quick').end();
    let taken = false;
    const more = assigned.take(messages(2_001, 2_010)).then(() => {
      taken = true;
    });
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(write('quick').events).toHaveLength(10);
    expect(taken).toBe(false);
    await write('slow').end();
    await more;
    expect(write('slow').events).toHaveLength(10);
  });

  it('tries a write that failed again, with what has come since, and shows the fault until it is mended', async () => {
    const [one, other] = [model('one'), model('other')];
    const { assigned, failures, write } = partition([one, other]);
    await assigned.take(messages(1, 2));
    await turn();
    await assigned.take(messages(3, 3));
    await write('one').end(new Error('the store is away'));
    await write('other').end();
    expect([one.fault, other.fault, failures.length]).toEqual(['the store is away', null, 1]);
    while (true) {
      try {
        write('one');
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    expect(write('one').events).toHaveLength(3);
    await write('one').end();
    expect(one.fault).toBeNull();
  });

  it('has caught up when the log was read to its end and everything of it is written', async () => {
    const one = model('one');
    const { assigned, write } = partition([one]);
    await assigned.take(messages(1, 2));
    await turn();
    assigned.readToEnd();
    expect(assigned.isCaughtUp(one)).toBe(false);
    await write('one').end();
    expect([assigned.isCaughtUp(one), one.caughtUpAt]).toEqual([true, 7]);
    await assigned.take(messages(3, 3));
    expect(assigned.isCaughtUp(one)).toBe(false);
  });

  it('is behind by no more than its write takes, however much comes without a pause', async () => {
    const one = model('one');
    const { assigned, write, clock } = partition([one]);
    for (let n = 1; n <= 50; n++) {
      clock.now = n * 10;
      await assigned.take(messages(n, n));
      assigned.readToEnd();
      await turn();
      // Each write ends when five more have come.
      if (n % 5 === 0) await write('one').end();
      expect(assigned.isCaughtUp(one)).toBe(false);
      if (n > 10) expect(clock.now - one.caughtUpAt).toBeLessThanOrEqual(100);
    }
  });

  it('waits for the end of a batch that another process began, holds nobody up with it, and gives just that batch', async () => {
    const one = { ...model('one'), inFlight: { sequence: 3, position: '' } };
    const { assigned, waiting, write } = partition([one]);
    await assigned.take(messages(1, 2));
    await turn();
    expect(waiting).toEqual([]);
    await assigned.take(messages(3, 5));
    await turn();
    expect(write('one').events.map(({ position }) => position)).toEqual(['1', '2', '3']);
  });

  it('says of a read model that stands before what is held that its position must be asked anew', async () => {
    const { assigned, lost, waiting } = partition([model('one', 4)], 5);
    await assigned.take(messages(6, 6));
    await turn();
    expect([lost, waiting]).toEqual([['one.1'], []]);
  });

  it('takes nothing behind a break in the sequence', async () => {
    const { assigned, waiting } = partition([model('one')]);
    await expect(assigned.take([message(1), message(3)])).rejects.toThrow(SequenceBroken);
    await turn();
    expect([waiting, assigned.broken]).toEqual([[], 'a hole in partition 3: 3 stands where 2 was to come']);
  });

  it('begins no write when it is closed, and is closed when the last has ended', async () => {
    const { assigned, waiting, write } = partition([model('one')]);
    await assigned.take(messages(1, 1));
    await turn();
    await assigned.take(messages(2, 2));
    let closed = false;
    const closing = assigned.close().then(() => {
      closed = true;
    });
    await turn();
    expect(closed).toBe(false);
    await write('one').end();
    await closing;
    expect(waiting).toEqual([]);
  });
});
