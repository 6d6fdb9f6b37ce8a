import { batchAfter, EMPTY, kept, published, reading, times } from '../contract/harness.js';
import { transportContract } from '../contract.js';
import { LogMismatch, type Message, type TransactionalLog } from '../port.js';
import { type MemoryTransport, memoryTransport } from './transport.js';

transportContract('memory', {
  async open() {
    const transport = memoryTransport(4);
    return { ...transport, dispose: async () => undefined };
  },
  patienceMs: 5_000,
});

describe('a log in memory', () => {
  let transport: MemoryTransport;
  let log: TransactionalLog;
  beforeEach(async () => {
    transport = memoryTransport(3);
    log = transport.publisher();
    await log.recover();
  });

  it.each<[string, (messages: readonly Message[]) => readonly Message[], string]>([
    ['lost its last message', (messages) => messages.slice(0, -1), 'partition 0 ends at 2, its checkpoint at 3'],
    ['has one more', (messages) => [...messages, ...next(messages)], 'partition 0 ends at 4, its checkpoint at 3'],
  ])('names the partition that %s', async (_, change, message) => {
    await published(log, EMPTY, [0, 0, 0]);
    transport.damage(0, change);
    await expect(log.recover()).rejects.toThrow(new LogMismatch(message));
  });

  it('never begins anew by itself', async () => {
    transport.loseCheckpoint();
    await expect(log.recover()).rejects.toThrow(LogMismatch);
    await expect(log.watch()).rejects.toThrow(LogMismatch);
  });

  it('delivers again what is asked for, and moves a partition from under who is applying it', async () => {
    const { messages } = await published(log, EMPTY, times(10, 0));
    const all = kept();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first = true;
    const hold = async () => {
      const wait = first;
      first = false;
      if (wait) await held;
    };
    const [one, two] = [reading(transport.feed('g'), all, hold), reading(transport.feed('g'), all, hold)];
    await settled(() => !first);
    transport.rebalance('g');
    await settled(() => all.count() === messages.length);
    release();
    await settled(() => (one.applied.get(0) ?? 0) + (two.applied.get(0) ?? 0) === 20);
    transport.redeliver(0, 4);
    await settled(() => (one.applied.get(0) ?? 0) + (two.applied.get(0) ?? 0) === 24);
    await Promise.all([one.stop(), two.stop()]);
    expect(all.broken).toEqual([]);
    expect(all.count()).toBe(10);
  });
});

const next = (messages: readonly Message[]): readonly Message[] =>
  batchAfter({ position: messages.at(-1)?.event.position ?? '', sequences: new Map([[0, messages.length]]) }, [0])
    .messages;

async function settled(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
