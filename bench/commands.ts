import { join } from 'node:path';
import type { CommandRequest } from '../libs/engine/answers.js';
import type { Ledger } from '../libs/engine/ledger.js';
import { accepted, copyOf, everyReadModel, openBenchLedger, payments } from './lending.js';
import { atOnce, bestRate, type Line, type Place, rateOf } from './measurement.js';
import { insertRows } from './raw-sqlite.js';

/** Callers that each wait for their answer before they send again. */
export const CALLERS = 64;
const COMMANDS = 20_000;
const COMMANDS_FOLLOWED = 10_000;
const ROWS_ALONE = 2_000;

/** Durable commands in process: record-payment of interest, each on another loan than its neighbours. */
export async function measureCommands({ base, directory }: Place): Promise<readonly Line[]> {
  const { rate, perTransaction } = await measureCallers(copyOf(base, join(directory, 'ledger')));
  const alone = await bestRate((round) => insertRows(join(directory, `alone-${round}.db`), ROWS_ALONE, 1));
  const together = await bestRate((round) => insertRows(join(directory, `together-${round}.db`), COMMANDS, 100));
  const followed = await measureFollowed(copyOf(base, join(directory, 'followed')));
  const what = `durable commands in process, ${CALLERS} at once`;
  const goal = { value: 20_000, bound: 'at least' } as const;
  const byHundred = { what: 'raw SQLite rows, by 100', value: together };
  return [
    { what, value: rate, unit: '/s', beside: { what: 'raw SQLite rows, one fsync each', value: alone }, goal },
    { what, value: rate, unit: '/s', beside: byHundred, goal },
    { what: `${what}, all read models following`, value: followed, unit: '/s', beside: byHundred, goal },
    { what: 'commands that share one fsync', value: perTransaction, unit: 'commands' },
  ];
}

/** The write path alone, over a ledger in `directory`. */
export async function measureCallers(directory: string): Promise<{ rate: number; perTransaction: number }> {
  let [appends, transactions] = [0, 0];
  const { ledger, close } = await openBenchLedger(directory, [], (together) => {
    appends += together;
    transactions++;
  });
  await atOnce(CALLERS, 2_000, post(ledger, [...payments(2_000, 'warm')]));
  [appends, transactions] = [0, 0];
  const rate = await bestRate((round) => {
    const lines = [...payments(COMMANDS, `${round}`)];
    return rateOf(COMMANDS, () => atOnce(CALLERS, COMMANDS, post(ledger, lines)));
  });
  await close();
  return { rate, perTransaction: appends / transactions };
}

/** As a server runs it: read models and processes follow in the same process. */
async function measureFollowed(directory: string): Promise<number> {
  const { ledger, close } = await openBenchLedger(directory, everyReadModel);
  await ledger.catchUp();
  const rate = await bestRate((round) => {
    const lines = [...payments(COMMANDS_FOLLOWED, `followed-${round}`)];
    return rateOf(COMMANDS_FOLLOWED, () => atOnce(CALLERS, COMMANDS_FOLLOWED, post(ledger, lines)));
  });
  await close();
  return rate;
}

const post =
  (ledger: Ledger, lines: readonly CommandRequest[]) =>
  (index: number): Promise<void> =>
    accepted(ledger.handle(lines[index] as CommandRequest));
