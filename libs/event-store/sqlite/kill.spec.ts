import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { all, appended, newStream } from '../contract/harness.js';
import { NO_STREAM } from '../port.js';
import { openSqliteEventStore } from './store.js';

const CHILD = fileURLToPath(new URL('./kill.child.mjs', import.meta.url));
const BUILT = new URL('../../../dist/libs/event-store/sqlite/store.js', import.meta.url);
const KILLS = 10;
const WRITERS = 16;
/** From the first acknowledgement: from at once to after several checkpoints of the log. */
const KILLED_AFTER_MS_MAX = 900;

const directory = mkdtempSync(join(tmpdir(), 'event-store-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it(`keeps what it acknowledged through ${KILLS} kills under load`, async () => {
  // `npm test` builds first; on its own this needs `npm run build`.
  expect(existsSync(BUILT)).toBe(true);
  const path = join(directory, 'events.db');
  const acknowledged: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const lines = await killedAfter(path, randomInt(KILLED_AFTER_MS_MAX));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) acknowledged.push(line);
    const found = await stored(path);
    expect(acknowledged.filter((line) => !found.has(line))).toEqual([]);
  }
}, 60_000);

/** Every event as the child tells of it. Fails when one stands twice, a revision is missing or the store cannot write. */
async function stored(path: string): Promise<Set<string>> {
  const store = await openSqliteEventStore({ path });
  const [lines, ids] = [new Set<string>(), new Set<string>()];
  const revisions = new Map<string, number>();
  let last = '';
  for await (const { stream, revision, id, position } of store.readAll()) {
    const expected = (revisions.get(stream) ?? NO_STREAM) + 1;
    if (revision !== expected || ids.has(id) || position <= last)
      throw new Error(`${stream} ${revision} is out of place`);
    revisions.set(stream, revision);
    ids.add(id);
    last = position;
    lines.add(`${stream} ${revision} ${id} ${position}`);
  }
  expect(new Map((await all(store.streams())).map(({ stream, revision }) => [stream, revision]))).toEqual(revisions);
  await appended(store, newStream('after'), NO_STREAM, 1);
  await store.close();
  return lines;
}

/** Starts a writer, kills it some time after its first acknowledgement, and gives back what it acknowledged. */
function killedAfter(path: string, ms: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, BUILT.href, path, String(WRITERS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8');
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), ms));
  child.stdout.on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    // The last line may be cut off.
    child.once('close', (_, signal) =>
      signal === 'SIGKILL' ? resolve(text.split('\n').slice(0, -1)) : reject(new Error('the writer ended by itself')),
    );
  });
}
