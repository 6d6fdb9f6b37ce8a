import type { Envelope } from '../kernel/envelope.js';
import { idOf, sealOf } from './seal.js';

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
  const streams = new Map<string, { readonly revision: number; readonly seal: string }>();
  let events = 0;
  let position = '';
  for await (const event of history) {
    events++;
    const last = streams.get(event.stream);
    const what = event.position <= position ? 'its position does not rise' : flawOf(event, last);
    if (what !== null) {
      const failure = { position: event.position, stream: event.stream, revision: event.revision, what };
      return { events, streams: streams.size, holds: false, failure };
    }
    streams.set(event.stream, { revision: event.revision, seal: event.meta.seal });
    position = event.position;
  }
  return { events, streams: streams.size, holds: true, failure: null };
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
