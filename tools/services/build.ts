import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Missing } from './missing.js';

/* Jars and binaries of the servers: from where the environment says, from the cache, or built and kept there. */

/** Outside of what is built and delivered. SERVICES_CACHE puts it elsewhere, to be shared by several clones. */
const cache = (): string => resolve(process.env.SERVICES_CACHE ?? '.cache/services');
const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const BUILD_MS_MAX = 900_000;

/** A folder of Kafka's jars. */
export async function kafkaLibs(): Promise<string> {
  const given = process.env.KAFKA_LIBS;
  if (given) {
    const jars = await readdir(given).catch(() => []);
    if (jars.some((jar) => /^kafka_2\.13-.*\.jar$/.test(jar))) return resolve(given);
    throw new Missing(`KAFKA_LIBS: no kafka_2.13 jar in ${given}`);
  }
  return built('kafka', [source('./kafka/pom.xml')], async (into) => {
    const maven = need('mvn', 'Maven');
    const pom = source('./kafka/pom.xml');
    await tool(maven, ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${into}`], {});
  });
}

/** FerretDB's binary. */
export async function ferretdbBinary(): Promise<string> {
  const given = process.env.FERRETDB_BIN;
  if (given) {
    if (existsSync(given)) return resolve(given);
    throw new Missing(`FERRETDB_BIN: ${given} is not there`);
  }
  const module = ['go.mod', 'go.sum', 'main.go'].map((file) => source(`./ferretdb/${file}`));
  const folder = await built('ferretdb', module, async (into) => {
    const environment = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' };
    const go = need('go', 'Go', ['/usr/local/go/bin', '/usr/lib/go/bin']);
    await tool(go, ['build', '-C', source('./ferretdb'), '-o', join(into, 'ferretdb'), '.'], environment);
  });
  return join(folder, 'ferretdb');
}

/** A program's path, or undefined. */
export function which(program: string, also: readonly string[] = []): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...also];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

export function need(program: string, product: string, also: readonly string[] = []): string {
  const path = which(program, also);
  if (path === undefined) throw new Missing(`${product} is not installed: there is no ${program} in the PATH`);
  return path;
}

/** Built once for the text of its sources. Whole or not there at all; several processes may ask at once. */
async function built(name: string, sources: readonly string[], build: (into: string) => Promise<void>) {
  const hash = createHash('sha256');
  for (const path of sources) hash.update(await readFile(path));
  const target = join(cache(), `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(target)) return target;
  await mkdir(cache(), { recursive: true });
  const unlock = await lock(`${target}.lock`);
  try {
    if (existsSync(target)) return target;
    const into = `${target}.${process.pid}`;
    await mkdir(into);
    try {
      console.error(`services: ${name} is built once, which takes a minute or two`);
      await build(into);
      await rename(into, target);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
    return target;
  } finally {
    await unlock();
  }
}

/** Held by one process that lives; a dead one's is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  const until = Date.now() + BUILD_MS_MAX;
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => '0'));
    if (holder > 0 && !alive(holder)) await rm(path, { force: true });
    if (Date.now() > until) throw new Error(`${path} is held by process ${holder}`);
    await wait(250);
  }
}

/** Whether a process with this id is there. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A toolchain that fails is one that cannot be used here: no network, or too old. */
async function tool(command: string, args: readonly string[], more: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(command, args, {
    env: { HOME: homedir(), ...process.env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: BUILD_MS_MAX,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2_000);
    });
  }
  const code = await new Promise((ended, failed) => child.once('error', failed).once('close', ended));
  if (code !== 0) throw new Missing(`${command} ${args[0]} ended with ${code}: ${said.trim()}`);
}
