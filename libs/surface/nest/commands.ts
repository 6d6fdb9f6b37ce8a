import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  type ExceptionFilter,
  HttpCode,
  Inject,
  Injectable,
  Post,
  Req,
  Res,
  type Type,
  UseFilters,
} from '@nestjs/common';
import { Command, CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, CommandRequest } from '../../engine/answers.js';
import type { Ledger } from '../../engine/ledger.js';
import type { CommandEntry } from '../../kernel/decider.js';
import { date, type Fields, optional } from '../../kernel/fields.js';
import { acceptanceJson } from '../formats/answer.js';
import { RequestRefused, refused } from '../formats/problem.js';
import { answerProblem } from '../http/problem.filter.js';
import { commandRequest, correlationOf, dryRunOf, type ReplyLike, type RequestLike } from '../http/request.js';
import { send } from '../verbs/command.js';
import { BodyNotAccepted, bodyOf } from './body.pipe.js';
import { classNameOf, methodNameOf, named } from './names.js';
import { LEDGER, SERVICE, type Service } from './tokens.js';

/* The command side of Nest, made from the catalogue by calling the decorators as functions. */

/** A command on Nest's bus. */
class SendCommand extends Command<Answer> {
  constructor(
    readonly request: CommandRequest,
    readonly context: { readonly correlationId?: string; readonly dryRun: boolean },
  ) {
    super();
  }
}

/** What Nest is told of one command. */
export interface MadeCommand {
  readonly entry: CommandEntry;
  readonly message: typeof SendCommand;
  readonly handler: Type<ICommandHandler<SendCommand>>;
  readonly body: Type<object>;
}

export function makeCommand(entry: CommandEntry): MadeCommand {
  const name = classNameOf(entry.name);
  const message = named(name, class extends SendCommand {});
  return { entry, message, handler: handlerOf(name, message), body: bodyOf(`${name}Body`, bodyFields(entry)) };
}

/** The fields of a command's body: its data and the value date (contract §1). */
export const bodyFields = (entry: CommandEntry): Fields => ({
  ...entry.fields,
  valueDate: entry.dated ? date() : optional(date()),
});

function handlerOf(name: string, message: typeof SendCommand): Type<ICommandHandler<SendCommand>> {
  class Handler implements ICommandHandler<SendCommand> {
    constructor(private readonly ledger: Ledger) {}
    execute({ request, context }: SendCommand): Promise<Answer> {
      return send(this.ledger, request, context);
    }
  }
  Inject(LEDGER)(Handler, undefined, 0);
  CommandHandler(message)(Handler);
  Injectable()(Handler);
  return named(`${name}Handler`, Handler);
}

/**
 * A known key answers before anything else is checked (contract §1), and only the ledger knows its keys. So a body that
 * the pipe did not let through goes to the ledger as it was sent, for the last word: 422 for a known key, and otherwise
 * the refusal of each field. A filter and no interceptor: those cost every request that has nothing wrong with it.
 */
function lastWord(made: readonly MadeCommand[]): Type<ExceptionFilter> {
  const byRoute = new Map(made.map((of) => [`/${ROUTE}/${of.entry.name}`, of]));
  class LastWord implements ExceptionFilter {
    constructor(
      readonly bus: CommandBus,
      readonly service: Service,
    ) {}
    async catch(error: BodyNotAccepted, host: ArgumentsHost): Promise<void> {
      const request = host.switchToHttp().getRequest<FastifyRequest>();
      const reply = host.switchToHttp().getResponse<FastifyReply>();
      try {
        const of = byRoute.get(request.routeOptions.url ?? '');
        if (of === undefined) throw error;
        await reply.send(await answer(this.bus, this.service, of, request, reply));
      } catch (refusal) {
        answerProblem(refusal, request, reply);
      }
    }
  }
  Inject(CommandBus)(LastWord, undefined, 0);
  Inject(SERVICE)(LastWord, undefined, 1);
  Catch(BodyNotAccepted)(LastWord);
  return LastWord;
}

const ROUTE = 'v1/commands';

/** The method that refuses every other name. */
export const UNKNOWN = 'unknown';

/** `POST /v1/commands/<name>` for each command, and the refusal of every other name. */
export function commandsController(made: readonly MadeCommand[]): Type<object> {
  class CommandsController {
    constructor(
      readonly bus: CommandBus,
      readonly service: Service,
    ) {}
  }
  Inject(CommandBus)(CommandsController, undefined, 0);
  Inject(SERVICE)(CommandsController, undefined, 1);
  for (const of of made) {
    addRoute(CommandsController, methodNameOf(of.entry.name), of.entry.name, of.body, function (_, request, reply) {
      return answer(this.bus, this.service, of, request, reply);
    });
  }
  const names = made.map(({ entry }) => entry.name).join(', ');
  addRoute(CommandsController, UNKNOWN, ':command', Object, (_, request) => {
    const { command } = request.params as { readonly command: string };
    const { refusal } = refused('COMMAND_UNKNOWN', 'command', { command: command.slice(0, 100) });
    const errors = refusal.errors.map((error) => ({ ...error, accepted: `one of ${names}` }));
    return Promise.reject(new RequestRefused({ ...refusal, errors }));
  });
  Controller(ROUTE)(CommandsController);
  UseFilters(lastWord(made))(CommandsController);
  return CommandsController;
}

type Method = (
  this: { readonly bus: CommandBus; readonly service: Service },
  body: unknown,
  request: RequestLike,
  reply: ReplyLike,
) => Promise<string>;

function addRoute(controller: Type<object>, name: string, path: string, body: Type<object>, method: Method): void {
  const { prototype } = controller;
  Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as TypedPropertyDescriptor<unknown>;
  Body()(prototype, name, 0);
  Req()(prototype, name, 1);
  Res({ passthrough: true })(prototype, name, 2);
  // What the compiler would emit for typed parameters: the pipe reads the body's class from it.
  Reflect.defineMetadata('design:paramtypes', [body, Object, Object], prototype, name);
  Post(path)(prototype, name, descriptor);
  HttpCode(200)(prototype, name, descriptor);
}

async function answer(
  bus: CommandBus,
  { measurements }: Service,
  { entry, message }: MadeCommand,
  request: RequestLike,
  reply: ReplyLike,
): Promise<string> {
  const dryRun = dryRunOf(request);
  const context = { ...correlationOf(request), dryRun };
  const began = performance.now();
  const answer = await bus.execute(new message(commandRequest(entry.name, request), context));
  if (!dryRun) {
    const outcome = answer.accepted ? (answer.duplicate ? 'duplicate' : 'accepted') : answer.refusal.code;
    measurements.command(entry.name, outcome, performance.now() - began);
  }
  if (!answer.accepted) throw new RequestRefused(answer.refusal);
  reply.header('content-type', 'application/json; charset=utf-8');
  return acceptanceJson(answer);
}
