import { NO_STREAM } from '../port.js';
import { all, appended, type Bench, eventAt, eventsAfter, newStream, positionsOf } from './harness.js';

/** Later events between an append and its retry: enough that no cache of the newest holds it. */
const HISTORY = 2_000;
const HISTORY_APPENDS_OF = 100;

export function retryCases({ store, harness, capabilities }: Bench): void {
  it('answers the same append again with its first positions, and writes nothing', async () => {
    const stream = newStream();
    const events = eventsAfter(stream, NO_STREAM, 3);
    const first = await store().append(stream, NO_STREAM, events);
    expect(await store().append(stream, NO_STREAM, events)).toEqual(first);
    expect(await all(store().readStream(stream))).toHaveLength(3);
  });

  it('answers so in the middle of a stream', async () => {
    const stream = newStream();
    await appended(store(), stream, NO_STREAM, 2);
    const events = eventsAfter(stream, 1, 2);
    const first = await store().append(stream, 1, events);
    await appended(store(), stream, 3, 2);
    expect(await store().append(stream, 1, events)).toEqual(first);
    expect(await all(store().readStream(stream))).toHaveLength(6);
  });

  it('answers so after a long history of this stream and others', async () => {
    const stream = newStream();
    const events = eventsAfter(stream, NO_STREAM, 2);
    const first = await store().append(stream, NO_STREAM, events);
    for (let written = 0; written < HISTORY; written += 2 * HISTORY_APPENDS_OF) {
      await appended(store(), stream, 1 + written / 2, HISTORY_APPENDS_OF);
      await appended(store(), newStream(), NO_STREAM, HISTORY_APPENDS_OF);
    }
    expect(await store().append(stream, NO_STREAM, events)).toEqual(first);
  });

  (capabilities.reopens ? it : it.skip)('answers so after a reopen', async () => {
    const stream = newStream();
    const events = eventsAfter(stream, NO_STREAM, 2);
    const first = await store().append(stream, NO_STREAM, events);
    const again = await harness().reopen?.();
    expect(await again?.append(stream, NO_STREAM, events)).toEqual(first);
    expect(again && (await all(again.readStream(stream)))).toHaveLength(2);
  });

  it('writes an append once that is sent twice at once', async () => {
    const stream = newStream();
    const events = eventsAfter(stream, NO_STREAM, 2);
    const outcomes = await Promise.all([1, 2].map(() => store().append(stream, NO_STREAM, events)));
    // A server may leave the second without an answer; it may not call it a conflict, nor write it.
    expect(outcomes.filter(({ outcome }) => outcome === 'conflict')).toEqual([]);
    expect(outcomes.some(({ outcome }) => outcome === 'committed')).toBe(true);
    expect((await all(store().readStream(stream))).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });

  it('takes the members of the same body in another order', async () => {
    const stream = newStream();
    const event = eventAt(stream, 0, { data: { a: 1, b: { c: 'ộ', d: 2 } } });
    const first = await store().append(stream, NO_STREAM, [event]);
    const turned = { ...event, data: { b: { d: 2, c: 'ộ' }, a: 1 } };
    expect(await store().append(stream, NO_STREAM, [turned])).toEqual(first);
  });

  it.each(['data', 'meta', 'type', 'version'] as const)(
    'calls the same ids with another %s a conflict',
    async (part) => {
      const stream = newStream();
      const event = eventAt(stream, 0);
      await store().append(stream, NO_STREAM, [event]);
      const others = { data: { amount: 2 }, meta: { ...event.meta, actor: 'another' }, type: 'Another', version: 2 };
      const outcome = await store().append(stream, NO_STREAM, [{ ...event, [part]: others[part] }]);
      expect(outcome).toEqual({ outcome: 'conflict', revision: 0 });
      expect(await all(store().readStream(stream))).toMatchObject([event]);
    },
  );

  it('calls the same body with another id a conflict', async () => {
    const stream = newStream();
    const event = eventAt(stream, 0);
    await store().append(stream, NO_STREAM, [event]);
    const twin = { ...event, id: eventAt(stream, 0).id };
    expect(await store().append(stream, NO_STREAM, [twin])).toEqual({ outcome: 'conflict', revision: 0 });
  });

  it('calls an append that reaches beyond what is stored a conflict', async () => {
    const stream = newStream();
    const events = eventsAfter(stream, NO_STREAM, 3);
    await store().append(stream, NO_STREAM, events.slice(0, 2));
    expect(await store().append(stream, NO_STREAM, events)).toEqual({ outcome: 'conflict', revision: 1 });
    expect(await all(store().readStream(stream))).toHaveLength(2);
  });

  describe.each(['written', 'not written'] as const)('when the answer is lost and the events are %s', (fate) => {
    (capabilities.losesAnswers ? it : it.skip)('says unknown, and a retry leaves them written once', async () => {
      const stream = newStream();
      const events = eventsAfter(stream, NO_STREAM, 2);
      harness().loseNextAnswer?.(fate);
      const lost = await store().append(stream, NO_STREAM, events);
      expect(lost).toMatchObject({ outcome: 'unknown', cause: expect.any(Error) });
      const positions = positionsOf(await store().append(stream, NO_STREAM, events));
      const stored = await all(store().readStream(stream));
      expect(stored.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      expect(stored.map(({ position }) => position)).toEqual(positions);
    });

    (capabilities.losesAnswers ? it : it.skip)('goes on with other streams', async () => {
      const [stream, other] = [newStream(), newStream()];
      await appended(store(), other, NO_STREAM, 1);
      harness().loseNextAnswer?.(fate);
      await store().append(stream, NO_STREAM, eventsAfter(stream, NO_STREAM, 1));
      expect((await appended(store(), other, 0, 1))[0]?.revision).toBe(1);
    });
  });
}
