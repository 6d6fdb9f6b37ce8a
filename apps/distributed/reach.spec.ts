import kafkajs from 'kafkajs';
import { StoreUnavailable } from '../../libs/event-store/port.js';
import { ReadStoreUnavailable } from '../../libs/read-store/port.js';
import { reached } from './reach.js';

const noBroker = new kafkajs.KafkaJSNumberOfRetriesExceeded(new kafkajs.KafkaJSConnectionError('nobody'), {
  retryCount: 1,
  retryTime: 1,
});

/** Fails with each of these in turn, and opens then. */
function opening(...errors: readonly Error[]) {
  const left = [...errors];
  return async () => {
    const error = left.shift();
    if (error !== undefined) throw error;
    return 'opened';
  };
}

describe('opening what needs servers', () => {
  it('goes on while one of them is not reached, and says which', async () => {
    const unreached = [
      new StoreUnavailable('UNREACHABLE', 'the event store'),
      new StoreUnavailable('NO_LEADER', 'its leader'),
      new ReadStoreUnavailable('UNREACHABLE', 'the read store'),
      noBroker,
    ];
    const told: string[] = [];
    const opened = await reached(opening(...unreached), { waiting: ({ message }) => told.push(message), restMs: 0 });
    expect([opened, told]).toEqual(['opened', unreached.map(({ message }) => message)]);
  });

  it.each([
    new StoreUnavailable('UNAUTHORIZED', 'wrong password'),
    new ReadStoreUnavailable('UNAUTHORIZED', 'wrong password'),
    new Error('a defect'),
  ])('does not wait where it does not help: %s', async (error) => {
    await expect(reached(opening(error), { waiting: () => {}, restMs: 0 })).rejects.toBe(error);
  });

  it('gives up with the reason when its time is over', async () => {
    const error = new StoreUnavailable('UNREACHABLE', 'nobody answers');
    await expect(reached(opening(error), { waiting: () => {}, forMs: 0 })).rejects.toBe(error);
  });

  it('waits no longer when it is told to stop', async () => {
    const stopping = new AbortController();
    const waiting = () => stopping.abort();
    const error = new StoreUnavailable('UNREACHABLE', 'nobody answers');
    await expect(reached(opening(error), { waiting, signal: stopping.signal })).rejects.toThrow('aborted');
  });
});
