import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { layoutFor } from '../../apps/distributed/layout.js';
import type { Layout } from '../../libs/messaging/layout.js';
import { ask } from '../services/ask.js';
import { type Daemon, daemon, freePorts } from '../services/daemon.js';
import { type Ferretdb, startFerretdb } from '../services/ferretdb.js';
import { type Kafka, startKafka } from '../services/kafka.js';
import { startProxy, type TcpProxy } from './proxy.js';

export const APPS = ['command-api', 'query-api', 'relay', 'projector'] as const;
export type App = (typeof APPS)[number];

/** Where the servers of a ledger are. */
export interface Places {
  readonly eventStoreDb: string;
  readonly brokers: string;
  readonly mongoDb: string;
}

export interface ClusterOptions {
  /** How many processes of each; 1 of what is not named. */
  readonly counts?: Partial<Record<App, number>>;
  readonly kafkaNodes?: number;
  /** Servers that the drill itself stops: never those of the environment. */
  readonly own?: readonly ('kafka' | 'mongodb')[];
  /** Servers that run; what is not named is started. Default: those that the environment names. */
  readonly places?: Partial<Places>;
  readonly logLevel?: 'warn' | 'debug';
}

/** One process of an app. It is started again when it ends by itself, as Docker would. */
export interface Part {
  readonly app: App;
  readonly url: string;
  readonly daemon: Daemon;
  /** How often it was started again. */
  restarts: number;
}

export interface Cluster {
  readonly ledger: string;
  readonly layout: Layout;
  readonly parts: readonly Part[];
  of(app: App): readonly Part[];
  /** Those of this cluster; null where it was given one. */
  readonly kafka: Kafka | null;
  readonly ferretdb: Ferretdb | null;
  /** Of the stand-in; null where the environment named a real one. */
  readonly standIn: Daemon | null;
  /** Between the apps and the event store. */
  readonly events: TcpProxy;
  /** As who looks from outside reaches them. */
  readonly places: Places;
  /** Which server is a real one, and which is not. */
  readonly what: string;
  /** What each part said last, for who asks why something failed. */
  said(): string;
  /** Asks all of them to stop, for good. */
  stopParts(): Promise<void>;
  close(): Promise<void>;
}

/** Of the built product: drills and specs are run from the top of the house. */
const DIST = 'dist';
const RESTART_LOOK_MS = 200;
const RESTARTS_AT_START_MAX = 5;
const SAID_MAX = 3_000;
/** Shorter than the default: drills wait for it. */
export const SESSION_MS = 6_000;
/** Few: each of them writes to each read model by itself, and FerretDB shares this machine with all the rest. */
const PARTITIONS = 'districtFund=1,group=1,borrower=1,loan=3';

