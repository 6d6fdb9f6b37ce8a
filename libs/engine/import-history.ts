import { setTimeout as wait } from 'node:timers/promises';
import { type AppendOutcome, type EventStore, StoreUnavailable } from '../event-store/port.js';
import type { Envelope } from '../kernel/envelope.js';
import { type Failure, HistoryAudit } from '../proof/audit.js';

/** Appends that are under way at once. */
export const IMPORT_WINDOW = 256;
/** How often an append whose outcome is unknown is sent again before the run is given up: the next one goes on. */
const RETRIES_MAX = 20;
const RETRY_FIRST_MS = 20;
const RETRY_MS_MAX = 2_000;

export interface ImportRequest {
  /** A ledger in global order. */
  readonly source: AsyncIterable<Envelope>;
  /** A store that is empty, or holds the beginning of just this ledger. Nobody else writes to it meanwhile. */
  readonly target: EventStore;
  /** Told of the events that the store is known to hold, and then of those that were read back. */
  readonly progress: (doing: 'import' | 'check', events: number) => void;
}

export interface ImportReport {
  /** Of the ledger. */
  readonly events: number;
  /** Of these by this run; the others were there. */
  readonly imported: number;
  readonly streams: number;
  /** The same before and after: of what was read, and of what the store gives back. */
  readonly digest: string;
}

/** The ledger that is to be moved is not as it was written. */
export class SourceDamaged extends Error {
  override readonly name = 'SourceDamaged';
  constructor({ stream, revision, position, what }: Failure) {
    super(`${stream} ${revision} at ${position}: ${what}`);
  }
}

/** The store holds something else than a beginning of the ledger, or not in its order. */
export class TargetDiffers extends Error {
  override readonly name = 'TargetDiffers';
}

/**
 * Moves a ledger into another store: the same events under the same ids and seals, in the same global order, since what
 * stands behind a day's close is late, and what ends a transfer comes after what began it. What the store holds already
 * is held against the source and not written again, so a run that was killed is gone on with. In the end everything is
 * read back and hashed again.
 */
export async function importHistory({ source, target, progress }: ImportRequest): Promise<ImportReport> {
  const [read, writer] = [new HistoryAudit(), new Writer(target)];
  const there = target.readAll()[Symbol.asyncIterator]();
  let held = await there.next();
  let before = 0;
  for await (const event of source) {
    const failure = read.look(event);
    if (failure !== null) throw new SourceDamaged(failure);
    if (held.done === true) {
      if (writer.push(event)) continue;
      await writer.flush();
    } else {
      refuseOther(held.value, event);
      writer.last = held.value.position;
      before = read.events;
      held = await there.next();
    }
    progress('import', read.events);
  }
  if (held.done !== true) throw new TargetDiffers(`${nameOf(held.value)} stands behind the last event of the ledger`);
  await writer.flush();
  progress('import', read.events);
  const digest = await read.digest();
  await check(target, { events: read.events, digest }, (events) => progress('check', events));
  return { events: read.events, imported: read.events - before, streams: read.streams, digest };
}

/** Reads the store back: each event hashed again, and the digest of all of them. */
async function check(
  target: EventStore,
  expected: { readonly events: number; readonly digest: string },
  progress: (events: number) => void,
): Promise<void> {
  const kept = new HistoryAudit();
  for await (const event of target.readAll()) {
    const failure = kept.look(event);
    if (failure !== null) throw new TargetDiffers(`${nameOf(event)}: ${failure.what}`);
    progress(kept.events);
  }
  const digest = await kept.digest();
  if (digest === expected.digest && kept.events === expected.events) return;
  throw new TargetDiffers(
    `${kept.events} events with digest ${digest}, not ${expected.events} with ${expected.digest}`,
  );
}

/** The seal covers the whole event and those before it; whether it fits what is stored is looked at in the end. */
function refuseOther(held: Envelope, event: Envelope): void {
  if (held.id === event.id && held.stream === event.stream && held.meta.seal === event.meta.seal) return;
  throw new TargetDiffers(`${nameOf(held)} stands where ${nameOf(event)} belongs`);
}

const nameOf = ({ stream, revision, position }: Envelope): string => `${stream} ${revision} at ${position}`;

/**
 * Appends a window of events at once, each by itself. All of them are handed to the store in one turn, in their order,
 * so what a lost connection takes is their end; that is sent again one by one before anything else is. A store that
 * wrote a later one first is found by its positions.
 */
class Writer {
  /** The position of the last event that is known to be there. */
  last = '';
  #window: Envelope[] = [];

  constructor(private readonly target: EventStore) {}

  /** False when the window is full: it is to be flushed. */
  push(event: Envelope): boolean {
    this.#window.push(event);
    return this.#window.length < IMPORT_WINDOW;
  }

  async flush(): Promise<void> {
    const window = this.#window.splice(0);
    const settled = await Promise.allSettled(window.map((event) => this.#append(event)));
    for (const [index, event] of window.entries()) {
      const found = settled[index] as PromiseSettledResult<AppendOutcome>;
      if (found.status === 'rejected') throw found.reason;
      let outcome = found.value;
      // A conflict may come of the event before it, which is not there yet.
      if (outcome.outcome !== 'committed') outcome = await this.#again(event);
      const [position] = outcome.outcome === 'committed' ? outcome.positions : [];
      if (position === undefined || position <= this.last) {
        throw new TargetDiffers(`${event.stream} ${event.revision} has come out of order: begin on an empty store`);
      }
      this.last = position;
    }
  }

  async #again(event: Envelope): Promise<AppendOutcome> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#append(event);
      if (outcome.outcome === 'committed') return outcome;
      if (outcome.outcome === 'conflict') {
        throw new TargetDiffers(
          `${event.stream} stands at ${outcome.revision}, where ${event.revision} is to be written`,
        );
      }
      if (attempt >= RETRIES_MAX) throw outcome.cause;
      await wait(Math.min(RETRY_FIRST_MS * 2 ** attempt, RETRY_MS_MAX));
    }
  }

  /** A store that is away for a moment leaves an outcome as unknown as a lost answer does. */
  async #append({ position: _, ...event }: Envelope): Promise<AppendOutcome> {
    try {
      return await this.target.append(event.stream, event.revision - 1, [event]);
    } catch (cause) {
      if (!(cause instanceof StoreUnavailable) || !AWAY.includes(cause.code)) throw cause;
      return { outcome: 'unknown', cause };
    }
  }
}

const AWAY: readonly StoreUnavailable['code'][] = ['UNREACHABLE', 'NO_LEADER'];
