import type { Part } from '../../libs/engine/build.js';
import { ReadModels } from '../../libs/engine/follow.js';
import { openSqliteEventStore } from '../../libs/event-store/sqlite/store.js';
import { lendingDomain } from '../../libs/lending/catalogue.js';
import type { SimulateReport, SimulateRequest, SimulationProgress } from '../../libs/surface/cli/host.js';
import { refused } from '../../libs/surface/formats/problem.js';
import { type BuildThreads, startThreads } from './build-threads.js';
import { makeDirectory, openToSimulate } from './directory.js';
import { eventsFile, followed, openReadModels } from './files.js';
import { holderOf, holderText, takeHold } from './hold.js';
import type { Parameters } from './simulate/programme.js';
import { runSimulation } from './simulate/run.js';

/** Holds a directory and simulates the programme in it, or goes on with the simulation that is there. */
export async function simulateDirectory(request: SimulateRequest): Promise<SimulateReport> {
  const { data, progress, ...parameters } = request;
  makeDirectory(data);
  const hold = takeHold(data, 'simulate');
  if (hold === null) throw refused('LEDGER_HELD', '', { holder: holderText(holderOf(data)) });
  try {
    return await simulateInto(data, parameters, progress);
  } finally {
    hold.release();
  }
}

/** So many more events are worth a round of the threads that build. */
const MORE_EVENTS = 10_000;

/** In a directory that is held: the events, and meanwhile their read models, on what the cores have left. */
export async function simulateInto(
  data: string,
  parameters: Parameters,
  progress: (progress: SimulationProgress) => void,
): Promise<SimulateReport> {
  const began = performance.now();
  const { ledger, close } = await openToSimulate(data, (error) => process.stderr.write(`${String(error)}\n`));
  const models = new ReadModelsBeside(data);
  try {
    let told = 0;
    const simulated = await runSimulation(ledger, parameters, (now) => {
      progress(now);
      if (now.events - told < MORE_EVENTS) return;
      told = now.events;
      models.more();
    });
    const of = simulated.events;
    await models.whole((events) =>
      progress({ doing: 'read models', day: parameters.to, share: of === 0 ? 1 : events / of, events }),
    );
    return { ...simulated, seconds: Math.round(performance.now() - began) / 1_000 };
  } catch (error) {
    await models.stop();
    throw error;
  } finally {
    await close();
  }
}

/** Read models that are built while their events are written. Nothing of them is touched before there are many. */
class ReadModelsBeside {
  #threads: Promise<BuildThreads> | null = null;
  #progress: (events: number) => void = () => {};

  constructor(private readonly data: string) {}

  more(): void {
    // A fault is thrown to whoever waits for the whole.
    this.#started().then(
      (threads) => threads.tell('more'),
      () => {},
    );
  }

  /** No more events come: resolves when every read model has taken them all. */
  async whole(progress: (events: number) => void): Promise<void> {
    this.#progress = progress;
    const threads = await this.#started();
    threads.tell('whole');
    await threads.ended;
  }

  async stop(): Promise<void> {
    const threads = await this.#threads?.catch(() => undefined);
    threads?.tell('stop');
    await threads?.ended.catch(() => {});
  }

  #started(): Promise<BuildThreads> {
    this.#threads ??= openInstances(this.data).then((parts) => {
      const done = new Map(parts.map(({ instance }) => [instance, 0]));
      const threads = startThreads(this.data, parts, true, (instance, { sequence }) => {
        done.set(instance, sequence);
        this.#progress(Math.min(...done.values()));
      });
      threads.ended.catch(() => {});
      return threads;
    });
    return this.#threads;
  }
}

/** The live instances of all read models. */
async function openInstances(data: string): Promise<readonly Part[]> {
  const store = await openSqliteEventStore({ path: eventsFile(data), readOnly: true });
  const readStore = openReadModels(data);
  const models = new ReadModels(store, readStore, lendingDomain(), Date.now, async () => {});
  try {
    await models.open(followed);
    return models.status().map(({ name, instance }) => ({ name, instance }));
  } finally {
    await readStore.close();
    await store.close();
  }
}
