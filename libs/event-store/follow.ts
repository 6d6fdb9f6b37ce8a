import type { Envelope } from '../kernel/envelope.js';
import { acceptBatch } from './accept.js';
import type { SubscribeOptions, SubscriptionBatch } from './port.js';

/** Rung whenever there may be something new to read; whoever waits wakes and looks. */
export interface Bell {
  /** Rises with each ring: who read it before looking cannot miss what came while they looked. */
  rings(): number;
  ring(): void;
  /** Settles at the next ring after `heard`, on abort, or after `patience` milliseconds. Never rejects. */
  wait(heard: number, signal: AbortSignal, patience: number): Promise<void>;
}

/** What a subscription is made of. */
export interface Followed {
  readonly bell: Bell;
  /** How long to wait for the bell before looking anyway: what another process writes rings no bell here. */
  readonly patience: number;
  closed(): boolean;
  /** At most `limit` events behind a position, in global order; fewer only when these are the last. */
  page(after: string, limit: number): readonly Envelope[] | Promise<readonly Envelope[]>;
}

/**
 * A subscription over pages. It holds nothing between two batches but a position, so a slow reader costs the writer
 * nothing, and a reader that leaves has nothing to give back. The next page is read when the reader asks for it.
 */
export async function* follow(store: Followed, options: SubscribeOptions): AsyncGenerator<SubscriptionBatch> {
  const { batch, signal } = options;
  acceptBatch(batch);
  let position = options.after;
  let saidCaughtUp = false;
  while (!signal.aborted && !store.closed()) {
    // Before each batch, so that readers who resume in a tight loop cannot keep a writer of this process from its turn.
    await turn();
    if (signal.aborted || store.closed()) return;
    const heard = store.bell.rings();
    const events = await pageOrNothing(store, position, batch);
    if (signal.aborted || store.closed()) return;
    const caughtUp = events.length < batch;
    const last = events.at(-1);
    if (last === undefined && saidCaughtUp) {
      await store.bell.wait(heard, signal, store.patience);
      continue;
    }
    position = last?.position ?? position;
    saidCaughtUp = caughtUp;
    yield { events, caughtUp };
  }
}

/** Lets whatever else waits in this process have its turn of the loop. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A bell that keeps no one: who waits leaves nothing behind when it wakes. */
export function createBell(): Bell {
  let rings = 0;
  const waiting = new Set<() => void>();
  return {
    rings: () => rings,
    ring() {
      rings++;
      for (const wake of waiting) wake();
    },
    wait(heard, signal, patience) {
      if (rings !== heard || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, patience);
        waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    },
  };
}

/** A close between asking and reading ends the subscription as a close while waiting does. */
async function pageOrNothing(store: Followed, after: string, limit: number): Promise<readonly Envelope[]> {
  try {
    return await store.page(after, limit);
  } catch (error) {
    if (store.closed()) return [];
    throw error;
  }
}
