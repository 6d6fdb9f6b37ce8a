import { setTimeout as wait } from 'node:timers/promises';
import type { Envelope, UnplacedEnvelope } from '../../../kernel/envelope.js';
import { all, appended, eventsAfter, following, headPosition, newStream, placed } from '../../contract/harness.js';
import { type AppendOutcome, type EventStore, NO_STREAM, START } from '../../port.js';
import type { ClientKind } from '../client.js';
import type { Patience } from '../patience.js';
import { type EventStoreDbOptions, openEventStoreDb } from '../store.js';
import { standInFor, standInProcess, type TestServer } from './server.js';

/** As short as a loaded machine allows. */
const PATIENCE: Partial<Patience> = { append: 3_000, read: 3_000, reads: 6_000, silence: 500, close: 100 };

/** What the stand-in makes go wrong, and what the adapter makes of it, by one of the clients. */
export function faultCases(client: ClientKind): void {
  let server: TestServer;
  let store: EventStore;
  const interruptions: Error[] = [];
  const open = (url: string, more: Partial<EventStoreDbOptions> = {}) =>
    openEventStoreDb({
      ...{ connectionString: url, client, patience: PATIENCE },
      interrupted: (cause) => void interruptions.push(cause),
      ...more,
    });
  beforeAll(async () => {
    server = await standInFor(client);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    interruptions.length = 0;
    store = await open(server.url);
    await appended(store, newStream(), NO_STREAM, 1);
  });
  afterEach(async () => {
    await server.fault('healthy');
    await store.close();
  });
  const context = { open, server: () => server, store: () => store, interruptions };
  describe('appends', () => appendFaults(context));
  describe('subscriptions', () => subscriptionFaults(context));
  describe('the server', () => serverFaults(context));
}

interface Context {
  readonly interruptions: readonly Error[];
  open(url: string, more?: Partial<EventStoreDbOptions>): Promise<EventStore>;
  server(): TestServer;
  store(): EventStore;
}

function appendFaults({ server, store, open }: Context): void {
  it.each([
    'append-answer-lost',
    'append-dropped',
    'append-timed-out',
    'append-written-timed-out',
    'append-written-cut',
    'append-cut',
  ] as const)('ends as unknown, its events written once by retries: %s', async (fault) => {
    const stream = newStream();
    const events = eventsAfter(stream, NO_STREAM, 2);
    await server().fault(fault);
    // A server gives up after two seconds, our timer before it; either way nobody knows.
    expect(await store().append(stream, NO_STREAM, events)).toMatchObject({ outcome: 'unknown' });
    const outcome = await retried(store(), stream, events);
    expect(await all(store().readStream(stream))).toEqual(placed(events, outcome));
  });

  it("is in nobody's hands while its twin is in flight, and written once when the disk goes on", async () => {
    const stream = newStream();
    const events = eventsAfter(stream, NO_STREAM, 2);
    await server().fault('hold');
    const twins = await Promise.all([1, 2].map(() => store().append(stream, NO_STREAM, events)));
    expect(twins).toMatchObject([{ outcome: 'unknown' }, { outcome: 'unknown' }]);
    await server().fault('release');
    const outcome = await retried(store(), stream, events);
    expect(await all(store().readStream(stream))).toEqual(placed(events, outcome));
  });

  it('does not take the same ids with other bodies for a retry, though its own answer was lost', async () => {
    const stream = newStream();
    const [event] = eventsAfter(stream, NO_STREAM, 1) as [UnplacedEnvelope];
    await server().fault('append-answer-lost');
    expect(await store().append(stream, NO_STREAM, [event])).toMatchObject({ outcome: 'unknown' });
    const outcome = await retried(store(), stream, [{ ...event, data: { other: true } }]);
    expect(outcome).toEqual({ outcome: 'conflict', revision: 0 });
  });

  it('loses and doubles nothing when connections break under load, again and again', async () => {
    const writers = Array.from({ length: 16 }, async () => {
      const stream = newStream();
      const written: UnplacedEnvelope[] = [];
      for (let revision = 0; revision < 12; revision++) {
        const events = eventsAfter(stream, revision - 1, 1);
        await retried(store(), stream, events);
        written.push(...events);
      }
      return { stream, written };
    });
    for (let cut = 0; cut < 4; cut++) {
      await wait(50);
      await server().fault(cut % 2 === 0 ? 'connections-cut' : 'append-written-cut');
    }
    for (const { stream, written } of await Promise.all(writers)) {
      expect((await all(store().readStream(stream))).map(({ id }) => id)).toEqual(written.map(({ id }) => id));
    }
  });

  it('are answered for one store while another on the same client is closed', async () => {
    const other = await open(server().url);
    const stream = newStream();
    const writing = Promise.all(
      Array.from({ length: 50 }, (_, i) => store().append(stream, i - 1, eventsAfter(stream, i - 1, 1))),
    );
    await other.close();
    expect((await writing).every(({ outcome }) => outcome === 'committed')).toBe(true);
    await expect(open('esdb://127.0.0.1:1?tls=false')).rejects.toThrow('one EventStoreDB');
  });
}

