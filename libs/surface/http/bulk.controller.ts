import type { Writable } from 'node:stream';
import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ledger } from '../../engine/ledger.js';
import { runSheet } from '../bulk/sheet.js';
import { Spool } from '../bulk/spool.js';
import { refused } from '../formats/problem.js';
import { LEDGER, SERVICE, type Service } from '../nest/tokens.js';
import { dryRun } from '../verbs/command.js';
import { NDJSON } from './media.js';
import { correlationOf, dryRunOf, languageOfRequest } from './request.js';

/** `POST /v1/commands`: a sheet of any length, a result a line as it goes. No pipe of Nest's sees a line. */
@Controller('v1/commands')
export class BulkController {
  constructor(
    @Inject(LEDGER) private readonly ledger: Ledger,
    @Inject(SERVICE) private readonly service: Service,
  ) {}

  @Post()
  @HttpCode(200)
  async sheet(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (request.body !== request.raw) throw refused('LINE_NOT_JSON', '');
    const dry = dryRunOf(request);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': NDJSON, 'x-correlation-id': request.id, 'x-accel-buffering': 'no' });
    raw.flushHeaders();
    try {
      await (dry
        ? dryRun(this.ledger, (ledger) => this.#run(ledger, request, raw))
        : this.#run(this.ledger, request, raw));
      raw.end();
    } catch (error) {
      // The results so far have gone out: an end that is cut off is all that can still be said.
      request.log.error({ err: error }, 'the sheet failed');
      raw.destroy();
    }
  }

  async #run(ledger: Ledger, request: FastifyRequest, target: Writable): Promise<void> {
    const spool = new Spool(target);
    const gone = new AbortController();
    target.once('close', () => gone.abort());
    await runSheet(ledger, request.raw, (text) => spool.write(text), {
      language: languageOfRequest(request),
      ...correlationOf(request),
      signal: gone.signal,
      stopping: () => this.service.stopping,
      failed: (error) => request.log.error({ err: error }, 'a line of the sheet failed'),
      answered: (command, outcome) => this.service.measurements.command(command, outcome),
    });
    await spool.end();
  }
}
