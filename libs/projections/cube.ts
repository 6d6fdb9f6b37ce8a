import type { LocalDate } from '../kernel/dates.js';
import { addDays, dayOf, earlierOf, type Instant, laterOf } from '../kernel/dates.js';
import { type Amount, addExact } from '../kernel/money.js';
import { invariant } from '../kernel/result.js';
import type { Change, Collection, Condition, ReadView, Where } from '../read-store/port.js';
import { daysOf, dayspan, EVER, isEmpty, lagged, type Range, rangeOf, type Span, spansOf } from './spans.js';

/*
 * Cells that hold what events add to measures, keyed by dimensions and by two days: when it counts (`value`) and when
 * it was recorded (`recorded`). A figure as of a day, as known on a day, is a sum of cells; no clock, no replay
 * (design §6, ADR 0004).
 *
 * A projection gives the finest cells only; roll-up.ts tells what is kept from a folded batch of them, at several levels
 * of breakdown, by day, by month and at some by year, in three sets:
 *
 *   ever   all, whenever it was recorded;
 *   late   what was recorded after the day from which it counts;
 *   ahead  what was recorded before that day.
 *
 * What counts up to E as known on K is `ever` up to the earlier of both, less what of it came late (after K), and what
 * was ahead on K of the days from K to E. Most is recorded on its day and stands in `ever` alone.
 */

/** A measure that counts so many days after its cell's day, and from then on is part of another. */
export interface Lag {
  readonly of: string;
  readonly days: number;
}

/**
 * What is kept of values where recording is told: days and months of value, or months alone, where the finest have few
 * of the days at the ends of what is asked for.
 */
export type ValuesKept = 'days' | 'months';

/** One level of breakdown. */
export interface Level<Dimension extends string = string> {
  /** The collection of what counts, whenever it was recorded; `late` and `ahead` have names made from it. */
  readonly collection: string;
  readonly dimensions: readonly Dimension[];
  /** Whether what came late and what is ahead is kept by month of recording. The finest level keeps it by day. */
  readonly knownByMonth?: ValuesKept;
  /** Whether what is ahead is kept by day of recording, by day and month of value, for the month that `knownOn` cuts. */
  readonly aheadByDay?: true;
  /** Whether what is ahead is kept by year of recording, where there are many combinations. */
  readonly aheadByYear?: ValuesKept;
  /** Whether months of value are added up to years as well: of many combinations sixty months are many cells. */
  readonly byYear?: true;
}

export interface Cube<Dimension extends string = string> {
  /** Of the finest changes, which no store sees: roll-up.ts takes them. */
  readonly name: string;
  /** Measures that lag are not asked for: they are read with those that they are of. */
  readonly measures: readonly string[];
  readonly lags: Readonly<Record<string, Lag>>;
  /** Smallest first; the last has every dimension. */
  readonly levels: readonly Level<Dimension>[];
}

/** Deltas of an event on one day. */
export type Deltas = Readonly<Record<string, number>>;

/** The three sets. */
export type Part = 'ever' | 'late' | 'ahead';
/** What is ahead is kept again where it is kept by day of recording or by year, and not by month alone. */
export type Kept = Part | 'ahead_by_day' | 'ahead_by_year';
export const collectionOf = ({ collection }: Level, part: Kept): string =>
  part === 'ever' ? collection : `${collection}_${part}`;

export const finestOf = <Dimension extends string>({ levels }: Cube<Dimension>): Level<Dimension> => {
  const finest = levels.at(-1);
  invariant(finest !== undefined, 'a cube has a level');
  return finest;
};

/** What is kept of a set at a level by month or by year of recording, if anything. */
export const valuesKept = (level: Level, part: Part, recordedBy: 'month' | 'year'): ValuesKept | undefined => {
  if (part === 'ever') return undefined;
  if (recordedBy === 'month') return level.knownByMonth;
  return part === 'ahead' ? level.aheadByYear : undefined;
};

