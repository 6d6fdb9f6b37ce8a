import { invariant } from '../../kernel/result.js';
import type { AppendOutcome } from '../port.js';
import type { AcceptedAppend, Committer } from './commit.js';

/** What one transaction takes at most, so that one is soon over and a reader's turn comes. */
export const BATCH_APPENDS_MAX = 1_024;
export const BATCH_CHARACTERS_MAX = 8 * 1024 * 1024;
/** How much text waits to be written; who comes later waits with nothing but their own events. */
export const QUEUE_CHARACTERS_MAX = 32 * 1024 * 1024;

/** Appends that wait at the same time share one durable transaction. */
export interface GroupCommit {
  /** Decided in the order of the calls; `accept` is called when there is room, and what it throws rejects. */
  append(accept: () => AcceptedAppend): Promise<AppendOutcome>;
  /** Settles when everything that was asked for is decided. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly append: AcceptedAppend;
  readonly characters: number;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The queue is written once a turn of the loop: by then every caller that was woken by the last transaction has asked
 * again, so that 64 callers make one transaction of 64 and not one of one and one of 63.
 */
export function createGroupCommit(committer: Committer, committed: (appends: number) => void): GroupCommit {
  const queue = createQueue();
  let scheduled = false;
  let idle: (() => void)[] = [];

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(writeBatch);
  }

  function writeBatch(): void {
    scheduled = false;
    const batch = queue.take();
    if (batch.length > 0) settle(batch);
    if (!queue.isEmpty()) {
      schedule();
      return;
    }
    for (const wake of idle) wake();
    idle = [];
  }

  function settle(batch: readonly Waiting[]): void {
    try {
      const outcomes = committer.commit(batch.map(({ append }) => append));
      batch.forEach(({ resolve }, index) => {
        const outcome = outcomes[index];
        invariant(outcome !== undefined, 'every append of a batch has an outcome');
        resolve(outcome);
      });
      committed(batch.length);
    } catch (error) {
      // Those that were answered before it broke stay answered: a promise settles once.
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    append(accept) {
      return new Promise((resolve, reject) => {
        queue.add(accept, resolve, reject);
        schedule();
      });
    },
    drained() {
      if (!scheduled) return Promise.resolve();
      return new Promise((resolve) => {
        idle.push(resolve);
      });
    },
  };
}

/** Owns the order of the appends, which is the order of the calls, also of those that wait for room. */
function createQueue() {
  const queue: Waiting[] = [];
  const parked: (() => void)[] = [];
  let characters = 0;

  function enter(accept: () => AcceptedAppend, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
    try {
      const append = accept();
      const length = append.texts.reduce((sum, text) => sum + text.length, 0);
      characters += length;
      queue.push({ append, characters: length, resolve, reject });
    } catch (error) {
      reject(error);
    }
  }

  function admit(): void {
    let admitted = 0;
    while (admitted < parked.length && characters < QUEUE_CHARACTERS_MAX) parked[admitted++]?.();
    parked.splice(0, admitted);
  }

  return {
    add(accept: () => AcceptedAppend, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
      if (parked.length === 0 && characters < QUEUE_CHARACTERS_MAX) enter(accept, resolve, reject);
      else parked.push(() => enter(accept, resolve, reject));
    },
    take(): Waiting[] {
      const batch = takeBatch(queue);
      for (const waiting of batch) characters -= waiting.characters;
      admit();
      return batch;
    },
    isEmpty: () => queue.length === 0,
  };
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let characters = 0;
  let count = 0;
  for (const waiting of queue) {
    if (count > 0 && (count >= BATCH_APPENDS_MAX || characters + waiting.characters > BATCH_CHARACTERS_MAX)) break;
    characters += waiting.characters;
    count++;
  }
  return queue.splice(0, count);
}
