import { spawn } from 'node:child_process';
import { setInterval } from 'node:timers';
import { FIRST_START, scaleText } from '../apps/socai/simulate/programme.js';
import { invariant } from '../libs/kernel/result.js';
import { endWithUs } from './children.js';
import { peakOf, SOCAI } from './started.js';

const LOOK_MS = 200;

export interface Ran {
  readonly stdout: string;
  readonly seconds: number;
  /** The largest that the process was seen to be, where the system says so. */
  readonly peakMegabytes: number | null;
}

/** Runs the built command to its end, which has to be a good one. Its progress goes to our standard error. */
export async function runSocai(args: readonly string[], nodeOptions: readonly string[] = []): Promise<Ran> {
  const began = performance.now();
  const child = spawn(process.execPath, [...nodeOptions, SOCAI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(child);
  let [stdout, peakMegabytes] = ['', null as number | null];
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece.toString();
  });
  const watch = setInterval(async () => {
    peakMegabytes = (await peakOf(child)) ?? peakMegabytes;
  }, LOOK_MS);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(watch);
  invariant(code === 0, `socai ${args.join(' ')} ends with 0, not ${String(code)}: ${stdout.slice(0, 300)}`);
  return { stdout, seconds: (performance.now() - began) / 1_000, peakMegabytes };
}

/** What the first start makes. */
export async function simulateSample(data: string): Promise<void> {
  const { scale, seed } = FIRST_START;
  await runSocai(['simulate', '--scale', scaleText(scale), '--seed', String(seed), '--data', data, '--json']);
}