/** The storage format of a cube. The grain is that of the value: `y`ear, `m`onth or `d`ay. */
export function cells(of: Cube): readonly Collection[] {
  const { measures, levels } = of;
  const table = (level: Level, part: Kept, days: readonly string[]): Collection => {
    const names = ['grain', ...days, ...level.dimensions];
    const key = Object.fromEntries(names.map((name) => [name, 'text'] as const));
    return { name: collectionOf(level, part), key, measures };
  };
  // A bound on the first name is a range of the primary index. By month and year of recording, cells are sought by the
  // days that they count from; by day, by the few days of recording that no whole month holds.
  const [byValue, byRecorded] = [
    ['value', 'recorded'],
    ['recorded', 'value'],
  ];
  return levels.flatMap((level) => {
    const known = level === finestOf(of) ? byRecorded : level.knownByMonth && byValue;
    return [
      table(level, 'ever', ['value']),
      ...(known === undefined ? [] : [table(level, 'late', known), table(level, 'ahead', known)]),
      ...(level.aheadByYear === undefined ? [] : [table(level, 'ahead_by_year', byValue)]),
      ...(level.aheadByDay === undefined ? [] : [table(level, 'ahead_by_day', byRecorded)]),
    ];
  });
}

// -------------------------------------------------------------------------------------------------------- postings

/** The finest change: what an event adds on a day. */
export function cell<Dimension extends string>(
  { name, levels }: Cube<Dimension>,
  of: Readonly<Record<Dimension, string>>,
  value: LocalDate,
  recorded: LocalDate,
  measures: Deltas,
): Change {
  const key: Record<string, string> = { recorded, value };
  for (const dimension of (levels[levels.length - 1] as Level<Dimension>).dimensions) key[dimension] = of[dimension];
  return { op: 'add', collection: name, key, measures };
}

/** The day, in Asia/Ho_Chi_Minh, on which an event was recorded. */
export function recordedDay({ meta }: { readonly meta: { readonly recordedAt: Instant } }): LocalDate {
  // The offset is whole hours, so an hour has one day; events come in the order of their hours.
  const hour = meta.recordedAt.slice(0, 13);
  if (hour !== lastHour) [lastHour, lastDay] = [hour, dayOf(meta.recordedAt)];
  return lastDay;
}

let lastHour = '';
let lastDay = '' as LocalDate;

/** `addDays`, remembered: the same few thousand days come again and again. */
export function dayAfter(day: LocalDate, days: number): LocalDate {
  if (days === 0) return day;
  let known = AFTER.get(days);
  if (known === undefined) {
    known = new Map();
    AFTER.set(days, known);
  }
  let after = known.get(day);
  if (after === undefined) {
    if (known.size >= DAYS_KEPT_MAX) known.clear();
    after = addDays(day, days);
    known.set(day, after);
  }
  return after;
}

const DAYS_KEPT_MAX = 20_000;
const AFTER = new Map<number, Map<LocalDate, LocalDate>>();

/** Measures that count the same number of days after their day, each with the measure that it adds to. */
export interface LagGroup {
  readonly days: number;
  readonly measures: readonly { readonly from: string; readonly to: string }[];
}

/** First those that count on their day. */
export function lagGroups({ measures, lags }: Cube): readonly LagGroup[] {
  const groups = new Map<number, { from: string; to: string }[]>([[0, []]]);
  for (const from of measures) {
    const { of: to, days } = lags[from] ?? { of: from, days: 0 };
    const group = groups.get(days) ?? [];
    group.push({ from, to });
    groups.set(days, group);
  }
  return [...groups].map(([days, group]) => ({ days, measures: group }));
}

// ------------------------------------------------------------------------------------------------------------ sums

export interface Question<Dimension extends string> {
  /** `value`: the month, where the whole of it counts, or else the day. */
  readonly by: readonly (Dimension | 'value')[];
  readonly measures: readonly string[];
  readonly value: Range;
  /** Of a cube that has it as a dimension. */
  readonly due?: Range;
  /** Recorded up to the end of this day; null: whenever. */
  readonly knownOn: LocalDate | null;
}

export type Sums = Readonly<Record<string, string | Amount>>;

