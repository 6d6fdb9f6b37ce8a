import { addDays, type Day, daysBetween, localDay } from './exact.js';
import { type Answer, type Line, ofType } from './facts.js';
import { COMMANDS } from './fields.js';
import { type Book, bookOf } from './loan.js';
import { createModel, execute, loansOf, type Model } from './model.js';

/** A small deterministic source of choices (mulberry32): one per step, so that dropping a step leaves the others. */
export interface Random {
  readonly below: (count: number) => number;
  readonly pick: <T>(items: readonly T[]) => T;
  readonly chance: (share: number) => boolean;
}

export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    below,
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new Error('nothing to pick from');
      return items[below(items.length)] as T;
    },
    chance: (share) => next() < share,
  };
};

/** The history as it grows: each line is executed by the model at once, so that the next step can look. */
export interface World {
  readonly model: Model;
  readonly lines: Line[];
  readonly answers: Answer[];
  readonly districts: readonly string[];
  random: Random;
}

export const createWorld = (clock: string, simulated: boolean, districts: readonly string[]): World => ({
  model: createModel(clock, simulated),
  lines: [],
  answers: [],
  districts,
  random: createRandom(0),
});

export const PROGRAMMES = ['P1', 'P2'] as const;
export const SOURCES = ['CITY', 'DISTRICT'] as const;
export const DECISION = '159/KH-UBND';

export const send = (world: World, line: Line): Answer => {
  const answer = execute(world.model, line);
  world.lines.push(line);
  world.answers.push(answer);
  return answer;
};

/** A line with a key of its own, the clock moved on a little, amounts now and then as text. */
export const command = (world: World, name: string, valueDate: Day, data: Line['data']): Answer =>
  send(world, {
    command: name,
    id: keyFor(world, name, data),
    actor: world.random.pick(['teller-1', 'teller-2', 'auditor']),
    valueDate,
    data: world.random.chance(0.15) ? asText(data) : data,
    ...stamp(world),
  });

/** Another stream's key says nothing here: "its scope is the stream that the command is about". */
const keyFor = (world: World, name: string, data: Line['data']): string => {
  const own = `${name}-${world.lines.length}`;
  if (world.lines.length === 0 || !world.random.chance(0.03)) return own;
  const other = world.random.pick(world.lines);
  const streams = [COMMANDS[other.command]?.about(other.data ?? {}), COMMANDS[name]?.about(data)];
  return streams[0] === undefined || streams[0] === streams[1] || streams.some((stream) => stream?.startsWith('fund'))
    ? own
    : other.id;
};

export const asText = (data: Line['data']): Line['data'] =>
  typeof data.amount === 'number' ? { ...data, amount: String(data.amount) } : data;

const STEPS_OF_CLOCK = [0, 0, 1, 1_000, 300_000, 3_600_000, 5 * 3_600_000];

/** Recorded time goes forward irregularly, now and then over midnight in Hanoi (17:00 UTC) or by days. */
export const stamp = (world: World): Pick<Line, 'recordedAt'> => {
  const { model, random } = world;
  if (!model.simulated) return {};
  const days = random.chance(0.04) ? random.pick([1, 1, 2, 10]) : 0;
  moveClock(world, Date.parse(model.clock) + random.pick(STEPS_OF_CLOCK) + days * 86_400_000);
  const inHanoi = new Date(Date.parse(model.clock) + 7 * 3_600_000).toISOString().replace('Z', '+07:00');
  return { recordedAt: random.chance(0.2) ? inHanoi : model.clock };
};

const moveClock = (world: World, ms: number): void => {
  world.model.clock = new Date(ms).toISOString();
};

/** A clock on which `day` may be closed. */
export const clockReaches = (world: World, day: Day): void => {
  if (world.model.simulated && localDay(world.model.clock) < day)
    moveClock(world, Date.parse(`${day}T00:00:00+07:00`) + world.random.below(86_400_000));
};

export const openDay = (world: World): Day => {
  const { openDay: day } = world.model;
  if (day === null) throw new Error('the ledger is not open yet');
  return day;
};

/** Mostly the open day, else a backdated one from `from` on. */
export const valueDateFrom = (world: World, from: Day, backdated = 0.25): Day => {
  const open = openDay(world);
  const span = daysBetween(from, open);
  return span > 0 && world.random.chance(backdated) ? addDays(from, world.random.below(span + 1)) : open;
};

export const firstDay = (world: World): Day => world.model.firstDay ?? openDay(world);

export const booksOf = (world: World): Book[] =>
  loansOf(world.model).flatMap((loan) => bookOf(world.model.facts, loan) ?? []);

export const borrowersOf = (world: World): string[] =>
  ofType(world.model.facts, 'BorrowerRegistered').map((fact) => fact.borrower);
