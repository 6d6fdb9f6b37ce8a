import { setTimeout as wait } from 'node:timers/promises';
import { type AppendOutcome, type EventStore, StoreUnavailable } from '../event-store/port.js';
import type { Instant, LocalDate } from '../kernel/dates.js';
import type { Domain, NewEvent, Step } from '../kernel/decider.js';
import type { Envelope, EnvelopeText, UnplacedEnvelope } from '../kernel/envelope.js';
import { InvariantBroken } from '../kernel/result.js';
import { sealEvent } from '../proof/seal.js';
import { SETTLED, type WarmStream, type WarmStreams } from './streams.js';

/** How often an append whose outcome is unknown is sent again, with the same bytes, before its command is given up. */
const UNKNOWN_RETRIES_MAX = 20;

/** How long an append is sent again before its command is given up, in milliseconds. Tests shorten it. */
export interface AppendPatience {
  /** Where its outcome is unknown: a store may take its time over each answer. */
  readonly unknown: number;
  /** Where the store is away and nothing was sent: as long as a read of it is tried. */
  readonly away: number;
}

const PATIENCE: AppendPatience = { unknown: 30_000, away: 12_000 };
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

interface Tools {
  readonly store: EventStore;
  readonly streams: WarmStreams;
  readonly domain: Domain;
  /** Told of every append that became durable: whoever follows is woken. */
  readonly appended: () => void;
  /**
   * Where there are other writers: whether an append that nobody knows the outcome of may still be sent. What may not
   * is decided anew, at the same revision: one of the two is refused by the store, and the key is found if it is ours.
   */
  readonly mayRepeat?: (stream: string, stamp: Stamp) => Promise<boolean>;
  readonly patience?: AppendPatience | undefined;
}

/** Seals events, sends them, and advances the warm stream at once. Resolves with the events where they were placed. */
export function append(
  tools: Tools,
  folded: WarmStream,
  { events, state }: Pick<Step, 'events' | 'state'>,
  stamp: Stamp,
): Promise<readonly Envelope[] | typeof CONFLICT> {
  const { store, streams } = tools;
  const { stream, revision } = folded;
  const { sealed, texts } = sealAll(tools.domain, folded, events, stamp);
  const again = (first: AppendOutcome | StoreUnavailable) =>
    settled(tools, folded, sealed, stamp, first).then((outcome) => {
      if (outcome !== CONFLICT) advanced.durable = SETTLED;
      return outcome;
    });
  const placed = store.append(stream, revision, sealed, texts).then(
    (result) => {
      if (result.outcome !== 'committed') return again(result);
      tools.appended();
      // A stream that is kept warm keeps no append that is over, nor its events.
      advanced.durable = SETTLED;
      return at(sealed, result.positions);
    },
    (error: unknown) => {
      if (isAway(error)) return again(error);
      streams.forget(stream);
      throw error;
    },
  );
  const advanced = streams.advance(folded, sealed, placed, state);
  return placed;
}

function sealAll(domain: Domain, { stream, revision, seal }: WarmStream, events: readonly NewEvent[], stamp: Stamp) {
  const sealed: UnplacedEnvelope[] = [];
  const texts: EnvelopeText[] = [];
  let previous = seal;
  for (const { type, data, valueDate, bookingDate = stamp.bookingDate } of events) {
    const format = domain.formats.get(type);
    if (format === undefined) throw new InvariantBroken(`${type} is an event of the catalogue`);
    const { version } = format;
    const place = revision + 1 + sealed.length;
    const { actor, causationId, commandHash, commandId, correlationId, recordedAt } = stamp;
    const marks = { actor, bookingDate, causationId, commandHash, commandId, correlationId, recordedAt, valueDate };
    const { event, text } = sealEvent(
      { type, version, stream, revision: place, data, meta: marks },
      previous,
      format.canonical(data),
    );
    previous = event.meta.seal;
    sealed.push(event);
    texts.push(text);
  }
  return { sealed, texts };
}

/** Whether the store may take the same append a little later. */
const isAway = (error: unknown): error is StoreUnavailable =>
  error instanceof StoreUnavailable && (error.code === 'UNREACHABLE' || error.code === 'NO_LEADER');

/**
 * Sends again what nobody knows the outcome of, and what a store that is away did not take: the command keeps its place
 * before those that wait for it. What did not become durable has its stream loaded again: what was decided on it is
 * decided anew.
 */
async function settled(
  { store, streams, appended, mayRepeat, patience = PATIENCE }: Tools,
  { stream, revision }: WarmStream,
  events: readonly UnplacedEnvelope[],
  stamp: Stamp,
  first: AppendOutcome | StoreUnavailable,
): Promise<readonly Envelope[] | typeof CONFLICT> {
  try {
    let result = first;
    // Of one that may have been written it is never said again that nothing was.
    let lost: Error | null = null;
    const began = performance.now();
    for (let attempt = 0; result instanceof Error || result.outcome === 'unknown'; attempt++) {
      const took = performance.now() - began;
      if (!(result instanceof Error)) lost = result.cause;
      if (lost !== null && (attempt >= UNKNOWN_RETRIES_MAX || took > patience.unknown)) {
        throw new StoreUnavailable('OUTCOME_UNKNOWN', `the outcome of an append to ${stream} stayed unknown`, {
          cause: lost,
        });
      }
      if (lost === null && result instanceof Error && took > patience.away) throw result;
      await wait(Math.min(RETRY_FIRST_MS * 2 ** attempt, RETRY_MS_MAX));
      if (mayRepeat !== undefined && !(await mayRepeat(stream, stamp))) {
        streams.forget(stream);
        return CONFLICT;
      }
      result = await store.append(stream, revision, events).catch((error: unknown) => {
        if (isAway(error)) return error;
        throw error;
      });
    }
    if (result.outcome === 'committed') {
      appended();
      return at(events, result.positions);
    }
    streams.forget(stream);
    return CONFLICT;
  } catch (error) {
    streams.forget(stream);
    throw error;
  }
}

const at = (events: readonly UnplacedEnvelope[], positions: readonly string[]): readonly Envelope[] =>
  events.map(({ id, type, version, stream, revision, data, meta }, index) => {
    return { id, type, version, stream, revision, data, meta, position: positions[index] as string };
  });
