import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import type { AppendFault } from '../../tools/eventstoredb-stand-in/faults.js';
import { type StandIn, startStandIn } from '../../tools/eventstoredb-stand-in/server.js';

/* What the client sees of the stand-in's faults: the same as of a real server's (`golden/`, and its counted runs). */

const OWN_CALL = { credentials: { username: 'nobody', password: 'ignored' } };
let standIn: StandIn;
let client: EventStoreDBClient;

beforeEach(async () => {
  standIn = await startStandIn();
  client = EventStoreDBClient.connectionString(standIn.url);
  await write(client, 'opened', events(1));
});

// The client is not disposed of before its server is gone: see `dispose-beside-another-client` in the record.
afterEach(async () => {
  await standIn.close();
  await client.dispose();
});

test.each<[AppendFault, 'unanswered' | number | 'none', boolean]>([
  ['append-answer-lost', 'unanswered', true],
  ['append-dropped', 'unanswered', false],
  ['append-timed-out', 'none', false],
  ['append-written-timed-out', 'none', true],
  ['append-written-cut', 14, true],
  ['append-cut', 14, false],
])(
  '%s: %s, written: %s, and a retry is written once',
  async (fault, code, written) => {
    const batch = events(2);
    standIn.fault(fault);
    const answer = write(client, 'hit', batch).catch(codeOf);
    expect(await Promise.race([answer, wait(2_500).then(() => 'unanswered')])).toBe(code);
    expect(standIn.events()).toBe(written ? 3 : 1);
    expect(await write(client, 'hit', batch)).toMatchObject({ success: true, nextExpectedRevision: 1n });
    expect(standIn.events()).toBe(3);
  },
  20_000,
);

test('hold: a twin of what is in flight is dropped, and the first is written when the disk goes on', async () => {
  const batch = events(2);
  standIn.fault('hold');
  const first = write(client, 'held', batch);
  const twin = write(client, 'held', batch).catch(codeOf);
  expect(await twin).toBe('none');
  expect(standIn.events()).toBe(1);
  standIn.fault('release');
  expect(await first).toMatchObject({ success: true });
  expect(standIn.events()).toBe(3);
}, 20_000);

test.each([
  ['streams-cut', 14],
  ['connections-cut', 14],
  ['consumers-too-slow', 10],
  ['subscriptions-ended', 'end'],
] as const)(
  '%s: a subscription hears %s',
  async (fault, heard) => {
    const subscription = client.subscribeToAll();
    subscription.on('data', () => {});
    await once(subscription, 'caughtUp');
    const ended = new Promise((resolve) => {
      subscription.once('end', () => resolve('end'));
      subscription.once('error', (error) => resolve(codeOf(error)));
    });
    standIn.fault(fault);
    expect(await ended).toBe(heard);
  },
  20_000,
);

test('not-ready and not-leader refuse until healthy', async () => {
  standIn.fault('not-ready');
  await expect(write(client, 'shared', events(1))).rejects.toThrow('Could not recognize Server Is Not Ready');
  await expect(write(client, 'own', events(1), OWN_CALL)).rejects.toMatchObject({ type: 'unavailable', code: 14 });
  standIn.fault('healthy');
  standIn.fault('not-leader');
  await expect(write(client, 'own', events(1), OWN_CALL)).rejects.toMatchObject({ type: 'not-leader' });
  expect(standIn.events()).toBe(1);
  standIn.fault('healthy');
  expect(await write(client, 'own', events(1), OWN_CALL)).toMatchObject({ success: true });
}, 20_000);

test('slow: every call is taken up late, in order', async () => {
  standIn.fault('slow', 300);
  const began = performance.now();
  await Promise.all([write(client, 'slow', events(1)), write(client, 'slow', events(1), {}, 0n)]);
  expect(performance.now() - began).toBeGreaterThanOrEqual(290);
  await expect(write(client, 'slow', events(1), {}, 1n)).resolves.toMatchObject({ nextExpectedRevision: 2n });
}, 20_000);

test('killed with appends in flight: what was acknowledged is there, and retries write the rest once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'socai-stand-in-'));
  const batches = Array.from({ length: 100 }, () => events(3));
  let standing = await spawnStandIn(folder, 0);
  try {
    const writer = EventStoreDBClient.connectionString(standing.url);
    await write(writer, 'opened', events(1));
    let acknowledged = 0;
    const answers = batches.map((batch, n) =>
      write(writer, `s-${n}`, batch).then(
        () => ++acknowledged,
        () => undefined,
      ),
    );
    while (acknowledged < 10) await wait(1);
    standing.child.kill('SIGKILL');
    const before = await Promise.all(answers);
    expect(before.filter((answer) => answer !== undefined).length).toBe(acknowledged);
    standing = await spawnStandIn(folder, standing.port);
    const reader = EventStoreDBClient.connectionString(standing.url);
    for (const [n, batch] of batches.entries()) {
      if (before[n] === undefined) await write(reader, `s-${n}`, batch);
      const ids: string[] = [];
      for await (const { event } of reader.readStream(`s-${n}`)) ids.push(event?.id ?? '');
      expect(ids).toEqual(batch.map(({ id }) => id));
    }
    standing.child.kill('SIGKILL');
    await Promise.all([writer.dispose(), reader.dispose()]);
  } finally {
    standing.child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);

function events(count: number) {
  return Array.from({ length: count }, (_, n) => jsonEvent({ type: 'Numbered', data: { n } }));
}

function write(
  by: EventStoreDBClient,
  stream: string,
  batch: ReturnType<typeof events>,
  options: object = {},
  expectedRevision: typeof NO_STREAM | bigint = NO_STREAM,
) {
  return by.appendToStream(stream, batch, { expectedRevision, ...options });
}

function codeOf(error: Error): unknown {
  return 'code' in error && error.code !== undefined ? error.code : 'none';
}

interface Standing {
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
}

async function spawnStandIn(data: string, port: number): Promise<Standing> {
  const program = 'dist/tools/eventstoredb-stand-in/main.js';
  const child = spawn(process.execPath, [program, '--port', String(port), '--data', data], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const url = chunk.toString().trim();
  return { child, url, port: Number(new URL(url).port) };
}
