import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
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
import type { Place } from '../config.js';
import { toJson } from '../formats/json.js';
import { PROBLEM_TYPE, problemOfError, refused } from '../formats/problem.js';
import { makeSurface, surfaceOver } from '../nest/surface.module.js';
import type { Service, Side } from '../nest/tokens.js';
import { addAssets } from './assets.js';
import { addDocs } from './docs.js';
import { listening, nestLogger, type Served } from './listening.js';
import { Measurements } from './metrics.js';
import { addParsers } from './parsers.js';
import { correlationId, languageOfRequest } from './request.js';

/** The route that reads NDJSON. */
const SHEET_ROUTE = '/v1/commands';

export interface ServeOptions {
  readonly ledger: Ledger;
  readonly commands: readonly CommandEntry[];
  readonly queries: readonly Query[];
  readonly place: Place;
  readonly logger: FastifyBaseLogger;
  /** Which side of the ledger is served. Default: both, with the page. */
  readonly side?: Side;
}

/** Serves a ledger over HTTP until it is stopped. */
export async function serve(options: ServeOptions): Promise<Served> {
  const { ledger, commands, queries, place, logger, side = 'both' } = options;
  const measurements = new Measurements(new Set(commands.map(({ name }) => name)));
  measurements.watch(() => ledger.followers());
  const service: Service = {
    ...{ measurements, logger, instance: randomUUID(), stopping: false, side },
    commands: side === 'queries' ? [] : commands,
    queries: side === 'commands' ? [] : queries,
  };
  const app = await makeApplication(ledger, service);
  return listening(app, service, place);
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
