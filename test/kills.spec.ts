import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Line } from './model/facts.js';
import { buildHistory, toNdjson } from './model/generate.js';
import { createRandom } from './model/world.js';
import { freePort, type Server, serve } from './server.js';

const KILLS = Number(process.env.KILLS ?? 100);
const SEED = Number(process.env.SEED ?? 20210715);
const ALIVE_MS_MAX = 250;

interface Result {
  readonly line: number;
  readonly status: number;
  readonly events?: readonly { readonly stream: string; readonly revision: number; readonly type: string }[];
}

// Both runs take the same lines, with the clock that each carries: then not only the figures but every event is equal.
describe(`a server that is killed ${KILLS} times under load (seed ${SEED})`, () => {
  const directories: string[] = [];
  afterAll(() => Promise.all(directories.map((path) => rm(path, { recursive: true, force: true }))));
  const directory = async () => {
    const path = await mkdtemp(join(tmpdir(), 'socai-kills-'));
    directories.push(path);
    return path;
  };

  it('has every acknowledged command once, and every figure of a run without kills', async () => {
    const lines = sheet();
    const undisturbed = await runToTheEnd(await directory(), lines);
    const disturbed = await runWithKills(await directory(), lines);
    expect(disturbed.kills).toBe(KILLS);
    for (const [key, acknowledged] of disturbed.acknowledged) {
      expect([key, acknowledged]).toEqual([key, undisturbed.acknowledged.get(key)]);
    }
    expect(disturbed.figures).toEqual(undisturbed.figures);
  }, 540_000);
});

/** Several generated histories, one after another, each with identifiers and programmes of its own. */
function sheet(): readonly Line[] {
  const random = createRandom(SEED);
  const kinds = ['advance', 'pay', 'advance', 'pay', 'explicit', 'reverse', 'close', 'hop', 'advance', 'allocate'];
  const steps = Array.from({ length: 300 }, () => ({ kind: random.pick(kinds), seed: random.below(2 ** 31) }));
  return buildHistory(SEED, steps).lines;
}

async function runToTheEnd(data: string, lines: readonly Line[]) {
  const server = await serve(data, ['--simulated']);
  const acknowledged = new Map<string, unknown>();
  await post(server, lines, 0, acknowledged);
  const figures = await figuresOf(server);
  await server.stop();
  return { acknowledged, figures };
}

/** Kills at random moments while a sheet is being taken; what was not answered is posted again to the next server. */
async function runWithKills(data: string, lines: readonly Line[]) {
  const random = createRandom(SEED + 1);
  const port = await freePort();
  const acknowledged = new Map<string, unknown>();
  let [next, kills] = [0, 0];
  while (kills < KILLS) {
    const server = await serve(data, ['--simulated'], port);
    const posting = post(server, lines, next, acknowledged);
    await wait(random.below(ALIVE_MS_MAX));
    await server.kill();
    kills++;
    next = await posting;
    // The sheet is taken in from its beginning again: all that was accepted must answer as the first time.
    if (next >= lines.length) next = 0;
  }
  const server = await serve(data, ['--simulated'], port);
  await post(server, lines, next, acknowledged);
  const figures = await figuresOf(server);
  await server.stop();
  return { acknowledged, figures, kills };
}

/** Posts the lines from `from` on; resolves with the first line that was not answered. */
async function post(
  server: Server,
  lines: readonly Line[],
  from: number,
  acknowledged: Map<string, unknown>,
): Promise<number> {
  let answered = from;
  try {
    const response = await fetch(`${server.url}/v1/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: toNdjson(lines.slice(from)),
    });
    let rest = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const texts = (rest + Buffer.from(chunk).toString()).split('\n');
      rest = texts.pop() ?? '';
      for (const text of texts) {
        note(JSON.parse(text), from, acknowledged);
        answered++;
      }
    }
  } catch {
    // The server was killed.
  }
  return answered;
}

/** An accepted command's events, by the line: a later answer to the same line must be the same. */
function note(result: Result, from: number, acknowledged: Map<string, unknown>): void {
  if (result.status !== 200) return;
  const key = `line ${from + result.line}`;
  const events = (result.events ?? []).map(({ stream, revision, type }) => `${stream} ${revision} ${type}`);
  const before = acknowledged.get(key);
  if (before === undefined) acknowledged.set(key, events);
  else if (events.length > 0) expect([key, events]).toEqual([key, before]);
}

async function figuresOf(server: Server): Promise<Readonly<Record<string, unknown>>> {
  const get = async (path: string) => (await fetch(`${server.url}/v1/${path}`)).json();
  const token = ((await get('digest')) as { readonly digest: string }).digest;
  return {
    digest: token,
    quality: await get(
      'portfolio-quality?by=district,massOrganisation,borrowerClass,programme,source&knownOn=2199-01-01',
    ),
    balances: await get('district-balances?by=source,programme&knownOn=2199-01-01'),
    invariants: await get('invariants?knownOn=2199-01-01'),
  };
}
