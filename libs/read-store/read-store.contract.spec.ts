import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReadStorePlace, readStoreContract } from './contract.js';
import { memoryReadStore, overlayReadStore } from './memory/overlay.js';
import type { ReadStore } from './port.js';
import { openSqliteReadStore } from './sqlite/store.js';

readStoreContract('in a directory of SQLite files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'read-store-contract-'));
  const path = join(folder, 'read');
  const store = openSqliteReadStore({ path });
  const opened: ReadStore[] = [store];
  const another = async (): Promise<ReadStore> => {
    const next = openSqliteReadStore({ path });
    opened.push(next);
    return next;
  };
  return {
    store,
    second: another,
    reopen: async () => {
      await store.close();
      return another();
    },
    writes: () => store.transactions,
    writesMax: { apply: 1, applyAll: (instances) => instances },
    dispose: async () => {
      for (const it of opened) await it.close();
      await rm(folder, { recursive: true });
    },
  };
});

readStoreContract('in a temporary directory of SQLite files', async () => {
  const store = openSqliteReadStore({ path: ':memory:', readers: 2 });
  return { store, dispose: () => store.close() };
});

readStoreContract('in memory', async () => inMemory(memoryReadStore()));

readStoreContract('in memory on top of an empty one', async () => inMemory(overlayReadStore(memoryReadStore())));

readStoreContract('in memory on top of SQLite files', async () => {
  const base = openSqliteReadStore({ path: ':memory:' });
  const store = overlayReadStore(base);
  const dispose = async (): Promise<void> => {
    await store.close();
    await base.close();
  };
  return { store, dispose };
});

const inMemory = (store: ReadStore): ReadStorePlace => ({ store, dispose: () => store.close() });
