import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BODY_BYTES_MAX } from '../config.js';
import { parseJson } from '../formats/json.js';
import { refused } from '../formats/problem.js';
import { NDJSON } from './media.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it was sent, which no pipe has touched. */
    sent?: unknown;
  }
}

/**
 * What bodies are read. Only JSON and NDJSON: a page of another site can make a browser send a form here without
 * asking, but neither of these two.
 */
export function addParsers(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.decorateRequest('sent', undefined);
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
    (request: FastifyRequest, body: Buffer, done) => {
      const text = textOf(body);
      const parsed = text === null ? null : parseJson(text);
      if (parsed === null || text === null) {
        done(refused('BODY_NOT_JSON', ''));
        return;
      }
      request.sent = parsed.value;
      // The pipe strips members of its copy; what was sent stays as it is, so that the ledger refuses them by name.
      done(null, JSON.parse(text));
    },
  );
  // A sheet is never held as a whole: its route reads it as it comes.
  fastify.addContentTypeParser(NDJSON, (_request: FastifyRequest, payload: unknown, done) => done(null, payload));
}

function textOf(body: Buffer): string | null {
  try {
    return UTF8.decode(body);
  } catch {
    return null;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
