import type { LocalDate } from '../../kernel/dates.js';
import { type DataOf, optional } from '../../kernel/fields.js';
import { amountJson } from '../../kernel/money.js';
import type { ProgrammeStored } from '../../lending/programme/events.js';
import { programmeId } from '../../lending/vocabulary.js';
import type { ReadView, Where } from '../../read-store/port.js';
import { amountOf, sumCells, textIn } from '../cube.js';
import type { AsOf, Query } from '../projection.js';
import { FLOWS, MEASURES, type Measure, PROGRAMMES } from './documents.js';

/** Left out: all programmes together. */
const parameters = { programme: optional(programmeId()) };

type Money = number | string;

export interface PlanFigures {
  readonly planned: Money;
  readonly funded: Money;
  readonly allocated: Money;
  readonly disbursed: Money;
  readonly recovered: Money;
  readonly jobsTarget: number;
  readonly jobsCreated: number;
}

export interface CapitalPlan {
  readonly programme: string | null;
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate;
  readonly rows: readonly (PlanFigures & { readonly year: number })[];
  readonly total: PlanFigures;
}

export const capitalPlanQuery: Query<typeof parameters, CapitalPlan> = {
  name: 'capital-plan',
  summary: 'Plan against actual by year: capital, disbursements, recoveries and jobs.',
  model: 'capital-plan',
  parameters,
  rows: 'rows',
  run,
};

/**
 * A row for each year with a target, and for each other year in which something came to be other than 0. A programme
 * that was not opened by `asOf`, or not known by `knownOn`, has no targets; capital that moved before its opening counts
 * on its own value date, as it does in the balances.
 */
async function run(view: ReadView, { programme }: DataOf<typeof parameters>, at: AsOf): Promise<CapitalPlan> {
  const { asOf, knownOn } = at;
  const years = new Map<number, Year>();
  const plans = await plansOf(view, programme, at);
  for (const { targets } of plans.values()) {
    for (const { year, capital, jobs } of targets) {
      const before = years.get(year) ?? NO_YEAR;
      years.set(year, {
        ...before,
        planned: before.planned + BigInt(capital),
        jobsTarget: before.jobsTarget + BigInt(jobs),
      });
    }
  }
  await addFlows(view, years, programme, at);
  const planned = new Set([...plans.values()].flatMap(({ targets }) => targets.map(({ year }) => year)));
  const rows = [...years]
    .filter(([year, of]) => planned.has(year) || NAMES.some((name) => of[name] !== 0n))
    .sort(([a], [b]) => a - b);
  const total = rows.reduce((sum, [, year]) => together(sum, year), NO_YEAR);
  return {
    programme,
    asOf,
    knownOn: knownOn ?? at.today,
    rows: rows.map(([year, of]) => ({ year, ...figuresOf(of) })),
    total: figuresOf(total),
  };
}

type Year = Readonly<Record<Measure | 'planned' | 'jobsTarget', bigint>>;

const NAMES = [...MEASURES, 'planned', 'jobsTarget'] as const;
const NO_YEAR = Object.fromEntries(NAMES.map((name) => [name, 0n])) as Year;

const together = (a: Year, b: Year): Year => Object.fromEntries(NAMES.map((name) => [name, a[name] + b[name]])) as Year;

interface Plan {
  readonly targets: Extract<ProgrammeStored, { type: 'ProgrammeOpened' }>['data']['targets'];
}

async function plansOf(view: ReadView, programme: string | null, at: AsOf): Promise<ReadonlyMap<string, Plan>> {
  const where: Where = {
    valueDate: { lte: at.asOf },
    ...(programme === null ? {} : { programme }),
    ...(at.knownOn === null ? {} : { recorded: { lte: at.knownOn } }),
  };
  const plans = new Map<string, Plan>();
  for await (const row of view.find(PROGRAMMES, { where })) {
    // Written by project.ts from the event's own list.
    plans.set(row.programme as string, { targets: row.targets as Plan['targets'] });
  }
  return plans;
}

async function addFlows(
  view: ReadView,
  years: Map<number, Year>,
  programme: string | null,
  { asOf, knownOn }: AsOf,
): Promise<void> {
  const found = await sumCells(view, FLOWS, {
    ...{ by: ['programme', 'value'], measures: MEASURES, knownOn },
    value: { from: null, to: asOf },
  });
  for (const row of found) {
    if (programme !== null && textIn(row, 'programme') !== programme) continue;
    const flows = Object.fromEntries(MEASURES.map((measure) => [measure, BigInt(amountOf(row, measure))]));
    // A month's text and a day's begin with the year.
    const year = Number(textIn(row, 'value').slice(0, 4));
    years.set(year, together(years.get(year) ?? NO_YEAR, { ...NO_YEAR, ...flows }));
  }
}

function figuresOf(year: Year): PlanFigures {
  return {
    planned: amountJson(year.planned),
    funded: amountJson(year.funded),
    allocated: amountJson(year.allocated),
    disbursed: amountJson(year.disbursed),
    recovered: amountJson(year.recovered),
    jobsTarget: Number(year.jobsTarget),
    jobsCreated: Number(year.jobs),
  };
}
