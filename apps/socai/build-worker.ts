import { on } from 'node:events';
import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { buildHere, buildOn } from '../../libs/engine/build.js';
import { openSqliteEventStore } from '../../libs/event-store/sqlite/store.js';
import { invariant } from '../../libs/kernel/result.js';
import { lendingDomain } from '../../libs/lending/catalogue.js';
import type { Checkpoint } from '../../libs/read-store/port.js';
import type { BuildTold, Share } from './build-threads.js';
import { eventsFile, followed, openReadModels } from './files.js';

/* A thread that builds instances of read models to the head, and ends. */

/** A nice value: how much less it matters than others. */
const LATER = 5;

const port = parentPort;
invariant(port !== null, 'this file is run as a thread');
const { data, parts, beside } = workerData as Share;
const stopping = new AbortController();
// From the beginning: what is told while the stores are opened is not lost.
const told = on(port as MessagePort, 'message');
port.on('message', (word: BuildTold) => {
  if (word === 'stop') stopping.abort();
});
const store = await openSqliteEventStore({ path: eventsFile(data), readOnly: true });
const readStore = openReadModels(data);
const tools = { store, readStore, followed, domain: lendingDomain() };
const progress = (instance: string, checkpoint: Checkpoint) => port.postMessage({ instance, checkpoint });
try {
  if (beside) await followWriter();
  await buildHere(tools)(parts, progress, stopping.signal);
} finally {
  await readStore.close();
  await store.close();
  port.close();
}

/** To the head of the moment each time that it is told of more, until it is told that no more comes. */
async function followWriter(): Promise<void> {
  // On Linux of this thread alone, elsewhere of all of the process: whoever writes the events goes first.
  setPriority(LATER);
  for await (const [word] of told) {
    if (word !== 'more') return;
    await buildOn(tools)(parts, progress, stopping.signal);
  }
}
