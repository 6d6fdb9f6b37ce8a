import type { INestApplication, Type } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiExcludeController,
  ApiExcludeEndpoint,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiProduces,
  ApiQuery,
  ApiResponse,
  ApiTags,
  DocumentBuilder,
  type OpenAPIObject,
  SwaggerModule,
} from '@nestjs/swagger';
import type { CommandEntry } from '../../kernel/decider.js';
import { type Fields, schemaOf } from '../../kernel/fields.js';
import { refusals } from '../../lending/refusals.js';
import type { Query } from '../../projections/projection.js';
import { STATUS_OF_KIND } from '../formats/problem.js';
import { BulkController } from '../http/bulk.controller.js';
import { HealthController } from '../http/health.controller.js';
import { LedgerController } from '../http/ledger.controller.js';
import { NDJSON } from '../http/media.js';
import { PageController } from '../http/page.controller.js';
import { EVENTS_PARAMETERS } from '../verbs/events.js';
import { COMMON_PARAMETERS } from '../verbs/query.js';
import { bodyFields, UNKNOWN } from './commands.js';
import { classNameOf, methodNameOf } from './names.js';
import { FORMAT_PARAMETERS } from './queries.js';
import type { Made } from './surface.module.js';

/*
 * OpenAPI from the tables of fields: JSON Schema as it stands, so the document is of version 3.1. It is made when it is
 * first asked for, and only then is Swagger loaded: a start does not wait for it.
 */

type Schema = Exclude<Parameters<typeof ApiBody>[0]['schema' & keyof Parameters<typeof ApiBody>[0]], undefined>;

