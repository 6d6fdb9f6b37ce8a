import { addDays, earlierOf, type LocalDate, yearOf } from '../../kernel/dates.js';
import { type DataOf, date, optional } from '../../kernel/fields.js';
import { amountJson } from '../../kernel/money.js';
import { RATE_SCALE, ratioText, scaled } from '../../kernel/rate.js';
import type { ProgrammeStored } from '../../lending/programme/events.js';
import type { ReadView, Where } from '../../read-store/port.js';
import { amountOf, type Sums, sumCells, textIn } from '../cube.js';
import { names } from '../parameters.js';
import type { AsOf, Query } from '../projection.js';
import { DIMENSIONS, type Dimension, FLOWS, LATE, PROGRAMMES, QUALITY, RECOVERED, STOCKS } from './documents.js';

const parameters = {
  by: optional(names(DIMENSIONS)),
  /** The first day of the period for flows: 1 January of asOf's year by default. */
  from: optional(date()),
};

type Money = number | string;

export interface QualityFigures {
  readonly loans: number;
  readonly outstanding: Money;
  readonly inTerm: Money;
  readonly extended: Money;
  readonly overdue: Money;
  readonly frozen: Money;
  readonly par0: Money;
  readonly par30: Money;
  readonly par90: Money;
  readonly fellDue: Money;
  readonly collectedOfDue: Money;
  readonly prepaid: Money;
  readonly arrearsRecovered: Money;
  readonly collectionRate: string | null;
  readonly overdueRatio: string | null;
  readonly meetsCollectionRate: boolean | null;
  readonly meetsOverdueRatio: boolean | null;
}

export interface PortfolioQuality {
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate;
  readonly from: LocalDate;
  readonly rows: readonly (QualityFigures & { readonly [D in Dimension]?: string })[];
  readonly total: QualityFigures;
}

export const portfolioQualityQuery: Query<typeof parameters, PortfolioQuality> = {
  name: 'portfolio-quality',
  summary: 'Outstanding, overdue, PAR and collection, as of a day and as known on a day, by any dimensions.',
  model: 'portfolio-quality',
  parameters,
  rows: 'rows',
  run,
};

async function run(view: ReadView, { by, from }: DataOf<typeof parameters>, at: AsOf): Promise<PortfolioQuality> {
  const keys = by ?? [];
  const since = from ?? (`${at.asOf.slice(0, 4)}-01-01` as LocalDate);
  const groups = await groupsOf(view, keys, { ...at, since });
  const targets = (await targetsOf(view, at.knownOn))(at.asOf);
  const rows = [...groups.values()].sort((a, b) => compare(keys, a, b));
  const total = rows.reduce(together, NO_GROUP);
  const figures = (group: Group) => figuresOf(group, targets);
  return {
    asOf: at.asOf,
    knownOn: at.knownOn ?? at.today,
    from: since,
    rows: rows.map((group) => ({ ...group.keys, ...figures(group) })),
    total: figures(total),
  };
}

// ---------------------------------------------------------------------------------------------------- what is read

export const MEASURES = [...STOCKS, ...FLOWS, RECOVERED] as const;
type Measure = (typeof MEASURES)[number];

/** One row: its keys, its sums, and the programmes that it has loans of. */
export interface Group {
  readonly keys: Readonly<Partial<Record<Dimension, string>>>;
  readonly programmes: ReadonlySet<string>;
  readonly sums: Readonly<Record<Measure, bigint>>;
}

export const NO_SUMS = Object.fromEntries(MEASURES.map((measure) => [measure, 0n])) as Record<Measure, bigint>;
export const NO_GROUP: Group = { keys: {}, programmes: new Set(), sums: NO_SUMS };

interface Period extends AsOf {
  readonly since: LocalDate;
}

async function groupsOf(
  view: ReadView,
  keys: readonly Dimension[],
  { asOf, since, knownOn }: Period,
): Promise<ReadonlyMap<string, Group>> {
  // Targets are a programme's: what a row has of each must be told apart.
  const by = [...new Set([...keys, 'programme' as const])];
  const period = { from: since, to: asOf };
  // What stocks add up from of the period is read with its flows: by default the rest is whole years.
  const eve = addDays(since, -1);
  const before = { from: null, to: earlierOf(eve, asOf) };
  const found = [
    ...(await sumCells(view, QUALITY, { by, measures: STOCKS, value: before, knownOn })),
    ...(await sumCells(view, QUALITY, { by, measures: [...STOCKS, ...FLOWS], value: period, knownOn })),
    ...(await sumCells(view, LATE, {
      ...{ by, measures: [RECOVERED], value: period, knownOn },
      due: { from: null, to: eve },
    })),
  ];
  const groups = new Map<string, Summed>();
  for (const row of found) addRow(groups, keys, row);
  // Without a part paid out nothing is there to speak of, however the cells of others come to nothing.
  for (const [name, group] of groups) if (group.sums.parts === 0n) groups.delete(name);
  return groups;
}

