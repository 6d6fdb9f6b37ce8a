import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

/*
 * What the page brings along: the style sheets, and the modules that the browser runs as they were built. By their
 * places below `libs`, so that what one imports is found by the same relative name.
 */
const ASSETS: readonly (readonly [path: string, type: string])[] = [
  ['surface/web/page.css', 'text/css; charset=utf-8'],
  ['surface/web/pictures.css', 'text/css; charset=utf-8'],
  ['surface/web/tables.css', 'text/css; charset=utf-8'],
  ['surface/web/icon.svg', 'image/svg+xml'],
  ['surface/web/browser/page.js', 'text/javascript; charset=utf-8'],
  ['surface/formats/vietnamese.js', 'text/javascript; charset=utf-8'],
  ['kernel/dates.js', 'text/javascript; charset=utf-8'],
  ['kernel/result.js', 'text/javascript; charset=utf-8'],
];

export function addAssets(fastify: FastifyInstance): void {
  for (const [path, type] of ASSETS) {
    const file = new URL(`../../${path}`, import.meta.url);
    // Another version of the program brings others under the same names.
    fastify.get(`/assets/${path}`, (_, reply) =>
      reply.type(type).header('cache-control', 'no-cache').send(readFileSync(file)),
    );
  }
}
