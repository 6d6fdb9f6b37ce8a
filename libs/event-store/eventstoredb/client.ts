import type { UnplacedEnvelope } from '../../kernel/envelope.js';
import { invariant } from '../../kernel/result.js';
import { NO_STREAM } from '../port.js';

/** Which library speaks to the server. They differ in names and traps, and nowhere beyond this file. */
export type ClientKind = 'eventstore' | 'kurrent';

/** A place in the global order, as the server counts: bytes, rising, not dense. */
export interface ServerPosition {
  readonly commit: bigint;
  readonly prepare: bigint;
}

export interface ServerEvent {
  readonly id: string;
  readonly type: string;
  readonly streamId: string;
  readonly revision: bigint;
  readonly data: unknown;
  readonly metadata: unknown;
  readonly isJson: boolean;
  readonly position?: ServerPosition | undefined;
}

export interface ResolvedEvent {
  readonly event?: ServerEvent | undefined;
}

/** What is to be appended, as both libraries take it. */
export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: 'application/json';
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface AppendAnswer {
  /** Of the last event; absent where the server no longer shows it. */
  readonly position?: ServerPosition | undefined;
}

/** A read under way. One library goes on with it after its reader has left, unless it is told. */
export interface ServerRead extends AsyncIterable<ResolvedEvent> {
  cancel?(): Promise<void>;
}

/** What a subscription is, whichever library made it: a stream of objects that is read by pulling. */
export interface ServerSubscription {
  read(): ResolvedEvent | null;
  on(signal: string, heard: (value: unknown) => void): unknown;
  unsubscribe(): Promise<void>;
  destroy(): unknown;
}

export interface Filter {
  /** Streams whose names begin so. None: every stream but those of the server. */
  readonly prefixes: readonly string[];
}

/** What the adapter needs of a client, and nothing that has a trap in it: no `any` revision, no read from a bare end. */
export interface ServerClient {
  readonly kind: ClientKind;
  /** Reaches the library before it returns: appends go out in the order of the calls. */
  append(stream: string, expectedRevision: number, events: readonly ProposedEvent[]): Promise<AppendAnswer>;
  /** `from` is inclusive both ways; backwards from `undefined` begins at the end. `count` is at least 1. */
  readStream(
    stream: string,
    options: { direction: 'forwards' | 'backwards'; from: bigint | undefined; count: number },
  ): ServerRead;
  /** Every event before `before` (exclusive), or from the end, newest first; the filter is honoured by one library. */
  readAllBackwards(options: { before: ServerPosition | undefined; count: number }): ServerRead;
  /** The event at a position that the server gave; an error where it gave none such. */
  readAllAt(position: ServerPosition): ServerRead;
  /** Behind `after`, or from the first event of all. `checkpoint` must not throw. */
  subscribeToAll(
    options: { after: ServerPosition | undefined; buffered: number; filter: Filter },
    checkpoint: (position: ServerPosition) => void,
  ): ServerSubscription;
  /** Rejects what is in flight. */
  dispose(): Promise<void>;
}

/** The members of both libraries that are used. Their own types differ in the names that `DIALECTS` maps. */
interface Library {
  streamNameFilter(options: object): unknown;
}

interface LibraryClient {
  appendToStream(stream: string, events: readonly ProposedEvent[], options: object): Promise<AppendAnswer>;
  readStream(stream: string, options: object): ServerRead;
  readAll(options: object): ServerRead;
  subscribeToAll(options: object, readable: object): ServerSubscription;
  dispose(): Promise<void>;
}

interface Dialect {
  readonly module: string;
  readonly client: string;
  /** What it calls the expected revision. The other's word is ignored, and the append would be written as `any`. */
  readonly expected: 'expectedRevision' | 'streamState';
  /** What its connection strings begin with: either is taken for both. */
  readonly scheme: 'esdb' | 'kurrentdb';
}

const DIALECTS: Readonly<Record<ClientKind, Dialect>> = {
  eventstore: {
    module: '@eventstore/db-client',
    client: 'EventStoreDBClient',
    expected: 'expectedRevision',
    scheme: 'esdb',
  },
  kurrent: {
    module: '@kurrent/kurrentdb-client',
    client: 'KurrentDBClient',
    expected: 'streamState',
    scheme: 'kurrentdb',
  },
};

/** How many events the server looks at before it tells how far it has come: 32 times this. */
const CHECKPOINT_INTERVAL = 32;
/** All streams but those of the server itself, whose names begin with `$`. */
const NO_SYSTEM_STREAMS = '^[^$]';

/** Loads the library that is named and makes a client of it. Nothing is connected yet. */
export async function loadClient(kind: ClientKind, connectionString: string): Promise<ServerClient> {
  const { module, client: name, scheme } = DIALECTS[kind];
  const library = (await import(module)) as Library & Readonly<Record<string, unknown>>;
  const factory = library[name] as { connectionString(text: string): LibraryClient } | undefined;
  invariant(factory !== undefined, `${module} has a ${name}`);
  return clientOf(
    kind,
    library,
    factory.connectionString(connectionString.replace(/^(esdb|kurrentdb)(?=(\+discover)?:)/, scheme)),
  );
}

/** A client over a library's own. Exported for the test that looks at what reaches the library. */
export function clientOf(kind: ClientKind, library: Library, client: LibraryClient): ServerClient {
  const { expected } = DIALECTS[kind];
  return {
    kind,
    append(stream, expectedRevision, events) {
      invariant(expectedRevision >= NO_STREAM, 'an append names an exact revision');
      const revision = expectedRevision === NO_STREAM ? 'no_stream' : BigInt(expectedRevision);
      return client.appendToStream(stream, events, { [expected]: revision });
    },
    readStream(stream, { direction, from, count }) {
      invariant(count >= 1, 'a read asks for one event at least');
      // One library reads `start` forwards and `end` backwards whatever the direction: only a pair that fits is named.
      const fromRevision = from ?? (direction === 'forwards' ? 'start' : 'end');
      // What is decided on a stream is decided on all of it: a follower may be behind, and a closed day look open.
      return client.readStream(stream, { direction, fromRevision, maxCount: count, requiresLeader: true });
    },
    readAllBackwards({ before, count }) {
      invariant(count >= 1, 'a read asks for one event at least');
      return client.readAll({ direction: 'backwards', fromPosition: before ?? 'end', maxCount: count });
    },
    readAllAt: (fromPosition) => client.readAll({ direction: 'forwards', fromPosition, maxCount: 1 }),
    subscribeToAll({ after, buffered, filter }, checkpoint) {
      const names = filter.prefixes.length === 0 ? { regex: NO_SYSTEM_STREAMS } : { prefixes: [...filter.prefixes] };
      const streams = library.streamNameFilter({
        ...names,
        checkpointInterval: CHECKPOINT_INTERVAL,
        checkpointReached: (_: unknown, position: ServerPosition) => checkpoint(position),
      });
      return client.subscribeToAll({ fromPosition: after ?? 'start', filter: streams }, { highWaterMark: buffered });
    },
    dispose: () => client.dispose(),
  };
}

/** An event as it is proposed: its version stands among the metadata, which is flat and text. */
export const proposed = ({ id, type, version, data, meta }: UnplacedEnvelope): ProposedEvent => ({
  id,
  type,
  contentType: 'application/json',
  data,
  metadata: { version: String(version), ...meta },
});
