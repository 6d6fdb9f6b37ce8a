import { setTimeout as wait } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { DAY_LEASE_MS } from '../../libs/engine/lease.js';
import { Missing } from '../services/missing.js';
import { APPS, type Cluster, type ClusterOptions, type Part, SESSION_MS } from './cluster.js';

/* What goes wrong in each drill, while a programme is posted. */

export interface Drill {
  readonly says: string;
  readonly options: ClusterOptions;
  /** How often it is done, with a rest before each. The load goes on for as long. */
  readonly rounds: number;
  readonly restMs: number;
  /** Leaves everything running. */
  harm(cluster: Cluster, round: number): Promise<unknown>;
}

/** How long nobody may lead. */
const LEADING_MS_MAX = 60_000;

const of = <T>(all: readonly T[], round: number): T | undefined => all[round % all.length];

export const DRILLS: Readonly<Record<string, Drill>> = {
  undisturbed: {
    says: 'nothing goes wrong: what the other drills are measured against',
    options: { counts: { 'command-api': 2, projector: 2 } },
    ...{ rounds: 1, restMs: 15_000 },
    harm: async () => {},
  },
  kills: {
    says: 'kill -9 of each app in turn, one every two seconds',
    options: { counts: { 'command-api': 2, projector: 2, relay: 2 } },
    ...{ rounds: 28, restMs: 2_000 },
    harm: ({ parts }, round) => of(parts, round)?.daemon.kill() ?? Promise.resolve(),
  },
  'kafka-stopped': {
    says: 'Kafka is stopped for five seconds, by asking or by kill -9, and started',
    options: { own: ['kafka'], counts: { projector: 2 } },
    ...{ rounds: 4, restMs: 5_000 },
    async harm({ kafka }, round) {
      const [node] = kafka?.nodes ?? [];
      await (round % 2 === 0 ? node?.stop() : node?.kill());
      await wait(5_000);
      await node?.start();
    },
  },
  'broker-lost': {
    says: 'one of three brokers is killed for eight seconds, another one each time',
    options: { kafkaNodes: 3, own: ['kafka'], counts: { projector: 2 } },
    ...{ rounds: 3, restMs: 5_000 },
    async harm({ kafka }, round) {
      const node = of(kafka?.nodes ?? [], round);
      await node?.kill();
      await wait(8_000);
      await node?.start();
    },
  },
  'read-store-stopped': {
    says: 'the read store is killed for three seconds, and started',
    options: { own: ['mongodb'], counts: { projector: 2 } },
    ...{ rounds: 5, restMs: 4_000 },
    async harm({ ferretdb }) {
      await ferretdb?.server.kill();
      await wait(3_000);
      await ferretdb?.server.start();
    },
  },
  'read-store-database-stopped': {
    says: 'what the read store keeps its data in ends as by a crash for three seconds, and is started; the server goes on',
    options: { own: ['mongodb'], counts: { projector: 2 } },
    ...{ rounds: 5, restMs: 4_000 },
    async harm({ ferretdb }) {
      const database = ferretdb?.database;
      if (!database)
        throw new Missing('PostgreSQL is not installed: nothing is under the read store that could be ended');
      // An immediate shutdown: nothing is finished and nothing written, and the log is read at the next start.
      await database.stop();
      await wait(3_000);
      await database.start();
    },
  },
  'read-store-lost': {
    says: 'all that the read store holds is lost while it runs: it is made again from the log and the event store',
    options: { own: ['mongodb'], counts: { 'command-api': 2, projector: 2 } },
    ...{ rounds: 3, restMs: 8_000 },
    async harm({ ledger, places }) {
      const client = await MongoClient.connect(places.mongoDb);
      await client.db(ledger).dropDatabase();
      await client.close();
    },
  },
  'event-store-cut': {
    says: 'connections to the event store are cut every 150 ms, and refused for two seconds each fortieth time',
    options: { counts: { 'command-api': 2 } },
    ...{ rounds: 120, restMs: 150 },
    async harm({ events }, round) {
      if (round % 40 !== 39) return events.cut();
      events.refuse();
      await wait(2_000);
      events.resume();
    },
  },
  'event-store-killed': {
    says: 'the stand-in for EventStoreDB is killed for three seconds, and started; a real one is cut off as long',
    options: { counts: { 'command-api': 2 } },
    ...{ rounds: 4, restMs: 4_000 },
    async harm({ events, standIn }) {
      events.refuse();
      await standIn?.kill();
      await wait(3_000);
      await standIn?.start();
      events.resume();
    },
  },
  'two-relays': {
    says: 'two relays; the one that leads is held still until the other has taken over, and then woken',
    options: { counts: { relay: 2 } },
    ...{ rounds: 3, restMs: 2_000 },
    harm: (cluster) => pauseLeader(cluster),
  },
  'projector-paused': {
    says: 'one of two projectors is held still past its session, and then woken',
    options: { counts: { projector: 2 } },
    ...{ rounds: 4, restMs: 2_000 },
    harm: (cluster, round) => pauseProjector(cluster, round),
  },
  'command-api-paused': {
    says: 'a command API is held still for longer than it may stamp entries with the day, amid its sheet, and then woken',
    options: { counts: { 'command-api': 2 } },
    ...{ rounds: 12, restMs: 1_000 },
    async harm(cluster, round) {
      const api = of(cluster.of('command-api'), round);
      api?.daemon.pause();
      await wait(DAY_LEASE_MS * 4);
      api?.daemon.resume();
    },
  },
  short: {
    says: 'kill -9 of each app, a cut of the event store, a relay and a projector that wake up late: for the tests',
    options: { counts: { projector: 2, relay: 2 } },
    ...{ rounds: APPS.length + 1, restMs: 500 },
    async harm(cluster, round) {
      const app = APPS[round];
      if (app !== undefined) return cluster.of(app)[0]?.daemon.kill();
      cluster.events.cut();
      await Promise.all([pauseLeader(cluster), pauseProjector(cluster, 1)]);
    },
  },
};

/** Holds the relay that leads still until another one does, and wakes it. */
async function pauseLeader(cluster: Cluster): Promise<void> {
  const relays = cluster.of('relay');
  const leader = await leading(relays);
  leader.daemon.pause();
  try {
    await leading(relays.filter((relay) => relay !== leader));
  } finally {
    leader.daemon.resume();
  }
}

/** Holds a projector still for longer than its session, so that another one has its partitions, and wakes it. */
async function pauseProjector(cluster: Cluster, round: number): Promise<void> {
  const projector = of(cluster.of('projector'), round);
  projector?.daemon.pause();
  await wait(SESSION_MS * 1.5);
  projector?.daemon.resume();
}

/** The first of them that leads. */
async function leading(relays: readonly Part[]): Promise<Part> {
  const until = Date.now() + LEADING_MS_MAX;
  for (;;) {
    for (const relay of relays) if ((await roleOf(relay)) === 'active') return relay;
    if (Date.now() > until) throw new Error('no relay leads');
    await wait(200);
  }
}

async function roleOf({ url }: Part): Promise<string> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    return ((await response.json()) as { readonly relay: { readonly role: string } }).relay.role;
  } catch {
    // It was killed, or is held still.
    return 'none';
  }
}
