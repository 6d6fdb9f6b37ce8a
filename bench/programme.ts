import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { invariant } from '../libs/kernel/result.js';
import { closeDays } from './close.js';
import { eventsFile } from './lending.js';
import type { Line, Place, Row } from './measurement.js';
import { queryTimes } from './query-times.js';
import { readRaw } from './reads.js';
import { runSocai } from './run-socai.js';
import { startSocai } from './started.js';

/** What server, rebuild and replay may keep in their heaps. */
const HEAP_MEGABYTES = 512;
const SEED = 159;
const HEAP_OPTION = `--max-old-space-size=${HEAP_MEGABYTES}`;
const MEMORY_GOAL = { value: HEAP_MEGABYTES, bound: 'at most' } as const;

type Beside = NonNullable<Row['beside']>;

interface Simulated {
  readonly events: number;
  readonly digest: string;
  readonly seconds: number;
  readonly peakMegabytes: number | null;
}

/**
 * The five years of the programme at one scale: simulated, replayed, rebuilt, queried, and gone on with for some days.
 * Each row says at which scale it was measured: side by side they show how each cost grows.
 */
export async function measureProgramme(place: Place): Promise<readonly Line[]> {
  const { scale } = place;
  const data = join(place.ledgers ?? place.directory, `scale-${scale}`);
  const simulated = await simulate(data, scale);
  const { events } = simulated;
  const beside = { what: 'SQLite read + JSON.parse alone, one core', value: await readRaw(eventsFile(data), events) };
  const rows: Line[] = [
    { what: 'events of the five years', value: events, unit: 'events' },
    {
      what: 'simulated by commands, one process; read models built after',
      value: events / simulated.seconds,
      unit: 'events/s',
    },
    ...memory('memory of that', simulated.peakMegabytes),
    ...(await replay(data, events, beside)),
    ...(await rebuild(data, events, beside)),
  ];
  const server = await startSocai(data, [HEAP_OPTION], '/v1/capital-plan?programme=GQVL');
  invariant(server !== null, 'socai serves the simulated ledger');
  rows.push({
    ...{ what: 'start to first answer, which is a query', value: server.milliseconds, unit: 'ms' },
    goal: { value: 2_000, bound: 'at most' },
  });
  try {
    rows.push(...(await queryTimes(server.port)));
    rows.push(...(await closeDays(server.port)));
    rows.push(...memory(`memory of that server (${HEAP_OPTION})`, await server.peakMegabytes()));
  } finally {
    await server.stop();
  }
  return rows.map((row) => ({ ...row, scale }));
}

/** Once a directory: a ledger that is kept for the next run keeps what its making cost beside it. */
async function simulate(data: string, scale: number): Promise<Simulated> {
  const kept = `${data}.json`;
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Simulated;
  mkdirSync(data, { recursive: true });
  const args = ['simulate', '--scale', String(scale), '--seed', String(SEED), '--data', data, '--json'];
  const { stdout, peakMegabytes } = await runSocai(args);
  const simulated = { ...(JSON.parse(stdout) as Omit<Simulated, 'peakMegabytes'>), peakMegabytes };
  writeFileSync(kept, JSON.stringify(simulated));
  return simulated;
}

/** Every event read, hashed again and held against its seal. */
async function replay(data: string, events: number, beside: Beside): Promise<readonly Row[]> {
  const { seconds, peakMegabytes } = await runSocai(['audit', '--data', data, '--json'], [HEAP_OPTION]);
  return [
    { what: 'replayed and checked against the seals (`socai audit`)', value: events / seconds, unit: '/s', beside },
    ...memory(`memory while replaying (${HEAP_OPTION})`, peakMegabytes, MEMORY_GOAL),
  ];
}

async function rebuild(data: string, events: number, beside: Beside): Promise<readonly Row[]> {
  const { seconds, peakMegabytes } = await runSocai(['rebuild', '--all', '--data', data, '--json'], [HEAP_OPTION]);
  return [
    { what: 'all read models rebuilt, compared and switched, events', value: events / seconds, unit: '/s', beside },
    {
      ...{ what: 'the same, a core', value: events / seconds / availableParallelism(), unit: '/s' },
      ...{ beside, goal: { value: 250_000, bound: 'at least' } as const },
    },
    ...memory(`memory of the rebuild (${HEAP_OPTION})`, peakMegabytes),
  ];
}

const memory = (what: string, megabytes: number | null, goal?: Row['goal']): readonly Row[] =>
  megabytes === null ? [] : [{ what, value: megabytes, unit: 'MB', ...(goal === undefined ? {} : { goal }) }];
