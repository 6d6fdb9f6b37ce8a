import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '../libs/kernel/result.js';
import { copyOf, openBenchLedger, payments, postSheet } from './lending.js';
import { bestRate, type Line, type Place, ROUNDS, rateOf } from './measurement.js';
import { insertRows } from './raw-sqlite.js';
import { NO_SERVER, SOCAI, startSocai } from './started.js';

const LINES = 50_000;
const GOAL = { value: 40_000, bound: 'at least' } as const;
/** Through a server read models follow as well, so one round of each is as much as the time allows. */
const ROUNDS_SERVED = 2;

/** A day's sheet of 50,000 payments: through the engine, over HTTP and by `socai command --file`. */
export async function measureSheet(place: Place): Promise<readonly Line[]> {
  const raw = await bestRate((round) => insertRows(join(place.directory, `raw-${round}.db`), LINES, LINES));
  const beside = { what: 'raw SQLite rows in one transaction', value: raw };
  const ours = await throughEngine(place);
  return [
    { what: 'sheet lines posted, in process', value: ours, unit: '/s', beside, goal: GOAL },
    { what: 'peak memory of that', value: peakMegabytes(), unit: 'MB' },
    ...(await overHttp(place, beside)),
    ...(await byFile(place, beside)),
  ];
}

async function throughEngine({ base, directory }: Place): Promise<number> {
  const { ledger, close } = await openBenchLedger(copyOf(base, join(directory, 'engine')));
  await postSheet(ledger, payments(2_000, 'warm'));
  const best = await bestRate((round) => {
    return rateOf(LINES, () => postSheet(ledger, payments(LINES, `sheet-${round}`)));
  }, ROUNDS);
  await close();
  return best;
}

async function overHttp({ base, directory }: Place, beside: { what: string; value: number }): Promise<Line[]> {
  const what = 'sheet lines posted over HTTP, read models following';
  const server = await startSocai(copyOf(base, join(directory, 'served')));
  if (server === null) return [{ what, skipped: NO_SERVER }];
  const best = await bestRate((round) => {
    const body = ndjson(`http-${round}`);
    return rateOf(LINES, async () => {
      const answer = await fetch(`http://127.0.0.1:${server.port}/v1/commands`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body },
      });
      const results = await answer.text();
      invariant(results.split('"status":200').length === LINES + 1, `all lines are accepted: ${results.slice(0, 300)}`);
    });
  }, ROUNDS_SERVED);
  const peak = await server.peakMegabytes();
  await server.stop();
  return [
    { what, value: best, unit: '/s', beside, goal: GOAL },
    ...(peak === null ? [] : [{ what: 'peak memory of that server', value: peak, unit: 'MB' }]),
  ];
}

async function byFile({ base, directory }: Place, beside: { what: string; value: number }): Promise<Line[]> {
  const what = 'sheet lines by `socai command --file`, from start to end';
  if (!existsSync(SOCAI)) return [{ what, skipped: NO_SERVER }];
  const data = copyOf(base, join(directory, 'filed'));
  const file = join(directory, 'sheet.ndjson');
  writeFileSync(file, ndjson('file'));
  const rate = await rateOf(LINES, async () => {
    const child = spawn(process.execPath, [SOCAI, 'command', '--file', file, '--data', data, '--json'], {
      stdio: 'ignore',
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    invariant(code === 0, `socai command --file ends with 0, not ${String(code)}`);
  });
  return [{ what, value: rate, unit: '/s', beside, goal: GOAL }];
}

const ndjson = (run: string): string => [...payments(LINES, run)].map((line) => `${JSON.stringify(line)}\n`).join('');

/** Of this process, which has done nothing else. */
const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1_024;
