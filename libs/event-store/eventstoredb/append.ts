import type { EnvelopeText, UnplacedEnvelope } from '../../kernel/envelope.js';
import { invariant } from '../../kernel/result.js';
import { acceptedTexts, sameEvent } from '../accept.js';
import { type AppendOutcome, NO_STREAM, StoreUnavailable } from '../port.js';
import { actualRevision, classifyAppend } from './classify.js';
import { proposed } from './client.js';
import { positionText } from './events.js';
import { within } from './patience.js';
import { type Reading, readStream } from './read.js';
import { NotSent } from './sender.js';

export interface Appender {
  append(
    stream: string,
    expectedRevision: number,
    events: readonly UnplacedEnvelope[],
    texts?: readonly EnvelopeText[],
  ): Promise<AppendOutcome>;
  /** Settles when every append has an outcome. */
  drained(): Promise<void>;
}

/** Appends with unknown outcomes that are remembered; beyond that every answer is held against what is stored. */
const DOUBTFUL_MAX = 100_000;

interface Append {
  readonly stream: string;
  readonly expectedRevision: number;
  readonly events: readonly UnplacedEnvelope[];
  /** Names the append among those whose outcome is unknown. */
  readonly key: string;
}

/**
 * Appends at exact revisions, several in flight at once. The server knows a retry by its ids and revision and does not
 * look at bodies; so an answer is taken as it is only where it must be of a first writing: one event (the answer has
 * the last position only), placed behind all that was answered before it was sent, and no earlier try of it in doubt.
 * Any other is held against what the stream holds. `newest` is the last position of all when the store was opened.
 */
export function createAppender(reading: Reading, newest: string): Appender {
  // What was asked for before a close is brought to its end: its reads are no longer asked whether the store is open.
  const settling: Reading = { ...reading, assertOpen: () => undefined };
  const doubts = createDoubts();
  const pending = new Set<Promise<unknown>>();

  async function settled(append: Append, answer: Promise<{ position: string | undefined }>): Promise<AppendOutcome> {
    const before = newest;
    try {
      const { position } = await within(reading.patience.append, `an append to ${append.stream}`, answer);
      if (position !== undefined && position > newest) newest = position;
      if (position === undefined || position <= before || append.events.length > 1 || doubts.about(append)) {
        return await heldAgainstStored(settling, append);
      }
      return { outcome: 'committed', positions: [position] };
    } catch (error) {
      return failed(append, error);
    }
  }

  async function failed(append: Append, error: unknown): Promise<AppendOutcome> {
    // What was answered and cannot be read back now: written, yet its positions are not known.
    if (error instanceof StoreUnavailable) return { outcome: 'unknown', cause: error };
    const notSent = error instanceof NotSent;
    const { verdict, fault, text } = classifyAppend(notSent ? error.cause : error);
    const cause = error instanceof Error ? error : new Error(String(error));
    if (verdict === 'conflict') return conflictOrOurs(settling, append, error);
    if ((verdict === 'unknown' && !notSent) || doubts.about(append)) return { outcome: 'unknown', cause };
    throw new StoreUnavailable(fault, `${reading.address}: appending to ${append.stream}: ${text}`, { cause });
  }

  return {
    append(stream, expectedRevision, events, texts) {
      try {
        reading.assertOpen();
        acceptedTexts(stream, expectedRevision, events, texts);
        invariant(reading.own.has(stream), `${stream} is a stream of the ledger`);
      } catch (error) {
        return Promise.reject(error);
      }
      const key = `${expectedRevision} ${events[0]?.id}`;
      const append: Append = { stream, expectedRevision, events, key };
      doubts.sent(append);
      const answer = reading.client
        .append(reading.own.named(stream), expectedRevision, events.map(proposed))
        .then(({ position }) => ({ position: position === undefined ? undefined : positionText(position) }));
      const outcome = settled(append, answer);
      const over = outcome.then(
        (found) => doubts.settled(append, found.outcome),
        () => doubts.settled(append, 'refused'),
      );
      void over.then(() => pending.delete(over));
      pending.add(over);
      return outcome;
    },
    async drained() {
      await Promise.all(pending);
    },
  };
}

/** Which appends may already be written by an earlier try of themselves. */
function createDoubts() {
  const unknown = new Set<string>();
  const sending = new Map<string, number>();
  return {
    sent({ key }: Append): void {
      sending.set(key, (sending.get(key) ?? 0) + 1);
    },
    about: ({ key }: Append): boolean =>
      unknown.has(key) || unknown.size >= DOUBTFUL_MAX || (sending.get(key) ?? 0) > 1,
    settled({ key }: Append, outcome: AppendOutcome['outcome'] | 'refused'): void {
      const left = (sending.get(key) ?? 1) - 1;
      if (left === 0) sending.delete(key);
      else sending.set(key, left);
      if (outcome === 'unknown') unknown.add(key);
      else unknown.delete(key);
    },
  };
}

/** A conflict is not the caller's before its own events were looked for: they may be what the stream stands at. */
async function conflictOrOurs(reading: Reading, append: Append, error: unknown): Promise<AppendOutcome> {
  const revision = actualRevision(error);
  if (revision !== undefined && revision < append.expectedRevision + append.events.length) {
    return { outcome: 'conflict', revision };
  }
  try {
    return await heldAgainstStored(reading, append);
  } catch (cause) {
    invariant(cause instanceof Error, 'what a read throws is an error');
    return { outcome: 'unknown', cause };
  }
}

/** What the stream holds where these events belong: they themselves, ids and bodies alike, or a conflict. */
async function heldAgainstStored(reading: Reading, append: Append): Promise<AppendOutcome> {
  const { stream, expectedRevision, events } = append;
  const positions: string[] = [];
  for await (const stored of readStream(reading, stream, { from: expectedRevision + 1, limit: events.length })) {
    const given = events[positions.length];
    if (given === undefined || !sameEvent(stored, given)) break;
    positions.push(stored.position);
  }
  if (positions.length === events.length) return { outcome: 'committed', positions };
  let revision = NO_STREAM;
  for await (const last of readStream(reading, stream, { direction: 'backwards', limit: 1 })) revision = last.revision;
  return { outcome: 'conflict', revision };
}
