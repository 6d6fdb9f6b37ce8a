import { setTimeout as wait } from 'node:timers/promises';
import type { Parameters } from '../../apps/socai/simulate/programme.js';
import type { LocalDate } from '../../libs/kernel/dates.js';
import { type Cluster, startCluster } from './cluster.js';
import { type Compared, compare } from './compare.js';
import type { Drill } from './drills.js';
import { type Loaded, postProgramme } from './programme.js';

export interface DrillReport extends Compared {
  /** Which server was a real one, and which was not. */
  readonly what: string;
  readonly lines: number;
  /** How often something was made to go wrong, and how often a sheet was posted again. */
  readonly harm: number;
  readonly again: number;
  /** Of processes of the four apps that ended, by the drill or by themselves. */
  readonly restarts: number;
  readonly seconds: { readonly load: number; readonly all: number };
}

export interface Load {
  readonly parameters: Parameters;
  /** The day until which it is posted, whatever becomes of the harm. */
  readonly atLeast: LocalDate;
}

/** Posts a programme to a distributed ledger while things go wrong, and compares what it holds with an embedded one. */
export async function runDrill(drill: Drill, load: Load): Promise<DrillReport> {
  const began = performance.now();
  const cluster = await startCluster(drill.options);
  try {
    const loading = performance.now();
    const loaded = await disturbed(drill, cluster, load);
    const loadSeconds = seconds(loading);
    const compared = await compare(cluster, loaded);
    return {
      ...compared,
      ...{ what: cluster.what, lines: loaded.lines, harm: drill.rounds, again: loaded.again },
      restarts: cluster.parts.reduce((sum, { restarts }) => sum + restarts, 0),
      seconds: { load: loadSeconds, all: seconds(began) },
    };
  } catch (error) {
    console.error(cluster.said());
    throw error;
  } finally {
    await cluster.close();
  }
}

/** Posts a programme while things go wrong. */
export async function disturbed(drill: Drill, cluster: Cluster, { parameters, atLeast }: Load): Promise<Loaded> {
  const harmed = new AbortController();
  const urls = cluster.of('command-api').map(({ url }) => url);
  const [loaded] = await Promise.all([
    postProgramme(urls, parameters, atLeast, harmed.signal),
    harm(drill, cluster).finally(() => harmed.abort()),
  ]);
  return loaded;
}

async function harm(drill: Drill, cluster: Cluster): Promise<void> {
  for (let round = 0; round < drill.rounds; round++) {
    await wait(drill.restMs);
    await drill.harm(cluster, round);
  }
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 100) / 10;
