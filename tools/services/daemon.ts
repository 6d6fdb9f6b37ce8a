import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** One server process that can be ended in every way that a fault can, and started again on the same port and data. */
export interface Daemon {
  readonly pid: number | undefined;
  /** The end of what it printed since it was started. */
  readonly said: string;
  /** Resolves when it answers. Of a running one nothing changes. */
  start(): Promise<void>;
  /** Asks it to stop, and insists after a while. */
  stop(): Promise<void>;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
  /** Holds it still, as a machine that swaps or a paused virtual one would. */
  pause(): void;
  resume(): void;
}

export interface DaemonOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** Whether it answers; it is asked again until it does. */
  readonly ready: (said: string) => boolean | Promise<boolean>;
  /** How it is asked to stop. */
  readonly signal?: NodeJS.Signals;
}

const READY_MS_MAX = 180_000;
const STOP_MS_MAX = 20_000;
const SAID_MAX = 16_384;

/** What this process started and has not seen ending: it ends with this process. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Of Linux: the kernel ends the server when we are killed and can do nothing more. Elsewhere it would live on. */
const LEASH = '/usr/bin/setpriv';
const leashed = (command: string, args: readonly string[]): readonly [string, readonly string[]] =>
  existsSync(LEASH) ? [LEASH, ['--pdeathsig', 'KILL', command, ...args]] : [command, args];

const spawned = ({ command, args, env, uid, gid }: DaemonOptions): ChildProcess =>
  spawn(...leashed(command, args), {
    ...{ stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
    ...(uid === undefined ? {} : { uid, gid }),
    // A Ctrl-C in the terminal is ours to pass on, in our order.
    detached: true,
  });

export function daemon(options: DaemonOptions): Daemon {
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();
  let said = '';

  const begin = () => {
    said = '';
    const begun = spawned(options);
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-SAID_MAX);
    };
    begun.stdout?.on('data', hear);
    begun.stderr?.on('data', hear);
    running.add(begun);
    child = begun;
    gone = new Promise((resolve) => {
      const ended = () => {
        running.delete(begun);
        if (child === begun) child = undefined;
        resolve();
      };
      begun.once('exit', ended);
      begun.once('error', (error) => {
        said += error.message;
        ended();
      });
    });
  };

  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    if (ending === undefined) return;
    // One that is held still would not hear the signal.
    ending.kill('SIGCONT');
    ending.kill(signal);
    const late = setTimeout(() => ending.kill('SIGKILL'), STOP_MS_MAX);
    await gone;
    clearTimeout(late);
  };

  return {
    get pid() {
      return child?.pid;
    },
    get said() {
      return said;
    },
    start: async () => {
      if (child !== undefined) return;
      begin();
      const until = Date.now() + READY_MS_MAX;
      while (!(await options.ready(said))) {
        if (child === undefined) throw new Error(`${options.name} ended at its start: ${said.slice(-2_000)}`);
        if (Date.now() > until) {
          await end('SIGKILL');
          throw new Error(`${options.name} does not answer: ${said.slice(-2_000)}`);
        }
        await wait(50);
      }
    },
    stop: () => end(options.signal ?? 'SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
}

/** Free ports on loopback, each another. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}
