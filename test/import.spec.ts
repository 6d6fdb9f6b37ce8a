import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { streamPrefixOf } from '../apps/distributed/parts.js';
import { LEDGER_DEFAULT } from '../apps/distributed/settings.js';
import { openEventStoreDb } from '../libs/event-store/eventstoredb/store.js';
import { standInProcess, type TestServer } from '../libs/event-store/eventstoredb/testing/server.js';
import { openSqliteEventStore } from '../libs/event-store/sqlite/store.js';
import { ledgerDigest } from '../libs/proof/seal.js';
import { SOCAI, serve } from './server.js';
import { stored } from './sheet.js';

/* `socai import` as users run it, into a stand-in for EventStoreDB that is a process of its own. */

const KILLS = 3;

interface Report {
  readonly events: number;
  readonly imported: number;
  readonly digest: string;
}

describe('socai import', () => {
  let [place, data] = ['', ''];
  let server: TestServer;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'socai-import-'));
    data = join(place, 'data');
    await ended(start(['simulate', '--scale', '0.001', '--seed', '7', '--to', '2021-12-31', '--data', data]));
  }, 120_000);
  beforeEach(async () => {
    server = await standInProcess();
  });
  afterEach(() => server.close());
  afterAll(() => rm(place, { recursive: true, force: true }));

  const start = (args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [SOCAI, ...args], {
      env: { ...process.env, LANG: 'C', NODE_OPTIONS: '', EVENTSTOREDB_URL: server?.url ?? '' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  const imported = async (more: readonly string[] = ['--data', data], input = '') => {
    const child = start(['import', '--json', ...more]);
    child.stdin?.end(input);
    const { code, out } = await ended(child);
    expect(code).toBe(0);
    return JSON.parse(out) as Report;
  };
  const target = () => {
    const prefix = streamPrefixOf(LEDGER_DEFAULT);
    return openEventStoreDb({ connectionString: server.url, prefix, patience: { close: 100 } });
  };
  const source = () => openSqliteEventStore({ path: join(data, 'events.db'), readOnly: true });

  it('is killed again and again, and moves every event, in order, byte for byte', async () => {
    const before = await source();
    const events = (await stored(before)).map(({ position: _, ...event }) => event);
    const digest = await ledgerDigest(before.streams());
    await before.close();
    const store = await target();
    const head = async () => (await store.head())?.position ?? '';
    for (let kill = 0; kill < KILLS; kill++) {
      const from = await head();
      const child = start(['import', '--data', data]);
      const over = once(child, 'close');
      // As soon as it has written something more, wherever it stands then.
      while (child.exitCode === null && (await head()) === from) await wait(5);
      child.kill('SIGKILL');
      await over;
    }
    const report = await imported();
    expect(report).toMatchObject({ events: events.length, digest });
    expect(report.imported).toBeLessThan(events.length);
    expect((await stored(store)).map(({ position: _, ...event }) => event)).toEqual(events);
    await store.close();
    expect(await imported()).toEqual({ ...report, imported: 0 });
  }, 120_000);

  it('goes through the server that holds the directory, and through a file of its events, to the same digest', async () => {
    const holder = await serve(data);
    const through = await imported();
    // Named, it is gone through wherever its directory is.
    expect(await imported(['--server', holder.url])).toEqual({ ...through, imported: 0 });
    const exported = await (await fetch(`${holder.url}/v1/events`)).text();
    await holder.stop();
    await server.close();
    server = await standInProcess();
    const file = join(place, 'events.ndjson');
    await writeFile(file, exported);
    expect(await imported(['--file', file])).toEqual(through);
    expect(await imported(['--file', '-'], exported)).toEqual({ ...through, imported: 0 });
  }, 120_000);

  it('is whole where connections break and answers are lost', async () => {
    const running = imported();
    for (const fault of ['append-answer-lost', 'append-written-cut', 'connections-cut'] as const) {
      await server.fault(fault);
      await wait(400);
    }
    const { digest } = await running;
    const before = await source();
    expect(digest).toBe(await ledgerDigest(before.streams()));
    await before.close();
  }, 120_000);

  it('says what is missing, and what is damaged', async () => {
    const file = join(place, 'no-events.ndjson');
    await writeFile(file, '{"id":"x"}\n');
    const { code, out } = await ended(start(['import', '--json', '--file', file]));
    expect([code, JSON.parse(out).code]).toEqual([2, 'DATA_DAMAGED']);
    await server.close();
    const away = await ended(start(['import', '--json', '--data', data]));
    expect([away.code, JSON.parse(away.out).code]).toEqual([2, 'STORE_UNREACHABLE']);
    server = await standInProcess();
  }, 60_000);
});

async function ended(child: ChildProcess) {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (piece: Buffer) => {
    out += piece.toString('utf8');
  });
  child.stderr?.on('data', (piece: Buffer) => {
    err += piece.toString('utf8');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}
