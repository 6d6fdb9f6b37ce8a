import fc from 'fast-check';
import type { Followed, Ledger } from '../libs/engine/ledger.js';
import type { LocalDate } from '../libs/kernel/dates.js';
import { readFields } from '../libs/kernel/fields.js';
import { projections, queries } from '../libs/projections/catalogue.js';
import { followedAs } from '../libs/projections/projection.js';
import type { ReadView } from '../libs/read-store/port.js';
import { memoryLedger } from './harness.js';
import { type Day, shown } from './model/exact.js';
import { type History, history } from './model/generate.js';
import { loansOf, type Model } from './model/model.js';
import { portfolioQuality, type QualityKey } from './model/quality.js';
import { capitalIdentity, capitalPlan, districtBalances, interestingDays, loanView } from './model/views.js';

const RUNS = Number(process.env.HISTORIES ?? 40);
const DAYS = 6;
const followed: readonly Followed[] = projections.map(followedAs);

// The slow model in test/model is written from the contract's sentences and shares no code with the ledger.
describe('a generated history', () => {
  it('is accepted and refused line by line, and gives every figure, as the slow model says', async () => {
    await fc.assert(
      fc.asyncProperty(history(), fc.nat(), async (made, pick) => {
        const { ledger } = await memoryLedger({ followed });
        await sameAnswers(ledger, made);
        for (const [asOf, knownOn] of moments(made.model, pick)) await sameFigures(ledger, made.model, asOf, knownOn);
        await ledger.close();
      }),
      { numRuns: RUNS },
    );
  });
});

async function sameAnswers(ledger: Ledger, { lines, answers }: History): Promise<void> {
  for (const [index, line] of lines.entries()) {
    const answer = await ledger.handle(line);
    const expected = answers[index];
    const found = answer.accepted
      ? {
          outcome: answer.duplicate ? 'duplicate' : 'accepted',
          events: answer.events.map(({ type }) => type).filter((type) => type !== 'BusinessDayClosing'),
        }
      : { outcome: 'refused', code: answer.refusal.code };
    const where = `line ${index + 1} ${JSON.stringify(line)}: ${JSON.stringify(found)}`;
    if (expected?.outcome === 'refused') expect([where, found.outcome]).toEqual([where, 'refused']);
    else expect([where, found]).toEqual([where, expected]);
    // The capital identity and its kin hold after every command, not only where a figure is asked for.
    const invariants = await ledger.read('invariants', null, (view) => invariantsHold(view, ledger.today()));
    expect([where, invariants]).toEqual([where, []]);
  }
}

async function invariantsHold(view: ReadView, today: LocalDate): Promise<readonly unknown[]> {
  const query = queries.find(({ name }) => name === 'invariants');
  const answer = (await query?.run(view, {}, { asOf: today, knownOn: null, today })) as {
    readonly checks: readonly { readonly holds: boolean }[];
    readonly violations: readonly unknown[];
  };
  return [...answer.checks.filter(({ holds }) => !holds), ...answer.violations];
}

/** Some of the days on which something changes, past and to come, with days of recording. */
function moments(model: Model, pick: number): readonly (readonly [Day, Day])[] {
  const days = interestingDays(model);
  const at = <T>(list: readonly T[], n: number) => list[(pick + n * 7919) % list.length] as T;
  const last = days.knownOn.at(-1) as Day;
  return Array.from({ length: DAYS }, (_, n) => [at(days.asOf, n), n % 2 === 0 ? last : at(days.knownOn, n)] as const);
}

