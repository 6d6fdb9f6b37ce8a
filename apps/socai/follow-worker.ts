import { parentPort, workerData } from 'node:worker_threads';
import { followFor } from '../../libs/engine/follow-host.js';
import { openSqliteEventStore } from '../../libs/event-store/sqlite/store.js';
import { invariant } from '../../libs/kernel/result.js';
import { lendingDomain } from '../../libs/lending/catalogue.js';
import { buildInThreads } from './build-threads.js';
import { eventsFile, followed, openReadModels } from './files.js';
import type { FollowedInThread } from './follow-thread.js';

/* The thread that follows: its own connections to the files of one data directory. */

const port = parentPort;
invariant(port !== null, 'this file is run as a thread');
const { data, readModels } = workerData as FollowedInThread;
const store = await openSqliteEventStore({ path: eventsFile(data), readOnly: true });
const readStore = openReadModels(data);

followFor(
  {
    post: (message) => port.postMessage(message),
    listen: (heard) => port.on('message', heard),
    end: async () => {
      await readStore.close();
      await store.close();
      port.close();
    },
  },
  {
    store,
    readStore,
    followed: readModels ? followed : [],
    domain: lendingDomain(),
    now: () => Date.now(),
    build: buildInThreads(data),
  },
);