function subscriptionFaults({ server, store, interruptions }: Context): void {
  it.each(['streams-cut', 'connections-cut', 'consumers-too-slow', 'subscriptions-ended'] as const)(
    'begin again behind the last event: %s',
    async (fault) => {
      const reader = following(store(), await headPosition(store()), 7);
      await reader.until('the head', () => reader.batches.length > 0);
      const stored = await appended(store(), newStream(), NO_STREAM, 10);
      await reader.until('what came before', () => reader.events.length === 10);
      await server().fault(fault);
      const late = eventsAfter(newStream(), NO_STREAM, 10);
      const outcome = await retried(store(), late[0]?.stream ?? '', late);
      await reader.until('what came after', () => reader.events.length === 20);
      expect(reader.events).toEqual([...stored, ...placed(late, outcome)]);
      expect(interruptions.length).toBeGreaterThan(0);
      reader.stop();
      await reader.ended;
    },
  );

  it('behind a position that the store never gave are refused by name, and not begun again for ever', async () => {
    const [first] = await appended(store(), newStream(), NO_STREAM, 2);
    const never = String(BigInt(first?.position ?? '') + 1n).padStart(20, '0');
    const reader = following(store(), never);
    await expect(reader.ended).rejects.toThrow(`"${never}" is no position of this store`);
    expect(interruptions.length).toBeLessThan(10);
  });

  it('give a slow reader everything once, cut off as too slow or not', async () => {
    const reader = following(store(), await headPosition(store()), 20, () => wait(20));
    await reader.until('the head', () => reader.batches.length > 0);
    const stored = [];
    for (let i = 0; i < 4; i++) {
      stored.push(...(await appended(store(), newStream(), NO_STREAM, 100)));
      await server().fault('consumers-too-slow');
    }
    await reader.until('all events', () => reader.events.length === stored.length);
    expect(reader.events).toEqual(stored);
    expect(interruptions.length).toBeGreaterThan(0);
    reader.stop();
    await reader.ended;
  });

  it('are read to the end by a long read, though they break off', async () => {
    const before = await headPosition(store());
    const stored = await appended(store(), newStream(), NO_STREAM, 400);
    const read = [];
    for await (const event of store().readAll({ after: before })) {
      read.push(event);
      if (read.length % 150 === 0) await server().fault('streams-cut');
    }
    expect(read).toEqual(stored);
  });
}

