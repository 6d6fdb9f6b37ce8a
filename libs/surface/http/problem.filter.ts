import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BODY_BYTES_MAX } from '../config.js';
import { toJson } from '../formats/json.js';
import { PROBLEM_TYPE, problemOfError, refusalOfError, refused } from '../formats/problem.js';
import { languageOfRequest } from './request.js';
import { methodsOf } from './routes.js';

/** Every error of every route becomes problem details here, and nowhere else. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerProblem(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const meant = meaningOf(error, request);
  if (refusalOfError(meant) === null) request.log.error({ err: error }, 'the request failed');
  const problem = problemOfError(meant, languageOfRequest(request));
  if (problem.status === 405) reply.header('allow', methodsOf(request.server, pathOf(request)).join(', '));
  if (problem.status === 503) reply.header('retry-after', '1');
  reply.status(problem.status).header('content-type', PROBLEM_TYPE).send(toJson(problem));
}

/** What Nest and Fastify refuse by themselves, in the words of our table. */
function meaningOf(error: unknown, request: FastifyRequest): unknown {
  if (!(error instanceof HttpException)) return error;
  switch (error.getStatus()) {
    case 404: {
      const methods = methodsOf(request.server, pathOf(request));
      return methods.length > 0 ? refused('METHOD_UNSUPPORTED', '') : refused('ROUTE_UNKNOWN', '');
    }
    case 413:
      return refused('BODY_TOO_LARGE', '', { max: BODY_BYTES_MAX });
    case 414:
      return refused('ROUTE_UNKNOWN', '');
    case 400:
    case 415:
      return refused('BODY_NOT_JSON', '');
    default:
      return error;
  }
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '/';
