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

export type Axis = 'value' | 'due' | 'recorded';
/** `ever` is the whole axis as one: what a query that is bound by nothing on it reads. */
export type Grain = 'ever' | 'month' | 'day';

/** One set of cells: a collection, its dimensions, and the grains kept on each axis, coarsest first. */
export interface Rollup<Dimension extends string = string> {
  readonly collection: string;
  readonly dimensions: readonly Dimension[];
  readonly grains: Readonly<Partial<Record<Axis, readonly Grain[]>>>;
}

/** A roll-up with its combinations of grains worked out. */
export interface Cube<Dimension extends string = string> extends Rollup<Dimension> {
  readonly axes: readonly Axis[];
  /** One code a combination: the first part of a cell's key, which keeps the combinations apart. */
  readonly cuts: readonly { readonly code: string; readonly grains: readonly Grain[] }[];
}

/** Deltas of an event on one day of each axis. */
export type Deltas = Record<string, number>;

/** What an event adds, by value date. */
export type Points = Map<LocalDate, Deltas>;

// The key begins with the recorded day: a bound on it is then one range of the primary index, and what was recorded
// after a day, which is little, is found without reading what was recorded before it.
const AXES: readonly Axis[] = ['recorded', 'value', 'due'];

export function cube<Dimension extends string>(rollup: Rollup<Dimension>): Cube<Dimension> {
  const axes = AXES.filter((axis) => rollup.grains[axis] !== undefined);
  let cuts: { code: string; grains: Grain[] }[] = [{ code: '', grains: [] }];
  for (const axis of axes) {
    const grains = rollup.grains[axis] as readonly Grain[];
    cuts = cuts.flatMap((cut) =>
      grains.map((grain) => ({ code: cut.code + LETTERS[grain], grains: [...cut.grains, grain] })),
    );
  }
  return { ...rollup, axes, cuts };
}

const LETTERS = { ever: 'e', month: 'm', day: 'd' } as const satisfies Record<Grain, string>;

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
  for (const { collection, cuts, axes, dimensions: names } of cubes) {
    for (const { code, grains } of cuts) {
      const key: Record<string, string> = { grains: code };
      for (let i = 0; i < axes.length; i++) {
        const axis = axes[i] as Axis;
        key[axis] = textOf(days[axis] as LocalDate, grains[i] as Grain);
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

const textOf = (day: LocalDate, grain: Grain): string =>
  grain === 'day' ? day : grain === 'month' ? day.slice(0, 7) : '';

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
  const [keepsEver] = of.grains.recorded ?? [];
  if (knownOn === null || keepsEver !== 'ever' || value.to === null || value.to > knownOn) {
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

/** A box of days as disjoint searches, each in one combination of grains. */
export function pieces(of: Cube, ranges: Readonly<Record<Axis, Range>>): readonly Where[] {
  let found: Record<string, Condition>[] = [{ grains: '' }];
  for (const axis of of.axes) {
    const spans = spansOf(of.grains[axis] as readonly Grain[], ranges[axis]);
    found = found.flatMap((where) =>
      spans.map(({ grain, gte, lte }) => ({
        ...where,
        grains: `${where.grains}${LETTERS[grain]}`,
        ...(gte === null && lte === null ? {} : { [axis]: bounds(gte, lte) }),
      })),
    );
  }
  return found;
}

const bounds = (gte: string | null, lte: string | null): Condition => ({
  ...(gte === null ? {} : { gte }),
  ...(lte === null ? {} : { lte }),
});

/** A run of cells of one grain, by their own texts. */
interface Span {
  readonly grain: Grain;
  readonly gte: string | null;
  readonly lte: string | null;
}

/** A range as whole months where it holds any, and the days before and after them. */
function spansOf(grains: readonly Grain[], { from, to }: Range): readonly Span[] {
  if (from !== null && to !== null && from > to) return [];
  if (from === null && to === null) return [{ grain: grains[0] as Grain, gte: null, lte: null }];
  const days: Span = { grain: 'day', gte: from, lte: to };
  if (!grains.includes('month')) return [days];
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
