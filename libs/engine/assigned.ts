import type { Envelope } from '../kernel/envelope.js';
import type { Message } from '../messaging/port.js';
import type { Checkpoint } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
import type { Followed } from './ledger.js';
import { pause } from './pause.js';

/** How many events a read model may be behind before no more are read for the others. */
const BEHIND_MAX = 2_000;
/** How long a read model rests after a fault. */
const REST_MS = 500;

/** A partition whose messages do not follow one another: it is money, nothing is guessed. */
export class SequenceBroken extends Error {
  override readonly name = 'SequenceBroken';
  constructor(
    readonly kind: 'hole' | 'double' | 'reorder',
    readonly partition: number,
    expected: number,
    found: number,
  ) {
    super(`a ${kind} in partition ${partition}: ${found} stands where ${expected} was to come`);
  }
}

/** The live instance of a read model. */
export interface Part {
  readonly followed: Followed;
  readonly instance: string;
}

/** A read model in one partition. */
export interface Following extends Part {
  checkpoint: Checkpoint;
  halted: FollowerStatus['halted'];
  /** Whether a mark says that it is halted here: taken away when it gets past. */
  marked: boolean;
  /** Where a batch ends that another process began and perhaps left half way: it is made whole by one of the same events. */
  inFlight: Checkpoint | null;
  /** When the log was last seen to hold nothing that it has not. */
  caughtUpAt: number;
  /** Why its last write failed. */
  fault: string | null;
}

export interface AssignedOptions {
  readonly partition: number;
  /** Where reading begins: behind the read model that is furthest behind. */
  readonly position: number;
  readonly models: readonly Following[];
  /** Writes these events, which follow its checkpoint, and moves it on. */
  readonly write: (model: Following, events: readonly Envelope[]) => Promise<void>;
  readonly upcast: (event: Envelope) => Envelope;
  /** Told of what every read model has that is not halted. */
  readonly applied: (messages: readonly Message[]) => void;
  /** A write failed, and is tried again. */
  readonly failed: (error: unknown) => void;
  /** A read model stands before what is held: positions must be asked anew. */
  readonly lost: (model: Following) => void;
  readonly now: () => number;
  readonly restMs: number | undefined;
  /** No more is taken or written then. */
  readonly signal: AbortSignal;
}

/**
 * A partition that was given to this process. What is read of it is held until each read model has it, and each takes
 * what there is at its own pace (docs/adr/0022): one that writes slowly writes larger batches, and the others do not
 * wait for it, but where it is `BEHIND_MAX` events behind.
 */
export class Assigned {
  readonly #own = new AbortController();
  readonly #signal: AbortSignal;
  readonly #writing = new Map<Following, Promise<void>>();
  #held: Message[] = [];
  /** The sequence of the first that is held, and the one that must come next. */
  #first: number;
  #next: number;
  /** Where the log was seen to end, and when; of those that every read model has, only the last is kept. */
  readonly #ends: { readonly sequence: number; readonly at: number }[] = [];
  #broken: string | null;
  #wake: () => void = () => {};

  constructor(
    private readonly options: AssignedOptions,
    broken: string | null = null,
  ) {
    this.#first = this.#next = options.position + 1;
    this.#broken = broken;
    this.#signal = AbortSignal.any([options.signal, this.#own.signal]);
    this.#signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** How its sequence is broken. */
  get broken(): string | null {
    return this.#broken;
  }

  get models(): readonly Following[] {
    return this.options.models;
  }

  /** Takes what was read, to be written. Resolves when more may be read; a break in the sequence is `SequenceBroken`. */
  async take(given: readonly Message[]): Promise<void> {
    const { partition, upcast } = this.options;
    try {
      for (const [index, { sequence }] of given.entries()) checkNext(partition, this.#next + index, sequence);
      this.#held.push(...given.map((message) => ({ ...message, event: upcast(message.event) })));
      this.#next += given.length;
      this.#broken = null;
    } catch (error) {
      this.#broken = textOf(error);
      throw error;
    }
    for (const model of this.models) this.#start(model);
    while (this.#furthestBehind() > BEHIND_MAX && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Everything that the log holds of it at the moment was taken. */
  readToEnd(): void {
    const end = { sequence: this.#next - 1, at: this.options.now() };
    if (this.#ends.at(-1)?.sequence === end.sequence) this.#ends.pop();
    this.#ends.push(end);
    this.#broken = null;
    for (const model of this.models) this.#look(model);
  }

  isCaughtUp({ checkpoint, halted }: Following): boolean {
    const end = this.#next - 1;
    return halted === null && this.#ends.at(-1)?.sequence === end && checkpoint.sequence >= end;
  }

  /** No write is begun any more; resolves when those under way have ended. */
  async close(): Promise<void> {
    this.#own.abort();
    await Promise.all(this.#writing.values());
  }

  #start(model: Following): void {
    if (this.#writing.has(model)) return;
    // It may end before it waits for anything: it is begun when it is known.
    const following = Promise.resolve().then(() => this.#follow(model));
    this.#writing.set(model, following);
  }

  /** Until it has what is held, or what it may have of it. */
  async #follow(model: Following): Promise<void> {
    for (let events = this.#readyFor(model); events.length > 0; events = this.#readyFor(model)) {
      try {
        await this.options.write(model, events);
        model.fault = null;
      } catch (error) {
        model.fault = textOf(error);
        this.options.failed(error);
        await pause(this.options.restMs ?? REST_MS, this.#signal);
      }
      this.#let();
      this.#look(model);
      this.#wake();
    }
    // In one breath with the look that found nothing: what comes from now on starts it again.
    this.#writing.delete(model);
    this.#wake();
  }

  #readyFor(model: Following): readonly Envelope[] {
    const { checkpoint, halted, inFlight } = model;
    if (halted !== null || this.#signal.aborted) return [];
    if (checkpoint.sequence < this.#first - 1) {
      this.options.lost(model);
      return [];
    }
    // Another process may have been further, or was cut off in the middle: what it began is made whole first.
    if (inFlight !== null && inFlight.sequence >= this.#next) return [];
    const from = checkpoint.sequence + 1 - this.#first;
    const to = inFlight === null ? undefined : inFlight.sequence + 1 - this.#first;
    return this.#held.slice(from, to).map(({ event }) => event);
  }

  /** Lets go of what each read model has. */
  #let(): void {
    const going = this.models.filter(({ halted }) => halted === null);
    const taken = Math.min(this.#next - 1, ...going.map(({ checkpoint }) => checkpoint.sequence));
    if (taken < this.#first) return;
    const messages = this.#held.splice(0, taken + 1 - this.#first);
    this.#first = taken + 1;
    while ((this.#ends[1]?.sequence ?? this.#first) < this.#first) this.#ends.shift();
    this.options.applied(messages);
  }

  /** Under way more comes, and the end that it has come to is no longer that of the log: what counts is when it was. */
  #look(model: Following): void {
    const { checkpoint, halted } = model;
    const end = this.#ends.findLast(({ sequence }) => sequence <= checkpoint.sequence);
    if (halted === null && end !== undefined) model.caughtUpAt = end.at;
  }

  #furthestBehind(): number {
    const writing = [...this.#writing.keys()].filter(({ halted }) => halted === null);
    return Math.max(0, ...writing.map(({ checkpoint }) => this.#next - 1 - checkpoint.sequence));
  }
}

function checkNext(partition: number, expected: number, found: number): void {
  if (found === expected) return;
  if (found > expected) throw new SequenceBroken('hole', partition, expected, found);
  throw new SequenceBroken(found === expected - 1 ? 'double' : 'reorder', partition, expected, found);
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
