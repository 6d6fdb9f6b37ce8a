import type { FastifyInstance, HTTPMethods } from 'fastify';

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** The methods that a path answers: what tells a wrong method from a wrong address. */
export function methodsOf(fastify: FastifyInstance, path: string): readonly string[] {
  try {
    return METHODS.filter((method) => fastify.findRoute({ url: path, method }) !== null || parametric(path, method));
  } catch {
    return [];
  }
}

/** Routes with a parameter are found by their pattern only. */
function parametric(path: string, method: HTTPMethods): boolean {
  return method === 'POST' && PARAMETRIC.some((pattern) => pattern.test(path));
}

const PARAMETRIC: readonly RegExp[] = [/^\/v1\/commands\/[^/]+$/, /^\/v1\/projections\/[^/]+\/(retry|rebuild)$/];
