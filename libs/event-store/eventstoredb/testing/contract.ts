import { describeWith, server } from '../../../../test/services.js';
import type { EventStoreHarness } from '../../contract/harness.js';
import { eventStoreContract } from '../../contract.js';
import type { ClientKind } from '../client.js';
import { openEventStoreDb } from '../store.js';
import { standInFor, type TestServer } from './server.js';

/** Far more than any answer takes on a loaded machine: what is lost here is lost with its connection. */
const ANSWER_MS_MAX = 30_000;

/** The port's suite by one of the clients: against the stand-in, and against a real server where one is named. */
export async function contractBy(client: ClientKind): Promise<void> {
  let standIn: Promise<TestServer> | undefined;
  afterAll(async () => (await standIn)?.close());
  eventStoreContract(`a stand-in for EventStoreDB, by the client ${client},`, {
    open: async () => {
      standIn ??= standInFor(client);
      return openStandIn(client, await standIn);
    },
    capabilities: { reopens: true, countsWrites: false, losesAnswers: true },
  });

  const real = await server('EVENTSTOREDB_URL');
  describeWith(real, `EventStoreDB by the client ${client}`, () => {
    eventStoreContract(`a real server, by the client ${client},`, {
      open: () => opened({ connectionString: real.url, client }),
      capabilities: { reopens: true, countsWrites: false, losesAnswers: false },
    });
  });
}

async function openStandIn(client: ClientKind, standIn: TestServer): Promise<EventStoreHarness> {
  const options = { connectionString: standIn.url, client, patience: { append: ANSWER_MS_MAX, close: 100 } };
  const { store, reopen, dispose } = await opened(options);
  let losing: Promise<void> | undefined;
  return {
    store: {
      ...store,
      // An append that is to lose its answer waits until the server, in a process of its own, knows.
      append: (...append) => losing?.then(() => store.append(...append)) ?? store.append(...append),
    },
    reopen,
    loseNextAnswer(fate) {
      losing = standIn.fault(fate === 'written' ? 'append-written-cut' : 'append-cut');
    },
    dispose,
  };
}

async function opened(options: Parameters<typeof openEventStoreDb>[0]) {
  const store = await openEventStoreDb(options);
  const again: (typeof store)[] = [];
  return {
    store,
    async reopen() {
      await store.close();
      const reopened = await openEventStoreDb(options);
      again.push(reopened);
      return reopened;
    },
    async dispose() {
      for (const each of [store, ...again]) await each.close();
    },
  };
}
