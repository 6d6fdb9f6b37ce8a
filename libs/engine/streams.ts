import type { EventStore } from '../event-store/port.js';
import type { Instant } from '../kernel/dates.js';
import type { Domain, Folded } from '../kernel/decider.js';
import { categoryOf, type Envelope, type UnplacedEnvelope } from '../kernel/envelope.js';
import { RecentMap } from '../kernel/recent-map.js';
import { invariant } from '../kernel/result.js';

/** The most streams that are kept folded; what was not used for longest goes first. */
export const WARM_STREAMS_MAX = 100_000;

/** An accepted command of a stream: where its first event stands, and the hash of its body. */
export interface KnownCommand {
  readonly revision: number;
  readonly hash: string;
}

/** A folded stream, and what an append to it needs. */
export interface WarmStream extends Folded {
  /** null when there is no such stream. */
  readonly seal: string | null;
  readonly lastRecordedAt: Instant | null;
  /** The accepted keys of commands that are about this stream: for ever, not for a day. */
  readonly keys: ReadonlyMap<string, KnownCommand>;
  /** Resolves when everything that was folded is durable. Rejects when it is not: the stream is then loaded again. */
  readonly durable: Promise<unknown>;
}

/**
 * Folded streams, kept warm. A decision advances a stream as soon as its append is under way: the store keeps appends
 * to one stream in order, so whoever decides on what is not durable yet is refused by the store if it never becomes so.
 */
export class WarmStreams {
  readonly #warm = new RecentMap<WarmStream>(WARM_STREAMS_MAX);
  readonly #loading = new Map<string, Promise<WarmStream>>();

  constructor(
    private readonly store: EventStore,
    private readonly domain: Domain,
  ) {}

  load(stream: string): WarmStream | Promise<WarmStream> {
    const warm = this.#warm.get(stream);
    if (warm !== undefined) return warm;
    const loading = this.#loading.get(stream) ?? this.#read(stream);
    this.#loading.set(stream, loading);
    return loading;
  }

  /** Folds what is being appended. `durable` is the append. */
  advance(before: WarmStream, events: readonly UnplacedEnvelope[], durable: Promise<unknown>): WarmStream {
    const after = this.#folded(before, events, durable);
    this.#warm.set(after.stream, after);
    return after;
  }

  /** What is not sure any more is read again. */
  forget(...streams: readonly string[]): void {
    for (const stream of streams) this.#warm.delete(stream);
  }

  async #read(stream: string): Promise<WarmStream> {
    try {
      const { initial } = this.#aggregate(stream);
      let folded: WarmStream = {
        ...{ stream, revision: -1, state: initial, seal: null, lastRecordedAt: null },
        ...{ keys: new Map(), durable: SETTLED },
      };
      for await (const event of this.store.readStream(stream)) folded = this.#folded(folded, [event], SETTLED);
      this.#warm.set(stream, folded);
      return folded;
    } finally {
      this.#loading.delete(stream);
    }
  }

  #folded(before: WarmStream, events: readonly UnplacedEnvelope[], durable: Promise<unknown>): WarmStream {
    const aggregate = this.#aggregate(before.stream);
    let { revision, state, seal, lastRecordedAt } = before;
    // One map a stream, handed on: keys are only ever added, and each names the revision that it stands at.
    const keys = before.keys as Map<string, KnownCommand>;
    const about = `${before.stream} `;
    for (const event of events) {
      invariant(event.revision === revision + 1, `${before.stream} has no hole at ${event.revision}`);
      // An envelope on its way to the store has no place yet, and no aggregate looks at one.
      state = aggregate.evolve(state, this.domain.upcast(event as Envelope));
      revision = event.revision;
      seal = event.meta.seal;
      lastRecordedAt = event.meta.recordedAt;
      const { commandId, commandHash: hash } = event.meta;
      if (commandId.startsWith(about)) {
        const key = commandId.slice(about.length);
        if (!keys.has(key)) keys.set(key, { revision, hash });
      }
    }
    return { stream: before.stream, revision, state, seal, lastRecordedAt, keys, durable };
  }

  #aggregate(stream: string) {
    const aggregate = this.domain.aggregates.get(categoryOf(stream));
    invariant(aggregate !== undefined, `${stream} is of a known category`);
    return aggregate;
  }
}

const SETTLED = Promise.resolve();
