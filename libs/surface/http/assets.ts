import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

/*
 * What the page fetches: its icon, and the modules that the browser runs as they were built. By their places below
 * `libs`, so that what one imports is found by the same relative name.
 */
const ASSETS: readonly (readonly [path: string, type: string])[] = [
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

/** The style sheets of the page as one, which is written into it: fetched, they would keep the first paint waiting. */
export const pageStyle = (): string =>
  ['page', 'pictures', 'tables']
    .map((name) => readFileSync(new URL(`../web/${name}.css`, import.meta.url), 'utf8'))
    .join('\n');

/** How a policy names a text that may stand inside a page. */
export const allowed = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
