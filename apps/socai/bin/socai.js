#!/usr/bin/env node
// The command of a checkout: built by `npm ci`, and built here when that was skipped.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const main = new URL('../../../dist/apps/socai/main.js', import.meta.url);

if (!existsSync(main)) {
  const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (built.status !== 0) process.exit(2);
}
await import(main.href);
