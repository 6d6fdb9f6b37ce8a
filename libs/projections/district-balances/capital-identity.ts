import { addDays, earlierOf, type LocalDate } from '../../kernel/dates.js';
import { type DataOf, date, optional } from '../../kernel/fields.js';
import { type Amount, addExact, amountJson } from '../../kernel/money.js';
import { programmeId, sourceId } from '../../lending/vocabulary.js';
import type { ReadView, Where } from '../../read-store/port.js';
import { amountOf, type Sums, sumCells, textIn } from '../cube.js';
import { levelOf } from '../level.js';
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
  const books = new Books([...new Set(['district' as const, ...(asked.by ?? [])])]);
  for (const row of deltas.get('') ?? []) books.add(row);
  const [rows, totals]: [DistrictIdentity[], TotalIdentity[]] = [[], []];
  for (const month of months) {
    for (const row of deltas.get(month.month) ?? []) books.add(row);
    if (books.total.funds.length === 0) continue;
    rows.push(...books.rows().map((group) => districtOf(group, month)));
    totals.push(totalOf(books.total, month));
  }
  const holds = totals.every((total) => total.holds);
  return { asOf: at.asOf, knownOn: at.knownOn ?? at.today, from, closedThrough, holds, rows, totals };
}

/** The last day that was closed, and of which every partition holds all that was booked. */
async function lastClosed(view: ReadView, knownOn: LocalDate | null): Promise<LocalDate | null> {
  const level = { position: { lte: levelOf(view) } };
  const where: Where = knownOn === null ? level : { ...level, recorded: { lte: knownOn } };
  for await (const { day } of view.find(CLOSES, { where, order: ['-day'], limit: 1 })) return day as LocalDate;
  return null;
}

// ---------------------------------------------------------------------------------------------------- what is read

const ALL = [...MEASURES, ...BOOKED, ...SOURCE_MEASURES] as const;
type Any = Measure | BookedMeasure | (typeof SOURCE_MEASURES)[number];
type Balances = Readonly<Record<Any, Amount>>;

const NOTHING = Object.fromEntries(ALL.map((measure) => [measure, 0])) as Balances;

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
  const by = ['programme', 'source', 'district', 'value'] as const;
  const value = { from: null, to: asOf };
  const found: Sums[] = [];
  // What is booked matters on closed days only: to the last of them, everything is read at once.
  if (closedThrough !== null) {
    const closed = { from: null, to: earlierOf(asOf, closedThrough) };
    found.push(...(await sumCells(view, BALANCES, { by, measures: [...MEASURES, ...BOOKED], value: closed, knownOn })));
  }
  const open = closedThrough === null ? value : { from: addDays(closedThrough, 1), to: asOf };
  found.push(...(await sumCells(view, BALANCES, { by, measures: MEASURES, value: open, knownOn })));
  const ofSources = { by: ['programme', 'source', 'value'] as const, measures: SOURCE_MEASURES, value, knownOn };
  found.push(...(await sumCells(view, SOURCES, ofSources)));
  return found.filter(
    (row) => (programme === null || row.programme === programme) && (source === null || row.source === source),
  );
}

/** A district's fund, or a source's, which has no district. */
interface Fund {
  readonly keys: Readonly<Record<Key, string>>;
  readonly sums: Record<Any, Amount>;
  readonly group: Group | null;
}

/** Funds that make up one row, or the total. */
interface Group {
  readonly name: string;
  readonly keys: Readonly<Partial<Record<Key, string>>>;
  readonly sums: Record<Any, Amount>;
  readonly funds: Fund[];
}

const newGroup = (name: string, keys: Group['keys']): Group => ({ name, keys, sums: { ...NOTHING }, funds: [] });

/** Each fund, each row's group and the total, added to month by month. */
class Books {
  readonly total = newGroup('', {});
  readonly #funds = new Map<string, Fund>();
  readonly #groups = new Map<string, Group>();

  constructor(private readonly keys: readonly Key[]) {}

  add(row: Sums): void {
    const fund = this.#fundOf(row);
    for (const measure of ALL) {
      if (row[measure] === undefined) continue;
      const amount = amountOf(row, measure);
      if (amount === 0) continue;
      for (const { sums } of [fund, this.total]) sums[measure] = addExact(sums[measure], amount);
      if (fund.group !== null) fund.group.sums[measure] = addExact(fund.group.sums[measure], amount);
    }
  }

