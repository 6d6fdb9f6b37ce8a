import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FIRST_START } from '../apps/socai/simulate/programme.js';
import { runSimulation, type Simulated } from '../apps/socai/simulate/run.js';
import type { Ledger } from '../libs/engine/ledger.js';
import { addDays, addMonths, type LocalDate } from '../libs/kernel/dates.js';
import { queries } from '../libs/projections/catalogue.js';
import { ask } from '../libs/surface/verbs/query.js';
import { memoryLedger } from './harness.js';
import { createRandom } from './model/world.js';
import { SOCAI } from './server.js';
import { followed } from './surface.js';

type Row = Readonly<Record<string, string & number & boolean>>;
interface Figures {
  readonly rows: readonly Row[];
  readonly total: Row;
}

interface Identity {
  readonly holds: boolean;
  readonly rows: readonly { readonly asOf: string; readonly district: string; readonly fundBalance: number }[];
}

/** What the first start makes, asked through the queries that everybody has. */
describe('five years of the programme', () => {
  let ledger: Ledger;
  let report: Simulated;
  const query = async (name: string, parameters: Readonly<Record<string, string>>): Promise<Figures> => {
    const found = queries.find((query) => query.name === name);
    const answer = found === undefined ? null : await ask(ledger, found, parameters);
    if (answer?.ok !== true) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    return answer.value as Figures;
  };

  beforeAll(async () => {
    ({ ledger } = await memoryLedger({ followed }));
    // A line that is refused and should not be, or the reverse, ends it.
    report = await runSimulation(ledger, FIRST_START);
    await ledger.catchUp();
  }, 240_000);
  afterAll(() => ledger.close());

  it('is closed to the last day', async () => {
    expect(await ledger.calendar()).toMatchObject({ first: '2021-01-01', open: '2026-01-01', simulated: true });
    expect(report).toMatchObject({ digest: await ledger.digest(), from: '2021-01-01', to: '2025-12-31' });
    expect(report.refused).toBeGreaterThan(10);
  });

  it('has the tranches, and jobs near the targets', async () => {
    const { rows } = await query('capital-plan', { programme: 'GQVL' });
    const millions = FIRST_START.scale;
    expect(rows.map(({ funded }) => funded)).toEqual(
      [550_000, 500_000, 500_000, 500_000, 500_000].map((m) => m * millions),
    );
    for (const { year, jobsTarget = 0, jobsCreated = 0 } of rows) {
      // So few jobs that one or two more or less are some per cent.
      expect([year, Math.abs(jobsCreated - jobsTarget) <= Math.max(2, jobsTarget * 0.04)]).toEqual([year, true]);
    }
  });

  it('is near the bounds of the plan, and some districts miss them', async () => {
    const missing = new Set<unknown>();
    for (const { year } of (await query('capital-plan', { programme: 'GQVL' })).rows) {
      const { rows, total } = await query('portfolio-quality', { by: 'district', asOf: `${year}-12-31` });
      expect(Number(total.collectionRate)).toBeGreaterThanOrEqual(0.98);
      expect(Number(total.overdueRatio)).toBeLessThan(0.002);
      for (const row of rows) if (row.meetsOverdueRatio === false) missing.add(row.district);
    }
    expect(missing.size).toBeGreaterThanOrEqual(2);
    expect(missing.size).toBeLessThan(15);
  });

  it('keeps the capital identity in every district at every month end', async () => {
    const identity = (await query('capital-identity', {})) as unknown as Identity;
    const byFund = new Map(identity.rows.map((row) => [`${row.asOf} ${row.district}`, row.fundBalance]));
    let checked = 0;
    for (let month = 1; month <= 60; month++) {
      const asOf = addDays(addMonths('2021-01-01' as LocalDate, month), -1);
      const balances = await query('district-balances', { asOf });
      const quality = await query('portfolio-quality', { by: 'district', asOf });
      const outstanding = new Map(quality.rows.map((row) => [row.district, row.outstanding]));
      const funds = await query('capital-plan', { programme: 'GQVL', asOf });
      const funded = funds.rows.reduce((sum, { funded = 0 }) => sum + funded, 0);
      expect(Number(balances.total.allocated)).toBeLessThanOrEqual(funded);
      for (const { district, allocated, writtenOff, idle = 0, available = -1 } of balances.rows) {
        const sum = (outstanding.get(district as never) ?? 0) + Number(writtenOff) + idle;
        expect([asOf, district, sum]).toEqual([asOf, district, allocated]);
        expect(Math.min(idle, available)).toBeGreaterThanOrEqual(0);
        // Idle is what is left of the sum; what may be lent is counted again by the fund's own stream.
        expect([asOf, district, byFund.get(`${asOf} ${district}`)]).toEqual([asOf, district, available]);
        checked++;
      }
    }
    expect(checked).toBe(60 * 30);
    expect(identity.holds).toBe(true);
  }, 60_000);

  it('leaves little idle, and settles nearly every loan that came to its term', async () => {
    const { total } = await query('district-balances', { asOf: '2025-12-31' });
    expect(Number(total.idle) / Number(total.allocated)).toBeLessThan(0.2);
    let [ended, settled] = [0, 0];
    for (let number = 1; ended < 20; number++) {
      const loan = `L${number.toString().padStart(6, '0')}`;
      const found = (await query('loan', { loan })) as unknown as {
        readonly status: string;
        readonly installments: readonly { readonly dueDate: string }[];
      };
      if ((found.installments.at(-1)?.dueDate ?? '9') >= '2025-12-01') continue;
      ended++;
      if (found.status === 'SETTLED') settled++;
    }
    expect(settled).toBeGreaterThanOrEqual(ended - 1);
  });
});

