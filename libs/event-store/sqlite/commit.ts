import type { UnplacedEnvelope } from '../../kernel/envelope.js';
import { RecentMap } from '../../kernel/recent-map.js';
import { InvariantBroken, invariant } from '../../kernel/result.js';
import { sameEvent } from '../accept.js';
import { type AppendOutcome, NO_STREAM } from '../port.js';
import { refusalOf } from './errors.js';
import type { Connection } from './file.js';
import { positionText, type Rows, type StreamPlace } from './rows.js';

/** An append that was accepted: its events, and the JSON of each without the position. */
export interface AcceptedAppend {
  readonly stream: string;
  readonly expectedRevision: number;
  readonly events: readonly UnplacedEnvelope[];
  readonly texts: readonly string[];
}

/** For tests of what a store does when the disk fails: called around the commit, and what they throw fails it. */
export interface CommitFaults {
  beforeCommit?(): void;
  afterCommit?(): void;
}

/** Writes many appends in one durable transaction. */
export interface Committer {
  /** One outcome an append, in their order. Throws one refusal for all when nothing of any was written. */
  commit(appends: readonly AcceptedAppend[]): readonly AppendOutcome[];
}

/**
 * The streams whose place is kept in memory, at most some 60 MB of them: more than the loans of a large branch, as the
 * day's sheets go through all of them in turn. The others cost a look at the index: a tenth of an append.
 */
const STREAMS_KEPT_MAX = 400_000;

/** Writes over a connection that nobody else begins transactions on. */
export function createCommitter(connection: Connection, rows: Rows, path: string, faults: CommitFaults): Committer {
  const places = createPlaces(rows);

  function write(append: AcceptedAppend): AppendOutcome {
    const { stream, expectedRevision, texts } = append;
    const place = places.of(stream);
    const revision = place?.revision ?? NO_STREAM;
    if (revision !== expectedRevision) {
      return (place && firstOutcome(rows, append, place)) ?? { outcome: 'conflict', revision };
    }
    const kept = place ?? places.keep(stream, { id: rows.addStream(stream), revision: NO_STREAM });
    const positions: string[] = [];
    for (const text of texts) {
      const number = places.nextPosition();
      const position = positionText(number);
      positions.push(position);
      rows.addEvent(number, kept.id, revision + positions.length, `{"position":"${position}",${text.slice(1)}`);
    }
    // In place: a new object an append would be one more that the collector has to move to where old ones are.
    kept.revision = revision + texts.length;
    return { outcome: 'committed', positions };
  }

  return {
    commit(appends) {
      let atCommit = false;
      try {
        connection.exec('BEGIN IMMEDIATE');
        places.lookAgainIfOthersWrote();
        const outcomes = appends.map(write);
        faults.beforeCommit?.();
        atCommit = true;
        connection.exec('COMMIT');
        faults.afterCommit?.();
        return outcomes;
      } catch (error) {
        places.forget();
        rollBack(connection);
        const refusal = certainRefusal(error, path, atCommit);
        if (refusal !== undefined) throw refusal;
        return appends.map(() => unknown(error));
      }
    },
  };
}

/**
 * Owns the places of the streams and the next position, which are true only while nobody else writes: both are
 * forgotten when another connection has written, and when a transaction did not end as planned.
 */
function createPlaces(rows: Rows) {
  const places = new RecentMap<StreamPlace>(STREAMS_KEPT_MAX);
  let lastPosition = 0;
  let seenVersion: number | undefined;
  return {
    of(stream: string): StreamPlace | undefined {
      const kept = places.get(stream);
      if (kept !== undefined) return kept;
      const place = rows.streamPlace(stream);
      return place && this.keep(stream, place);
    },
    keep(stream: string, place: StreamPlace): StreamPlace {
      places.set(stream, place);
      return place;
    },
    nextPosition: () => ++lastPosition,
    lookAgainIfOthersWrote(): void {
      const version = rows.dataVersion();
      if (version === seenVersion) return;
      places.clear();
      lastPosition = rows.lastPosition();
      seenVersion = version;
    },
    forget(): void {
      places.clear();
      seenVersion = undefined;
    },
  };
}

/** What an append that was made before answered, if this is the same one. Its stream has moved on since. */
function firstOutcome(rows: Rows, append: AcceptedAppend, place: StreamPlace): AppendOutcome | undefined {
  const { expectedRevision, events } = append;
  if (expectedRevision + events.length > place.revision) return undefined;
  const positions: string[] = [];
  while (positions.length < events.length) {
    const from = expectedRevision + 1 + positions.length;
    const page = rows.streamPage(place.id, from, 'forwards', events.length - positions.length);
    invariant(page.length > 0, `the revisions of ${append.stream} are dense`);
    for (const stored of page) {
      const given = events[positions.length];
      if (given === undefined || !sameEvent(stored, given)) return undefined;
      positions.push(stored.position);
    }
  }
  return { outcome: 'committed', positions };
}

/**
 * A refusal when it is certain that nothing was written: SQLite undoes what it has no room for, and before the commit
 * nothing is durable. Any other failure of the commit itself may have reached the disk.
 */
function certainRefusal(error: unknown, path: string, atCommit: boolean): Error | undefined {
  if (error instanceof InvariantBroken) return error;
  const refusal = refusalOf(error, path);
  return !atCommit || refusal?.code === 'DISK_FULL' || refusal?.code === 'DATA_HELD' ? refusal : undefined;
}

const unknown = (error: unknown): AppendOutcome => ({
  outcome: 'unknown',
  // Errors of the library may come from another realm, where `instanceof Error` does not hold.
  cause: error instanceof Error ? error : new Error(String(error), { cause: error }),
});

/** SQLite has often rolled back by itself; a second time is an error that says only that. */
function rollBack(connection: Connection): void {
  if (!connection.inTransaction) return;
  try {
    connection.exec('ROLLBACK');
  } catch {
    // Nothing is committed either way; the next BEGIN says whether the file can still be used.
  }
}
