import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { pino } from 'pino';
import { commands } from '../../libs/lending/catalogue.js';
import { queries } from '../../libs/projections/catalogue.js';
import type { OpenedLedger, ServedDirectory, ServeRequest } from '../../libs/surface/cli/host.js';
import { refused } from '../../libs/surface/formats/problem.js';
import { serve } from '../../libs/surface/http/server.js';
import { makeDirectory, openAnyToWrite, openToWrite, SERVE } from './directory.js';
import { eventsFile } from './files.js';
import { holderOf, holderText, takeHold } from './hold.js';
import { FIRST_START } from './simulate/programme.js';
import { isUnfinished } from './simulate/run.js';
import { simulateInto } from './simulate.js';

/** Lines of the log go out together: a write of its own for each costs as much as the route that it speaks of. */
const LOG_PIECES = { minLength: 4_096, periodicFlush: 250 } as const;

/** Holds a directory and serves it until SIGTERM or SIGINT: what is in flight is finished, then the files are closed. */
export async function serveDirectory(request: ServeRequest): Promise<ServedDirectory> {
  const { data, place, first } = request;
  const destination = pino.destination({ fd: 2, sync: false, ...LOG_PIECES });
  const logger = pino({ level: process.env.LOG_LEVEL ?? 'info', base: { service: 'socai' } }, destination);
  makeDirectory(data);
  const hold = takeHold(data, SERVE);
  if (hold === null) throw refused('LEDGER_HELD', '', { holder: holderText(holderOf(data)) });
  const asked = stopAsked();
  let opened: OpenedLedger | null = null;
  try {
    const onFault = (error: unknown) => logger.error({ err: error }, 'a fault in the background');
    opened = first
      ? await openFirst(data, first, onFault)
      : await openToWrite(data, { simulated: request.simulated, thread: true, onFault });
    const { ledger, close } = opened;
    const served = await serve({ ledger, commands, queries, place, logger });
    hold.announce(served.address, served.instance);
    logger.info({ address: served.address, data }, 'serving');
    const stopped = asked.then(async (signal) => {
      logger.info({ signal }, 'stopping');
      await served.stop();
      await close();
      hold.release();
      logger.info('stopped');
      destination.flushSync();
    });
    const { simulated } = await ledger.calendar();
    return { address: served.address, simulated, stopped };
  } catch (error) {
    await opened?.close();
    hold.release();
    throw error;
  }
}

/** The ledger that is there, whole; where there is none, or a part of the first one, that is simulated before. */
async function openFirst(
  data: string,
  progress: NonNullable<ServeRequest['first']>,
  onFault: (error: unknown) => void,
): Promise<OpenedLedger> {
  const open = () => openAnyToWrite(data, { simulated: true, thread: true, onFault });
  if (existsSync(eventsFile(data))) {
    const opened = await open();
    let isWhole = false;
    try {
      isWhole = !(await isUnfinished(opened.ledger, FIRST_START));
    } finally {
      if (!isWhole) await opened.close();
    }
    if (isWhole) return opened;
  }
  await simulateInto(data, FIRST_START, progress);
  return open();
}

/** Listens from the beginning: a signal during the start stops the service as soon as it has started. */
async function stopAsked(): Promise<string> {
  return Promise.race([once(process, 'SIGTERM').then(() => 'SIGTERM'), once(process, 'SIGINT').then(() => 'SIGINT')]);
}
