import { Readable } from 'node:stream';
import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ledger } from '../../engine/ledger.js';
import { auditHistory } from '../../proof/audit.js';
import { isObject, toJson } from '../formats/json.js';
import { formatOf } from '../formats/negotiate.js';
import { problemOfError, RequestRefused } from '../formats/problem.js';
import { LEDGER } from '../nest/tokens.js';
import { eventLines } from '../verbs/events.js';
import { listFollowers, readModelNames, rebuild, retry, unknownProjection } from '../verbs/projections.js';
import { NDJSON } from './media.js';
import { languageOfRequest, type ReplyLike } from './request.js';

const JSON_TYPE = 'application/json; charset=utf-8';
/** How often a rebuild says how far it is. */
const PROGRESS_MS = 250;

/** What is asked of the ledger itself rather than of a read model: a route for each verb of the command line. */
@Controller('v1')
export class LedgerController {
  constructor(@Inject(LEDGER) private readonly ledger: Ledger) {}

  @Get('events')
  async events(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const lines = eventLines(this.ledger, isObject(request.query) ? request.query : {});
    if (!lines.ok) throw new RequestRefused(lines.error);
    await reply.header('content-type', NDJSON).send(Readable.from(lines.value, { objectMode: false }));
  }

  @Get('digest')
  async digest(@Res({ passthrough: true }) reply: ReplyLike): Promise<string> {
    reply.header('content-type', JSON_TYPE);
    return toJson({ digest: await this.ledger.digest() });
  }

  @Get('audit')
  async audit(@Res({ passthrough: true }) reply: ReplyLike): Promise<string> {
    reply.header('content-type', JSON_TYPE);
    return toJson(await auditHistory(this.ledger.store.readAll()));
  }

  @Get('business-day')
  async businessDay(@Res({ passthrough: true }) reply: ReplyLike): Promise<string> {
    const { open, first, simulated } = await this.ledger.calendar();
    reply.header('content-type', JSON_TYPE);
    return toJson({ open, first, simulated, today: this.ledger.today() });
  }

  @Get('projections')
  projections(@Res({ passthrough: true }) reply: ReplyLike): string {
    reply.header('content-type', JSON_TYPE);
    return toJson(listFollowers(this.ledger));
  }

  @Post('projections/:name/retry')
  @HttpCode(200)
  retry(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: ReplyLike): string {
    reply.header('content-type', JSON_TYPE);
    return toJson(retry(this.ledger, nameOf(request)));
  }

  @Post('projections/:name/rebuild')
  @HttpCode(200)
  async rebuild(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const names = nameOf(request).split(',');
    if (formatOf(request.headers.accept) !== 'ndjson') {
      const reports = await rebuild(this.ledger, names, () => {});
      await reply.header('content-type', JSON_TYPE).send(toJson(reports.length === 1 ? reports[0] : { reports }));
      return;
    }
    const unknown = names.find((name) => !readModelNames(this.ledger).includes(name));
    if (unknown !== undefined) throw unknownProjection(this.ledger, unknown);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': NDJSON, 'x-correlation-id': request.id });
    let said = 0;
    try {
      const reports = await rebuild(this.ledger, names, (events, of) => {
        if (performance.now() - said < PROGRESS_MS) return;
        said = performance.now();
        raw.write(`${toJson({ events, of })}\n`);
      });
      raw.end(reports.map((report) => `${toJson(report)}\n`).join(''));
    } catch (error) {
      request.log.error({ err: error }, 'the rebuild failed');
      raw.end(`${toJson(problemOfError(error, languageOfRequest(request)))}\n`);
    }
  }
}

const nameOf = (request: FastifyRequest): string => (request.params as { readonly name: string }).name;
