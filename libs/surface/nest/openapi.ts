import type { Type } from '@nestjs/common';
import {
  ApiBody,
  ApiExcludeEndpoint,
  ApiHeader,
  ApiOperation,
  ApiProduces,
  ApiQuery,
  ApiResponse,
  ApiTags,
  DocumentBuilder,
  type OpenAPIObject,
} from '@nestjs/swagger';
import type { CommandEntry } from '../../kernel/decider.js';
import { type Fields, schemaOf } from '../../kernel/fields.js';
import { refusals } from '../../lending/refusals.js';
import type { Query } from '../../projections/projection.js';
import { STATUS_OF_KIND } from '../formats/problem.js';
import { COMMON_PARAMETERS } from '../verbs/query.js';
import { classNameOf } from './names.js';

/* OpenAPI from the tables of fields: JSON Schema as it stands, so the document is of version 3.1. */

type Schema = Exclude<Parameters<typeof ApiBody>[0]['schema' & keyof Parameters<typeof ApiBody>[0]], undefined>;

const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` }) as Schema;

/** Calls decorators of a method, as the compiler would for those that stand above it. */
export function decorate(controller: Type<object>, method: string, decorators: readonly MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(controller.prototype, method) as PropertyDescriptor;
  for (const decorator of decorators) decorator(controller.prototype, method, descriptor);
}

const HEADERS = [
  ['Idempotency-Key', true, '1 to 200 visible characters, not beginning with ~; the same key and body answer the same'],
  ['Socai-Actor', false, 'Who acts: 1 to 64 visible characters; default anonymous'],
  ['If-Match', false, 'The revision of the stream that the command is about, as last seen; -1 where it must not exist'],
  ['Socai-Recorded-At', false, 'RFC 3339; only a simulated ledger takes one'],
] as const;

/** The OpenAPI of a command's route; null hides a route that only refuses. */
export function describeCommand(
  controller: Type<object>,
  method: string,
  entry: CommandEntry | null,
  fields: Fields,
): void {
  if (entry === null) {
    decorate(controller, method, [ApiExcludeEndpoint()]);
    return;
  }
  decorate(controller, method, [
    ApiTags('Commands'),
    ApiOperation({ operationId: method, summary: entry.summary }),
    ...HEADERS.map(([name, required, description]) =>
      ApiHeader({ name, required, description, schema: { type: 'string' } }),
    ),
    ApiQuery({ name: 'dryRun', required: false, schema: { type: 'boolean' }, description: 'Write nothing' }),
    ApiBody({ schema: schemaOf(fields) as Schema }),
    ApiResponse({ status: 200, description: 'Accepted, or accepted before', schema: reference('Acceptance') }),
    ...problems([400, 404, 409, 412, 413, 422, 503]),
  ]);
}

export function describeQuery(controller: Type<object>, method: string, query: Query): void {
  const parameters: Fields = { ...query.parameters, ...COMMON_PARAMETERS };
  decorate(controller, method, [
    ApiTags('Queries'),
    ApiOperation({ operationId: method, summary: query.summary }),
    ...describeParameters(parameters),
    ApiProduces('application/json', 'text/csv', 'application/x-ndjson'),
    ApiResponse({ status: 200, description: `The answer of ${query.name}` }),
    ...problems([400, 404, 503]),
  ]);
}

export function describeParameters(fields: Fields): readonly MethodDecorator[] {
  return Object.entries(fields).map(([name, kind]) =>
    ApiQuery({ name, required: !kind.optional, description: kind.accepted, schema: kind.schema as Schema }),
  );
}

export function problems(statuses: readonly number[]): readonly MethodDecorator[] {
  return statuses.map((status) => {
    const codes = Object.entries(refusals).filter(([, { kind }]) => STATUS_OF_KIND[kind] === status);
    return ApiResponse({
      status,
      description: `Refused: ${codes.map(([code]) => code).join(', ')}`,
      content: { 'application/problem+json': { schema: reference('Problem') } },
    });
  });
}

export const documentOptions = (): Omit<OpenAPIObject, 'paths'> =>
  new DocumentBuilder()
    .setTitle('Sổ Cái')
    .setDescription('An event-sourced lending ledger. Amounts in whole đồng, days in Asia/Ho_Chi_Minh.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .build();

/** The document with the schemas that stand by name. */
export function withSchemas(document: OpenAPIObject, commands: readonly CommandEntry[]): OpenAPIObject {
  const lines = commands.map((entry) => [`${classNameOf(entry.name)}Data`, schemaOf(entry.fields)]);
  const schemas = { ...document.components?.schemas, ...Object.fromEntries(lines), Acceptance, Problem, Line };
  return { ...document, components: { ...document.components, schemas: schemas as Record<string, Schema> } };
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
