import { parentPort, workerData } from 'node:worker_threads';
import { buildHere, type Part } from '../../libs/engine/build.js';
import { openSqliteEventStore } from '../../libs/event-store/sqlite/store.js';
import { invariant } from '../../libs/kernel/result.js';
import { lendingDomain } from '../../libs/lending/catalogue.js';
import { eventsFile, followed, openReadModels } from './files.js';

/* A thread that builds instances of read models to the head, and ends. */

const port = parentPort;
invariant(port !== null, 'this file is run as a thread');
const { data, parts } = workerData as { readonly data: string; readonly parts: readonly Part[] };
const stopping = new AbortController();
port.on('message', () => stopping.abort());
const store = await openSqliteEventStore({ path: eventsFile(data), readOnly: true });
const readStore = openReadModels(data);
try {
  const build = buildHere({ store, readStore, followed, domain: lendingDomain() });
  await build(parts, (instance, checkpoint) => port.postMessage({ instance, checkpoint }), stopping.signal);
} finally {
  await readStore.close();
  await store.close();
  port.close();
}
