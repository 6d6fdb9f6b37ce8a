import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from './ask.js';
import { kafkaLibs, need } from './build.js';
import { type Daemon, daemon, freePorts } from './daemon.js';
import { Missing } from './missing.js';

export interface KafkaOptions {
  /** Default 1. With three, topics can lose a broker and go on. */
  readonly nodes?: number;
}

export interface Kafka {
  /** As KAFKA_BROKERS takes it. */
  readonly brokers: string;
  readonly nodes: readonly Daemon[];
  /** Ends all of them and removes their data. */
  close(): Promise<void>;
}

const JAVA_MIN = 17;
/** Small and quick to start: what runs beside it on a laptop is the thing that is tested. */
const JVM = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Xshare:auto'];

/** A real Apache Kafka (KRaft, each node both broker and controller) on free ports. */
export async function startKafka({ nodes: count = 1 }: KafkaOptions = {}): Promise<Kafka> {
  const java = javaCommand();
  const libs = await kafkaLibs();
  const folder = await mkdtemp(join(tmpdir(), 'socai-kafka-'));
  const ports = await freePorts(count * 2);
  const clientPorts = ports.slice(0, count);
  const cluster = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const logging = join(folder, 'log4j2.properties');
  await writeFile(logging, LOGGING);

  const begin = async (index: number): Promise<Daemon> => {
    const config = join(folder, `node-${index + 1}.properties`);
    await writeFile(config, properties({ index, ports, count, data: join(folder, `node-${index + 1}`) }));
    const run = (main: string, ...args: string[]) => [
      ...[...JVM, `-Dlog4j2.configurationFile=${logging}`, '-cp', join(libs, '*'), main, ...args],
    ];
    const format = spawnSync(java, run('kafka.tools.StorageTool', 'format', '-t', cluster, '-c', config), {
      encoding: 'utf8',
    });
    if (format.status !== 0) throw new Error(`Kafka's storage was not formatted: ${format.stdout}${format.stderr}`);
    return daemon({
      ...{ name: `Kafka node ${index + 1}`, command: java, args: run('kafka.Kafka', config) },
      ready: async () => (await brokersSeen(clientPorts[index] ?? 0)) === count,
    });
  };

  const nodes: Daemon[] = [];
  const close = async () => {
    // All at once: a node that is asked to stop alone waits for the others to take over its partitions.
    await Promise.all(nodes.map((node) => node.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (let index = 0; index < count; index++) nodes.push(await begin(index));
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await close();
    throw error;
  }
  return { brokers: clientPorts.map((port) => `127.0.0.1:${port}`).join(','), nodes, close };
}

function javaCommand(): string {
  const home = process.env.JAVA_HOME;
  const java = need('java', 'Java', home ? [join(home, 'bin')] : []);
  const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const [, version = '0'] = /version "(\d+)/.exec(stderr) ?? [];
  if (Number(version) < JAVA_MIN) throw new Missing(`Kafka needs Java ${JAVA_MIN}; this one is ${version}`);
  return java;
}

interface Node {
  readonly index: number;
  readonly count: number;
  /** Of the clients first, then of the controllers. */
  readonly ports: readonly number[];
  readonly data: string;
}

function properties({ index, count, ports, data }: Node): string {
  const controller = (of: number) => `127.0.0.1:${ports[count + of]}`;
  const copies = Math.min(3, count);
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': index + 1,
    'controller.quorum.voters': Array.from({ length: count }, (_, of) => `${of + 1}@${controller(of)}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${ports[index]},CONTROLLER://${controller(index)}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports[index]}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    'auto.create.topics.enable': false,
    'default.replication.factor': copies,
    'min.insync.replicas': count >= 3 ? 2 : 1,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': count >= 3 ? 2 : 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': count >= 3 ? 2 : 1,
    'group.initial.rebalance.delay.ms': 0,
    // Tests wait for a session to time out, and for another broker to take over.
    'group.min.session.timeout.ms': 1_000,
    'broker.session.timeout.ms': 6_000,
    'broker.heartbeat.interval.ms': 1_000,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** How many brokers a node says there are: Metadata, version 0. It says so when it has its cluster's state and answers. */
async function brokersSeen(port: number): Promise<number> {
  const request = Buffer.alloc(18);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(3, 4);
  // Version 0, correlation 0; no client's name, all topics.
  request.writeInt16BE(-1, 12);
  const answer = await ask(port, request);
  return answer.length >= 12 ? answer.readInt32BE(8) : 0;
}

const LOGGING = `
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
`;
