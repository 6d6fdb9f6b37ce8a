import type { Answer } from '../../../libs/engine/answers.js';
import type { Ledger } from '../../../libs/engine/ledger.js';
import { addDays, daysBetween, type LocalDate } from '../../../libs/kernel/dates.js';
import { programmeStream } from '../../../libs/lending/vocabulary.js';
import { ledgerDigest } from '../../../libs/proof/seal.js';
import type { SimulateReport, SimulationProgress } from '../../../libs/surface/cli/host.js';
import { refused } from '../../../libs/surface/formats/problem.js';
import { nameOf, type Parameters, PROGRAMME, scaleText } from './programme.js';
import type { Line } from './sheet.js';
import { simulate } from './simulation.js';

/* A simulation posted to a ledger, through the handlers that any sheet goes through. */

/** Lines that wait for their answers: as many as of a sheet (ADR 0010). */
const UNDER_WAY_MAX = 256;

/** Lines that were counted when they were posted first. */
const AGAIN = { isResumed: true, counts: { lines: 0, refused: 0 } };

interface Counts {
  lines: number;
  refused: number;
}

/** What a run did: all but what it took and what became of its figures, which is its caller's to say. */
export type Simulated = Omit<SimulateReport, 'seconds'>;

/** Posts what is left of a simulation, and resolves when all of it is written. */
export async function runSimulation(
  ledger: Ledger,
  parameters: Parameters,
  progress: (progress: SimulationProgress) => void = () => {},
): Promise<Simulated> {
  const counts: Counts = { lines: 0, refused: 0 };
  const { from, to, scale, seed } = parameters;
  const open = await openDayOf(ledger, parameters);
  const days = daysBetween(from, to) + 1;
  let day = 0;
  for (const sheet of simulate(parameters)) {
    day++;
    const { date } = sheet.day;
    // What is closed is written, but for the last close, which may have been interrupted: it is answered when it is whole,
    // and nothing may be recorded before. The open day is posted whole: the keys of what is there already are known.
    if (open !== null && addDays(date, 1) === open) await post(ledger, sheet.lines.slice(-1), AGAIN);
    if (open !== null && date < open) continue;
    await post(ledger, sheet.lines, { isResumed: date === open, counts });
    progress({ doing: 'days', day: date, share: shareOf(day / days), events: eventsFollowed(ledger) });
  }
  const { events, digest } = await countedDigest(ledger);
  return { events, digest, ...counts, scale: scaleText(scale), seed, from, to };
}

/** Of the events, by then: loans pile up, so a late day has more of them than an early one (measured; for progress only). */
const shareOf = (days: number): number => days * (0.15 + 0.85 * days);

/** Whether a ledger is that simulation in part, or none yet: then there is something left to post. */
export async function isUnfinished(ledger: Ledger, parameters: Parameters): Promise<boolean> {
  const { first, open, simulated } = await ledger.calendar();
  if (first === null || open === null) return true;
  return simulated && open <= parameters.to && (await isOf(ledger, parameters));
}

/** The day to go on from. A ledger that holds anything else is left alone. */
async function openDayOf(ledger: Ledger, parameters: Parameters): Promise<LocalDate | null> {
  const { first, open, simulated } = await ledger.calendar();
  if (first === null) return null;
  if (!simulated) throw refused('LEDGER_SIMULATED', 'simulated');
  if (await isOf(ledger, parameters)) return open;
  throw refused('SIMULATION_OTHER', 'simulated', { found: (await firstKey(ledger)) ?? '', asked: nameOf(parameters) });
}

async function isOf(ledger: Ledger, parameters: Parameters): Promise<boolean> {
  const found = await firstKey(ledger);
  const { first, open } = await ledger.calendar();
  // A run that ended between its first two events has opened the ledger and nothing else.
  return found === nameOf(parameters) || (found === null && first === parameters.from && open === first);
}

/** The key that opened the programme; null in a ledger that has days and nothing else. */
async function firstKey({ store }: Ledger): Promise<string | null> {
  const stream = programmeStream(PROGRAMME);
  for await (const { meta } of store.readStream(stream, { limit: 1 })) return meta.commandId.slice(stream.length + 1);
  for await (const { stream } of store.streams()) if (stream !== 'businessDay') return '';
  return null;
}

/** The lines of a day in order, many on their way at once; the close, the last one, waits for all of them. */
async function post(
  ledger: Ledger,
  lines: readonly Line[],
  { isResumed, counts }: { readonly isResumed: boolean; readonly counts: Counts },
): Promise<void> {
  const underWay = new UnderWay();
  for (const [index, line] of lines.entries()) {
    await underWay.below(index === lines.length - 1 ? 1 : UNDER_WAY_MAX);
    const { answer } = await ledger.begin(line.request);
    underWay.add(answer.then((answer) => check(line, answer, isResumed)));
    counts.lines++;
    if (line.refusal !== null) counts.refused++;
  }
  await underWay.below(1);
}

/** Answers that are awaited. The first failure is thrown to whoever waits next. */
class UnderWay {
  #count = 0;
  #failure: { readonly error: unknown } | null = null;
  #changed: () => void = () => {};

  add(answer: Promise<void>): void {
    this.#count++;
    answer
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#count--;
        this.#changed();
      });
  }

  async below(count: number): Promise<void> {
    while (this.#count >= count && this.#failure === null) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    if (this.#failure !== null) throw this.#failure.error;
  }
}

/** A line that is to be refused is refused in any way when it is posted again: time has passed it. */
function check({ request, refusal }: Line, answer: Answer, isResumed: boolean): void {
  const code = answer.accepted ? null : answer.refusal.code;
  if (code === refusal || (isResumed && refusal !== null && code !== null)) return;
  const what = answer.accepted ? 'was accepted' : `was refused: ${JSON.stringify(answer.refusal)}`;
  throw new Error(`a line of the simulation ${what}: ${JSON.stringify(request)}`);
}

const eventsFollowed = (ledger: Ledger): number =>
  ledger.followers().reduce((most, { sequence }) => Math.max(most, sequence), 0);

async function countedDigest({ store }: Ledger): Promise<{ readonly events: number; readonly digest: string }> {
  let events = 0;
  async function* counted() {
    for await (const stream of store.streams()) {
      events += stream.revision + 1;
      yield stream;
    }
  }
  const digest = await ledgerDigest(counted());
  return { events, digest };
}
