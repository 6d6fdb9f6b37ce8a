import type { LocalDate } from '../kernel/dates.js';
import { addDays, dayOf, type Instant, monthOf } from '../kernel/dates.js';
import { type Amount, addExact } from '../kernel/money.js';
import { invariant } from '../kernel/result.js';
import type { Change, Collection, Condition, ReadView, Where } from '../read-store/port.js';

/*
 * Cells that hold what events add to measures, keyed by dimensions and by days on several axes: when it counts
 * (`value`), when it was recorded (`recorded`), and for late receipts when it had been due (`due`). A figure as of a
 * day, as known on a day, is a sum of cells; no clock, no replay (design §6).
 *
 * Each delta is added in several roll-ups: by fewer dimensions and by coarser days. Coarser cells are the sums of finer
 * ones and nothing else, so a query may take whichever cut its rectangle into the fewest.
 */

export type Axis = 'recorded' | 'value' | 'due';
/** `ever` is the whole axis as one: what a query that is bound by nothing on it reads. */
export type Grain = 'ever' | 'month' | 'day';

/** One set of cells: a collection, its dimensions, and what is kept of the days. */
export interface Rollup<Dimension extends string = string> {
  readonly collection: string;
  readonly dimensions: readonly Dimension[];
  /**
   * The combinations of grains that are kept, coarsest first: a letter an axis (`e`ver, `m`onth, `d`ay) in the order of
   * `Axis`. The last is by day on every axis: from it, all others could be told.
   */
  readonly cuts: readonly string[];
}

/** A roll-up with its combinations of grains worked out. */
export interface Cube<Dimension extends string = string> {
  readonly collection: string;
  readonly dimensions: readonly Dimension[];
  readonly axes: readonly Axis[];
  /** The code is the first part of a cell's key: it keeps the combinations apart. */
  readonly cuts: readonly { readonly code: string; readonly grains: readonly Grain[] }[];
}

// The key begins with the recorded day: a bound on it is then one range of the primary index, and what was recorded
// after a day, which is little, is found without reading what was recorded before it.
const AXES: readonly Axis[] = ['recorded', 'value', 'due'];
const GRAINS: Readonly<Record<string, Grain>> = { e: 'ever', m: 'month', d: 'day' };

export function cube<Dimension extends string>({ collection, dimensions, cuts }: Rollup<Dimension>): Cube<Dimension> {
  const finest = cuts.at(-1) ?? '';
  invariant(/^d+$/.test(finest), `${collection} keeps days last`);
  return {
    ...{ collection, dimensions, axes: AXES.slice(0, finest.length) },
    cuts: cuts.map((code) => ({ code, grains: [...code].map((letter) => GRAINS[letter] as Grain) })),
  };
}

/** Deltas of an event on one day of each axis. */
export type Deltas = Record<string, number>;

/** What an event adds, by value date. */
export type Points = Map<LocalDate, Deltas>;

/** The storage format of a roll-up's cells. */
export function cells(of: Cube, measures: readonly string[]): Collection {
  const key: Record<string, 'text'> = { grains: 'text' };
  for (const name of [...of.axes, ...of.dimensions]) key[name] = 'text';
  return { name: of.collection, key, measures };
}

// -------------------------------------------------------------------------------------------------------- postings

/** Adds to the deltas of a value date. */
export function post(points: Points, day: LocalDate, measure: string, amount: number): void {
  if (amount === 0) return;
  const deltas = points.get(day);
  if (deltas === undefined) points.set(day, { [measure]: amount });
  else deltas[measure] = (deltas[measure] ?? 0) + amount;
}

/** The changes of one delta in every cut of every roll-up. The measures are shared: nobody changes them. */
export function addTo<Dimension extends string>(
  changes: Change[],
  cubes: readonly Cube<Dimension>[],
  dimensions: Readonly<Record<Dimension, string>>,
  days: Readonly<Partial<Record<Axis, LocalDate>>>,
  measures: Readonly<Deltas>,
): void {
  const months: Partial<Record<Axis, string>> = {};
  for (const axis in days) months[axis as Axis] = days[axis as Axis]?.slice(0, 7) ?? '';
  for (const { collection, cuts, axes, dimensions: names } of cubes) {
    for (const { code, grains } of cuts) {
      const key: Record<string, string> = { grains: code };
      for (let i = 0; i < axes.length; i++) {
        const axis = axes[i] as Axis;
        const grain = grains[i];
        key[axis] = (grain === 'day' ? days[axis] : grain === 'month' ? months[axis] : '') as string;
      }
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as Dimension;
        key[name] = dimensions[name];
      }
      changes.push({ op: 'add', collection, key, measures });
    }
  }
}

