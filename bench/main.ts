import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endWithUs } from './children.js';
import { makeBase } from './lending.js';
import { isSkipped, type Line, type Place, ROUNDS } from './measurement.js';
import { measurements } from './measurements.js';
import { pageOf, reached, type Setting, tableOf } from './table.js';

/*
 * npm run bench [-- --json] [--only NAME] [--scale S] [--ledgers DIR] [--write]
 *
 * With --ledgers, simulated programmes and what was measured are kept there: a run that was cut short goes on.
 */

const MEASUREMENT_MS_MAX = 180_000;
/** Of a whole programme at scale 1: simulating it takes most of it. */
const PROGRAMME_MS_MAX = 2 * 3_600_000;
/** Two, so that the table shows how costs grow; 1 is the programme in full size. */
const SCALES = [0.01, 0.1];
const PAGE = 'docs/benchmarks.md';
const names = measurements.map(({ name }) => name);
const USAGE = `npm run bench -- [--json] [--only ${names.join('|')}] [--scale S …] [--ledgers DIR] [--write]\n`;

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
    const dates = new Set<string>();
    const ledgers = options.ledgers ?? join(directory, 'ledgers');
    mkdirSync(ledgers, { recursive: true });
    for (const { name, scaled } of measurements.filter((one) => options.chosen.includes(one.name))) {
      for (const scale of scaled ? options.scales : SCALES.slice(0, 1)) {
        const own = join(directory, `${name}-${scale}`);
        const kept =
          options.ledgers === null ? null : join(ledgers, `${scaled ? `${name}-${scale}` : name}.lines.json`);
        if (kept !== null && existsSync(kept)) {
          const before = JSON.parse(readFileSync(kept, 'utf8')) as Kept;
          lines.push(...before.lines);
          dates.add(before.date);
          continue;
        }
        dates.add(today());
        const measured = await measure(name, { base, directory: own, scale, ledgers }, scaled ?? false);
        if (kept !== null && !measured.some(isSkipped)) {
          writeFileSync(kept, JSON.stringify({ date: today(), lines: measured } satisfies Kept));
        }
        lines.push(...measured);
      }
    }
    const setting = settingOf([...dates].sort());
    if (options.json) process.stdout.write(`${JSON.stringify({ ...setting, lines: lines.map(judged) })}\n`);
    else process.stdout.write(`${tableOf(lines)}\n\n${setting.machine}, ${setting.node}; ${setting.rounds}\n`);
    if (options.write) writeFileSync(PAGE, pageOf(setting, lines));
    return 0;
  } finally {
    remove();
  }
}

/** A measurement that an earlier run left, and when it was made. */
interface Kept {
  readonly date: string;
  readonly lines: readonly Line[];
}

interface Options {
  readonly json: boolean;
  readonly write: boolean;
  readonly chosen: readonly string[];
  readonly scales: readonly number[];
  readonly ledgers: string | null;
}

function optionsOf(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        ...{ json: { type: 'boolean' }, write: { type: 'boolean' }, ledgers: { type: 'string' } },
        ...{ only: { type: 'string', multiple: true }, scale: { type: 'string', multiple: true } },
      },
    });
    const { json = false, write = false, only: chosen = names, ledgers = null } = values;
    const scales = values.scale?.map(Number) ?? SCALES;
    if (!chosen.every((name) => names.includes(name)) || !scales.every((scale) => scale > 0)) return null;
    return { json, write, chosen, scales, ledgers };
  } catch {
    return null;
  }
}

/** In a process of its own, over an empty directory of its own. What fails is a line of the table. */
async function measure(name: string, place: Place, scaled: boolean): Promise<readonly Line[]> {
  process.stderr.write(scaled ? `${name} at scale ${place.scale}…\n` : `${name}…\n`);
  const own = place.directory;
  mkdirSync(own);
  const out = join(own, 'lines.json');
  const program = fileURLToPath(new URL('measure.js', import.meta.url));
  const child = spawn(process.execPath, [program, name, JSON.stringify(place), out], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: scaled ? PROGRAMME_MS_MAX : MEASUREMENT_MS_MAX,
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

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function settingOf(dates: readonly string[]): Setting {
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    date: [...new Set([dates[0], dates.at(-1)])].join(' to '),
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
