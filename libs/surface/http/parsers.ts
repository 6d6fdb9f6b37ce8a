import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BODY_BYTES_MAX } from '../config.js';
import { parseJson } from '../formats/json.js';
import { refused } from '../formats/problem.js';
import { NDJSON } from './media.js';

const BYTE_ORDER_MARK = '\ufeff';

/**
 * What bodies are read. Only JSON and NDJSON: a page of another site can make a browser send a form here without
 * asking, but neither of these two.
 */
export function addParsers(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
    (_request: FastifyRequest, body: Buffer, done) => {
      const parsed = isUtf8(body) ? parseJson(withoutMark(body.toString('utf8'))) : null;
      if (parsed === null) done(refused('BODY_NOT_JSON', ''));
      else done(null, parsed.value);
    },
  );
  // A sheet is never held as a whole: its route reads it as it comes.
  fastify.addContentTypeParser(NDJSON, (_request: FastifyRequest, payload: unknown, done) => done(null, payload));
}

const withoutMark = (text: string): string => (text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
