import { earlierOf, type LocalDate } from '../../kernel/dates.js';
import { type DataOf, date, optional } from '../../kernel/fields.js';
import { amountJson } from '../../kernel/money.js';
import { programmeId, sourceId } from '../../lending/vocabulary.js';
import type { ReadView, Where } from '../../read-store/port.js';
import { amountOf, type Sums, sumCells, textIn } from '../cube.js';
import { byMonth, firstOfMonth, type Month, monthsOf } from '../months.js';
import { names } from '../parameters.js';
import type { AsOf, Query } from '../projection.js';
import {
  BALANCES,
  BOOKED,
  type BookedMeasure,
  CLOSES,
  MEASURES,
  type Measure,
  SOURCE_MEASURES,
  SOURCES,
} from './documents.js';

const KEYS = ['district', 'source', 'programme'] as const;
type Key = (typeof KEYS)[number];

const parameters = {
  /** A row is always of one district: naming it changes nothing. */
  by: optional(names(KEYS)),
  /** A day of the first month: that of the first entry by default. */
  from: optional(date()),
  programme: optional(programmeId()),
  source: optional(sourceId()),
};

type Money = number | string;

/** The two sides of the identity: allocated = outstanding + writtenOff + idle. */
interface Sides {
  readonly allocated: Money;
  readonly outstanding: Money;
  readonly writtenOff: Money;
  readonly idle: Money;
  readonly difference: Money;
  readonly holds: boolean;
}

export interface DistrictIdentity extends Sides {
  readonly month: string;
  readonly asOf: LocalDate;
  readonly district: string;
  readonly source?: string;
  readonly programme?: string;
  readonly disbursed: Money;
  readonly principalCollected: Money;
  readonly principalReturned: Money;
  /** Set aside on a day that is still open. */
  readonly committed: Money;
  /** Recovered, and not returned to the fund yet; below zero while reversals are uncovered. */
  readonly toReturn: Money;
  /** By what was sent to the district, and by its loans. */
  readonly available: Money;
  /** By the fund's own stream. */
  readonly fundBalance: Money;
}

export interface TotalIdentity extends Sides {
  readonly month: string;
  readonly asOf: LocalDate;
  readonly funded: Money;
  readonly unallocated: Money;
  readonly inTransit: Money;
}

export interface CapitalIdentity {
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate;
  readonly from: LocalDate;
  /** The last day whose entries must match; null: no day is closed. */
  readonly closedThrough: LocalDate | null;
  readonly holds: boolean;
  readonly rows: readonly DistrictIdentity[];
  readonly totals: readonly TotalIdentity[];
}

export const capitalIdentityQuery: Query<typeof parameters, CapitalIdentity> = {
  name: 'capital-identity',
  summary: "At the end of each month, each district's capital by its loans and by its fund's own stream.",
  model: 'district-balances',
  parameters,
  rows: 'rows',
  run,
};

/**
 * What goes from one stream to another is under way until its business day closes: committed until it is lent, collected
 * until it is returned, sent until it is received. So what is under way explains a difference on an open day only; what
 * a closed day has on the one stream and not on the other is the difference, and is named.
 */
async function run(view: ReadView, asked: DataOf<typeof parameters>, at: AsOf): Promise<CapitalIdentity> {
  const closedThrough = await lastClosed(view, at.knownOn);
  const found = await deltasOf(view, asked, at, closedThrough);
  const begins = asked.from ?? firstValue(found) ?? at.asOf;
  const months = monthsOf(begins, at.asOf);
  const from = months[0]?.first ?? firstOfMonth(begins);
  const deltas = byMonth(found, from, (row) => valueIn(row).slice(0, 7));
  const keys = [...new Set(['district' as const, ...(asked.by ?? [])])];
  const funds = new Map<string, Fund>();
  for (const row of deltas.get('') ?? []) add(funds, row);
  const [rows, totals]: [DistrictIdentity[], TotalIdentity[]] = [[], []];
  for (const month of months) {
    for (const row of deltas.get(month.month) ?? []) add(funds, row);
    if (funds.size === 0) continue;
    rows.push(...rowsOf(funds, keys, month));
    totals.push(totalOf([...funds.values()], month));
  }
  const holds = totals.every((total) => total.holds);
  return { asOf: at.asOf, knownOn: at.knownOn ?? at.today, from, closedThrough, holds, rows, totals };
}

async function lastClosed(view: ReadView, knownOn: LocalDate | null): Promise<LocalDate | null> {
  const where: Where = knownOn === null ? {} : { recorded: { lte: knownOn } };
  for await (const { day } of view.find(CLOSES, { where, order: ['-day'], limit: 1 })) return day as LocalDate;
  return null;
}

// ---------------------------------------------------------------------------------------------------- what is read

const ALL = [...MEASURES, ...BOOKED, ...SOURCE_MEASURES] as const;
type Any = Measure | BookedMeasure | (typeof SOURCE_MEASURES)[number];
type Balances = Readonly<Record<Any, bigint>>;

const NOTHING = Object.fromEntries(ALL.map((measure) => [measure, 0n])) as Balances;

/** A month's text, or a day's. */
const valueIn = (row: Sums): string => textIn(row, 'value');

function firstValue(found: readonly Sums[]): LocalDate | null {
  const months = found.map((row) => valueIn(row).slice(0, 7)).sort();
  return months[0] === undefined ? null : (`${months[0]}-01` as LocalDate);
}

