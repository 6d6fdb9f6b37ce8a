import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Running } from '../tools/services/running.js';

/*
 * The servers that a spec needs: those that the environment names, else real ones that are started for this run of
 * jest when the first spec asks, and shared by all of it. A spec of an absent server is skipped by name:
 *
 *   const kafka = await server('KAFKA_BROKERS');
 *   describeWith(kafka, 'the log on Kafka', () => { … kafka.url … });
 */

export type ServerName = 'KAFKA_BROKERS' | 'MONGODB_URL' | 'EVENTSTOREDB_URL';

export interface TestServer {
  readonly name: ServerName;
  /** Empty where it is absent. */
  readonly url: string;
  /** What it is, or why it is absent: for the title. */
  readonly what: string;
}

const MAIN = fileURLToPath(new URL('../dist/tools/services/main.js', import.meta.url));
/** Building and starting it the first time. */
const START_MS_MAX = 900_000;
/** Which of `npm run services` gives it; the event store has no server that can be had without Docker. */
const SERVICE = { KAFKA_BROKERS: 'kafka', MONGODB_URL: 'mongodb', EVENTSTOREDB_URL: undefined } as const;

export async function server(name: ServerName): Promise<TestServer> {
  const given = process.env[name];
  if (given) return { name, url: given, what: 'as the environment names it' };
  const service = SERVICE[name];
  const run = process.env.SOCAI_TEST_SERVICES;
  if (service === undefined || process.env.SERVICES === 'off' || !run) {
    return { name, url: '', what: `no ${name} in the environment` };
  }
  const file = join(run, `${service}.json`);
  // The first of the workers that come here starts it; the others wait for its file.
  const first = await mkdir(`${file}.begun`).then(
    () => true,
    () => false,
  );
  if (first) {
    const args = [MAIN, 'start', '--only', service, '--file', file, '--owner', process.env.SOCAI_TEST_OWNER ?? ''];
    spawn(process.execPath, args, {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, NODE_OPTIONS: '' },
    }).unref();
  }
  const { servers, missing, failed } = await running(file);
  if (failed !== undefined) throw new Error(`${service}: ${failed}`);
  const url = servers[name];
  if (url === undefined) return { name, url: '', what: missing[service] ?? 'absent' };
  return { name, url, what: servers[name.replace('_URL', '_SERVER')] ?? 'started for this run' };
}

async function running(file: string): Promise<Running> {
  const until = Date.now() + START_MS_MAX;
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    const read = text === undefined ? undefined : (JSON.parse(text) as Running);
    if (read !== undefined && !read.starting) return read;
    if (Date.now() > until) throw new Error(`${file} was not written: is dist built?`);
    await wait(100);
  }
}

/** A suite that needs servers: with one of them absent it is skipped, and its title says which and why. */
export function describeWith(needed: TestServer | readonly TestServer[], title: string, body: () => void): void {
  const absent = [needed].flat().filter(({ url }) => url === '');
  if (absent.length === 0) describe(title, body);
  else describe.skip(`${title} (skipped: ${absent.map(({ what }) => what).join('; ')})`, body);
}
