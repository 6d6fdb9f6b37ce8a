import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect } from '../contract/model.js';
import { openSqliteReadStore } from './store.js';

const KILLS = 10;
const ALIVE_MS_MAX = 250;
const KEPT = 40;
const CELLS_AT_ONCE = 300;
const ADAPTER = new URL('../../../dist/libs/read-store/sqlite/store.js', import.meta.url);
const CHILD = fileURLToPath(new URL('crash.child.mjs', import.meta.url));

describe('a process that applies batches and is killed at any moment', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'read-store-crash-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('leaves changes and checkpoint together, and nothing lost that it had acknowledged', async () => {
    if (!existsSync(fileURLToPath(ADAPTER)))
      throw new Error('run `npm run build` first: the child runs what was built');
    const path = join(folder, 'read');
    let before = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await killedAtRandom(path);
      const sequence = await sequenceOf(path);
      // One more batch may have been committed than was said.
      expect([acknowledged, acknowledged + 1]).toContain(sequence);
      expect(sequence).toBeGreaterThan(before);
      before = sequence;
    }
  }, 60_000);
});

/** Runs the child until some time after its first batch. Gives the last batch that it acknowledged. */
async function killedAtRandom(path: string): Promise<number> {
  const child = spawn(process.execPath, [CHILD, ADAPTER.href, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8');
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (text: string) => {
      output += text;
      resolve();
    });
    child.once('exit', (code) => reject(new Error(`the child ended by itself: ${code}`)));
  });
  await new Promise((resolve) => setTimeout(resolve, Math.random() * ALIVE_MS_MAX));
  await killed(child);
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
}

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });
}

/** The checkpoint of what was left, after everything in it was found to be what that many batches lead to. */
async function sequenceOf(path: string): Promise<number> {
  const store = openSqliteReadStore({ path });
  const sequence = await store.read('crash.1', async (view) => {
    const { sequence: n } = view.checkpoint;
    const cells = new Map<number, number>();
    for (let batch = 1; batch <= n; batch++) {
      for (let i = 0; i < CELLS_AT_ONCE; i++) {
        const cell = (batch * 7 + i) % 1_000;
        cells.set(cell, (cells.get(cell) ?? 0) + batch);
      }
    }
    const found = await collect(view.find('cells'));
    expect(new Map(found.map(({ cell, amount }) => [cell, amount]))).toEqual(cells);
    const first = Math.max(1, n - KEPT + 1);
    const numbers = [...Array(n - first + 1).keys()].map((i) => first + i);
    const documents = await collect(view.find('documents'));
    expect(documents).toEqual(numbers.map((number) => ({ number, text: 'x'.repeat(number % 3_000) })));
    return n;
  });
  await store.close();
  return sequence;
}
