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
  /** When it last had all that there was. */
  caughtUpAt: number;
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
  /** Where the log was last seen to end. */
  #end = -1;
  #broken: string | null;
  #unwritten: string | null = null;
  #wake: () => void = () => {};

  constructor(
    private readonly options: AssignedOptions,
    fault: string | null = null,
  ) {
    this.#first = this.#next = options.position + 1;
    this.#broken = fault;
    this.#signal = AbortSignal.any([options.signal, this.#own.signal]);
    this.#signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** What is wrong with it. */
  get fault(): string | null {
    return this.#broken ?? this.#unwritten;
  }

  get models(): readonly Following[] {
    return this.options.models;
  }

  /** Takes what was read, to be written. Resolves when more may be read; a break in the sequence is `SequenceBroken`. */
  async take(given: readonly Message[]): Promise<void> {
    const { partition, upcast } = this.options;
    try {
      for (const [index, { sequence }] of given.entries()) checkNext(partition, this.#next + index, sequence);
      for (const message of given) this.#held.push({ ...message, event: upcast(message.event) });
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
    this.#end = this.#next - 1;
    this.#broken = null;
    for (const model of this.models) this.#look(model);
  }

  isCaughtUp({ checkpoint, halted }: Following): boolean {
    return halted === null && this.#end === this.#next - 1 && checkpoint.sequence >= this.#end;
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
        this.#unwritten = null;
      } catch (error) {
        this.#unwritten = textOf(error);
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
    this.options.applied(messages);
  }

  #look(model: Following): void {
    if (this.isCaughtUp(model)) model.caughtUpAt = this.options.now();
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
