import type { Envelope } from '../kernel/envelope.js';
import { idOf, ledgerDigest, sealOf } from './seal.js';

/** The first event that is not as it was written, and how it shows. */
export interface Failure {
  readonly position: string;
  readonly stream: string;
  readonly revision: number;
  readonly what: string;
}

export interface AuditReport {
  /** Events that were looked at: up to the first that fails. */
  readonly events: number;
  readonly streams: number;
  readonly holds: boolean;
  readonly failure: Failure | null;
}

/**
 * Hashes every event of the global order again and holds it against its seal, its id, and the event before it in its
 * stream. Stops at the first that fails. Memory grows with the number of streams, not of events.
 */
export async function auditHistory(history: AsyncIterable<Envelope>): Promise<AuditReport> {
  const audit = new HistoryAudit();
  for await (const event of history) {
    const failure = audit.look(event);
    if (failure !== null) return { events: audit.events, streams: audit.streams, holds: false, failure };
  }
  return { events: audit.events, streams: audit.streams, holds: true, failure: null };
}

/** The same, event by event: for who reads a history for something else as well. */
export class HistoryAudit {
  readonly #last = new Map<string, { readonly revision: number; readonly seal: string }>();
  #position = '';
  /** Those that were looked at, the one that fails included. */
  events = 0;

  get streams(): number {
    return this.#last.size;
  }

  /** How the next event of the global order fails, or null. After a failure there is nothing more to look at. */
  look(event: Envelope): Failure | null {
    const { position, stream, revision, meta } = event;
    this.events++;
    const what = position <= this.#position ? 'its position does not rise' : flawOf(event, this.#last.get(stream));
    if (what !== null) return { position, stream, revision, what };
    this.#last.set(stream, { revision, seal: meta.seal });
    this.#position = position;
    return null;
  }

  /** The digest of the ledger that was seen. */
  digest(): Promise<string> {
    const named = [...this.#last].map(([stream, last]) => ({ stream, ...last, bytes: Buffer.from(stream) }));
    named.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    return ledgerDigest(named);
  }
}

function flawOf(
  event: Envelope,
  last: { readonly revision: number; readonly seal: string } | undefined,
): string | null {
  const expected = (last?.revision ?? -1) + 1;
  if (event.revision !== expected)
    return `revision ${expected} is expected here: an event is missing or was slipped in`;
  const { position: _, ...unplaced } = event;
  const previousSeal = last?.seal ?? null;
  if (sealOf(unplaced, previousSeal) !== event.meta.seal)
    return 'its seal does not fit its content and the event before';
  return idOf(unplaced, previousSeal) === event.id ? null : 'its id does not fit its content';
}