/** A group that is being added to: a breakdown by three has thousands of rows. */
interface Summed extends Group {
  readonly programmes: Set<string>;
  readonly sums: Record<Measure, bigint>;
}

function addRow(groups: Map<string, Summed>, keys: readonly Dimension[], row: Sums): void {
  let name = '';
  for (const key of keys) name += `${textIn(row, key)} `;
  let group = groups.get(name);
  if (group === undefined) {
    const own = Object.fromEntries(keys.map((key) => [key, textIn(row, key)]));
    group = { keys: own, programmes: new Set(), sums: { ...NO_SUMS } };
    groups.set(name, group);
  }
  for (const measure of MEASURES) {
    if (row[measure] === undefined) continue;
    const amount = amountOf(row, measure);
    if (amount !== 0) group.sums[measure] += BigInt(amount);
    // A part that was paid out stays so: no sum of a span takes one away.
    if (measure === 'parts' && amount > 0) group.programmes.add(textIn(row, 'programme'));
  }
}

export function together(a: Group, b: Group): Group {
  const sums = { ...NO_SUMS };
  for (const measure of MEASURES) sums[measure] = a.sums[measure] + b.sums[measure];
  return { keys: a.keys, programmes: new Set([...a.programmes, ...b.programmes]), sums };
}

export function compare(keys: readonly Dimension[], a: Group, b: Group): number {
  for (const key of keys) {
    const [left, right] = [a.keys[key] ?? '', b.keys[key] ?? ''];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

// --------------------------------------------------------------------------------------------------------- targets

type Target = Extract<ProgrammeStored, { type: 'ProgrammeOpened' }>['data']['targets'][number];

/** Each programme's target for the year of a day, or the latest before it, or else the earliest. */
export async function targetsOf(
  view: ReadView,
  knownOn: LocalDate | null,
): Promise<(asOf: LocalDate) => ReadonlyMap<string, Target>> {
  const plans: (readonly [string, readonly Target[]])[] = [];
  const where: Where = knownOn === null ? {} : { recorded: { lte: knownOn } };
  for await (const row of view.find(PROGRAMMES, { where })) {
    // Written by project.ts from the event's own list.
    plans.push([row.programme as string, row.targets as readonly Target[]]);
  }
  return (asOf) =>
    new Map(
      plans.flatMap(([programme, targets]) => {
        const target = targetFor(targets, yearOf(asOf));
        return target === undefined ? [] : [[programme, target] as const];
      }),
    );
}

function targetFor(targets: readonly Target[], year: number): Target | undefined {
  const byYear = [...targets].sort((a, b) => a.year - b.year);
  return byYear.findLast((target) => target.year <= year) ?? byYear[0];
}

// ---------------------------------------------------------------------------------------------------------- answer

export function figuresOf({ sums, programmes }: Group, known: ReadonlyMap<string, Target>): QualityFigures {
  const { outstanding, overdue, fellDue } = sums;
  // What was received after `since` of what had been due before it is no part of what fell due in the period.
  const collectedOfDue = sums.collected - sums.recovered;
  const targets = [...programmes].flatMap((programme) => known.get(programme) ?? []);
  const meets = (of: bigint, test: (target: Target) => boolean) =>
    of === 0n || targets.length === 0 ? null : targets.every(test);
  return {
    loans: Number(sums.loans),
    outstanding: amountJson(outstanding),
    inTerm: amountJson(outstanding - overdue),
    extended: 0,
    overdue: amountJson(overdue),
    frozen: 0,
    par0: amountJson(sums.par0),
    par30: amountJson(sums.par30),
    par90: amountJson(sums.par90),
    fellDue: amountJson(fellDue),
    collectedOfDue: amountJson(collectedOfDue),
    prepaid: amountJson(sums.prepaid),
    arrearsRecovered: amountJson(sums.recovered),
    collectionRate: fellDue === 0n ? null : ratioText(collectedOfDue, fellDue, 6),
    overdueRatio: outstanding === 0n ? null : ratioText(overdue, outstanding, 6),
    // Exact fractions against exact bounds: multiplied out, never the rounded text.
    meetsCollectionRate: meets(
      fellDue,
      (target) => collectedOfDue * RATE_SCALE >= fellDue * scaled(target.collectionRateAtLeast),
    ),
    meetsOverdueRatio: meets(
      outstanding,
      (target) => overdue * RATE_SCALE < outstanding * scaled(target.overdueRatioBelow),
    ),
  };
}
