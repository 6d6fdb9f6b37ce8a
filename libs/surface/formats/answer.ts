import type { Accepted, Answer } from '../../engine/answers.js';
import type { Language } from './negotiate.js';
import { type ProblemDetails, problemOf } from './problem.js';

/** What a verb answers: the status that HTTP gives it, and its body. */
export type Reply =
  | { readonly ok: true; readonly status: 200; readonly body: unknown }
  | { readonly ok: false; readonly status: number; readonly body: ProblemDetails };

/** How a command was answered, as every surface gives it back. */
export function replyOf(answer: Answer, language: Language): Reply {
  if (answer.accepted) return accepted(acceptance(answer));
  return refusedReply(problemOf(answer.refusal, language));
}

export const accepted = (body: unknown): Reply => ({ ok: true, status: 200, body });
export const refusedReply = (body: ProblemDetails): Reply => ({ ok: false, status: body.status, body });

/** The body of an acceptance. Its figures are all below 2^53, so nothing has to be looked at on the way. */
export const acceptanceJson = (answer: Accepted): string => JSON.stringify(acceptance(answer));

/** The result of one line of a sheet, with its line end. */
export function resultLine(line: number, answer: Answer, language: Language): string {
  if (!answer.accepted) return problemLine(line, problemOf(answer.refusal, language));
  return `{"line":${line},${acceptanceJson(answer).slice(1)}\n`;
}

export function problemLine(line: number, { status, code, detail, errors }: ProblemDetails): string {
  return `${JSON.stringify({ line, status, code, detail, errors })}\n`;
}

function acceptance({ duplicate, events, token, warnings }: Accepted) {
  if (warnings.length === 0) return { status: 200, duplicate, events, token };
  return { status: 200, duplicate, events, token, warnings };
}