async function sameFigures(ledger: Ledger, model: Model, asOf: Day, knownOn: Day): Promise<void> {
  const where = `asOf ${asOf} knownOn ${knownOn}`;
  const bys: readonly QualityKey[][] = [
    [],
    ['district'],
    ['programme', 'source'],
    ['massOrganisation', 'borrowerClass'],
  ];
  for (const by of bys) {
    const ours = await ask(ledger, 'portfolio-quality', { by: by.join(',') }, asOf, knownOn);
    const theirs = portfolioQuality(model, asOf, knownOn, by);
    expect([where, by, comparable(ours)]).toEqual([where, by, comparable(theirs)]);
  }
  const from = `${asOf.slice(0, 4)}-06-15`;
  const period = await ask(ledger, 'portfolio-quality', { from, by: 'district' }, asOf, knownOn);
  expect([where, from, comparable(period)]).toEqual([
    where,
    from,
    comparable(portfolioQuality(model, asOf, knownOn, ['district'], from)),
  ]);
  const month = await ask(ledger, 'portfolio-quality-by-month', { from: asOf, by: 'district' }, asOf, knownOn);
  const first = `${asOf.slice(0, 7)}-01`;
  expect([where, comparable(withoutMonth(month))]).toEqual([
    where,
    comparable(portfolioQuality(model, asOf, knownOn, ['district'], first)),
  ]);
  const balances = await ask(ledger, 'district-balances', { by: 'programme,source' }, asOf, knownOn);
  expect([where, comparable(balances)]).toEqual([
    where,
    comparable(districtBalances(model, asOf, knownOn, ['programme', 'source'])),
  ]);
  await sameIdentity(ledger, model, asOf, knownOn);
  const invariants = await ask(ledger, 'invariants', {}, asOf, knownOn);
  expect([where, invariants]).toEqual([where, expect.objectContaining({ holds: true, violations: [] })]);
  for (const programme of [
    'P1',
    'P2',
    ...new Set(model.facts.flatMap((f) => ('programme' in f ? [f.programme] : []))),
  ]) {
    const plan = await ask(ledger, 'capital-plan', { programme }, asOf, knownOn);
    expect([where, programme, comparable(plan)]).toEqual([
      where,
      programme,
      comparable(capitalPlan(model, String(programme), asOf, knownOn)),
    ]);
  }
  for (const loan of loansOf(model)) {
    const view = (await ask(ledger, 'loan', { loan }, asOf, knownOn)) as Record<string, unknown> | null;
    const expected = loanView(model, asOf, knownOn, loan) as Record<string, unknown> | null;
    expect([where, loan, byReceipt(pickFields(view, expected))]).toEqual([where, loan, byReceipt(expected)]);
  }
}

async function sameIdentity(ledger: Ledger, model: Model, asOf: Day, knownOn: Day): Promise<void> {
  const where = `asOf ${asOf} knownOn ${knownOn}`;
  for (const { fund, ...expected } of capitalIdentity(model, asOf, knownOn)) {
    const answer = (await ask(ledger, 'capital-identity', { ...fund, from: asOf }, asOf, knownOn)) as {
      readonly totals: readonly Record<string, unknown>[];
    };
    const names = Object.keys(expected) as (keyof typeof expected)[];
    const figures = Object.fromEntries(names.map((name) => [name, shown(expected[name])]));
    expect([where, fund, answer]).toMatchObject([where, fund, { holds: true, totals: [{ ...figures, inTransit: 0 }] }]);
  }
}

async function ask(
  ledger: Ledger,
  name: string,
  parameters: Readonly<Record<string, unknown>>,
  asOf: Day,
  knownOn: Day,
): Promise<unknown> {
  const query = queries.find((one) => one.name === name);
  if (query === undefined) throw new Error(`no query ${name}`);
  const read = readFields(query.parameters, parameters);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const at = { asOf: asOf as LocalDate, knownOn: knownOn as LocalDate, today: ledger.today() };
  return ledger.read(query.model, null, (view) => query.run(view, read.value, at));
}

type Rows = { readonly rows: readonly Record<string, unknown>[]; readonly total?: unknown };

/** Rows in order of their text; rows in which nothing is left are as good as none. */
function comparable(answer: unknown): unknown {
  if (answer === null) return [];
  const { rows } = answer as Rows;
  const figures = ({ year: _, ...row }: Record<string, unknown>) =>
    Object.values(row).filter((value) => typeof value === 'number' && value !== 0);
  return rows
    .filter((row) => figures(row).length > 0)
    .map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))))
    .sort();
}

const withoutMonth = (answer: unknown): Rows => ({
  rows: (answer as Rows).rows.map(({ month: _, asOf: __, ...row }) => row),
});

/** Of an answer, the fields that the contract names: more may be added freely. */
function pickFields(
  view: Record<string, unknown> | null,
  like: Record<string, unknown> | null,
): Record<string, unknown> | null {
  if (view === null || like === null) return view;
  return Object.fromEntries(Object.keys(like).map((name) => [name, view[name]]));
}

function byReceipt(view: Record<string, unknown> | null): unknown {
  if (view === null) return null;
  const payments = (view.payments ?? []) as readonly Record<string, unknown>[];
  return { ...view, payments: [...payments].sort((a, b) => (String(a.receipt) < String(b.receipt) ? -1 : 1)) };
}
