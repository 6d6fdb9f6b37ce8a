import { jest } from '@jest/globals';
import { appended, newStream } from '../contract/harness.js';
import { NO_STREAM, START } from '../port.js';
import { loadClient, type ServerClient, type ServerSubscription } from './client.js';
import { ledgersOwn } from './events.js';
import { PATIENCE } from './patience.js';
import { openEventStoreDb } from './store.js';
import { follow } from './subscribe.js';
import { standInFor } from './testing/server.js';

jest.setTimeout(30_000);

const SILENCE_MS = 150;

/** A subscription that says nothing more once it has caught up, as one does whose connection is lost unnoticed. */
function deafOnceLive(subscription: ServerSubscription): ServerSubscription {
  let live = false;
  subscription.on('caughtUp', () => {
    live = true;
  });
  return {
    read: () => (live ? null : subscription.read()),
    on: (signal, heard) =>
      subscription.on(signal, (value) => {
        if (!live || signal === 'caughtUp') heard(value);
      }),
    unsubscribe: () => subscription.unsubscribe(),
    destroy: () => subscription.destroy(),
  };
}

it('begins again when a subscription falls silent while the head moves, and only then', async () => {
  const server = await standInFor('eventstore');
  const store = await openEventStoreDb({ connectionString: server.url, patience: { close: 100 } });
  const client = await loadClient('eventstore', server.url);
  let subscriptions = 0;
  const deaf: ServerClient = {
    ...client,
    subscribeToAll: (...asked) => {
      const made = client.subscribeToAll(...asked);
      return subscriptions++ === 0 ? deafOnceLive(made) : made;
    },
  };
  const abort = new AbortController();
  const interruptions: Error[] = [];
  const following = {
    ...{ client: deaf, patience: { ...PATIENCE, silence: SILENCE_MS }, own: ledgersOwn([]) },
    ...{ address: 'here', looked: {}, assertOpen: () => undefined, closing: new AbortController().signal },
    interrupted: (cause: Error) => void interruptions.push(cause),
  };
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { events } of follow(following, { after: START, batch: 10, signal: abort.signal })) {
      seen.push(...events.map(({ id }) => id));
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, SILENCE_MS * 6));
  // Nothing was written: silence is what there is to hear.
  expect([subscriptions, interruptions]).toEqual([1, []]);
  const stored = await appended(store, newStream(), NO_STREAM, 3);
  while (seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(seen).toEqual(stored.map(({ id }) => id));
  expect([subscriptions, interruptions.length]).toEqual([2, 1]);
  abort.abort();
  await reading;
  await store.close();
  await server.close();
  await client.dispose();
});
