import type { Envelope } from '../../kernel/envelope.js';
import { type EventStore, type ReadAllOptions, type ReadOptions, START } from '../port.js';

/** A store as it stood at one moment, whatever is appended to it later. Reads only; `limit` is left to the caller. */
export interface PinnedStore {
  readonly head: Envelope | undefined;
  readonly end: string;
  last(stream: string): Promise<Envelope | undefined>;
  readStream(stream: string, options: Omit<ReadOptions, 'limit'>): AsyncIterable<Envelope>;
  readAll(options: Omit<ReadAllOptions, 'limit'>): AsyncIterable<Envelope>;
  streams(): EventStoreStreams;
}

export type EventStoreStreams = ReturnType<EventStore['streams']>;

/** Pins a store at its head of now. Every read from then on costs one look more at what came later, and shows none. */
export async function pinStore(store: EventStore): Promise<PinnedStore> {
  const head = await store.head();
  const end = head?.position ?? START;

  async function* readStream(stream: string, options: Omit<ReadOptions, 'limit'>): AsyncGenerator<Envelope> {
    for await (const event of store.readStream(stream, options)) {
      if (event.position <= end) yield event;
      else if (options.direction !== 'backwards') return;
    }
  }

  async function* readAll(options: Omit<ReadAllOptions, 'limit'>): AsyncGenerator<Envelope> {
    const { direction, after } = options;
    const beyond = after !== undefined && after > end;
    if (direction !== 'backwards' && beyond) return;
    // A position beyond the end is none that this store gave; backwards from there begins at the store's own end.
    for await (const event of store.readAll(beyond ? { direction } : options)) {
      if (event.position <= end) yield event;
      else if (direction !== 'backwards') return;
    }
  }

  async function last(stream: string): Promise<Envelope | undefined> {
    for await (const event of store.readStream(stream, { direction: 'backwards', limit: 1 })) {
      if (event.position <= end) return event;
    }
    for await (const event of readStream(stream, { direction: 'backwards' })) return event;
    return undefined;
  }

  async function* streams(): AsyncGenerator<{ stream: string; revision: number; seal: string }> {
    for await (const { stream } of store.streams()) {
      const event = await last(stream);
      if (event !== undefined) yield { stream, revision: event.revision, seal: event.meta.seal };
    }
  }

  return { head, end, last, readStream, readAll, streams };
}
