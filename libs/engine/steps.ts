import type { Instant, LocalDate } from '../kernel/dates.js';
import { laterOf } from '../kernel/dates.js';
import type { Calendar, Decision, Refusal } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { InvariantBroken } from '../kernel/result.js';
import type { Accepted, Answer, EventReference } from './answers.js';
import { CONFLICT, type Stamp } from './append.js';
import type { Prepared } from './request.js';
import type { WarmStream } from './streams.js';

/* What the write path hands from step to step (see handle.ts). */

/** What a process says beside the request that it sends: it keeps the marks of what it continues. */
export interface Continued {
  readonly bookingDate: LocalDate;
  readonly recordedAt: Instant | null;
  readonly causationId: string;
  readonly correlationId: string;
  /** The command that is continued, whose key is known already; null: the request's own. */
  readonly command: { readonly id: string; readonly hash: string } | null;
}

export type Request = Prepared & { readonly continued?: Continued };

/** What was written for a command, over all streams, in the order of the appends. */
export interface Done {
  readonly answer: Answer;
  readonly written: readonly Envelope[];
}

/** A command that was decided. */
export interface Begun {
  readonly done: Promise<Done>;
}

/** A command whose outcome is on its way: what its append was placed as, and what is left to do then. */
export interface Sent {
  readonly placed: Promise<readonly Envelope[] | typeof CONFLICT>;
  readonly done: (placed: readonly Envelope[]) => Done | Promise<Done>;
}

/** What was decided: sent, or answered without an append. */
export type Decided = Sent | { readonly placed: null; readonly done: Promise<Done> };

/** The streams that a command needs beside the one that it is about: in order of their names, each once. */
export interface Needs {
  readonly reads: Readonly<Record<string, string>>;
  readonly writes: readonly string[];
  readonly others: readonly string[];
}

/** What a decision is made from: the day, and the streams that are locked and loaded. */
export type Needed = Needs & { readonly loaded: readonly WarmStream[]; readonly calendar: Calendar };

/** Or what is answered without one. */
export type Gathered = Needed | Done;

/** The days and the clock as a command saw them. */
export interface Moment {
  readonly calendar: Calendar;
  readonly at: Instant;
}

/** What it was decided on is not sure any more: it is decided anew. */
export const MOVED: Decided = {
  placed: Promise.resolve(CONFLICT),
  done: () => Promise.reject(new InvariantBroken('what has moved is not answered')),
};

/** Whether it is a process's, and its key the one of the command that it continues. */
export const continues = ({ continued }: Request): boolean => continued != null && continued.command !== null;

/** What the command needs, unless it is refused for what it is or for where its stream stands. */
export function needsOf(
  { entry, about: own, data, refusal: unacceptable, ifMatch }: Request,
  about: WarmStream,
): Needs | Done {
  if (unacceptable !== null) return refusedWith(unacceptable);
  if (ifMatch !== null && ifMatch !== about.revision) {
    const { revision } = about;
    return refusedWith(refusal('REVISION_MOVED', 'ifMatch', `${revision}`, { revision }));
  }
  const reads = entry.reads(data, about.state);
  const writes = entry.writes(data, about.state).filter((stream) => stream !== own);
  const others = [...new Set([...Object.values(reads), ...writes])].sort();
  return { reads, writes, others };
}

/** One of the streams that a command locked and loaded. */
export function streamIn(loaded: readonly WarmStream[], name: string): WarmStream {
  for (const warm of loaded) if (warm.stream === name) return warm;
  throw new InvariantBroken(`${name} is among the streams that the command names`);
}

/** The answer to a command that wrote these events. */
export function accepted(about: string, written: readonly Envelope[], warnings: Decision['warnings']): Accepted {
  const events: EventReference[] = [];
  let token = '';
  for (const { type, stream, revision, position } of written) {
    if (stream === about) events.push({ type, stream, revision, position });
    token = laterOf(token, position);
  }
  return { accepted: true, duplicate: false, events, token, warnings };
}

/** What the events of a command share, from one of them. */
export function marksOf({ meta }: Envelope): Stamp {
  const { valueDate: _, seal: __, ...stamp } = meta;
  return stamp;
}

/** A refusal as what was done. */
export const refusedWith = (refusal: Refusal): Done => ({ answer: { accepted: false, refusal }, written: [] });

/** A refusal of the engine's own. */
export const refusal = (code: string, field: string, accepted: string, params: Refusal['params']): Refusal => ({
  code,
  errors: [{ field, code, accepted }],
  params,
});
