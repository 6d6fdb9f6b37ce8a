import type { Parameters } from '../apps/socai/simulate/programme.js';
import { runSimulation } from '../apps/socai/simulate/run.js';
import { simulate } from '../apps/socai/simulate/simulation.js';
import type { Ledger } from '../libs/engine/ledger.js';
import { addDays, type LocalDate } from '../libs/kernel/dates.js';
import { projections, queries } from '../libs/projections/catalogue.js';
import { ask } from '../libs/surface/verbs/query.js';
import { documents, placesOf } from '../tools/drill/documents.js';
import { memoryLedger } from './harness.js';
import { type Distributed, distributed, type Parts } from './profiles.js';
import { followed } from './surface.js';

/** Months of lending, so that instalments fall due, are paid and are missed. */
const PROGRAMME: Parameters = {
  ...{ scale: 5_000, seed: 159, from: '2023-05-10' as LocalDate, to: '2023-08-31' as LocalDate },
};

/** Servers that share a busy machine with the specs take their time. */
const ANSWER_MS = 60_000;

/** What is asked of both profiles. */
const QUESTIONS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['portfolio-quality', { by: 'district,borrowerClass' }],
  ['portfolio-quality', { asOf: '2023-07-17', knownOn: '2023-07-20', by: 'massOrganisation' }],
  ['portfolio-quality-by-month', { by: 'district' }],
  ['district-balances', { by: 'programme,source' }],
  ['capital-identity', {}],
  ['capital-plan', { programme: 'GQVL' }],
  ['audit-trail', { type: 'LoanDisbursed', limit: '1000' }],
  ['invariants', {}],
];

async function answers(ledger: Ledger, after: string): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const [name, parameters] of QUESTIONS) {
    const query = queries.find((one) => one.name === name);
    if (query === undefined) throw new Error(`no query ${name}`);
    found.push([name, parameters, await ask(ledger, query, { ...parameters, after })]);
  }
  return found;
}

/** What two streams say of one another from one moment to the next is asked only where they are followed together. */
const withoutOrder = (_: string, value: unknown): unknown =>
  Array.isArray(value) ? value.filter((one) => !/^(committed|in-transit)-not-negative$/.test(one?.name)) : value;

/** The suite, from a day on written while it is followed: the same programme through both profiles, the distributed one over what `open` gives. */
export function bothProfiles(liveFrom: string, open: () => Parts | Promise<Parts>): void {
  let embedded: Awaited<ReturnType<typeof memoryLedger>>;
  let parts: Parts;
  let chain: Distributed;
  beforeAll(async () => {
    embedded = await memoryLedger({ followed });
    parts = await open();
    const one = await runSimulation(embedded.ledger, PROGRAMME);
    // The days before are there already when the others begin: they catch up in large steps, and follow from then on. Their
    // writer has its processes to itself, and writes as one of several: what a close costs on a server is paid from then on.
    const before = await memoryLedger({ store: parts.store, shared: { leaseMs: 30, marginMs: 5 } });
    for (const { day, lines } of simulate(PROGRAMME)) {
      if (day.date >= liveFrom) break;
      for (const { request } of lines) await before.ledger.handle(request);
    }
    await before.ledger.close();
    chain = await distributed(parts);
    const { events, digest } = await runSimulation(chain.commands, PROGRAMME);
    expect({ events, digest }).toEqual({ events: one.events, digest: one.digest });
    await embedded.ledger.catchUp();
    await chain.level();
  }, 240_000);
  afterAll(async () => {
    // Some of it is not there where the beginning failed.
    await (chain as Distributed | undefined)?.stop();
    await (parts as Parts | undefined)?.dispose?.();
    await embedded.ledger.close();
  }, ANSWER_MS);

  it(
    'gives the same events and digest, by the side that queries are asked of',
    async () => {
      expect(await chain.queries.digest()).toBe(await embedded.ledger.digest());
    },
    ANSWER_MS,
  );

  it.each(projections.map((projection) => [projection.name, projection] as const))(
    'gives the same %s, document by document',
    async (_, projection) => {
      const theirs = await documents(parts.readStore, projection, await placesOf(parts.store));
      const ours = await documents(embedded.readStore, projection, await placesOf(embedded.store));
      expect(theirs.length).toBeGreaterThan(0);
      expect(theirs).toEqual(ours);
    },
    ANSWER_MS,
  );

  it(
    'gives the same figures, to the đồng',
    async () => {
      const next = addDays(PROGRAMME.to, 1);
      const answer = await chain.commands.handle({
        ...{ command: 'open-programme', id: 'last', recordedAt: `${next}T01:00:00.000Z`, valueDate: next },
        data: { programme: 'X', name: 'X', plan: 'X', from: '2021-01-01', to: '2025-12-31', targets: [] },
      });
      expect(answer).toMatchObject({ accepted: true, token: expect.stringMatching(/^\d+:\d{20}$/) });
      const plain = (found: readonly unknown[]) =>
        JSON.parse(JSON.stringify(found).replaceAll(/"\d{20}"/g, '"somewhere"'));
      const apart = plain(await answers(chain.queries, ''));
      const together = JSON.parse(JSON.stringify(plain(await answers(embedded.ledger, '')), withoutOrder));
      expect(apart).toEqual(together);
    },
    ANSWER_MS,
  );
}
