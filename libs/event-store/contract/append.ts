import { type AppendOutcome, NO_STREAM, StoreUnavailable } from '../port.js';
import {
  all,
  appended,
  type Bench,
  eventAt,
  eventsAfter,
  headPosition,
  newStream,
  placed,
  positionsOf,
} from './harness.js';

/** The most durable writes that appends made in one turn of the loop may take, however many they are (up to 1,000). */
const WRITES_OF_ONE_TURN_MAX = 2;

export function appendCases({ store, harness, capabilities }: Bench): void {
  it('starts a stream at revision 0 and goes on from there', async () => {
    const stream = newStream();
    const first = await appended(store(), stream, NO_STREAM, 2);
    const second = await appended(store(), stream, 1, 1);
    expect(await all(store().readStream(stream))).toEqual([...first, ...second]);
    expect(second[0]?.revision).toBe(2);
  });

  it('gives each event of an append a position of its own, rising, of one width', async () => {
    const before = await headPosition(store());
    const stream = newStream();
    const positions = positionsOf(await store().append(stream, NO_STREAM, eventsAfter(stream, NO_STREAM, 5)));
    expect(new Set(positions).size).toBe(5);
    expect([...positions].sort()).toEqual(positions);
    expect(new Set(positions.map((position) => position.length)).size).toBe(1);
    expect((positions[0] ?? '') > before).toBe(true);
  });

  it('keeps the events of one append neighbours in the global order', async () => {
    const before = await headPosition(store());
    const streams = Array.from({ length: 8 }, () => newStream());
    await Promise.all(streams.map((stream) => appended(store(), stream, NO_STREAM, 4)));
    const order = (await all(store().readAll({ after: before }))).map(({ stream }) => stream);
    for (const stream of streams) {
      const at = order.indexOf(stream);
      expect(order.slice(at, at + 4)).toEqual([stream, stream, stream, stream]);
    }
  });

  it.each([
    ['a stream that exists', NO_STREAM],
    ['an earlier revision', 0],
    ['a later revision', 7],
  ])('tells of a conflict when the caller expects otherwise: %s', async (_, expected) => {
    const stream = newStream();
    const stored = await appended(store(), stream, NO_STREAM, 3);
    const outcome = await store().append(stream, expected, eventsAfter(stream, expected, 1));
    expect(outcome).toEqual({ outcome: 'conflict', revision: 2 });
    expect(await all(store().readStream(stream))).toEqual(stored);
  });

  it('tells of a conflict on a stream that does not exist', async () => {
    const stream = newStream();
    const outcome = await store().append(stream, 0, eventsAfter(stream, 0, 1));
    expect(outcome).toEqual({ outcome: 'conflict', revision: NO_STREAM });
    expect(await all(store().readStream(stream))).toEqual([]);
  });

  it('lets exactly one of many appends to the same revision win', async () => {
    const stream = newStream();
    const tries = Array.from({ length: 50 }, () => eventsAfter(stream, NO_STREAM, 1));
    const outcomes = await Promise.all(tries.map((events) => store().append(stream, NO_STREAM, events)));
    const won = outcomes.flatMap((outcome, i) => (outcome.outcome === 'committed' ? [i] : []));
    expect(won).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'conflict')).toHaveLength(49);
    const [winner = -1] = won;
    expect((await all(store().readStream(stream))).map(({ id }) => id)).toEqual(tries[winner]?.map(({ id }) => id));
  });

  it('decides appends in the order of the calls, so that a caller may run ahead of the answers', async () => {
    const stream = newStream();
    const outcomes: Promise<AppendOutcome>[] = [];
    for (let expected = NO_STREAM; expected < 19; expected++) {
      outcomes.push(store().append(stream, expected, eventsAfter(stream, expected, 1)));
    }
    expect((await Promise.all(outcomes)).map(({ outcome }) => outcome)).toEqual(Array(20).fill('committed'));
    expect((await all(store().readStream(stream))).map(({ revision }) => revision)).toEqual([...Array(20).keys()]);
  });

  it('does not let the conflict of one append touch its neighbours', async () => {
    const streams = Array.from({ length: 10 }, () => newStream());
    const outcomes = await Promise.all(
      streams.map((stream, i) => {
        const expected = i % 2 === 0 ? NO_STREAM : 5;
        return store().append(stream, expected, eventsAfter(stream, expected, 1));
      }),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(5).fill(['committed', 'conflict']).flat());
  });

  it.each([
    ['Vietnamese', 'Hội Nông dân xã Bắc Phú — “hộ nghèo”, 5%'],
    ['characters beyond the basic plane', '𠀀𝄞👩🏽‍🌾'],
    ['what JSON escapes', '"quoted" \\ / \b \f \n \r \t \u0000 \u001f \u2028 \u007f'],
    ['decomposed letters, not normalised', 'e\u0302\u0301 is not \u1ebf'],
    ['nothing', ''],
  ])('gives data and metadata back as they were: %s', async (_, text) => {
    const stream = newStream();
    const plain = eventAt(stream, 0);
    const data = { text, [text]: null, list: [text, [], {}], nested: { empty: '', zero: 0, yes: true, none: null } };
    const event = {
      ...plain,
      type: `Đã trả ${text}`,
      version: 3,
      data,
      meta: { ...plain.meta, actor: text, seal: text },
    };
    const outcome = await store().append(stream, NO_STREAM, [event]);
    expect(await all(store().readStream(stream))).toEqual(placed([event], outcome));
    expect(await store().head()).toEqual(placed([event], outcome)[0]);
  });

  it('keeps numbers exactly', async () => {
    const stream = newStream();
    const data = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.1, 1e-7, 5e-324, 1.7976931348623157e308];
    await store().append(stream, NO_STREAM, [eventAt(stream, 0, { data })]);
    expect((await all(store().readStream(stream)))[0]?.data).toEqual(data);
  });

  it('takes data that is no object', async () => {
    const stream = newStream();
    const events = [null, true, 0, '', []].map((data, revision) => eventAt(stream, revision, { data }));
    const outcome = await store().append(stream, NO_STREAM, events);
    expect(await all(store().readStream(stream))).toEqual(placed(events, outcome));
  });

  it('takes any text as the name of a stream and confuses none', async () => {
    const suffix = newStream('');
    const names = [
      `loan${suffix}`,
      `Loan${suffix}`,
      `loan:a.b/c${suffix}`,
      `quỹ-Sóc Sơn ${suffix}`,
      `e\u0302${suffix}`,
      `\u00ea${suffix}`,
      `'; DROP TABLE events; --${suffix}`,
      `%_*?${suffix}`,
      ` ${suffix} `,
      `👩🏽‍🌾${suffix}`,
    ];
    for (const name of names) expect((await appended(store(), name, NO_STREAM, 1))[0]?.stream).toBe(name);
    for (const name of names) {
      expect((await all(store().readStream(name))).map(({ stream }) => stream)).toEqual([name]);
    }
  });

  (capabilities.reopens ? it : it.skip)('keeps what it answered for over a reopen', async () => {
    const stream = newStream();
    const stored = await appended(store(), stream, NO_STREAM, 3);
    const again = await harness().reopen?.();
    expect(again && (await all(again.readStream(stream)))).toEqual(stored);
    expect(again && (await appended(again, stream, 2, 1))[0]?.revision).toBe(3);
  });

  (capabilities.countsWrites ? it : it.skip)('shares one durable write between appends of one turn', async () => {
    const writes = () => harness().writes?.() ?? Number.NaN;
    for (const count of [1, 64, 1_000]) {
      const before = writes();
      const streams = Array.from({ length: count }, () => newStream());
      await Promise.all(streams.map((stream) => appended(store(), stream, NO_STREAM, 1)));
      const made = writes() - before;
      expect(made).toBeGreaterThanOrEqual(1);
      expect(made).toBeLessThanOrEqual(count === 1 ? 1 : WRITES_OF_ONE_TURN_MAX);
    }
  });

  (capabilities.countsWrites ? it : it.skip)(
    'makes one durable write of callers that ask again as they are answered',
    async () => {
      const [callers, rounds] = [64, 10];
      const before = harness().writes?.() ?? Number.NaN;
      await Promise.all(
        Array.from({ length: callers }, async () => {
          const stream = newStream();
          for (let expected = NO_STREAM; expected < rounds - 1; expected++)
            await appended(store(), stream, expected, 1);
        }),
      );
      expect((harness().writes?.() ?? Number.NaN) - before).toBeLessThanOrEqual(WRITES_OF_ONE_TURN_MAX * rounds);
    },
  );

  it('writes what was asked for before a close, and refuses what is asked for after', async () => {
    const stream = newStream();
    const asked = store().append(stream, NO_STREAM, eventsAfter(stream, NO_STREAM, 1));
    const closed = store().close();
    expect(await asked).toMatchObject({ outcome: 'committed' });
    await closed;
    await expect(store().append(stream, 0, eventsAfter(stream, 0, 1))).rejects.toThrow(StoreUnavailable);
    await expect(store().head()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(all(store().readStream(stream))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await store().close();
  });
}
