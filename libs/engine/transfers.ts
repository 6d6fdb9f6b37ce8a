import type { EventStore } from '../event-store/port.js';
import { laterOf } from '../kernel/dates.js';
import type { Continuation, Domain, Folded, Refusal } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { append, CONFLICT } from './append.js';
import { marksOf, streamIn } from './steps.js';
import type { WarmStream, WarmStreams } from './streams.js';

interface Tools {
  readonly store: EventStore;
  readonly streams: WarmStreams;
  readonly domain: Domain;
  readonly appended: () => void;
}

/** What follows a first append, and the streams that it was decided on. */
interface Next {
  readonly step: Continuation;
  readonly loaded: readonly WarmStream[];
}

/** The appends that must follow a command's first one, whoever makes them: its handler, a recovery, another writer. */
export class Transfers {
  /** Events that leave an append to do, until it is done: a day does not close while there is one. */
  readonly #unfinished = new Map<string, Envelope>();

  constructor(
    private readonly tools: Tools,
    /** What stands unfinished, whoever began it; null where there are no other writers. */
    private readonly left: (() => Promise<readonly Envelope[]>) | null,
  ) {}

  opens(events: readonly { readonly type: string }[]): boolean {
    return events.some(({ type }) => this.tools.domain.transfers.opensOn.includes(type));
  }

  /**
   * Appends what processes make of events until nothing is left to do. The expected revision is that of the stream that
   * was decided on: whoever does the same at the same moment conflicts, and finds it there.
   */
  async follow(placed: readonly Envelope[]): Promise<{ written: Envelope[]; refusal: Refusal | null }> {
    const written = [...placed];
    let refusal: Refusal | null = null;
    for (const event of placed) if (this.opens([event])) this.#unfinished.set(event.id, event);
    for (let index = 0; index < written.length; index++) {
      const event = written[index] as Envelope;
      if (!this.opens([event])) continue;
      for (let next = await this.#next(event); next !== null; next = await this.#next(event)) {
        const { step, loaded } = next;
        const target = streamIn(loaded, step.stream);
        // As the first append says; only where another writer came between, a stream's recordedAt must not go back.
        const recordedAt =
          this.left === null ? event.meta.recordedAt : laterOf(event.meta.recordedAt, target.recordedAt);
        const outcome = await append(this.tools, target, step, {
          ...marksOf(event),
          causationId: event.id,
          recordedAt,
        });
        if (outcome === CONFLICT) continue;
        for (const made of outcome) if (this.opens([made])) this.#unfinished.set(made.id, made);
        written.push(...outcome);
        refusal = step.refusal ?? refusal;
      }
      this.#unfinished.delete(event.id);
    }
    return { written, refusal };
  }

  /** Finishes what a crash, or a store that was away, or another writer left between two appends. */
  async finish(events: Iterable<Envelope> = [...this.#unfinished.values()]): Promise<void> {
    for (const event of events) await this.follow([event]);
  }

  /** Finishes what another writer left of a command; whether there was something. */
  async finishOf(commandId: string): Promise<boolean> {
    const own = (await this.left?.())?.filter(({ meta }) => meta.commandId === commandId) ?? [];
    await this.finish(own);
    return own.length > 0;
  }

  async #next(event: Envelope): Promise<Next | null> {
    const { streams, domain } = this.tools;
    const facts: Record<string, Folded> = {};
    const loaded: WarmStream[] = [];
    for (const [name, stream] of Object.entries(domain.transfers.reads(event))) {
      const warm = await streams.current(stream);
      facts[name] = warm;
      loaded.push(warm);
    }
    const carriedOut = this.left !== null && (await this.#isCarriedOut(event, loaded));
    const step = domain.transfers.next(event, facts, carriedOut);
    return step === null ? null : { step, loaded };
  }

  /**
   * Whether the command's key stands on its own stream from another beginning than this one: two writers that took the
   * same command each begin it on another stream, which knows nothing of its key.
   */
  async #isCarriedOut({ id, stream, meta }: Envelope, loaded: readonly WarmStream[]): Promise<boolean> {
    const { store, streams } = this.tools;
    const { commandId } = meta;
    const own = loaded.find((warm) => commandId.startsWith(`${warm.stream} `));
    if (own === undefined || own.stream === stream) return false;
    for (const revision of streams.revisionsOf(own, commandId.slice(own.stream.length + 1))) {
      for await (const event of store.readStream(own.stream, { from: revision, limit: 1 })) {
        if (event.meta.commandId === commandId && event.meta.causationId !== id) return true;
      }
    }
    return false;
  }
}
