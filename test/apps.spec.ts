import { LAST_DAY } from '../apps/socai/simulate/programme.js';
import { addDays, type LocalDate } from '../libs/kernel/dates.js';
import { collections } from '../libs/projections/district-balances/documents.js';
import { openMongoReadStore } from '../libs/read-store/mongodb/store.js';
import { type App, type Cluster, startCluster } from '../tools/drill/cluster.js';
import { compare } from '../tools/drill/compare.js';
import { DRILLS } from '../tools/drill/drills.js';
import type { Loaded } from '../tools/drill/programme.js';
import { disturbed } from '../tools/drill/run.js';
import { describeWith, server } from './services.js';
import { until } from './until.js';

/*
 * The four kinds of process, each killed once under load: command over HTTP, event store, relay, Kafka, projector, read
 * store, query over HTTP. What they hold then is compared with the embedded profile.
 */

const [kafka, mongo, events] = [
  await server('KAFKA_BROKERS'),
  await server('MONGODB_URL'),
  await server('EVENTSTOREDB_URL'),
];
const where = `${events.url === '' ? 'a stand-in for EventStoreDB' : 'EventStoreDB'}, Kafka and ${mongo.what}`;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const WAIT_MS = 300_000;
/** Below it, so that what did not come is named. */
const LEVEL_MS = 150_000;
/** What is changed behind the back of a ledger, by one đồng. */
const MEASURE = 'disbursed';

describeWith([kafka, mongo], `command-api, query-api, relay and projector over ${where}`, () => {
  const short = DRILLS.short;
  if (short === undefined) throw new Error('there is a short drill');
  let cluster: Cluster;
  let loaded: Loaded;
  beforeAll(async () => {
    const places = { brokers: kafka.url, mongoDb: mongo.url };
    cluster = await startCluster({ ...short.options, places, logLevel: 'debug' });
  }, WAIT_MS);
  afterAll(() => cluster.close(), WAIT_MS);

  const urlOf = (app: App): string => cluster.of(app)[0]?.url ?? '';
  const said = (app: App): string =>
    cluster
      .of(app)
      .map(({ daemon }) => daemon.said)
      .join('');

  it(
    'lose nothing, double nothing and keep the order, though each is killed, cut off or wakes up late',
    async () => {
      const parameters = { scale: 10_000, seed: 159, from: '2021-01-01' as LocalDate, to: LAST_DAY };
      loaded = await disturbed(short, cluster, { parameters, atLeast: '2021-01-04' as LocalDate });
      const compared = await compare(cluster, loaded, LEVEL_MS);
      expect(compared).toMatchObject({ wrong: [] });
      expect(cluster.parts.filter(({ restarts }) => restarts > 0).length).toBeGreaterThanOrEqual(4);
      expect(compared.published).toBeGreaterThan(compared.events);
    },
    WAIT_MS,
  );

  it(
    "answer with a token, which a query waits for, and take the caller's trace along",
    async () => {
      const next = addDays(loaded.lastDay, 1);
      const posted = await fetch(`${urlOf('command-api')}/v1/commands/open-programme`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': 'last',
          'socai-recorded-at': `${next}T01:00:00.000Z`,
          traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
        },
        body: JSON.stringify({
          ...{ programme: 'X', name: 'X', plan: 'X', from: '2021-01-01', to: '2025-12-31', targets: [] },
          valueDate: next,
        }),
      });
      const { token, events: written } = (await posted.json()) as {
        readonly token: string;
        readonly events: readonly { readonly id: string }[];
      };
      expect([posted.status, token]).toEqual([200, expect.stringMatching(/^\d+:\d{20}$/)]);
      const asked = await fetch(`${urlOf('query-api')}/v1/audit-trail?type=ProgrammeOpened&after=${token}`);
      const { rows } = (await asked.json()) as { readonly rows: readonly unknown[] };
      const traceparent = expect.stringMatching(`^00-${TRACE}-[0-9a-f]{16}-01$`);
      expect([asked.status, rows.at(-1)]).toMatchObject([200, { stream: 'programme-X', traceparent }]);
      expect(written).toHaveLength(1);
      const projected = new RegExp(`"traceparent":"00-${TRACE}-[0-9a-f]{16}-01","msg":"projected"`);
      await until(() => projected.test(said('projector')));
    },
    WAIT_MS,
  );

  it.each([
    ['command-api', ['socai_commands_total', 'socai_follower_lag_seconds{follower="process-day-close"']],
    ['query-api', ['socai_follower_lag_seconds{follower="portfolio-quality"']],
    ['relay', ['socai_relay_lag_seconds', 'socai_relay_active']],
    ['projector', ['socai_partition_lag_seconds{model="portfolio-quality"', 'socai_follower_lag_seconds']],
  ] as const)('%s says that it is live and ready, and how far behind', async (app, names) => {
    for (const path of ['live', 'ready']) {
      const answer = await fetch(`${urlOf(app)}/health/${path}`);
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, expect.stringContaining(path)]);
    }
    const metrics = await (await fetch(`${urlOf(app)}/metrics`)).text();
    for (const name of names) expect(metrics).toContain(name);
  });

  it(
    'are told apart from what holds one event more and one đồng too many: the comparison can fail',
    async () => {
      const readStore = await openMongoReadStore({ url: cluster.places.mongoDb, database: cluster.ledger });
      try {
        const model = (await readStore.live('district-balances')) ?? '';
        const partition = cluster.layout.of('programme-X');
        const from = await readStore.checkpoint(model, partition);
        const [balances] = collections;
        if (balances === undefined) throw new Error('district-balances has collections');
        const { name: collection, key: names } = balances;
        const key = await readStore.read(model, async (view) => {
          for await (const found of view.find(collection, { limit: 1 })) {
            return Object.fromEntries(Object.keys(names).map((name) => [name, found[name] as string]));
          }
          throw new Error('there is a balance');
        });
        const changes = [{ op: 'add', collection, key, measures: { [MEASURE]: 1 } } as const];
        const to = { sequence: from.sequence + 1, position: `${from.position}0` };
        expect(await readStore.apply({ model, partition, from, to, changes })).toEqual({ outcome: 'applied' });
      } finally {
        await readStore.close();
      }
      const { wrong } = await compare(cluster, loaded, LEVEL_MS);
      expect(wrong).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^events: /),
          expect.stringMatching(/^digest: /),
          expect.stringMatching(/^documents of audit-trail: /),
          expect.stringMatching(/^document of district-balances: /),
        ]),
      );
    },
    WAIT_MS,
  );

  it(
    'stop when they are asked to, with what is in flight done',
    async () => {
      await cluster.stopParts();
      for (const { app, daemon } of cluster.parts)
        expect([app, daemon.said]).toEqual([app, expect.stringContaining('"msg":"stopped"')]);
    },
    WAIT_MS,
  );
});
