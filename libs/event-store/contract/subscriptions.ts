import type { Envelope } from '../../kernel/envelope.js';
import { NO_STREAM, START } from '../port.js';
import { all, appended, type Bench, following, headPosition, newStream, sleep, soon } from './harness.js';

export function subscriptionCases({ store }: Bench): void {
  async function some(count: number): Promise<{ before: string; stored: Envelope[] }> {
    const before = await headPosition(store());
    return { before, stored: await appended(store(), newStream(), NO_STREAM, count) };
  }

  it('catches up behind a position, in batches of the size asked for, and then says so', async () => {
    const { before, stored } = await some(25);
    const reader = following(store(), before, 10);
    await reader.until('the end', () => reader.batches.at(-1)?.caughtUp === true);
    expect(reader.events).toEqual(stored);
    expect(reader.batches.every(({ events }) => events.length <= 10)).toBe(true);
    expect(reader.batches.filter(({ caughtUp }) => caughtUp)).toHaveLength(1);
    reader.stop();
    await soon('the end after an abort', reader.ended);
  });

  it('says that it has caught up once, in an empty batch, when there is nothing to read', async () => {
    const reader = following(store(), await headPosition(store()));
    await reader.until('the empty batch', () => reader.batches.length > 0);
    await sleep(250);
    expect(reader.batches).toEqual([{ events: [], caughtUp: true }]);
    reader.stop();
    await soon('the end after an abort', reader.ended);
  });

  it('says so when the last batch is exactly full', async () => {
    const { before, stored } = await some(20);
    const reader = following(store(), before, 10);
    await reader.until('the end', () => reader.batches.at(-1)?.caughtUp === true);
    expect(reader.events).toEqual(stored);
    reader.stop();
    await soon('the end after an abort', reader.ended);
  });

  it('begins at the first event of all from START', async () => {
    await some(3);
    const [first] = await all(store().readAll({ limit: 1 }));
    const abort = new AbortController();
    for await (const { events } of store().subscribe({ after: START, batch: 1, signal: abort.signal })) {
      expect(events).toEqual([first]);
      break;
    }
  });

  it('goes on live with what is appended later', async () => {
    const reader = following(store(), await headPosition(store()));
    await reader.until('the head', () => reader.batches.length > 0);
    const stored: Envelope[] = [];
    for (let i = 0; i < 20; i++) {
      stored.push(...(await appended(store(), newStream(), NO_STREAM, 1 + (i % 3))));
      if (i % 5 === 0) await sleep(1);
    }
    await reader.until('all events', () => reader.events.length === stored.length);
    expect(reader.events).toEqual(stored);
    reader.stop();
    await soon('the end after an abort', reader.ended);
  });

  it('loses and repeats nothing when it is resumed behind each batch, while a writer goes on', async () => {
    const before = await headPosition(store());
    const stored: Envelope[] = [];
    const writing = (async () => {
      for (let i = 0; i < 60; i++) stored.push(...(await appended(store(), newStream(), NO_STREAM, 1 + (i % 4))));
    })();
    const seen: Envelope[] = [];
    let after = before;
    let written = false;
    void writing.then(() => {
      written = true;
    });
    while (!written || seen.length < stored.length) {
      const { signal } = new AbortController();
      for await (const { events } of store().subscribe({ after, batch: 7, signal })) {
        seen.push(...events);
        after = events.at(-1)?.position ?? after;
        break;
      }
    }
    await writing;
    expect(seen).toEqual(stored);
  });

  it('reads no more than a batch ahead of a slow reader, who still sees everything once', async () => {
    const { before, stored } = await some(30);
    const reader = following(store(), before, 5, () => sleep(10));
    const late = await appended(store(), newStream(), NO_STREAM, 30);
    await reader.until('all events', () => reader.events.length === 60);
    expect(reader.events).toEqual([...stored, ...late]);
    reader.stop();
    await soon('the end after an abort', reader.ended);
  });

  it('serves several readers, each at its own place', async () => {
    const { before, stored } = await some(12);
    const afters = [before, stored[3]?.position ?? '', stored[11]?.position ?? ''];
    const readers = afters.map((after, i) => following(store(), after, 3 + i));
    const late = await appended(store(), newStream(), NO_STREAM, 4);
    const wanted = [stored, stored.slice(4), []].map((caught) => [...caught, ...late]);
    for (const [i, reader] of readers.entries()) {
      await reader.until('all events', () => reader.events.length === wanted[i]?.length);
      expect(reader.events).toEqual(wanted[i]);
      reader.stop();
    }
    await soon('all ends', Promise.all(readers.map(({ ended }) => ended)));
  });

  it('ends without an error when it is aborted before it begins, while it waits and between batches', async () => {
    const { before } = await some(30);
    expect(await all(store().subscribe({ after: before, batch: 5, signal: AbortSignal.abort() }))).toEqual([]);
    const waiting = following(store(), await headPosition(store()));
    await waiting.until('the head', () => waiting.batches.length > 0);
    waiting.stop();
    await soon('the end while waiting', waiting.ended);
    const reading = following(store(), before, 5, async () => reading.stop());
    await soon('the end while reading', reading.ended);
    expect(reading.batches).toHaveLength(1);
  });

  it('ends without an error when the store is closed, waiting or reading', async () => {
    const { before } = await some(30);
    const waiting = following(store(), await headPosition(store()));
    const reading = following(store(), before, 5, () => sleep(5));
    await waiting.until('the head', () => waiting.batches.length > 0 && reading.batches.length > 0);
    await soon('the close', store().close());
    await soon('the end while waiting', waiting.ended);
    await soon('the end while reading', reading.ended);
  });

  it('lets a read that is under way when the store is closed end whole or with STORE_CLOSED', async () => {
    const { before, stored } = await some(500);
    let read = 0;
    const reading = (async () => {
      for await (const _ of store().readAll({ after: before })) if (++read === 10) await store().close();
    })();
    const end = await soon(
      'the read',
      reading.then(
        () => 'whole',
        (error: unknown) => error,
      ),
    );
    if (end === 'whole') expect(read).toBe(stored.length);
    else expect(end).toMatchObject({ code: 'STORE_CLOSED' });
  });
}
