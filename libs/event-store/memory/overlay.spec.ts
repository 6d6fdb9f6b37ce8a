import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { all, appended, eventsAfter, following, newStream } from '../contract/harness.js';
import { eventStoreContract } from '../contract.js';
import { type EventStore, NO_STREAM } from '../port.js';
import { openSqliteEventStore } from '../sqlite/store.js';
import { memoryEventStore, overlayEventStore } from './overlay.js';

const capabilities = { reopens: false, countsWrites: false, losesAnswers: false };

eventStoreContract('memory', {
  async open() {
    const store = memoryEventStore();
    return { store, dispose: () => store.close() };
  },
  capabilities,
});

eventStoreContract('an overlay on a file with a history', {
  async open() {
    const directory = mkdtempSync(join(tmpdir(), 'event-store-'));
    const base = await openSqliteEventStore({ path: join(directory, 'events.db') });
    for (let i = 0; i < 3; i++) await appended(base, newStream(), NO_STREAM, 50);
    const store = overlayEventStore(base);
    return {
      store,
      async dispose() {
        await store.close();
        await base.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
  capabilities,
});

describe('an overlay', () => {
  const shared = 'loan-shared';
  let base: EventStore;
  let overlay: EventStore;
  beforeEach(async () => {
    base = memoryEventStore();
    await appended(base, shared, NO_STREAM, 3);
    await appended(base, 'fund-1', NO_STREAM, 1);
    overlay = overlayEventStore(base);
  });

  it('continues the streams and the positions of its base', async () => {
    const below = await all(base.readAll());
    const above = [...(await appended(overlay, shared, 2, 2)), ...(await appended(overlay, 'new', NO_STREAM, 1))];
    expect(await all(overlay.readAll())).toEqual([...below, ...above]);
    expect(await all(overlay.readAll({ direction: 'backwards' }))).toEqual([...below, ...above].reverse());
    expect((await all(overlay.readStream(shared))).map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4]);
    const backwards = await all(overlay.readStream(shared, { direction: 'backwards', from: 3, limit: 3 }));
    expect(backwards.map(({ revision }) => revision)).toEqual([3, 2, 1]);
    expect((await all(overlay.readStream(shared, { from: 2, limit: 2 }))).map(({ revision }) => revision)).toEqual([
      2, 3,
    ]);
    expect((await all(overlay.streams())).map(({ stream, revision }) => [stream, revision])).toEqual([
      ['fund-1', 0],
      [shared, 4],
      ['new', 0],
    ]);
  });

  it('never writes to its base', async () => {
    const before = await all(base.readAll());
    await appended(overlay, shared, 2, 2);
    await appended(overlay, 'new', NO_STREAM, 1);
    await overlay.close();
    expect(await all(base.readAll())).toEqual(before);
  });

  it('answers a retry of what its base holds, and of what spans both', async () => {
    const events = eventsAfter('old', NO_STREAM, 2);
    const first = await base.append('old', NO_STREAM, events);
    expect(await overlay.append('old', NO_STREAM, events)).toEqual(first);
    expect(await overlay.append(shared, 1, eventsAfter(shared, 1, 1))).toEqual({ outcome: 'conflict', revision: 2 });
  });

  it('does not see what is appended to its base after it first looked', async () => {
    const before = await all(overlay.readAll());
    await appended(base, shared, 2, 2);
    await appended(base, 'late', NO_STREAM, 1);
    expect(await all(overlay.readAll())).toEqual(before);
    expect(await all(overlay.readStream(shared, { direction: 'backwards', limit: 1 }))).toMatchObject([
      { revision: 2 },
    ]);
    expect((await all(overlay.streams())).map(({ stream, revision }) => [stream, revision])).toEqual([
      ['fund-1', 0],
      [shared, 2],
    ]);
    expect((await appended(overlay, shared, 2, 1))[0]?.revision).toBe(3);
  });

  it('is followed across the border of its base', async () => {
    const reader = following(overlay, '', 3);
    const above = await appended(overlay, shared, 2, 4);
    await reader.until('all events', () => reader.events.length === 8);
    expect(reader.events).toEqual([...(await all(base.readAll())), ...above]);
    reader.stop();
    await reader.ended;
  });
});
