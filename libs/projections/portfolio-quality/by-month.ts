import { addMonths, type LocalDate } from '../../kernel/dates.js';
import { type DataOf, date, optional } from '../../kernel/fields.js';
import type { ReadView } from '../../read-store/port.js';
import { amountOf, type Sums, sumCells, textIn } from '../cube.js';
import { byMonth, firstOfMonth, monthsOf } from '../months.js';
import { names } from '../parameters.js';
import type { AsOf, Query } from '../projection.js';
import { DIMENSIONS, type Dimension, FLOWS, QUALITY, RECOVERED, RECOVERED_IN_MONTH, STOCKS } from './documents.js';
import {
  compare,
  figuresOf,
  type Group,
  type MEASURES,
  NO_GROUP,
  NO_SUMS,
  type QualityFigures,
  targetsOf,
  together,
} from './query.js';

const parameters = {
  by: optional(names(DIMENSIONS)),
  /** A day of the first month: the eleventh before asOf's by default, a year of months together. */
  from: optional(date()),
};

export type MonthOfQuality = QualityFigures & { readonly [D in Dimension]?: string } & {
  readonly month: string;
  /** The month's last day, or the day asked for in its own month. */
  readonly asOf: LocalDate;
};

export interface PortfolioQualityByMonth {
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate;
  readonly from: LocalDate;
  readonly rows: readonly MonthOfQuality[];
}

export const portfolioQualityByMonthQuery: Query<typeof parameters, PortfolioQualityByMonth> = {
  name: 'portfolio-quality-by-month',
  summary: 'Portfolio quality at the end of each month, with what fell due and was collected in it, by any dimensions.',
  model: 'portfolio-quality',
  parameters,
  rows: 'rows',
  run,
};

/**
 * What `portfolio-quality` answers for each month with `from` its first day and `asOf` its last, from one reading: a
 * month before the first part paid out has no row. Stocks are summed on from month to month, flows begin anew.
 */
async function run(
  view: ReadView,
  { by, from }: DataOf<typeof parameters>,
  at: AsOf,
): Promise<PortfolioQualityByMonth> {
  const keys = by ?? [];
  const asked = from ?? addMonths(at.asOf, -11);
  const months = monthsOf(asked, at.asOf);
  const first = months[0]?.first ?? firstOfMonth(asked);
  const targets = await targetsOf(view, at.knownOn);
  const deltas = await deltasOf(view, keys, first, at);
  const standing = new Map<string, Standing>();
  // What was before is one month more, of which nothing is told.
  for (const row of deltas.get('') ?? []) add(standing, keys, row);
  const rows: MonthOfQuality[] = [];
  for (const { month, last } of months) {
    for (const { sums } of standing.values()) for (const flow of PERIODIC) sums[flow] = 0n;
    for (const row of deltas.get(month) ?? []) add(standing, keys, row);
    const known = targets(last);
    for (const group of groupsOf(standing, keys)) {
      rows.push({ month, asOf: last, ...group.keys, ...figuresOf(group, known) });
    }
  }
  return { asOf: at.asOf, knownOn: at.knownOn ?? at.today, from: first, rows };
}

const READ = [...STOCKS, ...FLOWS, RECOVERED_IN_MONTH] as const;
const PERIODIC = [...FLOWS, RECOVERED] as const;

/** What the months add, each to its own; under '' what was before the first of them. */
async function deltasOf(
  view: ReadView,
  keys: readonly Dimension[],
  first: LocalDate,
  { asOf, knownOn }: AsOf,
): Promise<ReadonlyMap<string, readonly Sums[]>> {
  // Targets are a programme's: what a row has of each must be told apart.
  const by = [...new Set([...keys, 'programme' as const])];
  const found = await sumCells(view, QUALITY, {
    ...{ by: [...by, 'value'], measures: READ, value: { from: null, to: asOf }, knownOn },
  });
  // A month's text and a day's begin with the month.
  return byMonth(found, first, (row) => textIn(row, 'value').slice(0, 7));
}

/** Sums as of the month that was added last, of one combination of keys and one programme. */
interface Standing {
  readonly keys: Group['keys'];
  readonly programme: string;
  readonly sums: Record<(typeof MEASURES)[number], bigint>;
}

function add(standing: Map<string, Standing>, keys: readonly Dimension[], row: Sums): void {
  const programme = textIn(row, 'programme');
  // Names hold no space, so keys cannot run into one another.
  const name = [programme, ...keys.map((key) => textIn(row, key))].join(' ');
  let at = standing.get(name);
  if (at === undefined) {
    const own = Object.fromEntries(keys.map((key) => [key, textIn(row, key)]));
    at = { keys: own, programme, sums: { ...NO_SUMS } };
    standing.set(name, at);
  }
  for (const measure of READ) {
    const amount = amountOf(row, measure);
    if (amount !== 0) at.sums[measure === RECOVERED_IN_MONTH ? RECOVERED : measure] += BigInt(amount);
  }
}

function groupsOf(standing: ReadonlyMap<string, Standing>, keys: readonly Dimension[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { keys: own, programme, sums } of standing.values()) {
    const name = keys.map((key) => own[key]).join(' ');
    const group = { keys: own, programmes: new Set(sums.parts > 0n ? [programme] : []), sums };
    groups.set(name, together(groups.get(name) ?? { ...NO_GROUP, keys: own }, group));
  }
  return [...groups.values()].filter(({ sums }) => sums.parts !== 0n).sort((a, b) => compare(keys, a, b));
}