/** The whole distributed profile on this machine: servers, topics, and each app in a process of its own. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const ledger = `drill-${randomUUID().slice(0, 8)}`;
  const closers: (() => Promise<unknown>)[] = [];
  const stopping = new AbortController();
  const close = async () => {
    stopping.abort();
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    const servers = await startServers(options, closers);
    const { host, hostname, port } = new URL(servers.places.eventStoreDb);
    const events = await startProxy(hostname, Number(port || 2113));
    closers.push(events.close);
    const env = {
      SOCAI_LEDGER: ledger,
      SOCAI_PARTITIONS: PARTITIONS,
      KAFKA_SESSION_MS: String(SESSION_MS),
      SOCAI_SIMULATED: 'true',
      EVENTSTOREDB_URL: servers.places.eventStoreDb.replace(host, `127.0.0.1:${events.port}`),
      LOG_LEVEL: options.logLevel ?? 'warn',
      KAFKA_BROKERS: servers.places.brokers,
      KAFKA_REPLICATION: String(options.kafkaNodes ?? 1),
      MONGODB_URL: servers.places.mongoDb,
    };
    await runOnce(['relay', 'topics'], env);

    const parts: Part[] = [];
    const stopParts = async () => {
      stopping.abort();
      await Promise.all(parts.map((part) => part.daemon.stop()));
    };
    closers.push(stopParts);
    for (const app of APPS) {
      for (const at of await freePorts(options.counts?.[app] ?? 1)) {
        parts.push({ app, url: `http://127.0.0.1:${at}`, daemon: appDaemon(app, env, at), restarts: 0 });
      }
    }
    await Promise.all(parts.map(begin));
    for (const part of parts) void keep(part, stopping.signal);
    const said = () =>
      [
        ...(servers.ferretdb ? [`--- FerretDB\n${servers.ferretdb.server.said.slice(-SAID_MAX)}`] : []),
        ...parts.map((part) => `--- ${part.app}\n${part.daemon.said.slice(-SAID_MAX)}`),
      ].join('\n');
    const of = (app: App) => parts.filter((part) => part.app === app);
    return { ledger, layout: layoutFor(PARTITIONS), parts, of, ...servers, events, said, stopParts, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startServers(
  { kafkaNodes = 1, own = [], places = {} }: ClusterOptions,
  closers: (() => Promise<unknown>)[],
): Promise<Pick<Cluster, 'kafka' | 'ferretdb' | 'standIn' | 'places' | 'what'>> {
  const eventsGiven = places.eventStoreDb ?? process.env.EVENTSTOREDB_URL;
  const kafkaGiven = own.includes('kafka') ? undefined : (places.brokers ?? process.env.KAFKA_BROKERS);
  const mongoGiven = own.includes('mongodb') ? undefined : (places.mongoDb ?? process.env.MONGODB_URL);
  const begun = <T extends { close(): Promise<void> }>(server: T): T => {
    closers.push(() => server.close());
    return server;
  };
  const [kafka, ferretdb] = await Promise.all([
    kafkaGiven ? null : startKafka({ nodes: kafkaNodes }).then(begun),
    mongoGiven ? null : startFerretdb().then(begun),
  ]);
  const standIn = eventsGiven ? null : await startStandIn(closers);
  return {
    ...{ kafka, ferretdb, standIn: standIn?.daemon ?? null },
    places: {
      eventStoreDb: eventsGiven || standIn?.url || '',
      brokers: kafkaGiven || kafka?.brokers || '',
      mongoDb: mongoGiven || ferretdb?.url || '',
    },
    what: [
      eventsGiven ? 'the event store of EVENTSTOREDB_URL' : 'a stand-in for EventStoreDB',
      kafka ? `Apache Kafka, ${kafka.nodes.length} node(s)` : 'the Kafka of KAFKA_BROKERS',
      ferretdb ? `FerretDB on ${ferretdb.backend} (not MongoDB)` : 'the server of MONGODB_URL',
    ].join('; '),
  };
}

/** A process of its own, so that it can be killed as a server would be; its log is on the disk. */
export async function startStandIn(closers: (() => Promise<unknown>)[]): Promise<{ daemon: Daemon; url: string }> {
  const data = await mkdtemp(join(tmpdir(), 'socai-stand-in-'));
  closers.push(() => rm(data, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const one = daemon({
    ...{ name: 'the stand-in for EventStoreDB', command: process.execPath, env: { NODE_OPTIONS: '' } },
    args: [join(DIST, 'tools/eventstoredb-stand-in/main.js'), '--port', String(port), '--data', data],
    ready: (said) => said.includes('esdb://'),
  });
  closers.push(() => one.stop());
  await one.start();
  return { daemon: one, url: `esdb://127.0.0.1:${port}?tls=false` };
}

const mainOf = (app: App): string => join(DIST, 'apps', app, 'main.js');

/** An app that does its work and ends. */
async function runOnce([app, ...args]: readonly [App, ...string[]], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [mainOf(app), ...args], {
    env: { ...process.env, ...env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${app} ${args.join(' ')} ended with ${code}`);
}

function appDaemon(app: App, env: NodeJS.ProcessEnv, port: number): Daemon {
  const live = Buffer.from('GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  return daemon({
    ...{ name: app, command: process.execPath, args: [mainOf(app)] },
    env: { ...env, NODE_OPTIONS: '', PORT: String(port), HOST: '127.0.0.1' },
    ready: async () => (await ask(port, live)).includes('200 OK'),
  });
}

/** A start that fails is tried again, as Docker would. */
async function begin(part: Part): Promise<void> {
  for (;;) {
    try {
      return await part.daemon.start();
    } catch (error) {
      if (++part.restarts > RESTARTS_AT_START_MAX) throw error;
    }
  }
}

/** `restart: unless-stopped`. */
async function keep(part: Part, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await wait(RESTART_LOOK_MS);
    if (signal.aborted || part.daemon.pid !== undefined) continue;
    part.restarts++;
    await part.daemon.start().catch(() => wait(RESTART_LOOK_MS));
  }
}
