import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import type { Ledger } from '../../engine/ledger.js';
import { invariant } from '../../kernel/result.js';
import { BulkController } from '../http/bulk.controller.js';
import { HealthController } from '../http/health.controller.js';
import { LedgerController } from '../http/ledger.controller.js';
import { PageController } from '../http/page.controller.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { BodyPipe } from './body.pipe.js';
import { commandsController, type MadeCommand, makeCommand } from './commands.js';
import { type MadeQuery, makeQuery, queriesController } from './queries.js';
import { LEDGER, SERVICE, type Service } from './tokens.js';

/** Names under /v1 that no query may take. */
const TAKEN: readonly string[] = ['commands', 'events', 'digest', 'audit', 'business-day', 'projections'];

/** What Nest knows the surface by. */
@Module({})
export class SurfaceModule {}

/** What is made from the catalogues: its classes, its handlers and its routes. */
export interface Made {
  readonly commands: readonly MadeCommand[];
  readonly queries: readonly MadeQuery[];
  readonly commandsController: Type<object>;
  readonly queriesController: Type<object>;
}

export function makeSurface(service: Pick<Service, 'commands' | 'queries'>): Made {
  const commands = service.commands.filter((entry) => entry.public).map(makeCommand);
  const queries = service.queries.map(makeQuery);
  const commandNames = commands.map(({ entry }) => entry.name);
  once(commandNames, 'command');
  once([...queries.map(({ query }) => query.name), ...TAKEN], 'query');
  return {
    ...{ commands, queries },
    commandsController: commandsController(commands),
    queriesController: queriesController(queries),
  };
}

/** The surface over a ledger, or one side of it. */
export function surfaceOver(ledger: Ledger, service: Service, made: Made): DynamicModule {
  return {
    module: SurfaceModule,
    imports: [CqrsModule],
    controllers: [
      ...(service.side === 'queries' ? [] : [BulkController, made.commandsController]),
      LedgerController,
      ...(service.side === 'commands' ? [] : [made.queriesController, PageController]),
      HealthController,
    ],
    providers: [
      { provide: LEDGER, useValue: ledger },
      { provide: SERVICE, useValue: service },
      { provide: APP_FILTER, useClass: ProblemFilter },
      { provide: APP_PIPE, useClass: BodyPipe },
      ...made.commands.map(({ handler }) => handler),
      ...made.queries.map(({ handler }) => handler),
    ],
  };
}

/** Nest's bus only warns of a second handler, and takes it. */
function once(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    invariant(!seen.has(name), `the ${what} ${name} is registered once`);
    seen.add(name);
  }
}