/** Sums over value dates, as known on a day, from the smallest level that tells what is asked for apart. */
export async function sumCells<Dimension extends string>(
  view: ReadView,
  of: Cube<Dimension>,
  question: Question<Dimension>,
): Promise<readonly Sums[]> {
  const { by, value, due = EVER, knownOn } = question;
  const bounded: Where = due.from === null && due.to === null ? {} : { due: bounds(due.from, due.to) };
  const asked = [...by.filter((name) => name !== 'value'), ...Object.keys(bounded)];
  const level = of.levels.find(({ dimensions }) => asked.every((name) => dimensions.includes(name as Dimension)));
  invariant(level !== undefined, `a level of ${of.name} tells ${asked.join()} apart`);
  const total = new Map<string, Record<string, string | Amount>>();
  const told = by.includes('value');
  const since = knownOn !== null && readsEnds(level) ? await firstRecorded(view, of) : null;
  const read = async (part: Part, sign: 1 | -1, range: Range, recorded: Range) => {
    for (const reading of readings(of, level, part, { value: range, recorded, told, since })) {
      await addReading(view, of, { ...question, reading, bounded }, sign, total);
    }
  };
  if (knownOn === null) {
    await read('ever', 1, value, EVER);
    return [...total.values()];
  }
  const known: Range = { from: value.from, to: value.to === null ? knownOn : earlierOf(value.to, knownOn) };
  const after = addDays(knownOn, 1);
  const ahead: Range = { from: value.from === null ? after : laterOf(value.from, after), to: value.to };
  await read('ever', 1, known, EVER);
  await read('late', -1, known, { from: after, to: null });
  await read('ahead', 1, ahead, { from: null, to: knownOn });
  return [...total.values()];
}

/** Whether the days at the ends of what is asked for are read from the finest, of all days of recording. */
const readsEnds = ({ knownByMonth, aheadByYear }: Level): boolean => [knownByMonth, aheadByYear].includes('months');

async function firstRecorded(view: ReadView, of: Cube): Promise<LocalDate | null> {
  for await (const row of view.find(collectionOf(finestOf(of), 'ahead'), { limit: 1 }))
    return row.recorded as LocalDate;
  return null;
}

/** One search of the cells of a table, added or taken away: days of value, and months and years that it holds. */
interface Reading {
  readonly collection: string;
  readonly recorded: Condition | null;
  readonly spans: readonly Span[];
  readonly sign: 1 | -1;
}

interface Box {
  readonly value: Range;
  readonly recorded: Range;
  /** Whether the value is told: then by month or day, none of which is taken away again. */
  readonly told: boolean;
  /** The first day on which anything was recorded ahead; null: not known, or nothing was. */
  readonly since: LocalDate | null;
}

/** A box of days as readings, each of the coarsest cells that fit it. */
function readings(of: Cube, level: Level, part: Part, box: Box): readonly Reading[] {
  const { value, recorded, told } = box;
  if (isEmpty(value)) return [];
  const nearest = !told;
  const spans = spansOf(value, { byYear: level.byYear === true && !told, nearest });
  if (part === 'ever') return ofEachSign({ collection: level.collection, recorded: null, sign: 1 }, spans);
  const finest = { collection: collectionOf(finestOf(of), part), spans: [dayspan(value.from, value.to)] };
  const [byMonth, byYear] = [valuesKept(level, part, 'month'), valuesKept(level, part, 'year')];
  if (byMonth === undefined && byYear === undefined) {
    return [{ ...finest, recorded: bounds(recorded.from, recorded.to), sign: 1 }];
  }
  const kept = {
    year: { as: 'ahead_by_year', values: byYear },
    month: { as: part, values: byMonth },
    day: { as: 'ahead_by_day', values: part === 'ahead' && level.aheadByDay ? 'days' : undefined },
  } as const;
  return spansOf(recorded, { byYear: byYear !== undefined, nearest: true }).flatMap((span) => {
    const { as, values } = kept[span.grain];
    const days = { collection: finest.collection, recorded: sought(span, box.since), sign: span.sign };
    if (values === undefined) return { ...days, spans: finest.spans };
    const coarse = { collection: collectionOf(level, as), recorded: bounds(span.gte, span.lte), sign: span.sign };
    if (span.grain === 'day') coarse.recorded = days.recorded;
    // Of the few days that no whole month holds, years of value are no fewer cells.
    const asked = span.grain === 'day' ? spansOf(value, { byYear: false, nearest }) : spans;
    const byDay = values === 'days' ? [] : asked.filter(({ grain }) => grain === 'day');
    const rest = asked.filter((it) => !byDay.includes(it));
    return [...ofEachSign(coarse, rest), ...ofEachSign(days, byDay)];
  });
}

/** Days of recording, sought one by one, so that of each only the days of value that are asked for are read. */
function sought(span: Span, since: LocalDate | null): Condition {
  const { from, to } = rangeOf(span);
  const first = from ?? since;
  const days = first === null || to === null ? [] : daysOf(first, to);
  return days.length > 0 && days.length <= DAYS_SOUGHT_MAX ? { in: days } : bounds(from, to);
}

