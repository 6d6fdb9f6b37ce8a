import { once } from 'node:events';
import { type Logger, pino } from 'pino';
import { reached } from './reach.js';
import { type Settings, settingsOf } from './settings.js';

/** A part of a distributed ledger that runs. */
export interface Running {
  readonly address: string;
  /** Finishes what is in flight, and closes what was opened. */
  stop(): Promise<void>;
  /** Rejects when it cannot go on: the process ends, and whoever started it starts it again. */
  readonly failed?: Promise<never>;
}

export type Start = (settings: Settings, logger: Logger) => Promise<Running>;

/** Lines of the log go out together, as in the embedded profile. */
const LOG_PIECES = { minLength: 4_096, periodicFlush: 250 } as const;

/**
 * Runs a part until SIGTERM or SIGINT. Listens from the beginning: a signal during the start stops it once it has started,
 * or while it waits for a server.
 */
export async function runService(service: string, start: Start): Promise<void> {
  const destination = pino.destination({ fd: 2, sync: false, ...LOG_PIECES });
  const logger = pino({ level: process.env.LOG_LEVEL ?? 'info', base: { service } }, destination);
  const asked = Promise.race([
    once(process, 'SIGTERM').then(() => 'SIGTERM'),
    once(process, 'SIGINT').then(() => 'SIGINT'),
  ]);
  const stopping = new AbortController();
  void asked.then(() => stopping.abort());
  try {
    const settings = settingsOf(process.env);
    const running = await reached(() => start(settings, logger), {
      signal: stopping.signal,
      waiting: (error) => logger.warn({ waitsFor: error.message }, 'a server is not reached yet'),
    });
    logger.info({ address: running.address }, 'started');
    const signal = await Promise.race([asked, ...(running.failed ? [running.failed] : [])]);
    logger.info({ signal }, 'stopping');
    await running.stop();
    logger.info('stopped');
    destination.flushSync();
    process.exit(0);
  } catch (error) {
    // Nothing was begun that would have to be finished.
    if (stopping.signal.aborted && isAbort(error)) process.exit(0);
    logger.fatal({ err: error }, 'it cannot go on');
    destination.flushSync();
    process.exit(1);
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** Closes what was opened, the last first, however the ones before went. */
export class Opened {
  readonly #closers: (() => Promise<unknown>)[] = [];

  async add<T extends { close(): Promise<unknown> }>(opening: Promise<T> | T): Promise<T> {
    const opened = await opening;
    this.#closers.push(() => opened.close());
    return opened;
  }

  addCloser(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const result of await inTurn(this.#closers.splice(0).reverse())) {
      if (result.status === 'rejected') throw result.reason;
    }
  }
}

async function inTurn(work: readonly (() => Promise<unknown>)[]): Promise<readonly PromiseSettledResult<unknown>[]> {
  const results: PromiseSettledResult<unknown>[] = [];
  for (const one of work) results.push(...(await Promise.allSettled([one()])));
  return results;
}
