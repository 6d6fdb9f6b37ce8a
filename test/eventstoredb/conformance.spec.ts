import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStandIn } from '../../tools/eventstoredb-stand-in/server.js';

/*
 * What a real EventStoreDB 23.10.6 did, asked again (`golden/`): of the stand-in, fresh and after a restart, or of the
 * server that EVENTSTOREDB_URL names. No case is left out.
 */

const given = process.env.EVENTSTOREDB_URL;
const RUN_MS_MAX = 280_000;

describe(`EventStoreDB's record against ${given ? 'the server of EVENTSTOREDB_URL' : 'the stand-in'}`, () => {
  let folder: string;
  let fresh: ReadonlyMap<string, unknown>;
  let restarted: ReadonlyMap<string, unknown>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'socai-conformance-'));
    const state = join(folder, 'state');
    if (given) fresh = await conformance(given, 'first', state);
    else {
      fresh = await withStandIn(join(folder, 'data'), (url) => conformance(url, 'first', state));
      restarted = await withStandIn(join(folder, 'data'), (url) => conformance(url, 'after-restart', state));
    }
  }, RUN_MS_MAX);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const recorded = record('expected.ndjson');
  test.each([...recorded.keys()])('%s', (name) => {
    expect(fresh.get(name)).toEqual(recorded.get(name));
  });

  test('no case was left out', () => expect([...fresh.keys()]).toEqual([...recorded.keys()]));

  const restart = given ? describe.skip : describe;
  restart(`after a restart${given ? ' (a given server is not restarted from here)' : ''}`, () => {
    const recordedAfter = record('expected-after-restart.ndjson');
    test.each([...recordedAfter.keys()])('%s', (name) => {
      expect(restarted.get(name)).toEqual(recordedAfter.get(name));
    });
  });
});

async function withStandIn<T>(data: string, work: (url: string) => Promise<T>): Promise<T> {
  const standIn = await startStandIn({ data });
  try {
    return await work(standIn.url);
  } finally {
    await standIn.close();
  }
}

function record(file: string): ReadonlyMap<string, unknown> {
  return casesOf(readFileSync(join('test/eventstoredb/golden', file), 'utf8'));
}

function casesOf(lines: string): ReadonlyMap<string, unknown> {
  const cases = lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { readonly case: string; readonly outcome: unknown });
  return new Map(cases.map(({ case: name, outcome }) => [name, outcome]));
}

/** In a process of its own, as some cases end it. */
async function conformance(url: string, phase: string, state: string): Promise<ReadonlyMap<string, unknown>> {
  const program = 'test/eventstoredb/golden/conformance.mjs';
  const child = spawn(process.execPath, [program, url, '--phase', phase, '--state', state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let lines = '';
  for await (const chunk of child.stdout) lines += chunk;
  return casesOf(lines);
}
