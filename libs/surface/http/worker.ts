import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Controller, type DynamicModule, Get, Inject, Module, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyBaseLogger, FastifyReply } from 'fastify';
import type { Place } from '../config.js';
import { listening, nestLogger, type Served } from './listening.js';
import type { Measurements } from './metrics.js';

/* What a process says of itself that takes no requests: the relay, a projector. */

/** How a worker is doing. */
export interface Health {
  /** Why its work cannot be relied on; none when it can. */
  readonly reasons: readonly string[];
  /** What else there is to say. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface WorkerOptions {
  readonly health: () => Health;
  readonly measurements: Measurements;
  readonly place: Place;
  readonly logger: FastifyBaseLogger;
}

interface Worker extends WorkerOptions {
  readonly instance: string;
  stopping: boolean;
}

const WORKER = Symbol('WORKER');

@Controller()
class WorkerController {
  constructor(@Inject(WORKER) private readonly worker: Worker) {}

  @Get('health/live')
  live(): object {
    return { status: 'live', instance: this.worker.instance };
  }

  @Get('health/ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): object {
    const { reasons, detail } = this.worker.health();
    const all = this.worker.stopping ? [...reasons, 'the service is stopping'] : reasons;
    reply.status(all.length === 0 ? 200 : 503);
    return { status: all.length === 0 ? 'ready' : 'not-ready', reasons: all, ...detail };
  }

  @Get('metrics')
  metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { registry } = this.worker.measurements;
    reply.header('content-type', registry.contentType);
    return registry.metrics();
  }
}

@Module({})
class WorkerModule {}

/** Serves health, readiness and metrics until it is stopped. */
export async function serveWorker(options: WorkerOptions): Promise<Served> {
  const worker: Worker = { ...options, instance: randomUUID(), stopping: false };
  const over: DynamicModule = {
    module: WorkerModule,
    controllers: [WorkerController],
    providers: [{ provide: WORKER, useValue: worker }],
  };
  const adapter = new FastifyAdapter({ forceCloseConnections: 'idle' });
  const app = await NestFactory.create<NestFastifyApplication>(over, adapter, {
    abortOnError: false,
    logger: nestLogger(options.logger),
  });
  return listening(app, worker, options.place);
}
