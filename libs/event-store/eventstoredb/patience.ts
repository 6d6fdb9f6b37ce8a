import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable } from '../port.js';
import { classifyRead } from './classify.js';

/** How long the adapter waits, in milliseconds. Tests shorten it. */
export interface Patience {
  /** For the answer to an append; then its outcome is unknown. Some are never answered, whatever the deadline. */
  readonly append: number;
  /** For the next event of a read; then the read is tried again. */
  readonly read: number;
  /** For a read in all, tries included; then the store is unreachable. */
  readonly reads: number;
  /** Silence of a subscription after which the head is looked at. */
  readonly silence: number;
  /** For appends in flight when the store is closed. */
  readonly close: number;
}

/** A restart took up to 4.5 s, a lost connection 20 s to be noticed by the client itself. */
export const PATIENCE: Patience = { append: 10_000, read: 5_000, reads: 12_000, silence: 5_000, close: 15_000 };

const BACK_OFF_FIRST_MS = 50;
const BACK_OFF_MS_MAX = 2_000;

/** Longer with each try, and never the same for two who lost the same connection. */
export function backOffMs(attempt: number): number {
  const most = Math.min(BACK_OFF_FIRST_MS * 2 ** attempt, BACK_OFF_MS_MAX);
  return most / 2 + (Math.random() * most) / 2;
}

/** Why a wait of our own ended. It has neither type nor code, so it stands for no answer at all. */
export class NotAnswered extends Error {
  override readonly name = 'NotAnswered';
}

/** The promise, or a `NotAnswered` after so many milliseconds. What comes later is heard by nobody. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotAnswered(`no answer to ${what} within ${ms} ms`)), ms);
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Cancellable<T> extends AsyncIterable<T> {
  cancel?(): Promise<void>;
}

/** Everything that a read gives. Each event has a timer of its own: a read can fall silent at any of them. */
export async function collect<T>(ms: number, what: string, read: Cancellable<T>): Promise<T[]> {
  const items: T[] = [];
  const iterator = read[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await within(ms, what, iterator.next());
      if (next.done === true) return items;
      items.push(next.value);
    }
  } catch (error) {
    // Not waited for: what does not answer does not end either.
    for (const left of [read.cancel?.(), iterator.return?.()]) void Promise.resolve(left).catch(() => undefined);
    throw error;
  }
}

/** Reads, again after a jittered wait where the server may yet answer, until patience ends in a `StoreUnavailable`. */
export async function tried<T>(
  { reads }: Patience,
  what: string,
  assertOpen: () => void,
  read: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + reads;
  for (let attempt = 0; ; attempt++) {
    assertOpen();
    try {
      return await read();
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      assertOpen();
      const { verdict, fault, text } = classifyRead(error);
      if (verdict === 'missing') throw error;
      const pause = backOffMs(attempt);
      if (verdict === 'refused' || performance.now() + pause > deadline) {
        throw new StoreUnavailable(fault, `${what}: ${text}`, { cause: error });
      }
      await wait(pause);
    }
  }
}
