import type { Envelope } from '../../kernel/envelope.js';
import { acceptedTexts, acceptReadOptions } from '../accept.js';
import { type Bell, createBell, type Followed, follow, turn } from '../follow.js';
import { type EventStore, type ReadAllOptions, type ReadOptions, START, StoreUnavailable } from '../port.js';
import { type CommitFaults, createCommitter } from './commit.js';
import { openToRead, openToWrite } from './file.js';
import { createGroupCommit } from './group-commit.js';
import { PAGE_EVENTS, POSITION_END, positionNumber, prepareRows, type Rows } from './rows.js';

export interface SqliteEventStoreOptions {
  /** The event file. Its directory and itself are made when they are missing, unless `readOnly`. */
  readonly path: string;
  /** Appends reject with `DATA_READ_ONLY`; the file and its directory need not be writable. */
  readonly readOnly?: boolean;
  /**
   * False: an append is answered before it is on the disk. A killed process loses nothing, a power cut may lose the
   * last appends: for what can be made again, byte for byte. Default true.
   */
  readonly synced?: boolean;
  /** A cap on the file's size, in pages of 4 KiB: beyond it the disk counts as full. */
  readonly pagesMax?: number;
  /** Told of each durable transaction and how many appends shared it: for metrics, and for tests that count writes. */
  readonly committed?: (appends: number) => void;
  /** For tests only. */
  readonly faults?: CommitFaults;
}

/**
 * How often a subscription that waits looks at the file: what another process appends rings no bell in this one. An
 * empty look costs some 10 µs.
 */
const POLL_MS = 100;

/**
 * Pages are read without waiting, so a long read would keep everybody else from the loop; after this many (some
 * milliseconds) it gives way. A short stream, which every command loads, never does.
 */
const PAGES_A_TURN = 8;

/**
 * An event store in one SQLite file. One process writes to it at a time (the data directory's holder sees to that;
 * a second writer is noticed, never merged wrongly); any number of others may read it meanwhile.
 *
 * Rejects with a `StoreUnavailable` when the file is damaged, foreign or cannot be opened, and leaves it as it was.
 */
export async function openSqliteEventStore(options: SqliteEventStoreOptions): Promise<EventStore> {
  const { path, readOnly = false, synced = true, pagesMax, committed, faults = {} } = options;
  const file = readOnly ? openToRead(path) : openToWrite(path, { pagesMax, synced });
  const rows = prepareRows(file.connection);
  const bell = createBell();
  const group = createGroupCommit(createCommitter(file.connection, rows, path, faults), (appends) => {
    committed?.(appends);
    bell.ring();
  });
  const reader = createReader(rows, bell);
  let closing: Promise<void> | undefined;
  return {
    ...reader.verbs,
    append(stream, expectedRevision, events, texts) {
      try {
        reader.assertOpen();
        if (readOnly) throw new StoreUnavailable('DATA_READ_ONLY', `${path}: the file was opened to be read only`);
      } catch (error) {
        return Promise.reject(error);
      }
      return group.append(() => {
        return { stream, expectedRevision, events, texts: acceptedTexts(stream, expectedRevision, events, texts) };
      });
    },
    close() {
      closing ??= (async () => {
        reader.close();
        await group.drained();
        file.release();
      })();
      return closing;
    },
  };
}

interface Reader {
  readonly verbs: Omit<EventStore, 'append' | 'close'>;
  assertOpen(): void;
  close(): void;
}

function createReader(rows: Rows, bell: Bell): Reader {
  let closed = false;
  function assertOpen(): void {
    if (closed) throw new StoreUnavailable('STORE_CLOSED', 'the event store is closed');
  }
  const followed: Followed = {
    bell,
    patience: POLL_MS,
    closed: () => closed,
    page: (after, limit) => batchOf(rows, after, limit),
  };
  return {
    assertOpen,
    verbs: {
      readStream: (stream, options = {}) => readStream(rows, assertOpen, stream, options),
      readAll: (options = {}) => readAll(rows, assertOpen, options),
      readAllText: (options = {}) => readAllText(rows, assertOpen, options),
      async head() {
        assertOpen();
        return rows.page(0, POSITION_END, 'backwards', 1)[0];
      },
      streams: () => readStreams(rows, assertOpen),
      subscribe: (options) => follow(followed, options),
    },
    close() {
      closed = true;
      bell.ring();
    },
  };
}

