import { setTimeout as wait } from 'node:timers/promises';
import { type EventStore, StoreUnavailable } from '../event-store/port.js';
import type { Instant, LocalDate } from '../kernel/dates.js';
import type { Domain, Step } from '../kernel/decider.js';
import type { Envelope, UnplacedEnvelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { sealEvent } from '../proof/seal.js';
import { SETTLED, type WarmStream, type WarmStreams } from './streams.js';

/** How often an append whose outcome is unknown is sent again, with the same bytes, before its command is given up. */
export const UNKNOWN_RETRIES_MAX = 20;
const RETRY_FIRST_MS = 20;
const RETRY_MS_MAX = 2_000;

/** What the events of one command share. */
export interface Stamp {
  readonly bookingDate: LocalDate;
  readonly recordedAt: Instant;
  readonly actor: string;
  readonly commandId: string;
  readonly commandHash: string;
  readonly correlationId: string;
  readonly causationId: string;
}

/** Another writer was there first: nothing was written, and what was folded is to be loaded again. */
export const CONFLICT = 'conflict';

/** Seals events, sends them, and advances the warm stream at once. Resolves with the events where they were placed. */
export function append(
  { store, streams, domain }: { readonly store: EventStore; readonly streams: WarmStreams; readonly domain: Domain },
  folded: WarmStream,
  { events, state }: Pick<Step, 'events' | 'state'>,
  stamp: Stamp,
): Promise<readonly Envelope[] | typeof CONFLICT> {
  const sealed: UnplacedEnvelope[] = [];
  let [revision, seal] = [folded.revision, folded.seal];
  for (const { type, data, valueDate, bookingDate = stamp.bookingDate } of events) {
    const version = domain.versions.get(type);
    invariant(version !== undefined, `${type} is an event of the catalogue`);
    revision++;
    const event = sealEvent(
      { type, version, stream: folded.stream, revision, data, meta: { ...stamp, valueDate, bookingDate } },
      seal,
    );
    seal = event.meta.seal;
    sealed.push(event);
  }
  const placed = settled(store, streams, folded, sealed);
  const advanced = streams.advance(folded, sealed, placed, state);
  // A stream that is kept warm keeps no append that is over, nor its events.
  // Whoever waits for durability sees its failure; nobody has to wait for it.
  placed.then(
    () => {
      advanced.durable = SETTLED;
    },
    () => {},
  );
  return placed;
}

/** Places events, or has the stream loaded again: what was decided on events that never became durable is decided anew. */
async function settled(
  store: EventStore,
  streams: WarmStreams,
  { stream, revision }: WarmStream,
  events: readonly UnplacedEnvelope[],
): Promise<readonly Envelope[] | typeof CONFLICT> {
  try {
    for (let attempt = 0; ; attempt++) {
      const result = await store.append(stream, revision, events);
      if (result.outcome === 'committed') {
        return events.map((event, index) => ({ ...event, position: result.positions[index] as string }));
      }
      if (result.outcome === 'conflict') {
        streams.forget(stream);
        return CONFLICT;
      }
      if (attempt >= UNKNOWN_RETRIES_MAX) {
        throw new StoreUnavailable('STORE_CLOSED', `the outcome of an append to ${stream} stayed unknown`, {
          cause: result.cause,
        });
      }
      await wait(Math.min(RETRY_FIRST_MS * 2 ** attempt, RETRY_MS_MAX));
    }
  } catch (error) {
    streams.forget(stream);
    throw error;
  }
}
