import fc from 'fast-check';
import { addDays, type Day } from './exact.js';
import type { Answer, Line } from './facts.js';
import { DISTRICTS } from './fields.js';
import { advanceStep, closeStep, explicitStep, hopStep, leaderStep, payStep, reverseStep } from './loan-steps.js';
import { duplicateStep, invalidStep, retryStep, wrongMomentStep } from './mischief-steps.js';
import { createModel, execute, type Model } from './model.js';
import {
  allocateStep,
  borrowerStep,
  fundStep,
  groupStep,
  prelude,
  publishPolicyStep,
  reallocateStep,
  reclassifyStep,
} from './setup-steps.js';
import { createRandom, createWorld, PROGRAMMES, type World } from './world.js';

/** A whole history: the lines, what the model answered to each, and the model at its end. */
export interface History {
  readonly lines: readonly Line[];
  readonly answers: readonly Answer[];
  readonly model: Model;
}

export interface HistoryOptions {
  readonly minSteps?: number;
  readonly maxSteps?: number;
  /** Lines with `recordedAt`; without, all is recorded at `clock`. */
  readonly simulated?: boolean;
  readonly clock?: string;
}

/** Dropping steps is what shrinking does; the rest adapt, because each looks at the model before it acts. */
const STEPS: Readonly<Record<string, { readonly weight: number; readonly run: (world: World) => void }>> = {
  advance: { weight: 30, run: advanceStep },
  pay: { weight: 26, run: payStep },
  hop: { weight: 14, run: hopStep },
  close: { weight: 10, run: closeStep },
  explicit: { weight: 8, run: explicitStep },
  reverse: { weight: 8, run: reverseStep },
  leader: { weight: 4, run: leaderStep },
  duplicate: { weight: 4, run: duplicateStep },
  invalid: { weight: 4, run: invalidStep },
  wrongMoment: { weight: 3, run: wrongMomentStep },
  retry: { weight: 2, run: retryStep },
  reallocate: { weight: 3, run: reallocateStep },
  allocate: { weight: 2, run: (world) => allocateStep(world) },
  fund: { weight: 1, run: (world) => fundStep(world) },
  policy: { weight: 2, run: (world) => publishPolicyStep(world, world.random.pick(PROGRAMMES)) },
  reclassify: { weight: 2, run: reclassifyStep },
  group: { weight: 1, run: groupStep },
  borrower: { weight: 2, run: borrowerStep },
};

const FIRST_DAYS: readonly Day[] = [
  '2021-07-15',
  '2019-11-08',
  '2020-02-29',
  '2021-12-31',
  '2022-10-31',
  '2023-01-31',
  '2023-08-30',
  '2023-11-29',
];

interface Step {
  readonly kind: string;
  readonly seed: number;
}

export const history = (options: HistoryOptions = {}): fc.Arbitrary<History> => {
  const { minSteps = 20, maxSteps = 140 } = options;
  const kind = fc.oneof(
    ...Object.entries(STEPS).map(([name, { weight }]) => ({ weight, arbitrary: fc.constant(name) })),
  );
  const step = fc.record({ kind, seed: fc.nat() }, { noNullPrototype: true });
  const steps = fc.array(step, { minLength: minSteps, maxLength: maxSteps, size: 'max' });
  return fc.record({ seed: fc.nat(), steps }).map(({ seed, steps: chosen }) => buildHistory(seed, chosen, options));
};

/** The same seed, steps and options make the same history. */
export const buildHistory = (seed: number, steps: readonly Step[], options: HistoryOptions = {}): History => {
  const { simulated = true, clock = '2026-01-01T00:00:00Z' } = options;
  const random = createRandom(seed);
  const firstDay = random.pick(FIRST_DAYS);
  const lag = random.pick([0, 0, 0, 1, 40, 700]);
  const start = `${addDays(firstDay, lag)}T08:00:00+07:00`;
  const at = random.below(DISTRICTS.length - 3);
  const world = createWorld(simulated ? new Date(start).toISOString() : clock, simulated, DISTRICTS.slice(at, at + 3));
  world.random = random;
  prelude(world, firstDay);
  for (let count = random.below(16); count > 0; count--) advanceStep(world);
  for (const step of steps) {
    world.random = createRandom(step.seed);
    STEPS[step.kind]?.run(world);
  }
  return printable({ lines: world.lines, answers: world.answers, model: world.model });
};

/** A counterexample is shown as the lines of a bulk file, each with the model's answer after it. */
const printable = (made: History): History =>
  Object.defineProperty(made, fc.toStringMethod, {
    enumerable: false,
    value: () =>
      made.lines.map((line, index) => `${JSON.stringify(line)} // ${JSON.stringify(made.answers[index])}`).join('\n'),
  });

/** What the model says of lines from anywhere. */
export const replay = (lines: readonly Line[], clock: string, simulated = true): History => {
  const model = createModel(clock, simulated);
  return { lines, answers: lines.map((line) => execute(model, line)), model };
};

/** A bulk file's text. */
export const toNdjson = (lines: readonly Line[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
