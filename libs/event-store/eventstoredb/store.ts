import { type EventStore, StoreUnavailable } from '../port.js';
import { textOf } from '../text.js';
import { createAppender } from './append.js';
import type { ClientKind } from './client.js';
import { lease } from './connection.js';
import { ledgersOwn } from './events.js';
import { PATIENCE, type Patience } from './patience.js';
import { head, lastOfStreams, type Reading, readAllBackwards, readStream } from './read.js';
import { type Following, follow, readAllForwards } from './subscribe.js';

export interface EventStoreDbOptions {
  /** `esdb://user:password@host:2113?tls=true`: addresses, TLS and credentials, as the client documents it. */
  readonly connectionString: string;
  /** The library that speaks to the server: EventStoreDB 23.10 to KurrentDB 26 by either. */
  readonly client?: ClientKind;
  /**
   * The categories of the ledger's streams (`loan`, `fund`…). The server filters by them, and a stream of another
   * category is neither read nor written. None: all but the server's own streams.
   */
  readonly categories?: readonly string[];
  /** What the server's names of the ledger's streams begin with, so that a server may hold several ledgers. */
  readonly prefix?: string;
  readonly patience?: Partial<Patience>;
  /** Told whenever a subscription was broken off and is about to begin again: for logs and metrics. */
  readonly interrupted?: (cause: Error) => void;
}

/**
 * An event store on EventStoreDB. Any number of processes may write to one server; each has one client, and exact
 * revisions settle between them. Rejects with a `StoreUnavailable` when the server cannot be read within patience.
 */
export async function openEventStoreDb(options: EventStoreDbOptions): Promise<EventStore> {
  const { connectionString, client: kind = 'eventstore', categories = [], prefix = '' } = options;
  const patience: Patience = { ...PATIENCE, ...options.patience };
  const address = addressOf(connectionString);
  const leased = await lease(kind, connectionString, patience.append);
  const closing = new AbortController();
  const reading: Reading = {
    client: leased.client,
    patience,
    ...{ address, looked: {} },
    own: ledgersOwn(categories, prefix),
    assertOpen() {
      if (closing.signal.aborted) throw new StoreUnavailable('STORE_CLOSED', 'the event store is closed');
    },
  };
  try {
    const newest = (await head(reading))?.position ?? '';
    const { interrupted = () => undefined } = options;
    const following: Following = { ...reading, closing: closing.signal, interrupted };
    return storeOf(reading, following, newest, async () => {
      closing.abort();
      return () => leased.release(patience.close);
    });
  } catch (error) {
    await leased.release(patience.close);
    throw error;
  }
}

function storeOf(
  reading: Reading,
  following: Following,
  newest: string,
  shut: () => Promise<() => Promise<void>>,
): EventStore {
  const appender = createAppender(reading, newest);
  let closing: Promise<void> | undefined;
  return {
    append: appender.append,
    async *readStream(stream, options = {}) {
      yield* readStream(reading, stream, options);
    },
    async *readAll(options = {}) {
      if (options.direction === 'backwards') yield* readAllBackwards(reading, options);
      else yield* readAllForwards(following, options);
    },
    readAllText: (options = {}) => textOf(readAllForwards(following, options)),
    async head() {
      return head(reading);
    },
    async *streams() {
      for (const listed of await lastOfStreams(readAllForwards(following, {}))) {
        reading.assertOpen();
        yield listed;
      }
    },
    subscribe: (options) => follow(following, options),
    close() {
      closing ??= (async () => {
        const release = await shut();
        await appender.drained();
        await release();
      })();
      return closing;
    },
  };
}

/** Name and password stay out of every text. */
function addressOf(connectionString: string): string {
  return connectionString
    .replace(/^[^:]*:\/\//, '')
    .replace(/^.*@/, '')
    .replace(/[/?].*$/, '');
}