function serverFaults({ server, store, open }: Context): void {
  it('that is not ready takes nothing, says so, and takes it later', async () => {
    const stream = newStream();
    const events = eventsAfter(stream, NO_STREAM, 1);
    await server().fault('not-ready');
    await expect(store().append(stream, NO_STREAM, events)).rejects.toMatchObject({
      name: 'StoreUnavailable',
      code: 'UNREACHABLE',
    });
    await server().fault('healthy');
    const outcome = await retried(store(), stream, events);
    expect(await all(store().readStream(stream))).toEqual(placed(events, outcome));
  });

  it('that follows another is not asked what a stream holds: it may be behind', async () => {
    const stored = await appended(store(), newStream(), NO_STREAM, 2);
    await server().fault('not-leader');
    let answered = false;
    const reading = all(store().readStream(stored[0]?.stream ?? '')).finally(() => {
      answered = true;
    });
    await wait(300);
    expect(answered).toBe(false);
    await server().fault('healthy');
    expect(await reading).toEqual(stored);
  });

  it('that nobody finds is unreachable, within patience, and its password is in no text', async () => {
    await store().close();
    const opening = open('esdb://admin:changeit@127.0.0.1:1?tls=false', { patience: { ...PATIENCE, reads: 500 } });
    const error = await opening.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ name: 'StoreUnavailable', code: 'UNREACHABLE' });
    expect(error?.message).toContain('127.0.0.1:1: ');
    expect(error?.message).not.toContain('changeit');
  });

  it('that freezes keeps nobody for ever, and what it was asked is there once when it goes on', async () => {
    await store().close();
    const frozen = await standInProcess();
    const there = await open(frozen.url);
    try {
      const reader = following(there, await headPosition(there));
      await reader.until('the head', () => reader.batches.length > 0);
      const stream = newStream();
      const events = eventsAfter(stream, NO_STREAM, 2);
      await appended(there, newStream(), NO_STREAM, 1);
      frozen.freeze(true);
      expect(await there.append(stream, NO_STREAM, events)).toMatchObject({ outcome: 'unknown' });
      await expect(there.head()).rejects.toMatchObject({ code: 'UNREACHABLE' });
      frozen.freeze(false);
      const outcome = await retried(there, stream, events);
      expect(await all(there.readStream(stream))).toEqual(placed(events, outcome));
      await reader.until('all events', () => reader.events.length === 3);
      reader.stop();
      await reader.ended;
    } finally {
      frozen.freeze(false);
      await there.close();
      await frozen.close();
    }
  });

  it('holds several ledgers, each under a prefix of its own: none sees what is in another', async () => {
    const loan = newStream('loan');
    const names = ['one.', 'one-more.', 'other.'];
    const categories = ['loan', 'businessDay'];
    const ledgers = await Promise.all(names.map((prefix) => open(server().url, { categories, prefix })));
    const heads: (Envelope | undefined)[] = [];
    for (const [index, ledger] of ledgers.entries()) {
      // More than one page of it lies before the next ledger's end.
      heads.push((await appended(ledger, loan, NO_STREAM, 3 + 20 * index)).at(-1));
    }
    for (const [index, ledger] of ledgers.entries()) {
      const ours = await all(ledger.readStream(loan));
      expect(ours.map(({ stream }) => stream)).toEqual(Array(3 + 20 * index).fill(loan));
      expect(await all(ledger.readAll())).toEqual(ours);
      expect(await all(ledger.readAll({ direction: 'backwards' }))).toEqual([...ours].reverse());
      expect(await ledger.head()).toEqual(heads[index]);
      // Once more, as what was looked at before is not looked at again.
      expect(await ledger.head()).toEqual(heads[index]);
      const reader = following(ledger, START);
      await reader.until('the end', () => reader.batches.at(-1)?.caughtUp === true);
      expect(reader.events).toEqual(ours);
      reader.stop();
      await reader.ended;
    }
    for (const ledger of ledgers) {
      const [event] = await appended(ledger, newStream('loan'), NO_STREAM, 1);
      expect(await ledger.head()).toEqual(event);
      await ledger.close();
    }
  });

  it("holds more than the ledger: other categories and the server's own are never seen, nor written", async () => {
    const loan = newStream('loan');
    const ours = await appended(store(), loan, NO_STREAM, 2);
    await appended(store(), newStream('loans'), NO_STREAM, 2);
    const foreign = newStream('stranger');
    await appended(store(), foreign, NO_STREAM, 3);
    const ledger = await open(server().url, { categories: ['loan', 'businessDay'] });
    const before = (await all(ledger.readAll({ after: ours[0]?.position ?? '' }))).slice(0, 1);
    expect(before).toEqual(ours.slice(1));
    expect(await ledger.head()).toEqual(ours[1]);
    expect(await all(ledger.readAll({ direction: 'backwards', limit: 2 }))).toEqual([...ours].reverse());
    expect((await all(ledger.streams())).filter(({ stream }) => !stream.startsWith('loan-'))).toEqual([]);
    expect(await all(ledger.readStream(foreign))).toEqual([]);
    const reader = following(ledger, ours[0]?.position ?? '');
    await reader.until('the end', () => reader.batches.at(-1)?.caughtUp === true);
    expect(reader.events).toEqual(ours.slice(1));
    reader.stop();
    await reader.ended;
    await expect(ledger.append(foreign, 2, eventsAfter(foreign, 2, 1))).rejects.toThrow('stream of the ledger');
    await ledger.close();
  });
}

/** As the engine does it: the same events at the same revision, until somebody knows. */
async function retried(store: EventStore, stream: string, events: readonly UnplacedEnvelope[]): Promise<AppendOutcome> {
  const expected = (events[0]?.revision ?? 0) - 1;
  for (let attempt = 0; attempt < 40; attempt++) {
    try {
      const outcome = await store.append(stream, expected, events);
      if (outcome.outcome !== 'unknown') return outcome;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'UNREACHABLE') throw error;
    }
    await wait(50);
  }
  throw new Error(`the outcome of an append to ${stream} stayed unknown`);
}
