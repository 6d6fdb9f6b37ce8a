import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable } from '../../libs/event-store/port.js';
import { isUnreachable as isKafkaUnreachable } from '../../libs/messaging/kafka/client.js';
import { ReadStoreUnavailable } from '../../libs/read-store/port.js';

export interface Patience {
  /** Told what is waited for. */
  readonly waiting: (error: Error) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  readonly forMs?: number;
  readonly restMs?: number;
}

const FOR_MS = 60_000;
const REST_MS = 1_000;

/**
 * Opens what needs servers, again while one of them is not reached: parts and servers may be started in any order. After
 * a minute it rejects with the last reason, as it does at once where waiting does not help.
 */
export async function reached<T>(
  open: () => Promise<T>,
  { waiting, signal, forMs = FOR_MS, restMs = REST_MS }: Patience,
): Promise<T> {
  const until = performance.now() + forMs;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!(isUnreachable(error) && performance.now() + restMs < until)) throw error;
      waiting(error);
      await wait(restMs, undefined, { signal });
    }
  }
}

function isUnreachable(error: unknown): error is Error {
  if (error instanceof StoreUnavailable) return error.code === 'UNREACHABLE' || error.code === 'NO_LEADER';
  if (error instanceof ReadStoreUnavailable) return error.code === 'UNREACHABLE';
  return isKafkaUnreachable(error);
}
