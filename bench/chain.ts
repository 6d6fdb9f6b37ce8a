import { setTimeout as wait } from 'node:timers/promises';
import { followed, streamPrefixOf } from '../apps/distributed/parts.js';
import { rebuildFrom } from '../apps/distributed/rebuild.js';
import { openEventStoreDb } from '../libs/event-store/eventstoredb/store.js';
import { invariant } from '../libs/kernel/result.js';
import { openMongoReadStore } from '../libs/read-store/mongodb/store.js';
import { type Cluster, startCluster } from '../tools/drill/cluster.js';
import { Missing } from '../tools/services/missing.js';
import { Connection } from './http-client.js';
import { payments, setupLines, TODAY } from './lending.js';
import { atOnce, type Line, type Row } from './measurement.js';
import { percentiles } from './percentiles.js';

const LOANS = 64;
/** Of what is entered before. */
const SET_UP_MS_MAX = 60_000;
/** Commands a second: what a machine holds that all of them share, and the goal's. */
const [UNHURRIED, GOAL] = [25, 1_000];
const SECONDS = 15;
const CALLERS = 64;
/** So many a second are asked for by a query as soon as they are answered. */
const WATCHED_A_SECOND = 20;
/** As long as a query waits for its token. */
const SHOWN_MS_MAX = 10_000;
const REBUILD_MS_MAX = 40_000;

const WHAT = 'the distributed profile from command to query';

/** The four apps and their servers, each a process of its own on this machine: HTTP to HTTP. */
export async function measureChain(): Promise<readonly Line[]> {
  let cluster: Cluster;
  try {
    cluster = await startCluster();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return [{ what: WHAT, skipped: error.message }];
  }
  try {
    if (!(await isSetUp(cluster)))
      return [{ what: WHAT, skipped: `no ${LOANS} loans after ${SET_UP_MS_MAX / 1_000} s` }];
    return [...(await lag(cluster, UNHURRIED)), ...(await lag(cluster, GOAL)), await rebuild(cluster)];
  } catch (error) {
    process.stderr.write(`${cluster.said()}\n`);
    throw error;
  } finally {
    await cluster.close();
  }
}

const urlOf = (cluster: Cluster, app: 'command-api' | 'query-api'): string => cluster.of(app)[0]?.url ?? '';

/** Enters the loans; false where they are not there in time. */
async function isSetUp(cluster: Cluster): Promise<boolean> {
  const signal = AbortSignal.timeout(SET_UP_MS_MAX);
  // All on the day of the payments: sixty closes in between would each wait for the lease.
  const lines = [...setupLines(LOANS)].map((line) => ({ ...line, valueDate: TODAY }));
  try {
    const answer = await fetch(`${urlOf(cluster, 'command-api')}/v1/commands`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, signal },
      body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    });
    const results = (await answer.text()).trimEnd().split('\n');
    const refused = results.find((text) => (JSON.parse(text) as { status: number }).status !== 200);
    invariant(refused === undefined && results.length === lines.length, `each line is accepted: ${refused}`);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

// ------------------------------------------------------------------------------------------------------------- lag

type Payment = ReturnType<typeof payments> extends Generator<infer Command> ? Command : never;

/** Commands at a steady pace, some of which are followed to the query that shows them. What comes late is left out. */
async function lag(cluster: Cluster, asked: number): Promise<readonly Row[]> {
  const port = Number(new URL(urlOf(cluster, 'command-api')).port);
  const free = await Promise.all(Array.from({ length: CALLERS }, () => Connection.open(port)));
  const lines = [...payments(asked * SECONDS, `chain-${asked}`, LOANS)];
  const watchedEach = Math.ceil(asked / WATCHED_A_SECOND);
  const shown: Promise<number>[] = [];
  let answered = 0;
  const began = performance.now();
  await atOnce(CALLERS, lines.length, async (index) => {
    const early = began + (index * 1_000) / asked - performance.now();
    if (early > 0) await wait(early);
    if (performance.now() - began > SECONDS * 1_000) return;
    const [line, connection] = [lines[index] as Payment, free.pop()];
    invariant(connection !== undefined, 'there is a connection for each caller');
    if (index % watchedEach === 0) shown.push((await watched(cluster, line)).shown);
    else {
      const status = await connection.post(PATH, `idempotency-key: ${line.id}\r\n`, bodyOf(line));
      invariant(status < 300, `a command of the benchmark is accepted, not ${status}`);
    }
    free.push(connection);
    answered++;
  });
  const rate = (answered * 1_000) / (performance.now() - began);
  for (const connection of free) connection.close();
  const all = await Promise.all(shown);
  const late = all.filter((one) => one === Number.POSITIVE_INFINITY).length;
  const { p50, p99 } = percentiles(all.map((one) => Math.min(one, SHOWN_MS_MAX)));
  const pace = `${Math.round(rate)} of ${asked} commands/s`;
  const what = `from a command to a query that shows it, at ${pace}; ${cluster.what}`;
  const behind = late > 0 ? `; ${late} of ${all.length} not within ${SHOWN_MS_MAX / 1_000} s` : '';
  const goal = { value: 1_000, bound: 'at most' } as const;
  return [
    { what: `${what}: p50${behind}`, value: p50, unit: 'ms' },
    { what: `${what}: p99${behind}`, value: p99, unit: 'ms', ...(asked === GOAL ? { goal } : {}) },
  ];
}

const PATH = '/v1/commands/record-payment';
const bodyOf = ({ valueDate, data }: Payment): string => JSON.stringify({ ...data, valueDate });

/** Sends a command, and answers with a promise of the time until a query has shown it: infinite where none did. */
async function watched(cluster: Cluster, line: Payment): Promise<{ readonly shown: Promise<number> }> {
  const began = performance.now();
  const answer = await fetch(`${urlOf(cluster, 'command-api')}${PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': String(line.id) },
    body: bodyOf(line),
  });
  const { token } = (await answer.json()) as { readonly token?: string };
  invariant(token !== undefined, `a command of the benchmark is accepted, not ${answer.status}`);
  const shown = async () => {
    const { loan } = line.data as { readonly loan: string };
    const query = await fetch(`${urlOf(cluster, 'query-api')}/v1/loan?loan=${loan}&after=${token}`);
    await query.text();
    return query.ok ? performance.now() - began : Number.POSITIVE_INFINITY;
  };
  return { shown: shown() };
}

// --------------------------------------------------------------------------------------------------------- rebuild

/** Every read model beside the live one, one after the other. The wait for projectors to hold still is in it. */
async function rebuild({ places, ledger, layout, what }: Cluster): Promise<Row> {
  const store = await openEventStoreDb({
    connectionString: places.eventStoreDb,
    categories: layout.categories.map(({ category }) => category),
    prefix: streamPrefixOf(ledger),
  });
  const readStore = await openMongoReadStore({ url: places.mongoDb, database: ledger });
  const began = performance.now();
  const signal = AbortSignal.timeout(REBUILD_MS_MAX);
  let [events, models] = [0, 0];
  try {
    for (const one of followed) {
      const report = await rebuildFrom({ store, readStore, layout }, one, () => {}, signal);
      invariant(report.difference === null, `${report.name} is as it was`);
      events += report.events;
      models++;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await readStore.close();
    await store.close();
  }
  const seconds = (performance.now() - began) / 1_000;
  const part = models < followed.length ? ` when it was stopped after ${REBUILD_MS_MAX / 1_000} s` : '';
  return {
    what: `events in read models built anew, ${models} of ${followed.length} models${part}; ${what}`,
    ...{ value: events / seconds, unit: '/s' },
  };
}
