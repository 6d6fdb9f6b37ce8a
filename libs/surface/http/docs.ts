import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';

/*
 * Swagger UI out of the package that @nestjs/swagger brings along. Its own way of serving the files needs a plugin of
 * twenty packages, one of which asks for a newer Node than ours, for the sake of three files.
 */

const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sổ Cái · API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const START = `SwaggerUIBundle({ url: '/docs-json', dom_id: '#swagger-ui', deepLinking: true });\n`;

/** `/docs` and `/docs-json`; the document is made when it is first asked for, and kept. */
export function addDocs(fastify: FastifyInstance, document: () => Promise<OpenAPIObject>): void {
  let json: Promise<string> | null = null;
  fastify.get('/docs-json', async (_, reply) => {
    json ??= document().then((made) => JSON.stringify(made));
    return reply.type('application/json; charset=utf-8').send(await json);
  });
  fastify.get('/docs', (_, reply) => reply.type('text/html; charset=utf-8').send(PAGE));
  fastify.get('/docs/start.js', (_, reply) => reply.type('text/javascript; charset=utf-8').send(START));
  for (const [file, type] of Object.entries(FILES)) {
    fastify.get(`/docs/${file}`, (_, reply) => reply.type(type).send(readFileSync(join(folder(), file))));
  }
}

function folder(): string {
  const swagger = createRequire(import.meta.url).resolve('@nestjs/swagger');
  return dirname(createRequire(swagger).resolve('swagger-ui-dist/package.json'));
}
