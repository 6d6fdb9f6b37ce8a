import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { CommandRequest } from '../../engine/answers.js';
import { flag, optional } from '../../kernel/fields.js';
import { isObject, without } from '../formats/json.js';
import { type Language, languageOf } from '../formats/negotiate.js';
import { RequestRefused } from '../formats/problem.js';
import { readParameters } from '../verbs/query.js';

/** What the surface needs of a request; Fastify's has it. */
export interface RequestLike {
  readonly headers: IncomingHttpHeaders;
  readonly query: unknown;
  readonly params: unknown;
  readonly id: string;
  readonly raw: IncomingMessage;
  /** As it was sent: no pipe touches it. */
  readonly body?: unknown;
}

export interface ReplyLike {
  header(name: string, value: string): unknown;
}

export const languageOfRequest = (request: RequestLike): Language => languageOf(request.headers['accept-language']);
/**
 * What the events of a command are to carry: the caller's own trace. One that is made here stays in the log: the same
 * commands give the same events, whoever posts them and however often.
 */
export const correlationOf = (request: RequestLike): { readonly correlationId?: string } =>
  defined('correlationId', callersTrace(request.headers));

/** A command as HTTP carries it: data and value date in the body, the rest in headers. Nothing is checked here. */
export function commandRequest(command: string, { headers, body }: RequestLike): CommandRequest {
  const request: { -readonly [K in keyof CommandRequest]: CommandRequest[K] } = { command };
  const id = headerText(headers['idempotency-key']);
  const actor = headerText(headers['socai-actor']);
  const ifMatch = headerText(headers['if-match']);
  const recordedAt = headerText(headers['socai-recorded-at']);
  if (id !== undefined) request.id = id;
  if (actor !== undefined) request.actor = actor;
  if (ifMatch !== undefined) request.ifMatch = ifMatch;
  if (recordedAt !== undefined) request.recordedAt = recordedAt;
  if (!isObject(body)) return body === undefined ? request : { ...request, data: body };
  if (Object.hasOwn(body, 'valueDate')) request.valueDate = body.valueDate;
  request.data = without(body, 'valueDate');
  return request;
}

const NO_PARAMETERS = {};
const DRY_RUN = { dryRun: optional(flag()) };

/** `?dryRun=true`, the only parameter that commands take. */
export function dryRunOf(request: RequestLike): boolean {
  const given = isObject(request.query) ? request.query : NO_PARAMETERS;
  if (Object.keys(given).length === 0) return false;
  const read = readParameters(DRY_RUN, given);
  if (!read.ok) throw new RequestRefused(read.error);
  return read.value.dryRun === true;
}

/** The caller's trace, or one that is made here: what the log and the answer have in common. */
export const correlationId = (headers: IncomingHttpHeaders): string => callersTrace(headers) ?? randomUUID();

function callersTrace(headers: IncomingHttpHeaders): string | undefined {
  // Zeros are no trace (W3C Trace Context, 3.2.2.3).
  const trace = /^[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(textOf(headers.traceparent))?.[1];
  if (trace !== undefined) return trace;
  const own = textOf(headers['x-correlation-id']);
  return /^[\x21-\x7e]{1,128}$/.test(own) ? own : undefined;
}

/** Header text is handed over a byte a character; where the bytes are UTF-8, that is what was meant. */
export function headerText(value: string | string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = textOf(value);
  if (!/[\x80-\xff]/.test(text)) return text;
  try {
    return UTF8.decode(Buffer.from(text, 'latin1'));
  } catch {
    return text;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

const textOf = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? value.join(', ') : (value ?? '');

const defined = (name: string, value: unknown): Record<string, unknown> =>
  value === undefined ? {} : { [name]: value };
