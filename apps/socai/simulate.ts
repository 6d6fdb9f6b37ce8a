import type { SimulateReport, SimulateRequest } from '../../libs/surface/cli/host.js';
import { refused } from '../../libs/surface/formats/problem.js';
import { makeDirectory, openToWrite } from './directory.js';
import { holderOf, holderText, takeHold } from './hold.js';
import { runSimulation } from './simulate/run.js';

/** Holds a directory and simulates the programme in it, or goes on with the simulation that is there. */
export async function simulateDirectory(request: SimulateRequest): Promise<SimulateReport> {
  const { data, progress, ...parameters } = request;
  makeDirectory(data);
  const hold = takeHold(data, 'simulate');
  if (hold === null) throw refused('LEDGER_HELD', '', { holder: holderText(holderOf(data)) });
  try {
    const onFault = (error: unknown) => process.stderr.write(`${String(error)}\n`);
    const { ledger, close } = await openToWrite(data, { simulated: true, thread: true, onFault });
    try {
      return await runSimulation(ledger, parameters, progress);
    } finally {
      await close();
    }
  } finally {
    hold.release();
  }
}
