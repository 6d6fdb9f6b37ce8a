import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { CommandOf, Folded } from '../libs/kernel/decider.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { invariant } from '../libs/kernel/result.js';
import { lendingDomain } from '../libs/lending/catalogue.js';
import { CALLERS, measureCallers } from './commands.js';
import { copyOf, openBenchLedger, payments, TODAY } from './lending.js';
import { atOnce, bestRate, type Line, type Place, rateOf } from './measurement.js';
import { type Postgres, startPostgres } from './postgres.js';

const PEER = fileURLToPath(new URL('peer/', import.meta.url));
const INSTALL_MS_MAX = 60_000;
const LOANS = 1_000;
const COMMANDS = 4_000;
const WHAT = `durable commands in process, ${CALLERS} at once`;

/** The part of Emmett that is used. Its events have no envelope: type, data and what is said beside. */
interface EmmettEvent {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}
interface EmmettStore {
  appendToStream(stream: string, events: readonly EmmettEvent[]): Promise<unknown>;
  close(): Promise<void>;
}
type Handle = (store: EmmettStore, stream: string, decide: (state: unknown) => EmmettEvent[]) => Promise<unknown>;
interface Emmett {
  readonly CommandHandler: (options: {
    readonly evolve: (state: unknown, event: EmmettEvent) => unknown;
    readonly initialState: () => unknown;
  }) => Handle;
  readonly getPostgreSQLEventStore: (connectionString: string) => EmmettStore;
}

/**
 * Emmett with the same loans, the same decisions and the same fold, on a PostgreSQL of the same machine with its defaults.
 * Not on SQLite, for which Emmett needs a driver that is built where it is installed. Its pool of 10 connections is as
 * fast here as one of 20, 32 or 64.
 */
export async function measureEmmett(place: Place): Promise<readonly Line[]> {
  const emmett = await installed();
  if (emmett === null) return [{ what: 'Emmett on PostgreSQL', skipped: 'its packages could not be installed' }];
  const postgres = await startPostgres(place.directory);
  if (postgres === null) return [{ what: 'Emmett on PostgreSQL', skipped: 'there is no PostgreSQL that starts' }];
  try {
    const theirs = await peerRate(emmett, postgres, place);
    const ours = await measureCallers(copyOf(place.base, join(place.directory, 'ours')));
    const beside = {
      what: `Emmett on ${postgres.version.replace('postgres (PostgreSQL)', 'PostgreSQL')}`,
      value: theirs,
    };
    return [{ what: WHAT, value: ours.rate, unit: '/s', beside, goal: { value: 20_000, bound: 'at least' } }];
  } finally {
    await postgres.stop();
  }
}

async function peerRate(emmett: Emmett, { connectionString }: Postgres, place: Place): Promise<number> {
  const domain = lendingDomain();
  const [entry, loan] = [domain.commands.get('record-payment'), domain.aggregates.get('loan')];
  invariant(entry !== undefined && loan !== undefined, 'the domain has loans and payments');
  const store = emmett.getPostgreSQLEventStore(connectionString);
  await copyLoans(store, place);
  const handle = emmett.CommandHandler({
    initialState: () => loan.initial,
    evolve: (state, { type, data, metadata }) => loan.evolve(state, { type, data, meta: metadata } as Envelope),
  });
  const calendar = { open: TODAY, first: TODAY, simulated: false };
  const best = await bestRate((round) => {
    const lines = [...payments(COMMANDS, `emmett-${round}`)];
    return rateOf(COMMANDS, () =>
      atOnce(CALLERS, COMMANDS, async (index) => {
        const data = { ...lines[index]?.data, loan: `L${index % LOANS}`, allocation: null };
        const stream = `loan-${data.loan}`;
        const command: CommandOf<unknown> = {
          ...{ name: entry.name, data, valueDate: TODAY, commandId: `${stream} ${index}`, today: TODAY },
        };
        await handle(store, stream, (state) => {
          const about: Folded = { stream, revision: 0, state };
          const decided = entry.decide(about, command, { calendar });
          invariant(decided.ok && decided.value.step !== null, 'a payment of the benchmark is accepted');
          return decided.value.step.events.map(({ type, data, valueDate }) => ({
            ...{ type, data, metadata: { valueDate, causationId: command.commandId } },
          }));
        });
      }),
    );
  });
  await store.close();
  return best;
}

/** The first loans of our ledger, with their histories. */
async function copyLoans(theirs: EmmettStore, { base, directory }: Place): Promise<void> {
  const { store, close } = await openBenchLedger(copyOf(base, join(directory, 'source')));
  await atOnce(8, LOANS, async (index) => {
    const events: EmmettEvent[] = [];
    for await (const { type, data, meta } of store.readStream(`loan-L${index}`)) {
      events.push({ type, data, metadata: { valueDate: meta.valueDate, causationId: meta.causationId } });
    }
    await theirs.appendToStream(`loan-L${index}`, events);
  });
  await close();
}

/** Emmett from its own folder, which is installed by its own lock file when it is first measured. */
async function installed(): Promise<Emmett | null> {
  if (!existsSync(join(PEER, 'node_modules'))) {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', PEER];
    const npm = spawn('npm', args, { stdio: 'ignore', timeout: INSTALL_MS_MAX });
    const code = await new Promise((resolve) => {
      npm.once('error', () => resolve(1));
      npm.once('exit', resolve);
    });
    if (code !== 0) return null;
  }
  const required = createRequire(join(PEER, 'package.json'));
  const load = async (name: string) => (await import(pathToFileURL(required.resolve(name)).href)) as Emmett;
  const { CommandHandler } = await load('@event-driven-io/emmett');
  const { getPostgreSQLEventStore } = await load('@event-driven-io/emmett-postgresql');
  return { CommandHandler, getPostgreSQLEventStore };
}
