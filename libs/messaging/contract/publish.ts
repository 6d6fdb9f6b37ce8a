import type { Message, TransactionalLog } from '../port.js';
import { type Bench, batchAfter, byPartition, EMPTY, held, kept, published, reading, times } from './harness.js';

export function publishCases({ harness, until }: Bench): void {
  let log: TransactionalLog;
  beforeEach(() => {
    log = harness().publisher();
  });
  afterEach(async () => {
    await log.close();
  });

  it('begins before the first position', async () => {
    expect(await log.watch()).toBe('');
    expect(await log.recover()).toEqual(EMPTY);
  });

  it('finds the checkpoint of the last batch again', async () => {
    await log.recover();
    const { checkpoint } = await published(log, EMPTY, [0, 1, 1], times(300, 2), [1]);
    expect(await log.watch()).toBe(checkpoint.position);
    expect(await log.recover()).toEqual(checkpoint);
    const next = harness().publisher();
    try {
      expect(await next.recover()).toEqual(checkpoint);
    } finally {
      await next.close();
    }
  });

  it('fences the publisher before, of whose batch nothing is seen', async () => {
    await log.recover();
    const first = await published(log, EMPTY, [0, 1]);
    const next = harness().publisher();
    try {
      expect(await next.recover()).toEqual(first.checkpoint);
      const late = batchAfter(first.checkpoint, [0, 1, 2]);
      expect(await log.publish(late.messages, late.checkpoint)).toEqual({ outcome: 'fenced' });
      const second = await published(next, first.checkpoint, [2, 0]);
      expect(await next.recover()).toEqual(second.checkpoint);
      await delivers([...first.messages, ...second.messages]);
    } finally {
      await next.close();
    }
  });

  it('watches without fencing', async () => {
    await log.recover();
    const first = await published(log, EMPTY, [0]);
    const standby = harness().publisher();
    try {
      expect(await standby.watch()).toBe(first.checkpoint.position);
      const second = await published(log, first.checkpoint, [1]);
      expect(await standby.watch()).toBe(second.checkpoint.position);
    } finally {
      await standby.close();
    }
  });

  it.each(['written', 'not written'] as const)('recovers from an unknown outcome that was %s', async (fate) => {
    await log.recover();
    const first = await published(log, EMPTY, [0, 1]);
    await harness().loseNextAnswer(fate);
    const lost = batchAfter(first.checkpoint, [0, 0, 2]);
    expect(await log.publish(lost.messages, lost.checkpoint)).toMatchObject({ outcome: 'unknown' });
    await expect(log.publish(lost.messages, lost.checkpoint)).rejects.toThrow('a publisher recovers first');
    const found = await log.recover();
    expect(found).toEqual(fate === 'written' ? lost.checkpoint : first.checkpoint);
    const rest = await published(log, found, [0, 2]);
    await delivers([...first.messages, ...(fate === 'written' ? lost.messages : []), ...rest.messages]);
  });

  it('refuses what does not follow, and is not hurt by it', async () => {
    const { messages, checkpoint } = batchAfter(EMPTY, [0, 1]);
    await expect(log.publish(messages, checkpoint)).rejects.toThrow('a publisher recovers first');
    await log.recover();
    await expect(log.publish([], EMPTY)).rejects.toThrow('at least one message');
    await expect(log.publish(messages, EMPTY)).rejects.toThrow('the checkpoint stands at');
    const forgetful = { ...checkpoint, sequences: new Map([[0, 1]]) };
    await expect(log.publish(messages, forgetful)).rejects.toThrow('the last sequence of each partition');
    const hole = messages.map((message) => ({ ...message, sequence: message.sequence + 1 }));
    await expect(log.publish(hole, checkpoint)).rejects.toThrow('goes on with 1, not with 2');
    await expect(log.publish([...messages].reverse(), checkpoint)).rejects.toThrow('is published behind');
    const nowhere = batchAfter(EMPTY, [harness().partitions]);
    await expect(log.publish(nowhere.messages, nowhere.checkpoint)).rejects.toThrow('no partition');
    expect(await log.publish(messages, checkpoint)).toEqual({ outcome: 'committed' });
  });

  it('takes an event that goes to several partitions', async () => {
    await log.recover();
    const { messages, checkpoint } = batchAfter(EMPTY, [0, 1]);
    const event = messages[1]?.event ?? expect(messages).toHaveLength(2);
    const more = { partition: 2, sequence: 1, event } as Message;
    const sequences = new Map([...checkpoint.sequences, [2, 1]]);
    expect(await log.publish([...messages, more], { ...checkpoint, sequences })).toEqual({ outcome: 'committed' });
    await delivers([...messages, more]);
  });

  it('refuses everything once it is closed', async () => {
    await log.close();
    await log.close();
    await expect(log.recover()).rejects.toThrow('closed');
    await expect(log.watch()).rejects.toThrow('closed');
  });

  async function delivers(messages: readonly Message[]): Promise<void> {
    const all = kept();
    const reader = reading(harness().feed('all'), all);
    await until('all messages', () => all.count() >= messages.length);
    await reader.stop();
    expect(all.broken).toEqual([]);
    expect(held(all)).toEqual(byPartition(messages));
  }
}