/** Real processes on real files, with days of hundreds of lines: most kills come amid a day, some amid its close. */
describe('a simulation that is killed', () => {
  const SEED = Number(process.env.SEED ?? 20210701);
  const KILLS = 6;
  const ARGUMENTS = ['simulate', '--scale', '0.3', '--seed', '7', '--to', '2021-02-28'];
  let place: string;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'socai-simulate-'));
  });
  afterAll(() => rm(place, { recursive: true, force: true }));

  const run = (data: string, args: readonly string[]) => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    const child = spawn(process.execPath, [SOCAI, ...args, '--data', join(place, data), '--json'], { env });
    let out = '';
    child.stdout.on('data', (piece: Buffer) => {
      out += piece.toString();
    });
    return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, out })) };
  };
  const done = async (data: string, args: readonly string[]) => {
    const { code, out } = await run(data, args).ended;
    expect([code, out.trimEnd().split('\n')]).toEqual([0, [expect.any(String)]]);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const figuresOf = async (data: string) => ({
    balances: await done(data, ['query', 'district-balances', '--knownOn', '2021-12-31']),
    quality: await done(data, ['query', 'portfolio-quality', '--by', 'district', '--knownOn', '2021-12-31']),
    plan: await done(data, ['query', 'capital-plan', '--programme', 'GQVL', '--knownOn', '2021-12-31']),
  });

  it(`at ${KILLS} random moments ends in the same digest and figures (seed ${SEED})`, async () => {
    const random = createRandom(SEED);
    const began = performance.now();
    const undisturbed = await done('undisturbed', ARGUMENTS);
    const took = performance.now() - began;
    let kills = 0;
    while (kills < KILLS) {
      const { child, ended } = run('disturbed', ARGUMENTS);
      // Long enough to have begun, short enough to be killed several times on the way.
      await wait(took * (0.15 + random.below(250) / 1_000));
      child.kill('SIGKILL');
      if ((await ended).code === 0) break;
      kills++;
    }
    expect(kills).toBeGreaterThan(0);
    const disturbed = await done('disturbed', ARGUMENTS);
    expect(disturbed.digest).toBe(undisturbed.digest);
    expect(disturbed.events).toBe(undisturbed.events);
    expect(await figuresOf('disturbed')).toEqual(await figuresOf('undisturbed'));
    // A run that is whole has nothing left to do.
    expect(await done('disturbed', ARGUMENTS)).toMatchObject({ digest: undisturbed.digest, lines: 0 });
    const other = await done('other', ARGUMENTS.with(4, '8'));
    expect(other.digest).not.toBe(undisturbed.digest);
  }, 240_000);

  it("leaves a ledger of one's own alone", async () => {
    const command = ['command', '--file', 'docs/guides/tour.ndjson'];
    expect((await run('own', command).ended).code).toBe(0);
    const refused = await run('own', ARGUMENTS).ended;
    expect([refused.code, JSON.parse(refused.out)]).toMatchObject([2, { code: 'LEDGER_SIMULATED' }]);
  }, 60_000);
});
