import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invariant } from '../libs/kernel/result.js';
import { Connection } from './http-client.js';
import { copyOf, payments } from './lending.js';
import { atOnce, bestRate, type Line, type Place, rateOf } from './measurement.js';
import { NO_SERVER, start, startSocai } from './started.js';

const CONNECTIONS = 64;
const COMMANDS = 8_000;
const NOTHINGS = 15_000;
const WHAT = `durable commands over HTTP, ${CONNECTIONS} connections`;

/** POST /v1/commands/record-payment with read models following, beside a Nest + Fastify route that does nothing. */
export async function measureHttp({ base, directory }: Place): Promise<readonly Line[]> {
  const server = await startSocai(copyOf(base, join(directory, 'served')));
  if (server === null) return [{ what: WHAT, skipped: NO_SERVER }];
  const ours = await requests(server.port, COMMANDS, (round) => {
    const lines = [...payments(COMMANDS, `http-${round}`)];
    return (index) => {
      const { id, valueDate, data } = lines[index] as (typeof lines)[number];
      const body = JSON.stringify({ ...data, valueDate });
      return { path: '/v1/commands/record-payment', headers: `idempotency-key: ${String(id)}\r\n`, body };
    };
  });
  await server.stop();
  const nothing = await start([fileURLToPath(new URL('nothing.js', import.meta.url))], '/');
  invariant(nothing !== null, 'the service that does nothing starts');
  const body = JSON.stringify([...payments(1, 'nothing')][0]);
  const raw = await requests(nothing.port, NOTHINGS, () => () => ({ path: '/nothing', headers: '', body }));
  await nothing.stop();
  return [
    {
      ...{ what: WHAT, value: ours, unit: '/s' },
      beside: { what: 'a NestJS + Fastify route that does nothing', value: raw },
      goal: { value: 6_000, bound: 'at least' },
    },
  ];
}

interface Posted {
  readonly path: string;
  readonly headers: string;
  readonly body: string;
}

async function requests(port: number, count: number, round: (number: number) => (index: number) => Posted) {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(port)));
  const best = await bestRate((number) => {
    const request = round(number);
    const free = [...connections];
    return rateOf(count, () =>
      atOnce(CONNECTIONS, count, async (index) => {
        const connection = free.pop();
        invariant(connection !== undefined, 'there is a connection for each caller');
        const { path, headers, body } = request(index);
        const status = await connection.post(path, headers, body);
        invariant(status < 300, `a request of the benchmark is accepted, not ${status}`);
        free.push(connection);
      }),
    );
  });
  for (const connection of connections) connection.close();
  return best;
}
