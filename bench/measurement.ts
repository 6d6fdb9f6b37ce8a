/** Rounds of everything that is measured as a speed; the best one counts, as the machine may have other work. */
export const ROUNDS = 3;

export interface Goal {
  readonly value: number;
  readonly bound: 'at least' | 'at most';
}

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** A peer or a raw limit of the same run, in the same unit. */
  readonly beside?: { readonly what: string; readonly value: number };
  readonly goal?: Goal;
  /** Of the simulated programme that it was measured on; absent where it does not depend on one. */
  readonly scale?: number;
}

/** What is not there on this machine, by name, and why. */
export interface Skipped {
  readonly what: string;
  readonly skipped: string;
}

export interface Place {
  /** A closed ledger of `LOANS` active loans; only to be copied. */
  readonly base: string;
  /** An empty directory of the measurement's own, removed after it. */
  readonly directory: string;
  /** Of the programme, for a measurement of it. */
  readonly scale: number;
  /** Where simulated programmes are kept. */
  readonly ledgers: string;
}

export type Line = Row | Skipped;

export interface Measurement {
  readonly name: string;
  /** Run once for each scale that is asked for. */
  readonly scaled?: true;
  readonly run: (place: Place) => Promise<readonly Line[]>;
}

export const isSkipped = (line: Line): line is Skipped => 'skipped' in line;

/** No further round begins after this long: on a busy machine a run is rougher, not longer. */
const ROUNDS_MS_MAX = 7_000;

/** How many a second, the best of `ROUNDS`. Each round is told its number and answers how much it did in how long. */
export async function bestRate(round: (number: number) => Promise<number>, rounds = ROUNDS): Promise<number> {
  const began = performance.now();
  let best = 0;
  for (let number = 0; number < rounds && performance.now() - began < ROUNDS_MS_MAX; number++) {
    best = Math.max(best, await round(number));
  }
  return best;
}

/** Does something `count` times over, and says how many a second that was. */
export async function rateOf(count: number, work: () => Promise<void> | void): Promise<number> {
  const before = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - before);
}

/** `count` operations, `width` of them at once: whoever is done begins the next. */
export async function atOnce(width: number, count: number, operation: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) await operation(next++);
  };
  await Promise.all(Array.from({ length: width }, caller));
}
