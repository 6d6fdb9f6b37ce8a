import type { LocalDate } from '../kernel/dates.js';
import { addDays, dayOf, earlierOf, type Instant, laterOf } from '../kernel/dates.js';
import { type Amount, addExact } from '../kernel/money.js';
import { invariant } from '../kernel/result.js';
import type { Change, Collection, Condition, ReadView, Where } from '../read-store/port.js';
import { daysOf, dayspan, EVER, isEmpty, type Range, type Span, shifted, spansOf } from './spans.js';

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

/** One level of breakdown. */
export interface Level<Dimension extends string = string> {
  /** The collection of what counts, whenever it was recorded; `late` and `ahead` have names made from it. */
  readonly collection: string;
  readonly dimensions: readonly Dimension[];
  /** Whether what came late and what is ahead is kept by month of recording; the finest level keeps it by day. */
  readonly knownByMonth: boolean;
  /**
   * Of a level known by month: what is ahead is kept by day of recording too, for the month that `knownOn` cuts: of
   * value by day and month, or by month alone, where the finest have few of the days at the ends of what is asked for.
   */
  readonly aheadByDay?: 'day' | 'month';
  /** Of a level known by month: what is ahead is kept by year of recording too, where months of recording times days of
   * value are many. */
  readonly aheadByYear?: true;
  /** Whether months of value are added up to years as well: of many combinations sixty months are many cells. By day of
   * recording they are not: years of so few days are no fewer cells. */
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

/** What came late and what is ahead is kept by month at some levels, and at the finest by day. */
export const keepsKnown = (of: Cube, level: Level): boolean => level.knownByMonth || level === finestOf(of);

/** The storage format of a cube. The grain is that of the value: `y`ear, `m`onth or `d`ay. */
export function cells(of: Cube): readonly Collection[] {
  const { measures, levels } = of;
  const table = (level: Level, part: Kept, days: readonly string[]): Collection => {
    const names = ['grain', ...days, ...level.dimensions];
    const key = Object.fromEntries(names.map((name) => [name, 'text'] as const));
    return { name: collectionOf(level, part), key, measures };
  };
  return levels.flatMap((level) => {
    const kept = [table(level, 'ever', ['value'])];
    if (!keepsKnown(of, level)) return kept;
    // A bound on the first name is a range of the primary index. By month of recording, cells are sought by the days that
    // they count from; by day, by the few days of recording that no whole month holds.
    const days = level === finestOf(of) ? ['recorded', 'value'] : ['value', 'recorded'];
    kept.push(table(level, 'late', days), table(level, 'ahead', days));
    if (level.aheadByYear === true) kept.push(table(level, 'ahead_by_year', days));
    return level.aheadByDay !== undefined ? [...kept, table(level, 'ahead_by_day', ['recorded', 'value'])] : kept;
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
  const read = async (part: Part, sign: 1 | -1, range: Range, recorded: Range) => {
    for (const reading of readings(of, level, part, { value: range, recorded, told })) {
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
}

/** A box of days as readings, each of the coarsest cells that fit it. */
function readings(of: Cube, level: Level, part: Part, { value, recorded, told }: Box): readonly Reading[] {
  if (isEmpty(value)) return [];
  const nearest = !told;
  const spans = spansOf(value, { byYear: level.byYear === true && !told, nearest });
  if (part === 'ever') return ofEachSign({ collection: level.collection, recorded: null, sign: 1 }, spans);
  const finest = finestOf(of);
  const byDay = { collection: collectionOf(finest, part), spans: [dayspan(value.from, value.to)] };
  if (level === finest || !level.knownByMonth) {
    return [{ ...byDay, recorded: bounds(recorded.from, recorded.to), sign: 1 }];
  }
  const byYear = part === 'ahead' && level.aheadByYear === true;
  return spansOf(recorded, { byYear, nearest: true }).flatMap(({ grain, sign, gte, lte }) => {
    if (grain !== 'day') {
      const kept = grain === 'year' ? 'ahead_by_year' : part;
      return ofEachSign({ collection: collectionOf(level, kept), recorded: bounds(gte, lte), sign }, spans);
    }
    // Sought one by one, so that of each only the days of value that are asked for are read.
    const days: Condition = { in: daysOf(gte as LocalDate, lte as LocalDate) };
    if (part !== 'ahead' || level.aheadByDay === undefined) return { ...byDay, recorded: days, sign };
    const kept = { collection: collectionOf(level, 'ahead_by_day'), recorded: days, sign };
    const months = spansOf(value, { byYear: false, nearest });
    if (level.aheadByDay === 'day') return ofEachSign(kept, months);
    const isDay = ({ grain }: Span) => grain === 'day';
    return [
      ...ofEachSign(
        kept,
        months.filter((span) => !isDay(span)),
      ),
      ...ofEachSign({ ...kept, collection: byDay.collection }, months.filter(isDay)),
    ];
  });
}

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
  for (const group of lagGroups(of)) {
    const lagging = group.days > 0;
    const names = group.measures.filter(({ to }) => measures.includes(to));
    // Cells by month and year hold what counts in them, however long it lagged.
    const found = lagging ? spans.filter(({ grain }) => grain === 'day') : spans;
    if (names.length === 0 || found.length === 0) continue;
    const where = found.map((span) => ({
      grain: GRAINS[span.grain],
      ...bounded,
      ...within('value', span.grain === 'day' ? shifted(span, group.days) : span),
      ...(recorded === null ? {} : { recorded }),
    }));
    const rows = await view.sum(collection, { where, by, measures: names.map(({ from }) => from) });
    for (const row of rows) {
      const keys = by.map((name) => {
        const text = textIn(row, name);
        return lagging && name === 'value' ? dayAfter(text as LocalDate, group.days) : text;
      });
      addRow(total, { by, keys, measures }, (add) => {
        for (const { from, to } of names) add(to, signed(amountOf(row, from), sign));
      });
    }
  }
}

function addRow(
  total: Map<string, Record<string, string | Amount>>,
  { by, keys, measures }: { by: readonly string[]; keys: readonly string[]; measures: readonly string[] },
  each: (add: (measure: string, amount: Amount) => void) => void,
): void {
  // Names hold no space, so keys cannot run into one another.
  const name = keys.join(' ');
  let sums = total.get(name);
  if (sums === undefined) {
    sums = {};
    for (const [index, one] of by.entries()) sums[one] = keys[index] as string;
    for (const measure of measures) sums[measure] = 0;
    total.set(name, sums);
  }
  const row = sums;
  each((measure, amount) => {
    row[measure] = addExact(amountOf(row, measure), amount);
  });
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
