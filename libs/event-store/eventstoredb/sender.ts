import { classifyAppend } from './classify.js';
import type { AppendAnswer, ServerClient } from './client.js';
import { NotAnswered, within } from './patience.js';

/** An append that was not sent: the one before it, which was to open the connection, failed for this reason. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** Without an append for this long, the connection may have been made anew behind our back. */
const IDLE_MS = 1_000;

export interface Sender {
  readonly append: ServerClient['append'];
  /** Settles when the library has an answer to all that it was sent. */
  settled(): Promise<void>;
}

/**
 * Sends appends in the order of the calls, many in flight at once. The library lets the second append on a new connection
 * overtake the first; so one that may open a connection goes alone, and those behind it wait for its answer,
 * or `patience` milliseconds.
 */
export function createSender(client: ServerClient, patience: number): Sender {
  const inFlight = new Set<Promise<unknown>>();
  const waiting: { send(): void; giveUp(cause: unknown): void }[] = [];
  let open = false;
  let opening = false;
  let last = 0;

  const send: ServerClient['append'] = (stream, expectedRevision, events) => {
    last = performance.now();
    const answer = client.append(stream, expectedRevision, events);
    const over = answer.then(
      () => void inFlight.delete(over),
      (error: unknown) => {
        inFlight.delete(over);
        open &&= answered(error);
      },
    );
    inFlight.add(over);
    return answer;
  };

  async function sendAlone(...append: Parameters<ServerClient['append']>): Promise<AppendAnswer> {
    opening = true;
    let failure: unknown;
    try {
      const answer = await within(patience, 'the first append on a connection', send(...append));
      open = true;
      return answer;
    } catch (error) {
      open = answered(error);
      failure = error;
      throw error;
    } finally {
      opening = false;
      // All at once: who asks from now on comes behind them.
      for (const { send, giveUp } of waiting.splice(0)) open ? send() : giveUp(failure);
    }
  }

  return {
    append(...append) {
      if (!opening && inFlight.size === 0 && performance.now() - last > IDLE_MS) open = false;
      if (open && !opening) return send(...append);
      if (!opening) return sendAlone(...append);
      return new Promise((resolve, reject) => {
        waiting.push({
          send: () => void send(...append).then(resolve, reject),
          giveUp: (cause) => reject(new NotSent('the connection could not be opened', { cause })),
        });
      });
    },
    async settled() {
      while (inFlight.size > 0) await Promise.all(inFlight);
    },
  };
}

/** Whether the server itself has spoken, so that there is a connection. */
function answered(error: unknown): boolean {
  if (error instanceof NotAnswered) return false;
  const { verdict, fault } = classifyAppend(error);
  return verdict === 'conflict' || fault === 'APPEND_REFUSED';
}
