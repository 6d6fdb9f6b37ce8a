import type { SimulateReport, SimulateRequest, SimulationProgress } from '../../libs/surface/cli/host.js';
import { refused } from '../../libs/surface/formats/problem.js';
import { makeDirectory, openToSimulate, openToWrite } from './directory.js';
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

/** In a directory that is held: the events first, then the read models of all of them, on every core. */
export async function simulateInto(
  data: string,
  parameters: Parameters,
  progress: (progress: SimulationProgress) => void,
): Promise<SimulateReport> {
  const began = performance.now();
  const onFault = (error: unknown) => process.stderr.write(`${String(error)}\n`);
  const written = await openToSimulate(data, onFault);
  const simulated = await runSimulation(written.ledger, parameters, progress).finally(() => written.close());
  const { ledger, close } = await openToWrite(data, { simulated: true, thread: true, onFault });
  const building = (events: number, of: number) =>
    progress({ doing: 'read models', day: parameters.to, share: of === 0 ? 1 : events / of, events });
  await ledger.catchUp(building).finally(close);
  return { ...simulated, seconds: Math.round(performance.now() - began) / 1_000 };
}
