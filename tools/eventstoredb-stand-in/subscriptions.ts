import type streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Filter } from './filter.js';
import * as refusals from './refusals.js';
import { firstVisible, isThere, type Recorded, type Store } from './store.js';
import { caughtUpWire, checkpointWire, confirmationWire } from './wire.js';

/*
 * Subscriptions: the past page by page as fast as the subscriber takes it, then live. A live subscriber that is more
 * than LIVE_UNSENT_MAX events behind is cut off, as the real server does.
 */

export const LIVE_UNSENT_MAX = 256;

/** A read or a subscription; its answers are bytes already. */
export type ReadCall = ServerWritableStream<streamsPb.ReadReq, Buffer>;

export interface Subscription {
  start(call: ReadCall): void;
  stop(): void;
  /** The subscription is over, by fault: with an error, or as if it had come to its end. */
  cut(error?: Error): void;
}

/** What both kinds share: one pump, woken by writes and by the subscriber's appetite. */
abstract class Follow implements Subscription {
  protected readonly store: Store;
  protected live = false;
  #call: ReadCall | undefined;
  #pumping = false;
  #unlisten = () => {};

  constructor(store: Store) {
    this.store = store;
  }

  /** The next message, and undefined where everything was said. */
  protected abstract next(): Buffer | undefined;
  /** How many events are still to be looked at. */
  protected abstract behind(): number;
  /** Whether what was there has been given; a stream that is missing has nothing to catch up with. */
  protected abstract caughtUp(): boolean;
  /** Why it ends, after everything was given. */
  protected ended(): Error | undefined {
    return undefined;
  }

  start(call: ReadCall): void {
    this.#call = call;
    call.write(confirmationWire());
    this.#unlisten = this.store.listen(() => this.#wake());
    this.#wake();
  }

  stop(): void {
    this.#unlisten();
    this.#call = undefined;
  }

  cut(error?: Error): void {
    const call = this.#call;
    this.stop();
    if (error) call?.emit('error', error);
    else call?.end();
  }

  #wake(): void {
    if (!this.#pumping) void this.#pump();
    else if (this.live && this.behind() > LIVE_UNSENT_MAX) this.cut(refusals.tooSlow());
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    while (this.#call) {
      const message = this.next();
      if (message === undefined) break;
      const call = this.#call;
      if (call.write(message)) continue;
      if (this.live && this.behind() > LIVE_UNSENT_MAX) return this.cut(refusals.tooSlow());
      await drained(call);
    }
    this.#pumping = false;
    if (!this.#call) return;
    if (!this.live && this.caughtUp()) {
      this.live = true;
      this.#call.write(caughtUpWire);
    }
    const error = this.ended();
    if (error) this.cut(error);
  }
}

export class FollowStream extends Follow {
  readonly #name: string;
  #at: number;
  #tombstoneGiven = false;

  constructor(store: Store, name: string, next: number) {
    super(store);
    this.#name = name;
    this.#at = next;
  }

  protected next(): Buffer | undefined {
    const stream = this.store.find(this.#name);
    if (!stream) return undefined;
    if (isThere(stream)) this.#at = Math.max(this.#at, firstVisible(stream));
    if (this.#at < stream.durable) return stream.events[this.#at++]?.wire;
    const { tombstone } = stream;
    if (!tombstone || this.#tombstoneGiven || this.store.all.at(-1) === undefined) return undefined;
    if ((this.store.all.at(-1) as Recorded).position < tombstone.position) return undefined;
    this.#tombstoneGiven = true;
    return tombstone.wire;
  }

  protected behind(): number {
    return (this.store.find(this.#name)?.durable ?? 0) - this.#at;
  }

  protected caughtUp(): boolean {
    return isThere(this.store.find(this.#name));
  }

  protected override ended(): Error | undefined {
    return this.#tombstoneGiven ? refusals.streamDeleted(this.#name) : undefined;
  }
}

export class FollowAll extends Follow {
  readonly #filter: Filter | undefined;
  #at: number;
  #looked = 0;
  #matchedInPage = false;
  #checkpoint: Buffer | undefined;

  constructor(store: Store, next: number, filter: Filter | undefined) {
    super(store);
    this.#at = next;
    this.#filter = filter;
  }

  protected next(): Buffer | undefined {
    const { all } = this.store;
    const filter = this.#filter;
    if (!filter) return all[this.#at] && (all[this.#at++] as Recorded).wire;
    while (this.#checkpoint === undefined && this.#at < all.length) {
      const event = all[this.#at++] as Recorded;
      const matches = filter.matches(event);
      this.#count(filter, event, matches);
      if (matches) return event.wire;
    }
    const checkpoint = this.#checkpoint;
    this.#checkpoint = undefined;
    return checkpoint;
  }

  /** After so many events looked at, matching or not, a checkpoint is due; it follows the event that it stands on. */
  #count(filter: Filter, { position }: Recorded, matches: boolean): void {
    if (this.#looked % filter.window === 0) this.#matchedInPage = false;
    this.#looked += 1;
    this.#matchedInPage ||= matches;
    if (this.#looked % (filter.window * filter.interval) !== 0) return;
    this.#checkpoint = checkpointWire(position, this.live || this.#matchedInPage ? position : 0);
  }

  protected behind(): number {
    return this.store.all.length - this.#at;
  }

  protected caughtUp(): boolean {
    return true;
  }
}

/** Resolves when more can be written, or the call is over. */
export function drained(call: ReadCall): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const signal of ['drain', 'cancelled', 'close', 'error']) call.off(signal, done);
      resolve();
    };
    for (const signal of ['drain', 'cancelled', 'close', 'error']) call.on(signal, done);
  });
}
