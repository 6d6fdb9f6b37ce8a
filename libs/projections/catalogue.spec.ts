import fc from 'fast-check';
import type { LocalDate } from '../kernel/dates.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { events as catalogue } from '../lending/catalogue.js';
import { refusals } from '../lending/refusals.js';
import { memoryReadStore } from '../read-store/memory/overlay.js';
import { AT_START, type Checkpoint, type ReadStore } from '../read-store/port.js';
import { projections, queries } from './catalogue.js';
import { type Projection, project } from './projection.js';
import { asOfDays, plans, play, recordedDays } from './testing/histories.js';
import { day } from './testing/ledger.js';
import { ask, changesOf, TinyView, viewOf } from './testing/view.js';

const instanceOf = ({ name, version }: Projection) => `${name}.${version}`;

/** Follows as the engine does: a batch is folded, then applied with its checkpoint. */
async function follow(store: ReadStore, projection: Projection, events: readonly Envelope[], size: number) {
  const model = instanceOf(projection);
  await store.open(model, projection);
  let from: Checkpoint = AT_START;
  for (let start = 0; start < events.length; start += size) {
    const batch = events.slice(start, start + size);
    const to = { sequence: from.sequence + batch.length, position: batch.at(-1)?.position ?? '' };
    const changes = changesOf(projection, batch);
    expect(await store.apply({ model, partition: 0, from, to, changes })).toEqual({ outcome: 'applied' });
    from = to;
  }
}

const modelOf = (name: string): Projection => {
  const found = projections.find((projection) => projection.name === name);
  invariant(found !== undefined, `${name} is a read model`);
  return found;
};

/** One question a query that every generated ledger can be asked. */
const PARAMETERS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'portfolio-quality': { by: 'district,borrowerClass' },
  'portfolio-quality-by-month': { by: 'district', from: '2021-01-01' },
  'district-balances': { by: 'source' },
  'capital-identity': { by: 'source' },
  'capital-plan': { programme: 'P0' },
  loan: { loan: 'L0' },
  statement: { loan: 'L0' },
  'audit-trail': { district: '001', limit: 5 },
  invariants: {},
};

describe('the catalogue', () => {
  test('names each read model and each query once, and each query reads a model that is there', () => {
    const names = projections.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(queries.map(({ name }) => name)).size).toBe(queries.length);
    for (const { model } of queries) expect(names).toContain(model);
    expect(queries.map(({ name }) => name).sort()).toEqual(Object.keys(PARAMETERS).sort());
  });

  test('has refusals for what is missing', () => {
    for (const { missing } of queries) if (missing !== undefined) expect(Object.keys(refusals)).toContain(missing);
  });

  test('has a line for every event in every projection, and an unknown event stops it', () => {
    for (const projection of projections) {
      expect(Object.keys(projection.project).sort()).toEqual(Object.keys(catalogue).sort());
      const unknown = { type: 'LoanForgotten' } as Envelope;
      expect(() => project(projection, unknown)).toThrow(`${projection.name} has no line for LoanForgotten`);
    }
  });

  test('answers on an empty ledger with no rows', async () => {
    for (const { missing, name, ...query } of queries) {
      // A loan is not found there; the days' control totals are checked though no day was closed.
      if (missing !== undefined || name === 'invariants') continue;
      const answer = await ask({ ...query, name }, new TinyView(), {}, { asOf: day('2024-01-01') });
      expect(answer).toMatchObject({ rows: [] });
    }
  });
});

test('a store that passed the contract answers every query as the changes say, whatever the batches', async () => {
  await fc.assert(
    fc.asyncProperty(
      plans({ loans: 2, steps: 16 }),
      fc.constantFrom(1, 7, 10_000),
      fc.nat(),
      fc.option(fc.nat()),
      async (plan, size, a, k) => {
        const ledger = play(plan);
        const pick = (days: readonly LocalDate[], n: number) => days[n % days.length] as LocalDate;
        const knownOn = k === null ? null : pick(recordedDays(ledger), k);
        const at = { asOf: pick(asOfDays(ledger), a), knownOn, today: day('2199-12-31') };
        const store = memoryReadStore();
        // A batch an event is slow here: every read copies. The first events are enough for it.
        const events = size === 1 ? ledger.events.slice(0, 60) : ledger.events;
        for (const projection of projections) await follow(store, projection, events, size);
        for (const query of queries) {
          const model = modelOf(query.model);
          const tiny = viewOf(model, events);
          const asked = query.parameters;
          const given = PARAMETERS[query.name] ?? {};
          const parameters = Object.fromEntries(
            Object.entries(asked).map(([name, kind]) => [
              name,
              name in given ? kind.read(given[name], name, []) : null,
            ]),
          );
          const answer = await store.read(instanceOf(model), (view) => query.run(view, parameters, at));
          expect(answer).toEqual(await query.run(tiny, parameters, at));
          // What goes out is JSON: amounts beyond 2^53 are text by now.
          expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
        }
        await store.close();
      },
    ),
    { numRuns: 6 },
  );
});
