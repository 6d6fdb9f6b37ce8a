import * as eventstore from '@eventstore/db-client';
import * as kurrent from '@kurrent/kurrentdb-client';
import { eventAt } from '../contract/harness.js';
import { clientOf, proposed } from './client.js';

/** What reached the library: the last call of each verb, as it was made. */
function recording() {
  const calls: Record<string, unknown[]> = {};
  const note =
    <T>(verb: string, answer: T) =>
    (...given: unknown[]): T => {
      calls[verb] = given;
      return answer;
    };
  const nothing = (async function* () {})();
  return {
    calls,
    client: {
      appendToStream: note('append', Promise.resolve({})),
      readStream: note('readStream', nothing),
      readAll: note('readAll', nothing),
      subscribeToAll: note('subscribe', { read: () => null, on() {}, unsubscribe: async () => {}, destroy() {} }),
      dispose: async () => {},
    },
  };
}

const LIBRARIES = [
  { kind: 'eventstore', library: eventstore, says: 'expectedRevision', ignores: 'streamState' },
  { kind: 'kurrent', library: kurrent, says: 'streamState', ignores: 'expectedRevision' },
] as const;

describe.each(LIBRARIES)('the client $kind', ({ kind, library, says, ignores }) => {
  const { calls, client } = recording();
  const shim = clientOf(kind, library, client);
  const event = proposed(eventAt('loan-1', 0));

  it(`is told the expected revision as ${says}, always, and by no other word`, async () => {
    await shim.append('loan-1', -1, [event]);
    expect(calls.append).toEqual(['loan-1', [event], { [says]: library.NO_STREAM }]);
    await shim.append('loan-1', 41, [event]);
    expect(calls.append).toEqual(['loan-1', [event], { [says]: 41n }]);
    expect(calls.append?.[2]).not.toHaveProperty(ignores);
    expect(() => shim.append('loan-1', -2, [event])).toThrow('exact revision');
  });

  it('is asked for a revision, or for the end that its direction begins at', () => {
    const read = (direction: 'forwards' | 'backwards', from: bigint | undefined) => {
      shim.readStream('loan-1', { direction, from, count: 3 });
      return calls.readStream?.[1];
    };
    const asked = (of: object) => ({ ...of, requiresLeader: true });
    expect(read('forwards', undefined)).toEqual(
      asked({ direction: 'forwards', fromRevision: library.START, maxCount: 3 }),
    );
    expect(read('backwards', undefined)).toEqual(
      asked({ direction: 'backwards', fromRevision: library.END, maxCount: 3 }),
    );
    expect(read('backwards', 7n)).toEqual(asked({ direction: library.BACKWARDS, fromRevision: 7n, maxCount: 3 }));
    shim.readAllBackwards({ before: undefined, count: 1 });
    expect(calls.readAll).toEqual([{ direction: library.BACKWARDS, fromPosition: library.END, maxCount: 1 }]);
  });

  it('is never asked for no events, which one server never answers', () => {
    expect(() => shim.readAllBackwards({ before: undefined, count: 0 })).toThrow('one event');
    expect(() => shim.readStream('a', { direction: 'forwards', from: 0n, count: 0 })).toThrow('one event');
  });

  it('filters a subscription by the names of streams, those of the server left out', () => {
    const at = { commit: 9n, prepare: 9n };
    shim.subscribeToAll({ after: at, buffered: 5, filter: { prefixes: ['loan', 'fund'] } }, () => undefined);
    expect(calls.subscribe).toEqual([
      {
        fromPosition: at,
        filter: expect.objectContaining({ filterOn: library.STREAM_NAME, prefixes: ['loan', 'fund'] }),
      },
      { highWaterMark: 5 },
    ]);
    shim.subscribeToAll({ after: undefined, buffered: 5, filter: { prefixes: [] } }, () => undefined);
    expect(calls.subscribe?.[0]).toMatchObject({ fromPosition: library.START, filter: { regex: '^[^$]' } });
  });
});

it('an event is proposed as JSON, its version among the metadata, which is flat and text', () => {
  const event = eventAt('loan-1', 3, { version: 12, data: { tiền: 'đồng' } });
  expect(proposed(event)).toEqual({
    id: event.id,
    type: event.type,
    contentType: 'application/json',
    data: { tiền: 'đồng' },
    metadata: { version: '12', ...event.meta },
  });
});