/** Fund by fund, whatever is asked for: what two lack and have too much must not make up for one another. */
async function deltasOf(
  view: ReadView,
  { programme, source }: DataOf<typeof parameters>,
  { asOf, knownOn }: AsOf,
  closedThrough: LocalDate | null,
): Promise<readonly Sums[]> {
  const value = { from: null, to: asOf };
  const by = ['programme', 'source', 'district', 'value'] as const;
  const found = [...(await sumCells(view, BALANCES, { by, measures: MEASURES, value, knownOn }))];
  if (closedThrough !== null) {
    const closed = { from: null, to: earlierOf(asOf, closedThrough) };
    found.push(...(await sumCells(view, BALANCES, { by, measures: BOOKED, value: closed, knownOn })));
  }
  const ofSources = { by: ['programme', 'source', 'value'] as const, measures: SOURCE_MEASURES, value, knownOn };
  found.push(...(await sumCells(view, SOURCES, ofSources)));
  return found.filter(
    (row) => (programme === null || row.programme === programme) && (source === null || row.source === source),
  );
}

/** A district's fund, or a source's, which has no district. */
interface Fund {
  readonly keys: Readonly<Record<Key, string>>;
  readonly sums: Record<Any, bigint>;
}

const NO_DISTRICT = '';

function add(funds: Map<string, Fund>, row: Sums): void {
  const { programme, source, district = NO_DISTRICT } = row as Readonly<Record<Key, string>>;
  const name = `${programme} ${source} ${district}`;
  let fund = funds.get(name);
  if (fund === undefined) {
    fund = { keys: { programme, source, district }, sums: { ...NOTHING } };
    funds.set(name, fund);
  }
  for (const measure of ALL) if (row[measure] !== undefined) fund.sums[measure] += BigInt(amountOf(row, measure));
}

// ---------------------------------------------------------------------------------------------------------- answer

/** Nothing writes off yet (a later issue). */
const WRITTEN_OFF = 0n;

function rowsOf(funds: ReadonlyMap<string, Fund>, keys: readonly Key[], { month, last }: Month) {
  const groups = new Map<string, Fund[]>();
  for (const fund of funds.values()) {
    if (fund.keys.district === NO_DISTRICT || ALL.every((measure) => fund.sums[measure] === 0n)) continue;
    // The separator comes before every character of a name: the order is that of the keys, one after another.
    const name = keys.map((key) => fund.keys[key]).join(' ');
    groups.set(name, [...(groups.get(name) ?? []), fund]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]): DistrictIdentity => {
      const own = Object.fromEntries(keys.map((key) => [key, group[0]?.keys[key] ?? '']));
      return { month, asOf: last, district: own.district ?? '', ...own, ...districtFigures(group) };
    });
}

function districtFigures(group: readonly Fund[]) {
  const sums = together(group);
  const { disbursed, principalCollected, principalReturned, fundBalance } = sums;
  return {
    ...sidesOf(group),
    disbursed: amountJson(disbursed),
    principalCollected: amountJson(principalCollected),
    principalReturned: amountJson(principalReturned),
    committed: amountJson(committedOf(sums)),
    toReturn: amountJson(toReturnOf(sums)),
    available: amountJson(allocatedOf(sums) - outstandingOf(sums) - WRITTEN_OFF - committedOf(sums) - toReturnOf(sums)),
    fundBalance: amountJson(fundBalance),
  };
}

/** funded = outstanding + written off + idle in districts + unallocated + in transit (design, capital identity). */
function totalOf(funds: readonly Fund[], { month, last }: Month): TotalIdentity {
  const sums = together(funds);
  const { funded, sent, inTransit, bookedSent } = sums;
  const [unallocated, underWay] = [funded - sent, inTransit - bookedSent];
  const sides = sidesOf(funds);
  const difference = funded - outstandingOf(sums) - WRITTEN_OFF - idleOf(sums) - unallocated - underWay;
  return {
    month,
    asOf: last,
    funded: amountJson(funded),
    unallocated: amountJson(unallocated),
    inTransit: amountJson(underWay),
    ...sides,
    difference: amountJson(difference),
    holds: sides.holds && difference === 0n,
  };
}

function sidesOf(funds: readonly Fund[]): Sides {
  const sums = together(funds);
  return {
    allocated: amountJson(allocatedOf(sums)),
    outstanding: amountJson(outstandingOf(sums)),
    writtenOff: amountJson(WRITTEN_OFF),
    idle: amountJson(idleOf(sums)),
    difference: amountJson(differenceOf(sums)),
    holds: funds.every((fund) => differenceOf(fund.sums) === 0n),
  };
}

function together(funds: readonly Fund[]): Balances {
  const sums = { ...NOTHING } as Record<Any, bigint>;
  for (const fund of funds) for (const measure of ALL) sums[measure] += fund.sums[measure];
  return sums;
}

/** By the streams that sent it: what a closed day has not received is missed by the district's fund. */
const allocatedOf = ({ allocated, bookedSent }: Balances): bigint => allocated + bookedSent;

const outstandingOf = ({ disbursed, principalCollected }: Balances): bigint =>
  disbursed - principalCollected - WRITTEN_OFF;

const committedOf = ({ committed, bookedCommitted }: Balances): bigint => committed - bookedCommitted;

const toReturnOf = ({ principalCollected, principalReturned, bookedCollected }: Balances): bigint =>
  principalCollected - principalReturned - bookedCollected;

/** The money that is there, by the fund's own stream. */
const idleOf = (sums: Balances): bigint => sums.fundBalance + committedOf(sums) + toReturnOf(sums);

const differenceOf = (sums: Balances): bigint => allocatedOf(sums) - outstandingOf(sums) - WRITTEN_OFF - idleOf(sums);
