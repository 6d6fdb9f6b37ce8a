import { NO_STREAM, type StoreFault } from '../port.js';

/** What an error of the client says of an append. */
export type Verdict =
  /** Not written: the stream stands elsewhere. Our own events may be the reason. */
  | 'conflict'
  /** Written or not, nobody knows. */
  | 'unknown'
  /** Not written, and the same append may succeed a little later. */
  | 'unavailable'
  /** Not written, and never will be. */
  | 'refused';

export interface Classified {
  readonly verdict: Verdict;
  readonly fault: StoreFault;
  readonly text: string;
}

interface Row extends Classified {
  readonly type: string | undefined;
  readonly code: number | 'none' | undefined;
  /** Part of the text, where type and code are not enough. */
  readonly says: string | undefined;
}

/**
 * Every shape of error that an append was seen to end with, the first that fits from above. Neither class nor text is
 * trusted where type and code tell: the two libraries differ in both. What no row knows is unknown: a retry settles it.
 */
export const APPEND_ERRORS: readonly Row[] = [
  row('wrong-expected-version', undefined, 'conflict', 'APPEND_REFUSED', 'the stream stands at another revision'),
  row('stream-deleted', undefined, 'refused', 'APPEND_REFUSED', 'the stream was deleted, which nobody may do'),
  row('maximum-append-size-exceeded', undefined, 'refused', 'APPEND_REFUSED', 'the server takes smaller appends only'),
  row('access-denied', undefined, 'refused', 'UNAUTHORIZED', 'name, password or rights are not those of the server'),
  row(undefined, 7, 'refused', 'UNAUTHORIZED', 'name, password or rights are not those of the server'),
  row(undefined, 16, 'refused', 'UNAUTHORIZED', 'name, password or rights are not those of the server'),
  row('not-leader', undefined, 'unavailable', 'NO_LEADER', 'the server that answers is not the leader'),
  row('unknown', 'none', 'unavailable', 'UNREACHABLE', 'the server is not ready yet', 'Is Not Ready'),
  row('unknown', 'none', 'refused', 'APPEND_REFUSED', 'the server cannot read the append', 'BadRequest'),
  // The first append on a connection asks what the server can do; nothing of it was sent before that was answered.
  row('none', 14, 'unavailable', 'UNREACHABLE', 'nobody answers'),
  row('deadline-exceeded', 'none', 'unknown', 'UNREACHABLE', 'the server gave up after its deadline'),
  row('deadline-exceeded', 4, 'unknown', 'UNREACHABLE', 'the server did not answer in time'),
  row('timeout', 10, 'unknown', 'UNREACHABLE', 'the server gave up while it wrote'),
  row('unavailable', 14, 'unknown', 'UNREACHABLE', 'the connection was lost'),
  row('unknown', 13, 'unknown', 'UNREACHABLE', 'the connection was broken off'),
  row('unknown', 8, 'unknown', 'UNREACHABLE', 'the connection was broken off by a message that is too large'),
  row('unknown', 1, 'unknown', 'UNREACHABLE', 'the connection was closed from here'),
  row('cancelled', 1, 'unknown', 'UNREACHABLE', 'the server broke off the call'),
];

const UNHEARD: Classified = { verdict: 'unknown', fault: 'UNREACHABLE', text: 'the client failed in a new way' };

/** What an error says of the append that ended with it. */
export function classifyAppend(error: unknown): Classified {
  const { type, code, message } = shapeOf(error);
  return (
    APPEND_ERRORS.find(
      (candidate) =>
        (candidate.type === undefined || candidate.type === (type ?? 'none')) &&
        (candidate.code === undefined || candidate.code === (code ?? 'none')) &&
        (candidate.says === undefined || message.includes(candidate.says)),
    ) ?? UNHEARD
  );
}

export type ReadVerdict = 'missing' | 'again' | 'refused';

/** What an error says of a read or a subscription: nothing there, worth another try, or a refusal. */
export function classifyRead(error: unknown): { verdict: ReadVerdict; fault: StoreFault; text: string } {
  const { type, code, message } = shapeOf(error);
  if (type === 'stream-not-found') return { verdict: 'missing', fault: 'UNREACHABLE', text: message };
  if (type === 'stream-deleted') return { verdict: 'refused', fault: 'DATA_DAMAGED', text: 'the stream was deleted' };
  if (type === 'access-denied' || code === 7 || code === 16) {
    return { verdict: 'refused', fault: 'UNAUTHORIZED', text: 'name, password or rights are not those of the server' };
  }
  if (type === 'not-leader') return { verdict: 'again', fault: 'NO_LEADER', text: 'the server is not the leader' };
  return { verdict: 'again', fault: 'UNREACHABLE', text: message || 'the server does not answer' };
}

/** The revision that a conflict tells of: each library has its own word for it. */
export function actualRevision(error: unknown): number | undefined {
  const { actualVersion, actualState } = error as { actualVersion?: unknown; actualState?: unknown };
  const actual = actualVersion ?? actualState;
  if (actual === 'no_stream') return NO_STREAM;
  return typeof actual === 'bigint' ? Number(actual) : undefined;
}

function row(
  type: string | undefined,
  code: number | 'none' | undefined,
  verdict: Verdict,
  fault: StoreFault,
  text: string,
  says?: string,
): Row {
  return { type, code, verdict, fault, text, says };
}

function shapeOf(error: unknown): { type: unknown; code: unknown; message: string } {
  const { type, code, message } = (error ?? {}) as { type?: unknown; code?: unknown; message?: unknown };
  return { type, code, message: String(message ?? '') };
}
