import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { environmentOf, healthCheck, type Places, readCompose } from '../tools/compose.js';
import { type StandIn, startStandIn } from '../tools/eventstoredb-stand-in/server.js';
import { freePort } from './server.js';
import { describeWith, server } from './services.js';

/*
 * Where no Docker is, each app is run as docker-compose.yml would run it: its command, with the environment of the file
 * and the image, its hosts at the servers that can be had here, and a port of its own, as all share one machine.
 */

const [kafka, mongo, events] = [
  await server('KAFKA_BROKERS'),
  await server('MONGODB_URL'),
  await server('EVENTSTOREDB_URL'),
];
const where = `${events.url === '' ? 'a stand-in for EventStoreDB' : 'EventStoreDB'}, Kafka and ${mongo.what}`;
const HEALTHY_MS_MAX = 150_000;
const ANSWER_MS = 180_000;
const APPS = ['relay', 'projector', 'command-api', 'query-api'] as const;
/** Few: FerretDB shares this machine with all the rest. */
const GIVEN = {
  SOCAI_LEDGER: `compose-${randomUUID().slice(0, 8)}`,
  SOCAI_PARTITIONS: 'districtFund=1,group=1,borrower=1,loan=2',
};

interface Container {
  readonly url: string;
  readonly process: ChildProcess;
  readonly environment: NodeJS.ProcessEnv;
  said: string;
}

describeWith([kafka, mongo], `the apps as docker-compose.yml starts them, over ${where}`, () => {
  let standIn: StandIn | null = null;
  let places: Places;
  let home: string;
  const containers = new Map<string, Container>();

  beforeAll(async () => {
    standIn = events.url === '' ? await startStandIn() : null;
    places = { eventStoreDb: standIn?.url ?? events.url, brokers: kafka.url, mongoDb: mongo.url };
    // Nothing is written where a container would have it read-only.
    home = await mkdtemp(join(tmpdir(), 'socai-compose-'));
  }, ANSWER_MS);
  afterAll(async () => {
    for (const { process } of containers.values()) process.kill('SIGKILL');
    await standIn?.close();
    await rm(home, { recursive: true, force: true });
  }, ANSWER_MS);

  async function start(service: string): Promise<Container> {
    const [program = '', file = '', ...rest] = readCompose().services[service]?.command ?? [];
    expect(program).toBe('node');
    const port = await freePort();
    const { PATH = '' } = process.env;
    const environment = { PATH, ...environmentOf(service, places, GIVEN), PORT: String(port) };
    const child = spawn(process.execPath, [join(process.cwd(), file), ...rest], { cwd: home, env: environment });
    const container: Container = { url: `http://127.0.0.1:${port}`, process: child, environment, said: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        container.said += chunk.toString();
      });
    }
    containers.set(service, container);
    return container;
  }

  async function ended(service: string): Promise<{ readonly code: number | null; readonly said: string }> {
    const container = containers.get(service);
    if (container === undefined) throw new Error(`${service} was started`);
    if (container.process.exitCode === null) await once(container.process, 'exit');
    return { code: container.process.exitCode, said: container.said };
  }

  async function healthy(container: Container): Promise<void> {
    const [, ...check] = healthCheck();
    const until = Date.now() + HEALTHY_MS_MAX;
    for (let code: number | null = null; code !== 0; ) {
      if (container.process.exitCode !== null || Date.now() > until) throw new Error(`not healthy: ${container.said}`);
      const asked = spawn(process.execPath, check, { env: container.environment, stdio: 'ignore' });
      [code] = (await once(asked, 'exit')) as [number | null];
      if (code !== 0) await wait(200);
    }
  }

  it(
    'topics are made, and making them again changes nothing',
    async () => {
      await start('topics');
      expect(await ended('topics')).toEqual({ code: 0, said: expect.stringContaining(`${GIVEN.SOCAI_LEDGER}.loan`) });
      await start('topics');
      expect(await ended('topics')).toEqual({ code: 0, said: expect.stringContaining('all topics are there') });
    },
    ANSWER_MS,
  );

  it(
    "each app is healthy by the image's own check",
    async () => {
      for (const app of APPS) await start(app);
      for (const app of APPS) await healthy(containers.get(app) as Container);
      for (const app of APPS) {
        const metrics = await (await fetch(`${containers.get(app)?.url}/metrics`)).text();
        expect(metrics).toContain('process_cpu_seconds_total');
      }
    },
    ANSWER_MS,
  );

  it(
    'a command goes all the way to a query',
    async () => {
      const day = new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, 10);
      const open = await fetch(`${containers.get('command-api')?.url}/v1/commands/open-programme`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'compose-1' },
        body: JSON.stringify({
          ...{ valueDate: day, programme: 'P', name: 'P', plan: '159/KH-UBND', from: day, to: day },
          targets: [{ year: 2026, capital: 5, jobs: 1, collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' }],
        }),
      });
      const { token, ...answer } = (await open.json()) as { readonly token: string };
      expect({ status: open.status, answer }).toMatchObject({
        status: 200,
        answer: { events: [{ type: 'ProgrammeOpened' }] },
      });
      const asked = `${containers.get('query-api')?.url}/v1/capital-plan?programme=P&after=${encodeURIComponent(token)}`;
      let found = await fetch(asked);
      // A query waits 10 s for its token; the first batch of a new ledger may take longer on a busy machine.
      for (const until = Date.now() + 60_000; found.status === 503 && Date.now() < until; ) found = await fetch(asked);
      expect(await found.json()).toMatchObject({ rows: [{ year: 2026, planned: 5 }] });
    },
    ANSWER_MS,
  );

  it(
    'each app stops by itself when it is asked to',
    async () => {
      const asked = Date.now();
      for (const app of APPS) containers.get(app)?.process.kill('SIGTERM');
      for (const app of APPS) expect([app, (await ended(app)).code]).toEqual([app, 0]);
      // stop_grace_period: after it Docker would kill them.
      expect(Date.now() - asked).toBeLessThan(20_000);
    },
    ANSWER_MS,
  );
});
