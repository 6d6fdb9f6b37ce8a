import { addMonths, dateOfDay, dayNumber, type LocalDate, monthOf } from '../kernel/dates.js';
import { type Amount, addExact } from '../kernel/money.js';
import { invariant } from '../kernel/result.js';
import type { Change, Key } from '../read-store/port.js';
import { type Cube, collectionOf, finestOf, type Kept, type Level, lagGroups, valuesKept } from './cube.js';

/*
 * From the finest cells of a folded batch to the cells that are kept (cube.ts). Each level is told from the next finer
 * one, months from days and years from months, so that the work shrinks with the cells. Cells are sums and nothing else:
 * whichever way a history was cut into batches, the same cells come of it.
 *
 * Every event passes here: inside, days and months are numbers, and the cells of a table stand in one array.
 */

/** A roll-up of several cubes; changes of anything else pass. */
export function rollUpOf(cubes: readonly Cube[]): (folded: readonly Change[]) => readonly Change[] {
  const plans = new Map(cubes.map((of) => [of.name, planOf(of)]));
  return (folded) => {
    const rolled: Change[] = [];
    const finest = new Map<Plan, Batch>();
    for (const change of folded) {
      const plan = plans.get(change.collection);
      if (plan === undefined) rolled.push(change);
      else take(finest, plan, change);
    }
    for (const [plan, { cells }] of finest) keep(plan, cells, rolled);
    return rolled;
  };
}

interface Plan {
  readonly cube: Cube;
  readonly finest: Step;
  /** The finest first. */
  readonly steps: readonly Step[];
  readonly groups: readonly Group[];
}

/** A level, and those that its cells can be told from, the smallest first. */
interface Step {
  readonly level: Level;
  readonly place: number;
  readonly finer: readonly Level[];
}

/** Measures that count so many days after their day: where each stands, and where it is added. */
interface Group {
  readonly days: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

function planOf(cube: Cube): Plan {
  const placeOf = (measure: string) => cube.measures.indexOf(measure);
  const steps = cube.levels.map((level, place): Step => {
    const finer = cube.levels.slice(place + 1).filter((it) => level.dimensions.every((d) => it.dimensions.includes(d)));
    return { level, place, finer };
  });
  const groups = lagGroups(cube).map(({ days, measures }) => ({
    ...{ days, from: measures.map(({ from }) => placeOf(from)), to: measures.map(({ to }) => placeOf(to)) },
  }));
  const finest = steps.at(-1);
  invariant(finest?.level === finestOf(cube), `${cube.name} has a level`);
  return { cube, finest, steps: steps.reverse(), groups };
}

// ---------------------------------------------------------------------------------------------------------- tables

/** One combination of dimensions: a key that has them, and a number for what each level tells apart of it. */
interface Combination {
  readonly of: Key;
  readonly numbers: readonly number[];
}

/** By what recording is told apart in a set of cells. */
type Recorded = 'day' | 'month' | 'year' | 'not';

/** Cells of one set, level and grain under way. A day or month is a number; `recorded` is 0 where it is not told. */
class Cells {
  readonly recorded: number[] = [];
  readonly value: number[] = [];
  readonly of: Combination[] = [];
  /** Of each cell in turn, its sums in the order of the cube's measures. */
  readonly sums: Amount[] = [];
  readonly #index = new Map<number, number>();
  #first = 0;

  constructor(
    readonly step: Step,
    readonly recordedBy: Recorded,
    private readonly width: number,
  ) {}

