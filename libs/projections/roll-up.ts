import { type LocalDate, monthOf } from '../kernel/dates.js';
import { type Amount, addExact } from '../kernel/money.js';
import { invariant } from '../kernel/result.js';
import type { Change, Key } from '../read-store/port.js';
import { type Cube, collectionOf, dayAfter, finestOf, keepsKnown, type Level, lagGroups, type Part } from './cube.js';

/*
 * From the finest cells of a folded batch to the cells that are kept (cube.ts). Each level is told from the next finer
 * one, and months from days, so that the work shrinks with the cells. Cells are sums and nothing else: whichever way a
 * history was cut into batches, the same cells come of it.
 */

/** A roll-up of several cubes; changes of anything else pass. */
export function rollUpOf(cubes: readonly Cube[]): (folded: readonly Change[]) => readonly Change[] {
  const plans = new Map(cubes.map((of) => [of.name, planOf(of)]));
  return (folded) => {
    const rolled: Change[] = [];
    const finest = new Map<Plan, Cells>();
    for (const change of folded) {
      const plan = plans.get(change.collection);
      if (plan === undefined) rolled.push(change);
      else take(finest, plan, change);
    }
    for (const [plan, cells] of finest) keep(plan, cells, rolled);
    return rolled;
  };
}

/** A cell under way: `recorded` is '' in `ever`, and a month where the cell is kept by month of recording. */
interface Cell {
  readonly recorded: string;
  readonly value: string;
  /** A key that has the dimensions: of a finest change. */
  readonly of: Key;
  /** In the order of the cube's measures. */
  readonly sums: Amount[];
}

type Cells = Map<string, Cell>;

interface Plan {
  readonly cube: Cube;
  readonly finest: Level;
  readonly levels: readonly { readonly level: Level; readonly ever: Level | null; readonly known: Level | null }[];
  readonly groups: readonly { readonly days: number; readonly places: readonly (readonly [number, number])[] }[];
}

/** The levels from the finest on, each with the smallest one before it that it can be told from; null: the finest's. */
function planOf(cube: Cube): Plan {
  const place = (measure: string) => cube.measures.indexOf(measure);
  const levels = cube.levels.map((level, index) => {
    const finer = cube.levels.slice(index + 1).filter((it) => level.dimensions.every((d) => it.dimensions.includes(d)));
    return { level, ever: finer[0] ?? null, known: finer.find((it) => keepsKnown(cube, it)) ?? null };
  });
  return {
    cube,
    finest: finestOf(cube),
    levels: levels.reverse(),
    groups: lagGroups(cube).map(({ days, measures }) => ({
      days,
      places: measures.map(({ from, to }) => [place(from), place(to)] as const),
    })),
  };
}

function take(finest: Map<Plan, Cells>, plan: Plan, change: Change): void {
  invariant(change.op === 'add', `${change.collection} takes what is added`);
  let cells = finest.get(plan);
  if (cells === undefined) {
    cells = new Map();
    finest.set(plan, cells);
  }
  const { recorded, value } = change.key as { readonly recorded: string; readonly value: string };
  const sums: Amount[] = [];
  for (const measure of plan.cube.measures) sums.push(change.measures[measure] ?? 0);
  // Folded: no two have one key.
  cells.set(`${cells.size}`, { recorded, value, of: change.key, sums });
}

function keep(plan: Plan, finest: Cells, rolled: Change[]): void {
  const { late, ahead } = apart(plan, finest);
  keepSet(plan, 'ever', ever(plan, finest), rolled);
  keepSet(plan, 'late', late, rolled);
  keepSet(plan, 'ahead', ahead, rolled);
}

function ever(plan: Plan, finest: Cells): Cells {
  const cells: Cells = new Map();
  for (const { value, of, sums } of finest.values()) addAll(cells, plan.finest, '', value, of, sums);
  return cells;
}

/** What counts from another day than that on which it was recorded. */
function apart({ cube, finest: level, groups }: Plan, finest: Cells): { late: Cells; ahead: Cells } {
  const [late, ahead]: [Cells, Cells] = [new Map(), new Map()];
  for (const { recorded, value, of, sums } of finest.values()) {
    for (const { days, places } of groups) {
      const counts = dayAfter(value as LocalDate, days);
      if (counts === recorded || isNothing(places, sums)) continue;
      const cell = cellIn(counts < recorded ? late : ahead, level, recorded, value, of, cube.measures.length);
      for (const [from] of places) cell.sums[from] = addExact(cell.sums[from] ?? 0, sums[from] ?? 0);
    }
  }
  return { late, ahead };
}

