import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CommandRequest } from '../../engine/answers.js';
import { accepted, type Reply } from '../formats/answer.js';
import { isObject, parseJson } from '../formats/json.js';
import type { Language } from '../formats/negotiate.js';
import { type ProblemDetails, refused } from '../formats/problem.js';
import { NDJSON } from '../http/media.js';
import type { EventsGateway, Gateway, SheetRequest } from './gateway.js';

/** The ledger through a server, the one that holds its directory or any: the same answers, over HTTP. */
export function remoteGateway(address: string, language: Language): Gateway {
  const call = (method: string, path: string, options: CallOptions = {}) =>
    callFor(address, language, method, path, options);
  return {
    language,
    close: async () => {},
    command: (request, dryRun) =>
      call('POST', `/v1/commands/${encodeURIComponent(String(request.command))}${dryRun ? '?dryRun=true' : ''}`, {
        headers: { 'content-type': 'application/json', ...headersOf(request) },
        body: bodyOf(request),
      }),
    sheet: (request) => sheet(address, language, request),
    query: (name, parameters) => call('GET', `/v1/${encodeURIComponent(name)}?${new URLSearchParams(parameters)}`),
    businessDay: () => call('GET', '/v1/business-day'),
    projections: () => call('GET', '/v1/projections'),
    retry: (name) => call('POST', `/v1/projections/${encodeURIComponent(name)}/retry`),
    rebuild: (names, progress) => rebuild(address, language, names, progress),
  };
}

export function remoteEvents(address: string, language: Language): EventsGateway {
  return {
    close: async () => {},
    events: async (parameters) => {
      const response = await open(address, language, 'GET', `/v1/events?${new URLSearchParams(parameters)}`, {});
      return response.statusCode === 200 ? textOf(response) : replyOf(response);
    },
    digest: () => callFor(address, language, 'GET', '/v1/digest', {}),
    audit: () => callFor(address, language, 'GET', '/v1/audit', {}),
  };
}

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function callFor(
  address: string,
  language: Language,
  method: string,
  path: string,
  options: CallOptions,
): Promise<Reply> {
  return replyOf(await open(address, language, method, path, options));
}

async function open(
  address: string,
  language: Language,
  method: string,
  path: string,
  { headers = {}, body }: CallOptions,
): Promise<IncomingMessage> {
  const { sent, answered } = begin(address, path, { method, headers: { 'accept-language': language, ...headers } });
  sent.end(body);
  return answered;
}

/** Rejects with `STORE_UNREACHABLE` where nobody answers there. */
function begin(address: string, path: string, options: RequestOptions) {
  const sent = (address.startsWith('https:') ? httpsRequest : httpRequest)(`${address}${path}`, options);
  const answered = once(sent, 'response').then(
    ([response]) => response as IncomingMessage,
    (error: NodeJS.ErrnoException) => {
      throw refused('STORE_UNREACHABLE', '', { detail: `${address}: ${error.code ?? error.message}` });
    },
  );
  return { sent, answered };
}

async function replyOf(response: IncomingMessage): Promise<Reply> {
  let text = '';
  for await (const piece of textOf(response)) text += piece;
  const parsed = parseJson(text);
  if (parsed === null) throw new Error(`the server answered ${response.statusCode} with what is not JSON`);
  if (response.statusCode === 200) return accepted(parsed.value);
  // The server's own problem details: made by the same function as here.
  return { ok: false, status: response.statusCode ?? 500, body: parsed.value as ProblemDetails };
}

async function* textOf(response: IncomingMessage): AsyncIterable<string> {
  response.setEncoding('utf8');
  for await (const piece of response) yield piece as string;
}

/** What a command carries in headers. Text that is not ASCII goes as the bytes of its UTF-8. */
function headersOf({ id, actor, ifMatch, recordedAt }: CommandRequest): Record<string, string> {
  const given = {
    'idempotency-key': id,
    'socai-actor': actor,
    'if-match': ifMatch,
    'socai-recorded-at': recordedAt,
  };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers[name] = Buffer.from(String(value), 'utf8').toString('latin1');
  }
  return headers;
}

function bodyOf({ data, valueDate }: CommandRequest): string {
  return JSON.stringify({ ...(isObject(data) ? data : {}), ...(valueDate === undefined ? {} : { valueDate }) });
}

/** Sends and takes at the same time: a server that answers while it reads is never waited for. */
async function sheet(address: string, language: Language, { input, dryRun, results }: SheetRequest): Promise<void> {
  const headers = { 'content-type': NDJSON, 'accept-language': language };
  const request = begin(address, `/v1/commands${dryRun ? '?dryRun=true' : ''}`, { method: 'POST', headers });
  const sent = pipeline(Readable.from(input, { objectMode: false }), request.sent);
  sent.catch(() => {});
  const response = await request.answered;
  if (response.statusCode !== 200) throw new Error(`the server answered ${response.statusCode}`);
  for await (const piece of textOf(response)) results(piece);
  await sent;
}

async function rebuild(
  address: string,
  language: Language,
  names: readonly string[],
  progress: (events: number, of: number) => void,
): Promise<Reply> {
  const path = `/v1/projections/${encodeURIComponent(names.join())}/rebuild`;
  const response = await open(address, language, 'POST', path, { headers: { accept: NDJSON } });
  if (response.statusCode !== 200) return replyOf(response);
  const reports: unknown[] = [];
  let rest = '';
  for await (const piece of textOf(response)) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const said = parseJson(line)?.value;
      if (!isObject(said)) continue;
      if (typeof said.code === 'string') {
        return { ok: false, status: Number(said.status), body: said as unknown as ProblemDetails };
      }
      if (Object.hasOwn(said, 'name')) reports.push(said);
      else progress(Number(said.events), Number(said.of));
    }
  }
  return accepted({ reports });
}