  /** In the order of their keys: those of which anything was said. */
  rows(): readonly Group[] {
    const spoken = [...this.#groups.values()].filter(({ funds }) => funds.some(isSpokenOf));
    // The separator comes before every character of a name.
    return spoken.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #fundOf(row: Sums): Fund {
    const { programme, source, district = '' } = row as Readonly<Record<Key, string>>;
    const name = `${programme} ${source} ${district}`;
    const known = this.#funds.get(name);
    if (known !== undefined) return known;
    const keys = { programme, source, district };
    const group = district === '' ? null : this.#groupOf(keys);
    const fund = { keys, sums: { ...NOTHING }, group };
    for (const { funds } of group === null ? [this.total] : [this.total, group]) funds.push(fund);
    this.#funds.set(name, fund);
    return fund;
  }

  #groupOf(of: Fund['keys']): Group {
    const name = this.keys.map((key) => of[key]).join(' ');
    const group = this.#groups.get(name) ?? newGroup(name, Object.fromEntries(this.keys.map((key) => [key, of[key]])));
    this.#groups.set(name, group);
    return group;
  }
}

const isSpokenOf = ({ sums }: Fund): boolean => ALL.some((measure) => sums[measure] !== 0);

// ---------------------------------------------------------------------------------------------------------- answer

function districtOf({ keys, sums, funds }: Group, { month, last }: Month): DistrictIdentity {
  const { disbursed, principalCollected, principalReturned, fundBalance } = sums;
  const [committed, toReturn] = [committedOf(sums), toReturnOf(sums)];
  return {
    month,
    asOf: last,
    district: keys.district ?? '',
    ...keys,
    ...sidesOf(sums, funds),
    disbursed: amountJson(disbursed),
    principalCollected: amountJson(principalCollected),
    principalReturned: amountJson(principalReturned),
    committed: amountJson(committed),
    toReturn: amountJson(toReturn),
    available: amountJson(less(allocatedOf(sums), outstandingOf(sums), WRITTEN_OFF, committed, toReturn)),
    fundBalance: amountJson(fundBalance),
  };
}

/** funded = outstanding + written off + idle in districts + unallocated + in transit (design, capital identity). */
function totalOf({ sums, funds }: Group, { month, last }: Month): TotalIdentity {
  const unallocated = less(sums.funded, sums.sent);
  const inTransit = less(sums.inTransit, sums.bookedSent);
  const sides = sidesOf(sums, funds);
  const difference = less(sums.funded, outstandingOf(sums), WRITTEN_OFF, idleOf(sums), unallocated, inTransit);
  return {
    month,
    asOf: last,
    funded: amountJson(sums.funded),
    unallocated: amountJson(unallocated),
    inTransit: amountJson(inTransit),
    ...sides,
    difference: amountJson(difference),
    holds: sides.holds && difference === 0,
  };
}

function sidesOf(sums: Balances, funds: readonly Fund[]): Sides {
  return {
    allocated: amountJson(allocatedOf(sums)),
    outstanding: amountJson(outstandingOf(sums)),
    writtenOff: amountJson(WRITTEN_OFF),
    idle: amountJson(idleOf(sums)),
    difference: amountJson(differenceOf(sums)),
    holds: funds.every((fund) => differenceOf(fund.sums) === 0),
  };
}

/** Nothing writes off yet (a later issue). */
const WRITTEN_OFF = 0;

/** By the streams that sent it: what a closed day has not received is missed by the district's fund. */
const allocatedOf = ({ allocated, bookedSent }: Balances): Amount => addExact(allocated, bookedSent);

const outstandingOf = ({ disbursed, principalCollected }: Balances): Amount =>
  less(disbursed, principalCollected, WRITTEN_OFF);

const committedOf = ({ committed, bookedCommitted }: Balances): Amount => less(committed, bookedCommitted);

const toReturnOf = ({ principalCollected, principalReturned, bookedCollected }: Balances): Amount =>
  less(principalCollected, principalReturned, bookedCollected);

/** The money that is there, by the fund's own stream. */
const idleOf = (sums: Balances): Amount => addExact(addExact(sums.fundBalance, committedOf(sums)), toReturnOf(sums));

const differenceOf = (sums: Balances): Amount =>
  less(allocatedOf(sums), outstandingOf(sums), WRITTEN_OFF, idleOf(sums));

const less = (from: Amount, ...amounts: readonly Amount[]): Amount =>
  amounts.reduce((rest, amount) => addExact(rest, -amount), from);
