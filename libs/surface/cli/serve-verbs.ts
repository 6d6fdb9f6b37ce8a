import { type Command, Option } from 'commander';
import { HOST_DEFAULT, type Place, PORT_DEFAULT, placeOf, portOf } from '../config.js';
import { toJson } from '../formats/json.js';
import { examples } from './examples.js';
import type { Host, ServedDirectory } from './host.js';
import type { Run } from './program.js';
import type { Session } from './session.js';
import { simulationProgress } from './simulate-verb.js';

interface ServeOptions {
  readonly port?: string;
  readonly host?: string;
  readonly simulated?: boolean;
}

/** `serve`, and `start`, which is what `npm start` runs. */
export function addServeVerbs(program: Command, run: Run): void {
  const serve = withPlace(program.command('serve').description('hold a data directory and serve it over HTTP'))
    .option('--simulated', 'a ledger that is made now is a simulation')
    .addHelpText('after', examples('socai serve --data ./data', 'socai serve --port 8080 --host 0.0.0.0'));
  serve.action((options: ServeOptions, command: Command) =>
    run(command, (session) => serveUntilStopped(session, options, false, (served) => `${served.address}\n`)),
  );
  const start = withPlace(
    program.command('start').description('serve, with a small simulated programme on first start'),
  ).addHelpText('after', examples('socai start', 'PORT=8080 npm start'));
  start.action((options: ServeOptions, command: Command) =>
    run(command, (session) => serveUntilStopped(session, options, true, welcome)),
  );
}

const withPlace = (command: Command): Command =>
  command
    .addOption(new Option('--port <port>', `(default: $PORT, or ${PORT_DEFAULT})`))
    .addOption(new Option('--host <host>', `(default: $HOST, or ${HOST_DEFAULT})`));

async function serveUntilStopped(
  session: Session,
  options: ServeOptions,
  isStart: boolean,
  text: (served: ServedDirectory) => string,
): Promise<void> {
  const place = placeFor(session.host.environment, options);
  if (place === null) throw new Error('the port is a number from 0 to 65535');
  const simulated = options.simulated === true;
  const first = isStart ? simulationProgress(session.host.stderr) : null;
  const served = await session.host.serve({ data: session.directory, place, simulated, first });
  const { address } = served;
  await session.out(session.json ? `${toJson({ address, simulated: served.simulated })}\n` : text(served));
  await served.stopped;
}

function placeFor(environment: Host['environment'], { port, host }: ServeOptions): Place | null {
  const place = placeOf({ ...environment, ...(port === undefined ? {} : { PORT: port }) });
  if (port !== undefined && portOf(port) === null) return null;
  return place === null ? null : { ...place, ...(host === undefined ? {} : { host }) };
}

/** The address, and five things to try, on what the first start makes. */
function welcome({ address, simulated }: ServedDirectory): string {
  const payment = '{"valueDate":"2026-01-01","loan":"L000435","amount":1890000,"receipt":"BL-1","method":"CASH"}';
  return `Sổ Cái: ${address}${simulated ? ' (a simulated ledger)' : ''}

Five things to try:

  curl '${address}/v1/portfolio-quality?by=district&asOf=2025-12-31'
  curl '${address}/v1/loan?loan=L000435'
  curl -H 'Accept: text/csv' '${address}/v1/district-balances'
  curl '${address}/v1/events?stream=loan-L000070'
  curl -X POST '${address}/v1/commands/record-payment' -H 'Content-Type: application/json' \\
    -H 'Idempotency-Key: try-1' -d '${payment}'

The page: ${address}/    The API: ${address}/docs    Stop: Ctrl+C
`;
}
