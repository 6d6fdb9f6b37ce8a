import { Controller, Get, Inject, Injectable, Req, Res, type Type } from '@nestjs/common';
import { type IQueryHandler, Query as Message, QueryBus, QueryHandler } from '@nestjs/cqrs';
import type { Ledger } from '../../engine/ledger.js';
import type { Refusal } from '../../kernel/decider.js';
import { oneOf, optional } from '../../kernel/fields.js';
import type { Result } from '../../kernel/result.js';
import type { Query } from '../../projections/projection.js';
import { toCsv } from '../formats/csv.js';
import { isObject, toJson, without } from '../formats/json.js';
import { ANSWER_FORMATS, type AnswerFormat, formatOf } from '../formats/negotiate.js';
import { RequestRefused } from '../formats/problem.js';
import type { ReplyLike, RequestLike } from '../http/request.js';
import { ask, columnsOf, type GivenParameters, readParameters, rowsOf } from '../verbs/query.js';
import { classNameOf, methodNameOf, named } from './names.js';
import { LEDGER } from './tokens.js';

/* The query side of Nest, made from the catalogue of read models. */

class AskQuery extends Message<Result<unknown, Refusal>> {
  constructor(readonly parameters: GivenParameters) {
    super();
  }
}

export interface MadeQuery {
  readonly query: Query;
  readonly message: typeof AskQuery;
  readonly handler: Type<IQueryHandler<AskQuery>>;
}

export function makeQuery(query: Query): MadeQuery {
  const name = classNameOf(query.name);
  const message = named(name, class extends AskQuery {});
  class Handler implements IQueryHandler<AskQuery> {
    constructor(private readonly ledger: Ledger) {}
    execute({ parameters }: AskQuery): Promise<Result<unknown, Refusal>> {
      return ask(this.ledger, query, parameters);
    }
  }
  Inject(LEDGER)(Handler, undefined, 0);
  QueryHandler(message)(Handler);
  Injectable()(Handler);
  return { query, message, handler: named(`${name}Handler`, Handler) };
}

/** What `Accept` asks for, for links, which set no header: `?format=csv`. */
export const FORMAT_PARAMETERS = { format: optional(oneOf(ANSWER_FORMATS)) };

/** `GET /v1/<name>` for each query: JSON, or its rows as CSV or NDJSON. */
export function queriesController(made: readonly MadeQuery[]): Type<object> {
  class QueriesController {
    constructor(readonly bus: QueryBus) {}
  }
  Inject(QueryBus)(QueriesController, undefined, 0);
  const { prototype } = QueriesController;
  for (const { query, message } of made) {
    const name = methodNameOf(query.name);
    const method = async function (this: QueriesController, request: RequestLike, reply: ReplyLike): Promise<string> {
      const given = isObject(request.query) ? request.query : {};
      const { format: wished } = given;
      const parameters = without(given, 'format');
      const format = readParameters(FORMAT_PARAMETERS, wished === undefined ? {} : { format: wished });
      if (!format.ok) throw new RequestRefused(format.error);
      const answer = await this.bus.execute(new message(parameters));
      if (!answer.ok) throw new RequestRefused(answer.error);
      const form = (format.value.format as AnswerFormat | null) ?? formatOf(request.headers.accept);
      return written(query, parameters, answer.value, form, reply);
    };
    Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
    Req()(prototype, name, 0);
    Res({ passthrough: true })(prototype, name, 1);
    Reflect.defineMetadata('design:paramtypes', [Object, Object], prototype, name);
    Get(query.name)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor);
  }
  Controller('v1')(QueriesController);
  return QueriesController;
}

function written(
  query: Query,
  given: GivenParameters,
  answer: unknown,
  format: AnswerFormat,
  reply: ReplyLike,
): string {
  reply.header('vary', 'Accept, Accept-Language');
  switch (format) {
    case 'csv':
      reply.header('content-type', 'text/csv; charset=utf-8; header=present');
      return toCsv(rowsOf(query, answer), columnsOf(answer, given));
    case 'ndjson':
      reply.header('content-type', 'application/x-ndjson');
      return rowsOf(query, answer)
        .map((row) => `${toJson(row)}\n`)
        .join('');
    default:
      reply.header('content-type', 'application/json; charset=utf-8');
      return toJson(answer);
  }
}