/** The changes of an event's deltas by value date. */
export function addPoints<Dimension extends string>(
  changes: Change[],
  cubes: readonly Cube<Dimension>[],
  dimensions: Readonly<Record<Dimension, string>>,
  points: Points,
  recorded: LocalDate,
): void {
  for (const [value, deltas] of points) addTo(changes, cubes, dimensions, { value, recorded }, deltas);
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

// ------------------------------------------------------------------------------------------------------------ sums

/** Days of one axis, both ends included; null: without end. */
export interface Range {
  readonly from: LocalDate | null;
  readonly to: LocalDate | null;
}

export const EVER: Range = { from: null, to: null };

export interface Question<Dimension extends string> {
  readonly by: readonly (Dimension | Axis)[];
  readonly measures: readonly string[];
  readonly value: Range;
  readonly due?: Range;
  /** Recorded up to the end of this day; null: whenever. */
  readonly knownOn: LocalDate | null;
}

export type Sums = Readonly<Record<string, string | Amount>>;

/** The first roll-up of the list that tells these dimensions apart: a list begins with the smallest. */
export function cubeFor<Dimension extends string>(
  cubes: readonly Cube<Dimension>[],
  dimensions: readonly Dimension[],
): Cube<Dimension> {
  const found = cubes.find((of) => dimensions.every((name) => of.dimensions.includes(name)));
  invariant(found !== undefined, `a roll-up tells ${dimensions.join()} apart`);
  return found;
}

/**
 * Sums over value dates and due days, as known on a day. Where nothing of the range can have been recorded before it
 * counted but what was posted ahead, it is read as everything less what was recorded later, which is little; else as
 * what was recorded by then. Both give the same (the specs hold them against one another).
 */
export async function sumCells<Dimension extends string>(
  view: ReadView,
  of: Cube<Dimension>,
  question: Question<Dimension>,
): Promise<readonly Sums[]> {
  const { value, knownOn } = question;
  const keepsEver = of.cuts.some(({ grains }) => grains[0] === 'ever');
  if (knownOn === null || !keepsEver || value.to === null || value.to > knownOn) {
    return sumOf(view, of, question, { from: null, to: knownOn });
  }
  const [all, later] = [
    await sumOf(view, of, question, EVER),
    await sumOf(view, of, question, { from: addDays(knownOn, 1), to: null }),
  ];
  return less(question, all, later);
}

async function sumOf(view: ReadView, of: Cube, question: Question<string>, recorded: Range): Promise<readonly Sums[]> {
  const { by, measures, value, due = EVER } = question;
  const where = pieces(of, { value, due, recorded });
  return where.length === 0 ? [] : view.sum(of.collection, { where, by, measures });
}

function less(question: Question<string>, all: readonly Sums[], later: readonly Sums[]): readonly Sums[] {
  if (later.length === 0) return all;
  // Names hold no space, so keys cannot run into one another.
  const keyOf = (row: Sums) => question.by.map((name) => row[name]).join(' ');
  const left = new Map<string, Record<string, string | Amount>>(all.map((row) => [keyOf(row), { ...row }]));
  for (const minus of later) {
    const row = left.get(keyOf(minus));
    const rest = row ?? { ...minus };
    // What came to nothing in the end has no cell, and yet was something before.
    for (const name of question.measures) {
      rest[name] = addExact(row === undefined ? 0 : amountOf(row, name), -amountOf(minus, name));
    }
    left.set(keyOf(minus), rest);
  }
  return [...left.values()];
}

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

/** A box of days as disjoint searches, each in the coarsest cut that is kept and fits it. */
export function pieces(of: Cube, ranges: Readonly<Record<Axis, Range>>): readonly Where[] {
  let boxes: (readonly Span[])[] = [[]];
  for (const axis of of.axes) {
    const spans = spansOf(ranges[axis]);
    boxes = boxes.flatMap((box) => spans.map((span) => [...box, span]));
  }
  return boxes.map((box) => {
    const cut = of.cuts.find(({ grains }) => grains.every((grain, index) => isFiner(grain, box[index] as Span)));
    invariant(cut !== undefined, `${of.collection} keeps days`);
    const where: Record<string, Condition> = { grains: cut.code };
    for (const [index, axis] of of.axes.entries()) {
      const bounds = boundsIn(cut.grains[index] as Grain, box[index] as Span);
      if (bounds !== null) where[axis] = bounds;
    }
    return where;
  });
}

/** A run of whole months or of days, both ends included; `ever` has none. */
interface Span {
  readonly grain: Grain;
  readonly gte: string | null;
  readonly lte: string | null;
}

const FINENESS = { ever: 0, month: 1, day: 2 } as const satisfies Record<Grain, number>;

const isFiner = (grain: Grain, span: Span): boolean => FINENESS[grain] >= FINENESS[span.grain];

/** The bounds of a span in the texts of cells of a grain: those of months are read by days where months are not kept. */
function boundsIn(grain: Grain, { grain: of, gte, lte }: Span): Condition | null {
  if (gte === null && lte === null) return null;
  const byDay = of === 'month' && grain === 'day';
  return {
    ...(gte === null ? {} : { gte: byDay ? `${gte}-01` : gte }),
    ...(lte === null ? {} : { lte: byDay ? `${lte}-31` : lte }),
  };
}

/** A range as whole months where it holds any, and the days before and after them. */
function spansOf({ from, to }: Range): readonly Span[] {
  if (from !== null && to !== null && from > to) return [];
  if (from === null && to === null) return [{ grain: 'ever', gte: null, lte: null }];
  const days: Span = { grain: 'day', gte: from, lte: to };
  const first = from === null ? null : firstWholeMonth(from);
  const last = to === null ? null : lastWholeMonth(to);
  if (first !== null && last !== null && first > last) return [days];
  const spans: Span[] = [{ grain: 'month', gte: first, lte: last }];
  if (from !== null && first !== monthOf(from)) spans.push({ grain: 'day', gte: from, lte: `${monthOf(from)}-31` });
  if (to !== null && last !== monthOf(to)) spans.push({ grain: 'day', gte: `${monthOf(to)}-01`, lte: to });
  return spans;
}

const firstWholeMonth = (from: LocalDate): string =>
  from.endsWith('-01') ? monthOf(from) : monthOf(addDays(`${monthOf(from)}-28` as LocalDate, 4));

function lastWholeMonth(to: LocalDate): string {
  const month = monthOf(to);
  return monthOf(addDays(to, 1)) === month ? monthOf(addDays(`${month}-01` as LocalDate, -1)) : month;
}