/** Thirteen years, as many as the port takes (IN_MAX). Beyond, all of the range is read. */
export const DAYS_SOUGHT_MAX = 5_000;

const ofEachSign = (reading: Omit<Reading, 'spans'>, spans: readonly Span[]): readonly Reading[] =>
  SIGNS.map((sign) => ({
    ...({ ...reading, sign: reading.sign === sign ? 1 : -1 } satisfies Omit<Reading, 'spans'>),
    spans: spans.filter((span) => span.sign === sign),
  })).filter((it) => it.spans.length > 0);

const SIGNS = [1, -1] as const;

const GRAINS = { year: 'y', month: 'm', day: 'd' } as const satisfies Record<Span['grain'], string>;

interface Asked extends Omit<Question<string>, 'value' | 'due'> {
  readonly reading: Reading;
  readonly bounded: Where;
}

async function addReading(
  view: ReadView,
  of: Cube,
  { reading, bounded, by, measures }: Asked,
  ofSet: 1 | -1,
  total: Map<string, Record<string, string | Amount>>,
): Promise<void> {
  const { collection, recorded, spans } = reading;
  const sign = reading.sign === ofSet ? 1 : -1;
  const groups = lagGroups(of)
    .map(({ days, measures: all }) => ({ days, names: all.filter(({ to }) => measures.includes(to)) }))
    .filter(({ names }) => names.length > 0);
  const lagging = groups.map(({ days }) => days);
  // By the lags of which the cells count: one search of what is read for the same measures.
  const searches = new Map<string, { readonly lags: readonly number[]; readonly where: Where[] }>();
  for (const span of spans) {
    // Cells by month and year hold what counts in them, however long it lagged.
    const runs = span.grain === 'day' ? lagged(span, lagging) : [{ span, lags: [0] }];
    for (const { lags, span: run } of runs) {
      const search = searches.get(lags.join()) ?? { lags, where: [] };
      searches.set(lags.join(), search);
      const known: Where = recorded === null ? {} : { recorded };
      search.where.push({ grain: GRAINS[span.grain], ...bounded, ...within('value', run), ...known });
    }
  }
  for (const { lags, where } of searches.values()) {
    const counting = groups.filter(({ days }) => lags.includes(days));
    const asked = counting.flatMap(({ names }) => names.map(({ from }) => from));
    for (const row of await view.sum(collection, { where, by, measures: asked })) {
      for (const { days, names } of counting) addRow(total, { row, by, measures, days, names, sign });
    }
  }
}

interface Added extends Pick<Asked, 'by' | 'measures'> {
  readonly row: Sums;
  readonly days: number;
  readonly names: LagGroup['measures'];
  readonly sign: 1 | -1;
}

/** Adds what of a row counts after so many days, unless that is nothing. */
function addRow(
  total: Map<string, Record<string, string | Amount>>,
  { row, by, measures, days, names, sign }: Added,
): void {
  if (names.every(({ from }) => amountOf(row, from) === 0)) return;
  const keys = by.map((name) => {
    const text = textIn(row, name);
    return name === 'value' ? dayAfter(text as LocalDate, days) : text;
  });
  // Names hold no space, so keys cannot run into one another.
  const name = keys.join(' ');
  let sums = total.get(name);
  if (sums === undefined) {
    sums = {};
    for (const [index, one] of by.entries()) sums[one] = keys[index] as string;
    for (const measure of measures) sums[measure] = 0;
    total.set(name, sums);
  }
  for (const { from, to } of names) {
    sums[to] = addExact(amountOf(sums, to), signed(amountOf(row, from), sign));
  }
}

const signed = (amount: Amount, sign: 1 | -1): Amount => (sign === 1 ? amount : addExact(0, -amount));

/** A measure of a sum. */
export function amountOf(row: Sums, measure: string): Amount {
  const amount = row[measure];
  invariant(typeof amount === 'number' || typeof amount === 'bigint', `${measure} is a sum`);
  return amount;
}

/** A dimension or a day of a sum. */
export function textIn(row: Sums, name: string): string {
  const text = row[name];
  invariant(typeof text === 'string', `${name} is of the key`);
  return text;
}

const bounds = (gte: string | null, lte: string | null): Condition => ({
  ...(gte === null ? {} : { gte }),
  ...(lte === null ? {} : { lte }),
});

const within = (name: string, { gte, lte }: Span): Where =>
  gte === null && lte === null ? {} : { [name]: bounds(gte, lte) };