/** The cells of a set at every level that has it: the finest are given by day. */
function keepSet(plan: Plan, part: Part, finest: Cells, rolled: Change[]): void {
  if (finest.size === 0) return;
  const kept = new Map<Level, { readonly days: Cells; readonly months: Cells | null }>();
  for (const { level, ever: finerEver, known } of plan.levels) {
    if (part !== 'ever' && !keepsKnown(plan.cube, level)) continue;
    const finer = part === 'ever' ? finerEver : known;
    const from = finer === null ? null : kept.get(finer);
    const days = from == null ? finest : coarser(from.days, level, part);
    // What is known by day of recording is not kept by month of value.
    const months =
      part !== 'ever' && from == null
        ? null
        : from?.months
          ? coarser(from.months, level, part)
          : byMonth(plan, level, days);
    kept.set(level, { days, months });
    push(plan, level, part, 'd', days, rolled);
    if (months !== null) push(plan, level, part, 'm', months, rolled);
  }
}

function coarser(cells: Cells, level: Level, part: Part): Cells {
  const found: Cells = new Map();
  for (const { recorded, value, of, sums } of cells.values()) {
    addAll(found, level, part === 'ever' ? '' : monthIn(recorded), value, of, sums);
  }
  return found;
}

/** By the month in which it counts, with what lagged now part of what it is of. */
function byMonth({ cube, groups }: Plan, level: Level, days: Cells): Cells {
  const found: Cells = new Map();
  for (const { recorded, value, of, sums } of days.values()) {
    for (const { days: lag, places } of groups) {
      if (isNothing(places, sums)) continue;
      const month = monthIn(dayAfter(value as LocalDate, lag));
      const cell = cellIn(found, level, recorded, month, of, cube.measures.length);
      for (const [from, to] of places) cell.sums[to] = addExact(cell.sums[to] ?? 0, sums[from] ?? 0);
    }
  }
  return found;
}

function addAll(cells: Cells, level: Level, recorded: string, value: string, of: Key, sums: readonly Amount[]): void {
  const cell = cellIn(cells, level, recorded, value, of, sums.length);
  for (let i = 0; i < sums.length; i++) {
    const more = sums[i] as Amount;
    if (more !== 0) cell.sums[i] = addExact(cell.sums[i] as Amount, more);
  }
}

function cellIn(cells: Cells, level: Level, recorded: string, value: string, of: Key, measures: number): Cell {
  // Names and days hold no space, so keys cannot run into one another.
  let text = `${recorded} ${value}`;
  for (const name of level.dimensions) text += ` ${of[name]}`;
  let cell = cells.get(text);
  if (cell === undefined) {
    cell = { recorded, value, of, sums: new Array<Amount>(measures).fill(0) };
    cells.set(text, cell);
  }
  return cell;
}

function isNothing(places: readonly (readonly [number, number])[], sums: readonly Amount[]): boolean {
  for (const [from] of places) if (sums[from] !== 0) return false;
  return true;
}

function push({ cube }: Plan, level: Level, part: Part, grain: 'm' | 'd', cells: Cells, rolled: Change[]): void {
  const collection = collectionOf(level, part);
  for (const { recorded, value, of, sums } of cells.values()) {
    if (sums.every((sum) => sum === 0)) continue;
    const key: Record<string, string> = part === 'ever' ? { grain, value } : { grain, recorded, value };
    for (const name of level.dimensions) key[name] = of[name] as string;
    const measures: Record<string, Amount> = {};
    for (let i = 0; i < sums.length; i++) measures[cube.measures[i] as string] = sums[i] as Amount;
    rolled.push({ op: 'add', collection, key, measures });
  }
}

/** `monthOf` of a day, remembered; a month is its own. */
function monthIn(day: string): string {
  let month = MONTHS.get(day);
  if (month === undefined) {
    if (MONTHS.size >= MONTHS_KEPT_MAX) MONTHS.clear();
    month = monthOf(day as LocalDate);
    MONTHS.set(day, month);
  }
  return month;
}

const MONTHS_KEPT_MAX = 20_000;
const MONTHS = new Map<string, string>();
