import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Ledger } from '../../engine/ledger.js';
import type { CommandEntry } from '../../kernel/decider.js';
import type { Query } from '../../projections/projection.js';
import { type Place, STOP_WAIT_MS } from '../config.js';
import { toJson } from '../formats/json.js';
import { PROBLEM_TYPE, problemOfError, refused } from '../formats/problem.js';
import { makeSurface, surfaceOver } from '../nest/surface.module.js';
import type { Service } from '../nest/tokens.js';
import { addAssets } from './assets.js';
import { addDocs } from './docs.js';
import { Measurements } from './metrics.js';
import { addParsers } from './parsers.js';
import { correlationId, languageOfRequest } from './request.js';

/** The route that reads NDJSON. */
const SHEET_ROUTE = '/v1/commands';

const IDLE_LOOK_MS = 25;

export interface ServeOptions {
  readonly ledger: Ledger;
  readonly commands: readonly CommandEntry[];
  readonly queries: readonly Query[];
  readonly place: Place;
  readonly logger: FastifyBaseLogger;
}

export interface Served {
  /** `http://127.0.0.1:3000` */
  readonly address: string;
  /** Of this start of the service: see /health/live. */
  readonly instance: string;
  /** Refuses what is new, finishes what is in flight, and cuts what does not end. The ledger is left open. */
  stop(): Promise<void>;
}

/** Serves a ledger over HTTP until it is stopped. */
export async function serve(options: ServeOptions): Promise<Served> {
  const { ledger, commands, queries, place, logger } = options;
  const measurements = new Measurements(new Set(commands.map(({ name }) => name)));
  measurements.watch(() => ledger.followers());
  const service: Service = { commands, queries, measurements, logger, instance: randomUUID(), stopping: false };
  const app = await makeApplication(ledger, service);
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

async function makeApplication(ledger: Ledger, service: Service): Promise<NestFastifyApplication> {
  const made = makeSurface(service);
  const adapter = new FastifyAdapter({
    loggerInstance: service.logger,
    // One line a request, when it was answered: see addHooks.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request: { readonly headers: IncomingHttpHeaders }) => correlationId(request.headers),
    // While it stops, requests get our own refusal rather than Fastify's.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // A sheet of any length takes as long as it takes.
    requestTimeout: 0,
    clientErrorHandler: refuseUnreadable,
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  addParsers(fastify);
  addHooks(fastify, service);
  const app = await NestFactory.create<NestFastifyApplication>(surfaceOver(ledger, service, made), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: nestLogger(service.logger),
  });
  addAssets(fastify);
  addDocs(fastify, async () => (await import('../nest/openapi.js')).documentOf(app, made));
  await app.init();
  return app;
}

function addHooks(fastify: FastifyInstance, service: Service): void {
  fastify.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    reply.header('x-correlation-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    if (!service.stopping) {
      done();
      return;
    }
    const problem = problemOfError(refused('SHUTTING_DOWN', ''), languageOfRequest(request));
    reply.status(problem.status).header('connection', 'close').header('retry-after', '1');
    reply.header('content-type', PROBLEM_TYPE).send(toJson(problem));
  });
  // A sheet has one route: anywhere else its stream would be taken for the fields of a body.
  fastify.addHook('preHandler', (request: FastifyRequest, _reply, done) => {
    const isSheet = request.body !== undefined && request.body === request.raw;
    done(isSheet && request.routeOptions.url !== SHEET_ROUTE ? refused('BODY_NOT_JSON', '') : undefined);
  });
  fastify.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
    const { method, url, id } = request;
    const milliseconds = Math.round(reply.elapsedTime * 1_000) / 1_000;
    service.measurements.request(method, request.routeOptions.url ?? 'unknown', reply.statusCode, reply.elapsedTime);
    service.logger.info({ correlationId: id, method, url, status: reply.statusCode, milliseconds }, 'answered');
    done();
  });
}

/** What is no HTTP at all, or headers that are too large: nothing else of the service sees it. */
function refuseUnreadable(error: Error & { readonly code: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = toJson(problemOfError(refused('BODY_NOT_JSON', ''), 'en'));
  const head = [
    'HTTP/1.1 400 Bad Request',
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${[...head, 'connection: close'].join('\r\n')}\r\n\r\n${body}`);
}

/** What Nest itself has to say goes where everything else goes. */
function nestLogger(logger: FastifyBaseLogger): LoggerService {
  const to =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...more: unknown[]) =>
      logger[level]({ nest: more.filter((part) => typeof part === 'string') }, String(message));
  return { log: to('debug'), verbose: to('debug'), debug: to('debug'), warn: to('warn'), error: to('error') };
}
