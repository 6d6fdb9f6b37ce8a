import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStoreHarness } from '../contract/harness.js';
import { eventStoreContract } from '../contract.js';
import type { CommitFaults } from './commit.js';
import { openSqliteEventStore } from './store.js';

eventStoreContract('a SQLite file', {
  open,
  capabilities: { reopens: true, countsWrites: true, losesAnswers: true },
});

async function open(): Promise<EventStoreHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'event-store-'));
  let writes = 0;
  let fate: 'written' | 'not written' | undefined;
  const failOnce = (when: 'written' | 'not written') => {
    if (fate !== when) return;
    fate = undefined;
    throw new Error('the disk gave no answer');
  };
  const faults: CommitFaults = {
    beforeCommit: () => failOnce('not written'),
    afterCommit: () => failOnce('written'),
  };
  const openFile = () =>
    openSqliteEventStore({ path: join(directory, 'events.db'), faults, committed: () => void writes++ });
  const store = await openFile();
  let reopened: Awaited<ReturnType<typeof openFile>> | undefined;
  return {
    store,
    async reopen() {
      await store.close();
      reopened = await openFile();
      return reopened;
    },
    writes: () => writes,
    loseNextAnswer: (next) => {
      fate = next;
    },
    async dispose() {
      await store.close();
      await reopened?.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
