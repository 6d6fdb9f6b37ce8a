import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const STOP_MS_MAX = 30_000;

/* Ends the servers that specs started: one that loses its file ends, and is waited for. */
export default async function teardown() {
  const folder = process.env.SOCAI_TEST_SERVICES;
  if (!folder) return;
  const held = [];
  for (const name of await readdir(folder)) {
    if (name.endsWith('.json')) held.push(JSON.parse(await readFile(join(folder, name), 'utf8')).pid);
  }
  await rm(folder, { recursive: true, force: true });
  const until = Date.now() + STOP_MS_MAX;
  while (held.some(lives) && Date.now() < until) await wait(100);
}

function lives(pid) {
  if (existsSync('/proc')) return existsSync(`/proc/${pid}`);
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
