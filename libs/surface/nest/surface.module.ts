import { type DynamicModule, Module, ValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import type { Ledger } from '../../engine/ledger.js';
import { invariant } from '../../kernel/result.js';
import { BulkController } from '../http/bulk.controller.js';
import { HealthController } from '../http/health.controller.js';
import { LedgerController } from '../http/ledger.controller.js';
import { PageController } from '../http/page.controller.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { BodyNotAccepted, commandsController, makeCommand } from './commands.js';
import { makeQuery, queriesController } from './queries.js';
import { LEDGER, SERVICE, type Service } from './tokens.js';

/** Names under /v1 that no query may take. */
const TAKEN: readonly string[] = ['commands', 'events', 'digest', 'business-day', 'projections'];

/** What Nest knows the surface by. */
@Module({})
export class SurfaceModule {}

/** The whole surface over a ledger: whatever the catalogues name has its class, its handler and its route. */
export function surfaceOver(ledger: Ledger, service: Service): DynamicModule {
  const commands = service.commands.filter((entry) => entry.public).map(makeCommand);
  const queries = service.queries.map(makeQuery);
  once(
    commands.map(({ entry }) => entry.name),
    'command',
  );
  once([...queries.map(({ query }) => query.name), ...TAKEN], 'query');
  return {
    module: SurfaceModule,
    imports: [CqrsModule],
    controllers: [
      BulkController,
      commandsController(commands),
      LedgerController,
      queriesController(queries),
      HealthController,
      PageController,
    ],
    providers: [
      { provide: LEDGER, useValue: ledger },
      { provide: SERVICE, useValue: service },
      { provide: APP_FILTER, useClass: ProblemFilter },
      { provide: APP_PIPE, useFactory: validation },
      ...commands.map(({ handler }) => handler),
      ...queries.map(({ handler }) => handler),
    ],
  };
}

/** Nest leaves the last of the three off unless it is named. */
export const validation = (): ValidationPipe =>
  new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    exceptionFactory: () => new BodyNotAccepted('the body does not fit its table'),
  });

/** Nest's bus only warns of a second handler, and takes it. */
function once(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    invariant(!seen.has(name), `the ${what} ${name} is registered once`);
    seen.add(name);
  }
}
