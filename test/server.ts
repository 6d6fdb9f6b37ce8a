import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The built command, as users run it. */
export const SOCAI = fileURLToPath(new URL('../apps/socai/bin/socai.js', import.meta.url));
const READY_MS_MAX = 30_000;

export interface Server {
  readonly url: string;
  readonly process: ChildProcess;
  /** Ends it at once, as a power cut would, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks it to stop, and resolves with its exit code. */
  stop(): Promise<number | null>;
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

/** A real server on a free port over a data directory, ready to answer. */
export async function serve(data: string, flags: readonly string[] = [], port?: number): Promise<Server> {
  const at = port ?? (await freePort());
  const child = spawn(process.execPath, [SOCAI, 'serve', '--data', data, ...flags], {
    env: { ...process.env, PORT: String(at), HOST: '127.0.0.1', NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-10_000);
  });
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = `http://127.0.0.1:${at}`;
  const until = Date.now() + READY_MS_MAX;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${said}`);
    const answer = await fetch(`${url}/health/live`).catch(() => null);
    if (answer?.ok) break;
    if (Date.now() > until) throw new Error(`the server is not ready: ${said}`);
    await wait(20);
  }
  return {
    ...{ url, process: child },
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return gone;
    },
  };
}
