import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endWithUs } from './children.js';
import { makeBase } from './lending.js';
import { isSkipped, type Line, ROUNDS } from './measurement.js';
import { measurements } from './measurements.js';
import { pageOf, reached, type Setting, tableOf } from './table.js';

/* npm run bench [-- --json] [--only NAME] [--write] */

const MEASUREMENT_MS_MAX = 120_000;
const PAGE = 'docs/benchmarks.md';
const names = measurements.map(({ name }) => name);
const USAGE = `npm run bench -- [--json] [--only ${names.join('|')}] [--write]\n`;

process.exitCode = await run();

async function run(): Promise<number> {
  const options = optionsOf();
  if (options === null) {
    process.stderr.write(USAGE);
    return 2;
  }
  const directory = mkdtempSync(join(tmpdir(), 'socai-bench-'));
  // A database server of another account has its place below it.
  chmodSync(directory, 0o711);
  const remove = () => rmSync(directory, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      remove();
      process.exit(130);
    });
  }
  try {
    process.stderr.write('a ledger to measure on…\n');
    const base = join(directory, 'base');
    await makeBase(base);
    const lines: Line[] = [];
    for (const name of options.chosen) lines.push(...(await measure(name, base, directory)));
    const setting = settingOf();
    if (options.json) process.stdout.write(`${JSON.stringify({ ...setting, lines: lines.map(judged) })}\n`);
    else process.stdout.write(`${tableOf(lines)}\n\n${setting.machine}, ${setting.node}; ${setting.rounds}\n`);
    if (options.write) writeFileSync(PAGE, pageOf(setting, lines));
    return 0;
  } finally {
    remove();
  }
}

function optionsOf(): { json: boolean; write: boolean; chosen: readonly string[] } | null {
  try {
    const { values } = parseArgs({
      options: { json: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string', multiple: true } },
    });
    const chosen = values.only ?? names;
    if (!chosen.every((name) => names.includes(name))) return null;
    return { json: values.json ?? false, write: values.write ?? false, chosen };
  } catch {
    return null;
  }
}

/** In a process of its own, over an empty directory of its own. What fails is a line of the table. */
async function measure(name: string, base: string, directory: string): Promise<readonly Line[]> {
  process.stderr.write(`${name}…\n`);
  const own = join(directory, name);
  mkdirSync(own);
  const out = join(own, 'lines.json');
  const program = fileURLToPath(new URL('measure.js', import.meta.url));
  const child = spawn(process.execPath, [program, name, base, own, out], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: MEASUREMENT_MS_MAX,
  });
  endWithUs(child, 'SIGTERM');
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    if (code !== 0) return [{ what: name, skipped: `the measurement ended with ${code ?? 'a signal'}` }];
    return JSON.parse(readFileSync(out, 'utf8')) as Line[];
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function settingOf(): Setting {
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${processor?.model.trim() ?? 'unknown processor'}, ${memory} GiB`,
    node: `Node ${process.versions.node}`,
    rounds: `the best of up to ${ROUNDS} rounds each, on a machine that may have other work`,
  };
}

function judged(line: Line) {
  if (isSkipped(line)) return line;
  const { value, beside, goal } = line;
  return {
    ...line,
    ratio: beside === undefined ? null : value / beside.value,
    reached: goal === undefined ? null : reached(value, goal),
  };
}
