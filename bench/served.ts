import { invariant } from '../libs/kernel/result.js';
import { closeDays } from './close.js';
import type { Line, Place, Row } from './measurement.js';
import { payOnce } from './payers.js';
import { HEAP_OPTION, memory, simulatedProgramme } from './programme.js';
import { queryTimes } from './query-times.js';
import { rebuildBeside } from './rebuilding.js';
import { type Started, startSocai } from './started.js';

/**
 * A server over the five years of the programme at one scale: started, queried, and gone on with for some days. One was
 * there before it, as in a branch where it is started anew each morning, and left what a server leaves.
 */
export async function measureServed(place: Place): Promise<readonly Line[]> {
  const { data } = await simulatedProgramme(place);
  const before = await startedOver(data);
  try {
    await payOnce(before.port);
  } finally {
    await before.stop();
  }
  const server = await startedOver(data);
  const rows: Row[] = [
    {
      ...{ what: 'start to first answer, which is a query', value: server.milliseconds, unit: 'ms' },
      goal: { value: 2_000, bound: 'at most' },
    },
  ];
  try {
    rows.push(...(await queryTimes(server.port)));
    rows.push(...(await closeDays(server.port)));
    rows.push(...(await rebuildBeside(server.port)));
    rows.push(...memory(`memory of that server (${HEAP_OPTION})`, await server.peakMegabytes()));
  } finally {
    await server.stop();
  }
  return rows.map((row) => ({ ...row, scale: place.scale }));
}

async function startedOver(data: string): Promise<Started> {
  const server = await startSocai(data, [HEAP_OPTION], '/v1/capital-plan?programme=GQVL');
  invariant(server !== null, 'socai serves the simulated ledger');
  return server;
}
