import { existsSync, rmSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { alive, ferretdbBinary, kafkaLibs } from './build.js';
import { startFerretdb } from './ferretdb.js';
import { startKafka } from './kafka.js';
import { EXIT_MISSING, Missing } from './missing.js';
import { exportLines, type Running } from './running.js';

/*
 * `npm run services`: the real servers that can be had without Docker, on free loopback ports, until Ctrl-C or
 * `npm run services -- stop`. What cannot be had is named; with nothing to start it ends with 69.
 */

const HELP = `npm run services [-- start]   starts Kafka and FerretDB, prints their addresses, and holds them until Ctrl-C
npm run services -- stop      ends those that run
npm run services -- env       prints their addresses: eval "$(npm run --silent services -- env)"
npm run services -- build     makes what they need, and starts nothing
  --only kafka|mongodb        one of them
  --nodes 3                   nodes of Kafka
  --backend sqlite            of FerretDB; default PostgreSQL where it is installed
  --json                      prints one line of JSON
  --file PATH                 where the running ones are named (default .cache/services/running.json);
                              PATH.env beside it holds the same as exports
  --owner PID                 ends with that process
`;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    nodes: { type: 'string', default: '1' },
    backend: { type: 'string' },
    json: { type: 'boolean', default: false },
    file: { type: 'string', default: '.cache/services/running.json' },
    owner: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const file = resolve(flags.file);
const wanted = (name: string) => flags.only === undefined || flags.only === name;
const POLL_MS = 300;
const STOP_MS_MAX = 60_000;

const verbs: Readonly<Record<string, () => Promise<number>>> = { start, stop, env, build };
const verb = verbs[positionals[0] ?? 'start'];
if (flags.help || verb === undefined) {
  console.log(HELP);
  process.exit(flags.help ? 0 : 2);
}
verb().then(
  (code) => process.exit(code),
  (error) => {
    console.error(`services: ${error instanceof Error ? error.message : error}`);
    process.exit(error instanceof Missing ? EXIT_MISSING : 1);
  },
);

async function start(): Promise<number> {
  const before = await read();
  if (before !== undefined && alive(before.pid))
    throw new Error(`they run already (process ${before.pid}): see ${file}`);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());

  const closers: (() => Promise<void>)[] = [];
  try {
    await write({ pid: process.pid, starting: true, servers: {}, missing: {} });
    const running = await startAll(closers);
    // Stopped while it started.
    if (!existsSync(file)) return 0;
    await say(running);
    if (closers.length === 0) return EXIT_MISSING;
    const { owner } = flags;
    while (!stopping.signal.aborted && existsSync(file) && (owner === undefined || alive(Number(owner)))) {
      await wait(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    return 0;
  } catch (error) {
    const failed = error instanceof Error ? error.message : String(error);
    await write({ pid: process.pid, servers: {}, missing: {}, failed });
    throw error;
  } finally {
    await Promise.all(closers.map((close) => close()));
    const last = await read();
    // Who reads of a start that failed, or found nothing, removes it himself.
    if (last?.pid === process.pid && Object.keys(last.servers).length > 0) forget();
  }
}

async function startAll(closers: (() => Promise<void>)[]): Promise<Running> {
  const servers: Record<string, string> = {};
  const missing: Record<string, string> = {};
  const begin = async (name: string, work: () => Promise<void>) => {
    if (!wanted(name)) return;
    await work().catch((error: unknown) => {
      if (!(error instanceof Missing)) throw error;
      missing[name] = error.message;
    });
  };
  const begun = await Promise.allSettled([
    begin('kafka', async () => {
      const kafka = await startKafka({ nodes: Number(flags.nodes) });
      closers.push(kafka.close);
      servers.KAFKA_BROKERS = kafka.brokers;
    }),
    begin('mongodb', async () => {
      const { backend } = flags;
      if (backend !== undefined && backend !== 'sqlite' && backend !== 'postgresql')
        throw new Error(`backend ${backend}`);
      const ferretdb = await startFerretdb({ backend });
      closers.push(ferretdb.close);
      servers.MONGODB_URL = ferretdb.url;
      servers.MONGODB_SERVER = `FerretDB on ${ferretdb.backend}`;
    }),
  ]);
  for (const end of begun) if (end.status === 'rejected') throw end.reason;
  return { pid: process.pid, servers, missing };
}

async function say(running: Running): Promise<void> {
  await write(running);
  for (const [name, why] of Object.entries(running.missing)) console.error(`services: no ${name}: ${why}`);
  process.stdout.write(flags.json ? `${JSON.stringify(running)}\n` : exportLines(running));
}

async function write(running: Running): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.env`, exportLines(running));
  // In one step: who waits for the file reads all of it.
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(running, null, 2)}\n`);
  await rename(`${file}.${process.pid}`, file);
}

async function read(): Promise<Running | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Running);
}

function forget(): void {
  for (const path of [file, `${file}.env`]) rmSync(path, { force: true });
}

async function stop(): Promise<number> {
  const running = await read();
  forget();
  if (running === undefined || !alive(running.pid)) {
    console.error('services: none run');
    return 0;
  }
  const until = Date.now() + STOP_MS_MAX;
  while (alive(running.pid)) {
    if (Date.now() > until) throw new Error(`process ${running.pid} does not end`);
    await wait(POLL_MS);
  }
  return 0;
}

async function env(): Promise<number> {
  const running = await read();
  if (running === undefined || !alive(running.pid)) throw new Error('none run: npm run services');
  process.stdout.write(flags.json ? `${JSON.stringify(running)}\n` : exportLines(running));
  return 0;
}

async function build(): Promise<number> {
  let code = 0;
  const works = { kafka: kafkaLibs, mongodb: ferretdbBinary };
  for (const [name, work] of Object.entries(works)) {
    if (!wanted(name)) continue;
    await work().then(
      (path) => console.log(`${name}: ${path}`),
      (error: unknown) => {
        if (!(error instanceof Missing)) throw error;
        console.error(`services: no ${name}: ${error.message}`);
        code = EXIT_MISSING;
      },
    );
  }
  return code;
}
