import type { AddressInfo } from 'node:net';
import type { LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyBaseLogger } from 'fastify';
import { type Place, STOP_WAIT_MS } from '../config.js';

const IDLE_LOOK_MS = 25;

export interface Served {
  /** `http://127.0.0.1:3000` */
  readonly address: string;
  /** Of this start of the service: see /health/live. */
  readonly instance: string;
  /** Refuses what is new, finishes what is in flight, and cuts what does not end. What is served is left open. */
  stop(): Promise<void>;
}

/** Listens until it is stopped. */
export async function listening(
  app: NestFastifyApplication,
  service: { readonly instance: string; stopping: boolean },
  place: Place,
): Promise<Served> {
  await app.listen(place.port, place.host);
  const { address, family, port } = app.getHttpServer().address() as AddressInfo;
  return {
    address: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    instance: service.instance,
    async stop() {
      service.stopping = true;
      const server = app.getHttpServer();
      // A connection that becomes idle after the stop began would otherwise stay open until it times out.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
      const cut = setTimeout(() => server.closeAllConnections(), STOP_WAIT_MS);
      try {
        await app.close();
      } finally {
        clearInterval(idle);
        clearTimeout(cut);
      }
    },
  };
}

/** What Nest itself has to say goes where everything else goes. */
export function nestLogger(logger: FastifyBaseLogger): LoggerService {
  const to =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...more: unknown[]) =>
      logger[level]({ nest: more.filter((part) => typeof part === 'string') }, String(message));
  return { log: to('debug'), verbose: to('debug'), debug: to('debug'), warn: to('warn'), error: to('error') };
}