  /** Where the sums of a cell begin. */
  at(recorded: number, value: number, of: Combination): number {
    if (this.of.length === 0) this.#first = recorded;
    const number = of.numbers[this.step.place] as number;
    // A batch has few days or months of recording: the key is small, and small numbers are found fastest.
    const key = ((recorded - this.#first) * COMBINATIONS + number) * DAYS + value;
    let at = this.#index.get(key);
    if (at === undefined) {
      at = this.append(recorded, value, of);
      this.#index.set(key, at);
    }
    return at;
  }

  /** The same of a cell that is not there yet. */
  append(recorded: number, value: number, of: Combination): number {
    const at = this.sums.length;
    this.recorded.push(recorded);
    this.value.push(value);
    this.of.push(of);
    for (let i = 0; i < this.width; i++) this.sums.push(0);
    return at;
  }

  add(at: number, more: Amount): void {
    const before = this.sums[at] as Amount;
    this.sums[at] = before === 0 ? more : addExact(before, more);
  }
}

/** Days since 1970 up to 2199 are fewer. With the other and the days between two recordings, keys are exact. */
const DAYS = 2 ** 17;
const COMBINATIONS = 2 ** 19;

/** The finest cells of a batch, and the combinations that were seen in it. */
interface Batch {
  readonly cells: Cells;
  readonly combinations: Map<string, Combination>;
  readonly numbers: readonly Map<string, number>[];
}

function take(finest: Map<Plan, Batch>, plan: Plan, change: Change): void {
  invariant(change.op === 'add', `${change.collection} takes what is added`);
  const { measures } = plan.cube;
  let batch = finest.get(plan);
  if (batch === undefined) {
    const numbers = plan.steps.map(() => new Map<string, number>());
    batch = { cells: new Cells(plan.finest, 'day', measures.length), combinations: new Map(), numbers };
    finest.set(plan, batch);
  }
  const { recorded, value } = change.key as { readonly recorded: LocalDate; readonly value: LocalDate };
  const { cells } = batch;
  // Folded: no two have one key.
  const at = cells.append(dayNumber(recorded), dayNumber(value), combinationOf(batch, plan, change.key));
  for (let i = 0; i < measures.length; i++) {
    const more = change.measures[measures[i] as string];
    if (more !== undefined && more !== 0) cells.add(at + i, more);
  }
}

function combinationOf({ combinations, numbers }: Batch, { finest, cube }: Plan, of: Key): Combination {
  const text = textOf(finest.level, of);
  const known = combinations.get(text);
  if (known !== undefined) return known;
  const own = cube.levels.map((level, place) => {
    const names = numbers[place] as Map<string, number>;
    const name = textOf(level, of);
    const number = names.get(name) ?? names.size;
    names.set(name, number);
    return number;
  });
  invariant(combinations.size < COMBINATIONS, `a batch has fewer than ${COMBINATIONS} combinations of dimensions`);
  const combination = { of, numbers: own };
  combinations.set(text, combination);
  return combination;
}

/** Names and days hold no space, so they cannot run into one another. */
function textOf(level: Level, of: Key): string {
  let text = '';
  for (const name of level.dimensions) text += `${of[name]} `;
  return text;
}

// --------------------------------------------------------------------------------------------------------- rolling

function keep(plan: Plan, finest: Cells, rolled: Change[]): void {
  const { late, ahead } = apart(plan, finest);
  keepEver(plan, coarser(plan, finest, plan.finest, 'not'), rolled);
  keepKnown(plan, 'late', late, rolled);
  keepKnown(plan, 'ahead', ahead, rolled);
  keepAheadByDay(plan, ahead, rolled);
}

/** What counts from another day than that on which it was recorded. */
function apart({ cube, finest, groups }: Plan, cells: Cells): { late: Cells; ahead: Cells } {
  const width = cube.measures.length;
  const [late, ahead] = [new Cells(finest, 'day', width), new Cells(finest, 'day', width)];
  for (let cell = 0; cell < cells.of.length; cell++) {
    const [recorded, value] = [cells.recorded[cell] as number, cells.value[cell] as number];
    const places = { late: -1, ahead: -1 };
    for (const { days, from } of groups) {
      const counts = value + days;
      if (counts === recorded || isNothing(cells.sums, cell * width, from)) continue;
      const part = counts < recorded ? 'late' : 'ahead';
      const into = part === 'late' ? late : ahead;
      if (places[part] < 0) places[part] = into.append(recorded, value, cells.of[cell] as Combination);
      for (const place of from) into.add(places[part] + place, cells.sums[cell * width + place] as Amount);
    }
  }
  return { late, ahead };
}

/** Of all levels, the finest given by day. */
function keepEver(plan: Plan, finest: Cells, rolled: Change[]): void {
  const kept = new Map<Level, { readonly days: Cells; readonly months: Cells }>();
  for (const step of plan.steps) {
    const from = step.finer[0] === undefined ? undefined : kept.get(step.finer[0]);
    const days = from === undefined ? finest : coarser(plan, from.days, step, 'not');
    const months = from === undefined ? byMonth(plan, days, step, 'not') : coarser(plan, from.months, step, 'not');
    kept.set(step.level, { days, months });
    push(plan, 'ever', 'd', days, rolled);
    pushMonths(plan, 'ever', months, rolled);
  }
}

/** What came late or is ahead, given by day: by month and year of recording at the levels that keep that. */
function keepKnown(plan: Plan, part: 'late' | 'ahead', finest: Cells, rolled: Change[]): void {
  if (finest.of.length === 0) return;
  push(plan, part, 'd', finest, rolled);
  const kept = new Map<Level, { readonly days: Cells | null; readonly months: Cells }>();
  for (const step of plan.steps) {
    const [ofMonth, ofYear] = [valuesKept(step.level, part, 'month'), valuesKept(step.level, part, 'year')];
    if (ofMonth === undefined && ofYear === undefined) continue;
    const finer = step.finer.flatMap((level) => kept.get(level) ?? []);
    const daily = finer.find(({ days }) => days !== null)?.days ?? finest;
    const days = [ofMonth, ofYear].includes('days') ? coarser(plan, daily, step, 'month') : null;
    const [next] = finer;
    const months = next ? coarser(plan, next.months, step, 'month') : byMonth(plan, days ?? finest, step, 'month');
    kept.set(step.level, { days, months });
    if (ofMonth === 'days' && days !== null) push(plan, part, 'd', days, rolled);
    if (ofMonth !== undefined) pushMonths(plan, part, months, rolled);
    if (ofYear === 'days' && days !== null) push(plan, 'ahead_by_year', 'd', coarser(plan, days, step, 'year'), rolled);
    if (ofYear !== undefined) pushMonths(plan, 'ahead_by_year', coarser(plan, months, step, 'year'), rolled);
  }
}

/** What is ahead by day of recording, at the levels that keep that as well. */
function keepAheadByDay(plan: Plan, finest: Cells, rolled: Change[]): void {
  for (const step of plan.steps) {
    if (!step.level.aheadByDay) continue;
    const days = coarser(plan, finest, step, 'day');
    push(plan, 'ahead_by_day', 'd', days, rolled);
    push(plan, 'ahead_by_day', 'm', byMonth(plan, days, step, 'day'), rolled);
  }
}

function pushMonths(plan: Plan, part: Kept, months: Cells, rolled: Change[]): void {
  push(plan, part, 'm', months, rolled);
  if (months.step.level.byYear === true) push(plan, part, 'y', byYear(plan, months), rolled);
}

/** Cells of fewer dimensions, or of which less is told of their recording. */
function coarser({ cube }: Plan, cells: Cells, step: Step, recordedBy: Recorded): Cells {
  const width = cube.measures.length;
  const found = new Cells(step, recordedBy, width);
  const told = recordedOf(cells.recordedBy, recordedBy);
  for (let cell = 0; cell < cells.of.length; cell++) {
    const recorded = told(cells.recorded[cell] as number);
    const at = found.at(recorded, cells.value[cell] as number, cells.of[cell] as Combination);
    for (let i = 0; i < width; i++) {
      const more = cells.sums[cell * width + i] as Amount;
      if (more !== 0) found.add(at + i, more);
    }
  }
  return found;
}

function recordedOf(before: Recorded, after: Recorded): (recorded: number) => number {
  if (after === 'not') return () => 0;
  if (before === after) return (recorded) => recorded;
  return after === 'month' ? monthNumber : yearOfMonth;
}

/** By the month in which it counts, with what lagged now part of what it is of. */
function byMonth({ cube, groups }: Plan, cells: Cells, step: Step, recordedBy: Recorded): Cells {
  const width = cube.measures.length;
  const found = new Cells(step, recordedBy, width);
  const told = recordedOf(cells.recordedBy, recordedBy);
  for (let cell = 0; cell < cells.of.length; cell++) {
    for (const { days, from, to } of groups) {
      if (isNothing(cells.sums, cell * width, from)) continue;
      const month = monthNumber((cells.value[cell] as number) + days);
      const at = found.at(told(cells.recorded[cell] as number), month, cells.of[cell] as Combination);
      for (let i = 0; i < from.length; i++) {
        const more = cells.sums[cell * width + (from[i] as number)] as Amount;
        if (more !== 0) found.add(at + (to[i] as number), more);
      }
    }
  }
  return found;
}

/** Months as years: nothing lags any more. */
function byYear({ cube }: Plan, months: Cells): Cells {
  const width = cube.measures.length;
  const found = new Cells(months.step, months.recordedBy, width);
  for (let cell = 0; cell < months.of.length; cell++) {
    const year = yearOfMonth(months.value[cell] as number);
    const at = found.at(months.recorded[cell] as number, year, months.of[cell] as Combination);
    for (let i = 0; i < width; i++) {
      const more = months.sums[cell * width + i] as Amount;
      if (more !== 0) found.add(at + i, more);
    }
  }
  return found;
}

function isNothing(sums: readonly Amount[], at: number, places: readonly number[]): boolean {
  for (const place of places) if (sums[at + place] !== 0) return false;
  return true;
}

/** The cells as changes, without those of nothing; a measure that a cell has not is 0. */
function push({ cube }: Plan, part: Kept, grain: keyof typeof VALUE_TEXTS, cells: Cells, rolled: Change[]): void {
  const { measures } = cube;
  const { level } = cells.step;
  const collection = collectionOf(level, part);
  const recordedText = RECORDED_TEXTS[cells.recordedBy];
  const valueText = VALUE_TEXTS[grain];
  for (let cell = 0; cell < cells.of.length; cell++) {
    const sums: Record<string, Amount> = {};
    let something = false;
    for (let i = 0; i < measures.length; i++) {
      const sum = cells.sums[cell * measures.length + i] as Amount;
      if (sum === 0) continue;
      sums[measures[i] as string] = sum;
      something = true;
    }
    if (!something) continue;
    const { of } = cells.of[cell] as Combination;
    const value = valueText(cells.value[cell] as number);
    const key: Record<string, string> =
      part === 'ever' ? { grain, value } : { grain, recorded: recordedText(cells.recorded[cell] as number), value };
    for (const name of level.dimensions) key[name] = of[name] as string;
    rolled.push({ op: 'add', collection, key, measures: sums });
  }
}

// ----------------------------------------------------------------------------------------------- days and numbers

/* Remembered: the same few thousand days come again and again. */

function dayText(day: number): LocalDate {
  let text = DAY_TEXTS.get(day);
  if (text === undefined) {
    text = dateOfDay(day);
    DAY_TEXTS.set(day, text);
  }
  return text;
}

/** Months since 1970. */
function monthNumber(day: number): number {
  let number = MONTH_NUMBERS.get(day);
  if (number === undefined) {
    const text = dayText(day);
    number = Number(text.slice(0, 4)) * MONTHS_A_YEAR + Number(text.slice(5, 7)) - 1 - FIRST_MONTH;
    MONTH_NUMBERS.set(day, number);
  }
  return number;
}

function monthText(month: number): string {
  let text = MONTH_TEXTS.get(month);
  if (text === undefined) {
    text = monthOf(addMonths('1970-01-01' as LocalDate, month));
    MONTH_TEXTS.set(month, text);
  }
  return text;
}

const yearOfMonth = (month: number): number => Math.floor(month / MONTHS_A_YEAR);
const yearText = (year: number): string => String(FIRST_YEAR + year);

const VALUE_TEXTS = { y: yearText, m: monthText, d: dayText } as const;
const RECORDED_TEXTS = { day: dayText, month: monthText, year: yearText, not: () => '' } as const;

const MONTHS_A_YEAR = 12;
const FIRST_YEAR = 1970;
const FIRST_MONTH = FIRST_YEAR * MONTHS_A_YEAR;

// Bounded by the days that there are: 1990 to 2199, and some months after.
const DAY_TEXTS = new Map<number, LocalDate>();
const MONTH_NUMBERS = new Map<number, number>();
const MONTH_TEXTS = new Map<number, string>();
