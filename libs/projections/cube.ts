import type { LocalDate } from '../kernel/dates.js';
import { addDays, dayOf, earlierOf, type Instant, laterOf, monthOf } from '../kernel/dates.js';
import { type Amount, addExact } from '../kernel/money.js';
import { invariant } from '../kernel/result.js';
import type { Change, Collection, Condition, ReadView, Where } from '../read-store/port.js';

/*
 * Cells that hold what events add to measures, keyed by dimensions and by two days: when it counts (`value`) and when
 * it was recorded (`recorded`). A figure as of a day, as known on a day, is a sum of cells; no clock, no replay
 * (design §6, ADR 0004).
 *
 * A projection gives the finest cells only; roll-up.ts tells what is kept from a folded batch of them, at several levels
 * of breakdown, by day and by month, in three sets:
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
  /** Of a level known by month: what is ahead is kept by day of recording too, for the month that `knownOn` cuts. */
  readonly aheadByDay?: true;
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
/** What is ahead is kept twice where it is kept by month of recording and by day. */
export type Kept = Part | 'ahead_by_day';
export const collectionOf = ({ collection }: Level, part: Kept): string =>
  part === 'ever' ? collection : `${collection}_${part}`;

export const finestOf = <Dimension extends string>({ levels }: Cube<Dimension>): Level<Dimension> => {
  const finest = levels.at(-1);
  invariant(finest !== undefined, 'a cube has a level');
  return finest;
};

/** What came late and what is ahead is kept by month at some levels, and at the finest by day. */
export const keepsKnown = (of: Cube, level: Level): boolean => level.knownByMonth || level === finestOf(of);

/** The storage format of a cube. The grain is that of the value: `m`onth or `d`ay. */
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
    // A bound on the first name is a range of the primary index. By month, what is ahead is sought by the days that it
    // is ahead of; by day, by the few days of recording that no whole month holds.
    const ahead = level === finestOf(of) ? ['recorded', 'value'] : ['value', 'recorded'];
    kept.push(table(level, 'late', ['recorded', 'value']), table(level, 'ahead', ahead));
    return level.aheadByDay === true ? [...kept, table(level, 'ahead_by_day', ['recorded', 'value'])] : kept;
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

/** Days, both ends included; null: without end. */
export interface Range {
  readonly from: LocalDate | null;
  readonly to: LocalDate | null;
}

export const EVER: Range = { from: null, to: null };

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
  const read = async (part: Part, sign: 1 | -1, range: Range, recorded: Range) => {
    for (const reading of readings(of, level, part, { value: range, recorded })) {
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

/** One search of the cells of a table: days of value that it holds by day, and months that it holds by month. */
export interface Reading {
  readonly collection: string;
  readonly recorded: Condition | null;
  readonly spans: readonly Span[];
}

/** A box of days as disjoint readings, each of the coarsest cells that fit it. */
export function readings(
  of: Cube,
  level: Level,
  part: Part,
  { value, recorded }: { readonly value: Range; readonly recorded: Range },
): readonly Reading[] {
  if (isEmpty(value)) return [];
  if (part === 'ever') return [{ collection: level.collection, recorded: null, spans: spansOf(value) }];
  const finest = finestOf(of);
  const byDay = {
    collection: collectionOf(finest, part),
    spans: [{ grain: 'day' as const, gte: value.from, lte: value.to }],
  };
  if (level === finest || !level.knownByMonth) return [{ ...byDay, recorded: bounds(recorded.from, recorded.to) }];
  return spansOf(recorded).map(({ grain, gte, lte }): Reading => {
    if (grain === 'month') {
      return { collection: collectionOf(level, part), recorded: bounds(gte, lte), spans: spansOf(value) };
    }
    // Sought one by one, so that of each only the days of value that are asked for are read.
    const days: Condition = { in: daysOf(gte as LocalDate, lte as LocalDate) };
    if (part !== 'ahead' || level.aheadByDay !== true) return { ...byDay, recorded: days };
    return { collection: collectionOf(level, 'ahead_by_day'), recorded: days, spans: spansOf(value) };
  });
}

/** The few days of a part of a month. */
function daysOf(from: LocalDate, to: LocalDate): readonly LocalDate[] {
  const days: LocalDate[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return days;
}

interface Asked extends Omit<Question<string>, 'value' | 'due'> {
  readonly reading: Reading;
  readonly bounded: Where;
}

async function addReading(
  view: ReadView,
  of: Cube,
  { reading, bounded, by, measures }: Asked,
  sign: 1 | -1,
  total: Map<string, Record<string, string | Amount>>,
): Promise<void> {
  const { collection, recorded, spans } = reading;
  for (const group of lagGroups(of)) {
    const lagging = group.days > 0;
    const names = group.measures.filter(({ to }) => measures.includes(to));
    // Cells by month hold what counts in the month, however long it lagged.
    const found = lagging ? spans.filter(({ grain }) => grain === 'day') : spans;
    if (names.length === 0 || found.length === 0) continue;
    const where = found.map((span) => ({
      grain: span.grain === 'month' ? 'm' : 'd',
      ...bounded,
      ...within('value', span.grain === 'month' ? span : shifted(span, group.days)),
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

// ----------------------------------------------------------------------------------------------------------- spans

/** A run of whole months or of days, both ends included; null: without end. */
export interface Span {
  readonly grain: 'month' | 'day';
  readonly gte: string | null;
  readonly lte: string | null;
}

const isEmpty = ({ from, to }: Range): boolean => from !== null && to !== null && from > to;

/** Whole months where the range holds any, and the days before and after them. */
export function spansOf(range: Range): readonly Span[] {
  const { from, to } = range;
  if (isEmpty(range)) return [];
  const first = from === null ? null : firstWholeMonth(from);
  const last = to === null ? null : lastWholeMonth(to);
  if (first !== null && last !== null && first > last) return [{ grain: 'day', gte: from, lte: to }];
  const spans: Span[] = [{ grain: 'month', gte: first, lte: last }];
  if (from !== null && first !== monthOf(from)) spans.push({ grain: 'day', gte: from, lte: lastDayOf(monthOf(from)) });
  if (to !== null && last !== monthOf(to)) spans.push({ grain: 'day', gte: `${monthOf(to)}-01`, lte: to });
  return spans;
}

const firstWholeMonth = (from: LocalDate): string =>
  from.endsWith('-01') ? monthOf(from) : monthOf(addDays(`${monthOf(from)}-28` as LocalDate, 4));

function lastWholeMonth(to: LocalDate): string {
  const month = monthOf(to);
  return monthOf(addDays(to, 1)) === month ? monthOf(addDays(`${month}-01` as LocalDate, -1)) : month;
}

function lastDayOf(month: string): LocalDate {
  const next = monthOf(addDays(`${month}-28` as LocalDate, 4));
  return addDays(`${next}-01` as LocalDate, -1);
}

/** The days whose measures count in the span when they lag. */
function shifted({ grain, gte, lte }: Span, days: number): Span {
  const back = (day: string | null) => (day === null ? null : addDays(day as LocalDate, -days));
  return { grain, gte: back(gte), lte: back(lte) };
}

const bounds = (gte: string | null, lte: string | null): Condition => ({
  ...(gte === null ? {} : { gte }),
  ...(lte === null ? {} : { lte }),
});

const within = (name: string, { gte, lte }: Span): Where =>
  gte === null && lte === null ? {} : { [name]: bounds(gte, lte) };