const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` }) as Schema;

/** Calls decorators of a method, as the compiler would for those that stand above it. */
function decorate(controller: Type<object>, method: string, decorators: readonly MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(controller.prototype, method) as PropertyDescriptor;
  for (const decorator of decorators) decorator(controller.prototype, method, descriptor);
}

const HEADERS = [
  ['Idempotency-Key', true, '1 to 200 visible characters, not beginning with ~; the same key and body answer the same'],
  ['Socai-Actor', false, 'Who acts: 1 to 64 visible characters; default anonymous'],
  ['If-Match', false, 'The revision of the stream that the command is about, as last seen; -1 where it must not exist'],
  ['Socai-Recorded-At', false, 'RFC 3339; only a simulated ledger takes one'],
] as const;

/** The document of everything that is served. */
export function documentOf(app: INestApplication, made: Made): OpenAPIObject {
  for (const of of made.commands) describeCommand(made.commandsController, of.entry);
  decorate(made.commandsController, UNKNOWN, [ApiExcludeEndpoint()]);
  for (const { query } of made.queries) describeQuery(made.queriesController, query);
  describeBulk();
  describeLedger();
  for (const controller of [HealthController, PageController]) ApiExcludeController()(controller);
  const options = new DocumentBuilder()
    .setTitle('Sổ Cái')
    .setDescription('An event-sourced lending ledger. Amounts in whole đồng, days in Asia/Ho_Chi_Minh.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .build();
  const document = SwaggerModule.createDocument(app, options);
  const data = made.commands.map(({ entry }) => [`${classNameOf(entry.name)}Data`, schemaOf(entry.fields)]);
  const schemas = { ...document.components?.schemas, ...Object.fromEntries(data), Acceptance, Problem, Line };
  return { ...document, components: { ...document.components, schemas: schemas as Record<string, Schema> } };
}

function describeCommand(controller: Type<object>, entry: CommandEntry): void {
  const method = methodNameOf(entry.name);
  decorate(controller, method, [
    ApiTags('Commands'),
    ApiOperation({ operationId: method, summary: entry.summary }),
    ...HEADERS.map(([name, required, description]) =>
      ApiHeader({ name, required, description, schema: { type: 'string' } }),
    ),
    DRY_RUN,
    ApiBody({ schema: schemaOf(bodyFields(entry)) as Schema }),
    ApiResponse({ status: 200, description: 'Accepted, or accepted before', schema: reference('Acceptance') }),
    ...problems([400, 404, 409, 412, 413, 422, 503]),
  ]);
}

function describeQuery(controller: Type<object>, query: Query): void {
  const method = methodNameOf(query.name);
  decorate(controller, method, [
    ApiTags('Queries'),
    ApiOperation({ operationId: method, summary: query.summary }),
    ...describeParameters({ ...query.parameters, ...COMMON_PARAMETERS, ...FORMAT_PARAMETERS }),
    ApiProduces('application/json', 'text/csv', NDJSON),
    ApiResponse({ status: 200, description: `The answer of ${query.name}` }),
    ...problems([400, 404, 503]),
  ]);
}

function describeBulk(): void {
  const summary = 'Commands, one a line; one result a line, in the order of the input.';
  decorate(BulkController, 'sheet', [
    ApiTags('Commands'),
    ApiOperation({ operationId: 'sheet', summary }),
    ApiConsumes(NDJSON),
    ApiProduces(NDJSON),
    DRY_RUN,
    ApiBody({ schema: reference('Line') }),
    ApiResponse({ status: 200, description: 'The results, each an acceptance or a problem with its line' }),
  ]);
}

const LEDGER_SUMMARIES = {
  events: 'Events as stored, NDJSON: a stream, or the global order from a position.',
  digest: "The ledger's digest: one hash over the last seal of each stream.",
  audit: 'Every event hashed again and held against its seal; names the first that fails, and how.',
  businessDay: 'The open business day, and whether the ledger is a simulation.',
  projections: 'How far each follower has come, and what stopped it.',
  retry: 'A halted projection tries its event again.',
  rebuild:
    'Builds read models (names with commas between) beside the live ones, compares, and switches; progress as NDJSON by Accept.',
} as const satisfies Partial<Record<keyof LedgerController, string>>;

function describeLedger(): void {
  for (const [method, summary] of Object.entries(LEDGER_SUMMARIES)) {
    decorate(LedgerController, method, [ApiTags('Ledger'), ApiOperation({ operationId: method, summary })]);
  }
  decorate(LedgerController, 'events', [...describeParameters(EVENTS_PARAMETERS), ApiProduces(NDJSON)]);
  const name = ApiParam({ name: 'name', schema: { type: 'string' } });
  for (const method of ['retry', 'rebuild']) decorate(LedgerController, method, [name, ...problems([404, 503])]);
}

const DRY_RUN = ApiQuery({
  name: 'dryRun',
  required: false,
  schema: { type: 'boolean' },
  description: 'Write nothing',
});

function describeParameters(fields: Fields): readonly MethodDecorator[] {
  return Object.entries(fields).map(([name, kind]) =>
    ApiQuery({ name, required: !kind.optional, description: kind.accepted, schema: kind.schema as Schema }),
  );
}

function problems(statuses: readonly number[]): readonly MethodDecorator[] {
  return statuses.map((status) => {
    const codes = Object.entries(refusals).filter(([, { kind }]) => STATUS_OF_KIND[kind] === status);
    return ApiResponse({
      status,
      description: `Refused: ${codes.map(([code]) => code).join(', ')}`,
      content: { 'application/problem+json': { schema: reference('Problem') } },
    });
  });
}

const text = { type: 'string' };
const Problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'errors'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: text,
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(refusals) },
    detail: text,
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'code', 'accepted'],
        properties: { field: text, code: text, accepted: text },
      },
    },
  },
};
const Acceptance = {
  type: 'object',
  required: ['status', 'duplicate', 'events', 'token'],
  properties: {
    status: { type: 'integer', const: 200 },
    duplicate: { type: 'boolean' },
    events: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'stream', 'revision', 'position'],
        properties: { type: text, stream: text, revision: { type: 'integer' }, position: text },
      },
    },
    token: text,
    warnings: {
      type: 'array',
      items: { type: 'object', properties: { code: text, receipts: { type: 'array', items: text } } },
    },
  },
};
const Line = {
  type: 'object',
  required: ['command', 'id', 'data'],
  additionalProperties: false,
  properties: {
    command: text,
    id: text,
    actor: text,
    valueDate: { type: 'string', format: 'date' },
    data: { type: 'object' },
    ifMatch: { type: 'integer' },
    recordedAt: { type: 'string', format: 'date-time' },
  },
};
