import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { endWithUs } from './children.js';
import { freePort } from './started.js';

const READY_MS_MAX = 10_000;
const STOP_MS_MAX = 5_000;
/** Where Debian keeps the programs of each version, which are not on the path. */
const DEBIAN = '/usr/lib/postgresql';
/** PostgreSQL refuses to run as root: an account without rights of its own, the same on every Linux. */
const NOBODY = 65_534;

export interface Postgres {
  readonly connectionString: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** A PostgreSQL of our own in a directory below `parent`, with its defaults (full sync among them); null where there is none. */
export async function startPostgres(parent: string): Promise<Postgres | null> {
  const programs = findPrograms();
  if (programs === null) return null;
  const directory = mkdtempSync(join(parent, 'postgres-'));
  const account = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const options = { ...account, cwd: directory, stdio: 'ignore' as const };
  if (account.uid !== undefined) chownSync(directory, account.uid, account.gid);
  try {
    const data = join(directory, 'data');
    execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8'], options);
    const port = await freePort();
    const args = ['-D', data, '-k', directory, '-p', String(port), '-c', 'listen_addresses=127.0.0.1'];
    const server = spawn(join(programs, 'postgres'), args, options);
    endWithUs(server);
    const stop = async () => {
      await ended(server);
      rmSync(directory, { recursive: true, force: true });
    };
    if (!(await accepts(port, server))) {
      await stop();
      return null;
    }
    const version = execFileSync(join(programs, 'postgres'), ['--version'], { encoding: 'utf8' }).trim();
    return { connectionString: `postgresql://bench@127.0.0.1:${port}/postgres`, version, stop };
  } catch {
    rmSync(directory, { recursive: true, force: true });
    return null;
  }
}

function findPrograms(): string | null {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : [];
  const places = [...debian, ...(process.env.PATH ?? '').split(delimiter)];
  return places.find((place) => ['initdb', 'postgres'].every((program) => existsSync(join(place, program)))) ?? null;
}

async function accepts(port: number, server: ChildProcess): Promise<boolean> {
  for (const until = Date.now() + READY_MS_MAX; Date.now() < until && server.exitCode === null; await wait(50)) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.unref();
      setTimeout(() => socket.destroy(), 20);
    });
    // It listens a moment before it answers queries.
    if (connected) return wait(500, true);
  }
  return false;
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  // A fast stop: it rolls back what is open and writes what is committed.
  server.kill('SIGINT');
  const killer = setTimeout(() => server.kill('SIGKILL'), STOP_MS_MAX);
  await gone;
  clearTimeout(killer);
}
