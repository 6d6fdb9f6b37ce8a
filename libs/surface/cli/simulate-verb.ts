import { type Command, InvalidArgumentError, Option } from 'commander';
import { type LocalDate, parseDate } from '../../kernel/dates.js';
import { toJson } from '../formats/json.js';
import { wholeText } from '../formats/vietnamese.js';
import { examples } from './examples.js';
import type { Host, SimulationProgress } from './host.js';
import type { Run } from './program.js';

const MILLION = 1_000_000;
const SCALE_MAX = 100;
/** The years of the plan. */
const FIRST_DAY = '2021-01-01';
const LAST_DAY = '2025-12-31';
const TERMINAL_MS = 200;
const LOG_MS = 5_000;

interface SimulateOptions {
  readonly scale: number;
  readonly seed: number;
  readonly from: LocalDate;
  readonly to: LocalDate;
}

export function addSimulateVerb(program: Command, run: Run): void {
  program
    .command('simulate')
    .description('replay five years of plan 159/KH-UBND, by real commands; goes on where an interrupted run stopped')
    .addOption(
      new Option('--scale <scale>', 'of the programme: 1 is 156,209 workers and about ten million events')
        .argParser(readScale)
        .default(1_000, '0.001'),
    )
    .option('--seed <number>', 'the same seed makes the same history', readSeed, 159)
    .option('--from <date>', 'first business day', readDay, FIRST_DAY as LocalDate)
    .option('--to <date>', 'last day, which is closed', readDay, LAST_DAY as LocalDate)
    .addHelpText(
      'after',
      `
The scale has at most six decimals. On a directory that holds another simulation, or a ledger of one's own, it is
refused. At the end one JSON object: events, digest, seconds, and what was asked for.
${examples('socai simulate --scale 0.01 --seed 7 --data ./simulated')}`,
    )
    .action((options: SimulateOptions, command: Command) =>
      run(command, async (session) => {
        if (options.from > options.to) command.error('--from is not after --to');
        const { host, directory: data } = session;
        const progress = simulationProgress(host.stderr);
        await session.out(`${toJson(await host.simulate({ ...options, data, progress }))}\n`);
      }),
    );
}

/** A line on standard error that is written over on a terminal, otherwise one every few seconds. */
export function simulationProgress(to: Host['stderr']): (progress: SimulationProgress) => void {
  let began = performance.now();
  let shown = began;
  let first: SimulationProgress | null = null;
  return (progress) => {
    const now = performance.now();
    if (first?.doing !== progress.doing) [first, began] = [progress, now];
    const terminal = to.isTTY === true;
    const isLast = progress.share === 1;
    if (!isLast && now - shown < (terminal ? TERMINAL_MS : LOG_MS)) return;
    shown = now;
    const seconds = Math.max(0.001, (now - began) / 1_000);
    const perSecond = Math.round((progress.events - first.events) / seconds);
    const left = ((1 - progress.share) * seconds) / Math.max(1e-6, progress.share - first.share);
    const said =
      `${progress.doing === 'days' ? progress.day : progress.doing} ${Math.floor(progress.share * 100)}%, ` +
      `${wholeText(progress.events)} events, ${wholeText(perSecond)} events/s, ${Math.ceil(left)} s left`;
    to.write(terminal ? `\r\u001b[K${said}${isLast ? '\n' : ''}` : `${said}\n`);
  };
}

function readScale(text: string): number {
  const match = /^(\d{1,3})(?:\.(\d{1,6}))?$/.exec(text);
  const scale = match === null ? 0 : Number(match[1]) * MILLION + Number((match[2] ?? '').padEnd(6, '0'));
  if (scale <= 0 || scale > SCALE_MAX * MILLION) {
    throw new InvalidArgumentError(`Above 0 and at most ${SCALE_MAX}, with at most six decimals.`);
  }
  return scale;
}

function readSeed(text: string): number {
  const seed = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('A whole number from 0 to below 2^53.');
  return seed;
}

function readDay(text: string): LocalDate {
  const day = parseDate(text);
  if (day === null || day < FIRST_DAY || day > LAST_DAY) {
    throw new InvalidArgumentError(`A day from ${FIRST_DAY} to ${LAST_DAY}.`);
  }
  return day;
}