async function* readStream(
  rows: Rows,
  assertOpen: () => void,
  stream: string,
  options: ReadOptions,
): AsyncGenerator<Envelope> {
  acceptReadOptions(options);
  const { direction = 'forwards' } = options;
  assertOpen();
  const place = rows.streamPlace(stream);
  if (place === undefined) return;
  let from = options.from ?? (direction === 'forwards' ? 0 : place.revision);
  let left = options.limit ?? place.revision + 1;
  for (let pages = 1; left > 0 && from >= 0; pages++) {
    if (pages % PAGES_A_TURN === 0) await turn();
    assertOpen();
    const page = rows.streamPage(place.id, from, direction, left);
    yield* page;
    left -= page.length;
    from = direction === 'forwards' ? from + page.length : (page.at(-1)?.revision ?? 0) - 1;
    if (page.length < PAGE_EVENTS) return;
  }
}

/** Ends at the head that it found: a writer that goes on cannot keep a reader for ever. */
async function* readAll(rows: Rows, assertOpen: () => void, options: ReadAllOptions): AsyncGenerator<Envelope> {
  acceptReadOptions(options);
  const { direction = 'forwards' } = options;
  assertOpen();
  let [after, before] = [0, rows.lastPosition() + 1];
  if (options.after !== undefined) {
    const position = options.after === START ? 0 : positionNumber(options.after);
    if (direction === 'forwards') after = position;
    else before = Math.min(before, position);
  }
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  for (let pages = 1; left > 0; pages++) {
    if (pages % PAGES_A_TURN === 0) await turn();
    assertOpen();
    const page = rows.page(after, before, direction, left);
    yield* page;
    left -= page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_EVENTS) return;
    if (direction === 'forwards') after = positionNumber(last.position);
    else before = positionNumber(last.position);
  }
}

/** The same, forwards and as stored. */
async function* readAllText(
  rows: Rows,
  assertOpen: () => void,
  { after = START, limit }: Omit<ReadAllOptions, 'direction'>,
): AsyncGenerator<string> {
  acceptReadOptions(limit === undefined ? {} : { limit });
  assertOpen();
  const before = rows.lastPosition() + 1;
  let from = after === START ? 0 : positionNumber(after);
  let left = limit ?? Number.POSITIVE_INFINITY;
  for (let pages = 1; left > 0; pages++) {
    if (pages % PAGES_A_TURN === 0) await turn();
    assertOpen();
    const page = rows.pageText(from, before, left);
    if (page === undefined) return;
    yield page.text;
    if (page.events < PAGE_EVENTS) return;
    left -= page.events;
    from = page.last;
  }
}

async function* readStreams(rows: Rows, assertOpen: () => void): ReturnType<EventStore['streams']> & AsyncGenerator {
  let after = '';
  for (let pages = 1; ; pages++) {
    if (pages % PAGES_A_TURN === 0) await turn();
    assertOpen();
    const page = rows.lastOfStreams(after, PAGE_EVENTS);
    for (const { stream, revision, meta } of page) yield { stream, revision, seal: meta.seal };
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.stream;
  }
}

/** A whole batch, a page at a time; all of it is read in one turn of the loop. */
function batchOf(rows: Rows, after: string, limit: number): Envelope[] {
  const events: Envelope[] = [];
  let position = after === START ? 0 : positionNumber(after);
  while (events.length < limit) {
    const page = rows.page(position, POSITION_END, 'forwards', limit - events.length);
    for (const event of page) events.push(event);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_EVENTS) return events;
    position = positionNumber(last.position);
  }
  return events;
}
