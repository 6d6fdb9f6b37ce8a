import { join } from 'node:path';
import { copyOf } from './lending.js';
import { type Line, type Place, ROUNDS } from './measurement.js';
import { NO_SERVER, SOCAI, start, startSocai } from './started.js';

/** From the start of `socai serve` over a ledger of some 60,000 events to its first answer. */
export async function measureStart({ base, directory }: Place): Promise<readonly Line[]> {
  const what = 'start to first answer';
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startSocai(copyOf(base, join(directory, `served-${round}`)));
    if (server === null) return [{ what, skipped: NO_SERVER }];
    best = Math.min(best, server.milliseconds);
    await server.stop();
  }
  return [
    { what, value: best, unit: 'ms', goal: { value: 2_000, bound: 'at most' } },
    await firstStart(join(directory, 'first')),
  ];
}

/** `socai start` over an empty directory, once: the five years are simulated before it answers. */
async function firstStart(data: string): Promise<Line> {
  const what = 'first start to first answer, five years simulated at a small scale';
  const server = await start([SOCAI, 'start', '--data', data], '/v1/capital-plan?programme=GQVL');
  if (server === null) return { what, skipped: NO_SERVER };
  await server.stop();
  return { what, value: server.milliseconds, unit: 'ms', goal: { value: 20_000, bound: 'at most' } };
}
