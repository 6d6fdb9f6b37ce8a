import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { eventsFile } from './lending.js';
import type { Line, Place, Row } from './measurement.js';
import { countEvents, readRaw } from './reads.js';
import { runSocai } from './run-socai.js';

/** What server, rebuild and replay may keep in their heaps. */
export const HEAP_MEGABYTES = 512;
const SEED = 159;
export const HEAP_OPTION = `--max-old-space-size=${HEAP_MEGABYTES}`;
const MEMORY_GOAL = { value: HEAP_MEGABYTES, bound: 'at most' } as const;

type Beside = NonNullable<Row['beside']>;

interface Simulated {
  readonly events: number;
  readonly digest: string;
  readonly seconds: number;
  readonly peakMegabytes: number | null;
}

/**
 * The five years of the programme at one scale: simulated and replayed. Each row says at which scale it was measured:
 * side by side they show how each cost grows.
 */
export async function measureProgramme(place: Place): Promise<readonly Line[]> {
  const { data, simulated } = await simulatedProgramme(place);
  const { events, beside } = await readAlone(data);
  return scaled(place, [
    { what: 'events of the five years', value: simulated.events, unit: 'events' },
    {
      what: 'simulated by commands, with all read models, one process',
      value: simulated.events / simulated.seconds,
      unit: 'events/s',
    },
    ...memory('memory of that', simulated.peakMegabytes),
    ...(await replay(data, events, beside)),
  ]);
}

/** All its read models, built anew with nothing else going on. */
export async function measureRebuild(place: Place): Promise<readonly Line[]> {
  const { data } = await simulatedProgramme(place);
  const { events, beside } = await readAlone(data);
  return scaled(place, await rebuild(data, events, beside));
}

const scaled = ({ scale }: Place, rows: readonly Row[]): readonly Line[] => rows.map((row) => ({ ...row, scale }));

/** How many events it holds now, as one that was kept may have been gone on with, and what reading them takes at least. */
async function readAlone(data: string): Promise<{ readonly events: number; readonly beside: Beside }> {
  const events = countEvents(eventsFile(data));
  const value = await readRaw(eventsFile(data), events);
  return { events, beside: { what: 'SQLite read + JSON.parse alone, one core', value } };
}

/** Made once a directory: a ledger that is kept for the next run keeps what its making cost beside it. */
export async function simulatedProgramme({ ledgers, scale }: Place) {
  const data = join(ledgers, `scale-${scale}`);
  const kept = `${data}.json`;
  if (existsSync(kept)) return { data, simulated: JSON.parse(readFileSync(kept, 'utf8')) as Simulated };
  mkdirSync(data, { recursive: true });
  const args = ['simulate', '--scale', String(scale), '--seed', String(SEED), '--data', data, '--json'];
  const { stdout, peakMegabytes } = await runSocai(args);
  const simulated = { ...(JSON.parse(stdout) as Omit<Simulated, 'peakMegabytes'>), peakMegabytes };
  writeFileSync(kept, JSON.stringify(simulated));
  return { data, simulated };
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

export const memory = (what: string, megabytes: number | null, goal?: Row['goal']): readonly Row[] =>
  megabytes === null ? [] : [{ what, value: megabytes, unit: 'MB', ...(goal === undefined ? {} : { goal }) }];
