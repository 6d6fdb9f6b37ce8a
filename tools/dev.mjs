/*
 * `npm run dev`: builds once, starts, and after each change compiles what changed and starts again, within two seconds.
 * What follows `--` goes to the command: `npm run dev -- serve --data ./data`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, watch, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { transformFile } from '@swc/core';

const SETTLE_MS = 100;
const ROOTS = ['apps', 'libs'];
const MAIN = 'dist/apps/socai/main.js';

const verb = process.argv.length > 2 ? process.argv.slice(2) : ['start'];
const changed = new Set();
let running;
let timer;
let stopping = false;

if (spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' }).status !== 0) process.exit(1);
start();
for (const root of ROOTS) {
  watch(root, { recursive: true }, (_, name) => {
    if (name === null || !/\.(ts|css)$/.test(name) || name.endsWith('.spec.ts')) return;
    changed.add(`${root}/${name}`);
    clearTimeout(timer);
    timer = setTimeout(rebuild, SETTLE_MS);
  });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopping = true;
    running.kill(signal);
  });
}

async function rebuild() {
  const paths = [...changed].filter((path) => existsSync(path));
  changed.clear();
  try {
    await Promise.all(paths.map(compile));
  } catch (error) {
    console.error(error.message);
    return;
  }
  // A data directory has one writer: the next one starts when the last one is gone.
  if (running.exitCode === null && running.signalCode === null) {
    running.once('exit', start);
    running.kill('SIGTERM');
  } else {
    start();
  }
}

async function compile(path) {
  if (path.endsWith('.css')) {
    copyFileSync(path, `dist/${path}`);
    return;
  }
  const { code, map } = await transformFile(path, { sourceFileName: path });
  const built = `dist/${path.replace(/\.ts$/, '.js')}`;
  mkdirSync(dirname(built), { recursive: true });
  writeFileSync(built, code);
  if (map !== undefined) writeFileSync(`${built}.map`, map);
}

function start() {
  if (stopping) return;
  running = spawn(process.execPath, ['--enable-source-maps', MAIN, ...verb], { stdio: 'inherit' });
  running.once('exit', (code) => {
    if (stopping) process.exit(code ?? 0);
  });
}
