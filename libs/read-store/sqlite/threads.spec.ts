import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { add, batch, collect, INSTANCE, MODEL, sumOf } from '../contract/model.js';
import { openSqliteReadStore, type SqliteReadStore } from './store.js';

const ADAPTER = new URL('../../../dist/libs/read-store/sqlite/store.js', import.meta.url);
const CHILD = new URL('threads.child.mjs', import.meta.url);
const BATCHES = 60;
const THREAD = `${INSTANCE}.thread`;

describe('another thread that builds a read model', () => {
  let folder: string;
  let store: SqliteReadStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'read-store-threads-'));
    store = openSqliteReadStore({ path: join(folder, 'read') });
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("is in no writer's and no reader's way, and what it switches to is live", async () => {
    if (!existsSync(fileURLToPath(ADAPTER)))
      throw new Error('run `npm run build` first: the thread runs what was built');
    await store.open(INSTANCE, MODEL);
    await store.switchTo(MODEL.name, INSTANCE);
    const workerData = { adapter: ADAPTER.href, path: join(folder, 'read'), model: MODEL, batches: BATCHES };
    const worker = new Worker(CHILD, { workerData });
    let said = 0;
    worker.on('message', (n: number) => {
      said = n;
    });
    let ended = false;
    const end = new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the thread ended with ${code}`))));
    }).finally(() => {
      ended = true;
    });
    let written = 0;
    while (!ended) {
      const next = batch(written, written + 1, [add('D1', '2026-01-05', 1)]);
      expect(await store.apply(next)).toEqual({ outcome: 'applied' });
      written++;
      if (said > 0) await checkThread(said);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await end;
    expect(await store.live(MODEL.name)).toBe(THREAD);
    expect(await sumOf(store)).toEqual([{ amount: written, loans: 0 }]);
    await checkThread(BATCHES);
    await store.drop(INSTANCE);
    expect(await store.instances()).toEqual([THREAD]);
  }, 60_000);

  /** What the other thread has said is there, and each batch whole. */
  const checkThread = (said: number): Promise<void> =>
    store.read(THREAD, async (view) => {
      const { sequence } = view.checkpoint;
      expect(sequence).toBeGreaterThanOrEqual(said);
      const last = await collect(view.find('loans', { where: { days: { gte: sequence } } }));
      expect(last).toHaveLength(200);
    });
});
