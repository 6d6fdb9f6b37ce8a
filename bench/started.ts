import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './children.js';

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;
const LOOK_MS = 5;

/** The built command, and why it cannot be measured where it is not there. */
export const SOCAI = fileURLToPath(new URL('../apps/socai/main.js', import.meta.url));
export const NO_SERVER = 'apps/socai is not built or does not start';

export interface Started {
  readonly port: number;
  /** From the start of the process to the first answer. */
  readonly milliseconds: number;
  /** The largest that the process has been, where the system says so. */
  peakMegabytes(): Promise<number | null>;
  stop(): Promise<void>;
}

/** `socai serve` over a data directory when it answers under `path`, or null where it does not start. */
export function startSocai(
  data: string,
  nodeOptions: readonly string[] = [],
  path = '/health/live',
): Promise<Started | null> {
  if (!existsSync(SOCAI)) return Promise.resolve(null);
  return start([...nodeOptions, SOCAI, 'serve', '--data', data], path);
}

/** A process of ours that listens on `PORT`, when it answers under `path`; null where it ends before. */
export async function start(args: readonly string[], path: string): Promise<Started | null> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1' },
    stdio: 'ignore',
  });
  endWithUs(child);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  while (!(await answers(`http://127.0.0.1:${port}${path}`))) {
    if (child.exitCode !== null) return null;
    if (performance.now() - began > READY_MS_MAX) {
      child.kill('SIGKILL');
      return null;
    }
    await wait(LOOK_MS);
  }
  return {
    ...{ port, milliseconds: performance.now() - began },
    peakMegabytes: () => peakOf(child),
    stop: async () => {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await gone;
      clearTimeout(killer);
    },
  };
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    return answer.status < 500;
  } catch {
    return false;
  }
}

/** Linux keeps the high-water mark of each process. */
export async function peakOf({ pid }: Pick<ChildProcess, 'pid'>): Promise<number | null> {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
  } catch {
    return null;
  }
}
