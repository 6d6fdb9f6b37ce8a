import type { EventStore } from '../event-store/port.js';
import type { Domain } from '../kernel/decider.js';
import { categoryOf } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';

/** The days' stream, folded as far as it is written: each look costs what came since the last one. */
export class DaysState {
  #revision = -1;
  #state: unknown;

  constructor(
    private readonly store: Pick<EventStore, 'readStream'>,
    private readonly domain: Domain,
  ) {
    this.#state = this.#aggregate.initial;
  }

  async now(): Promise<unknown> {
    const events = this.store.readStream(this.domain.days.stream, { from: this.#revision + 1 });
    for await (const event of events) {
      this.#state = this.#aggregate.evolve(this.#state, this.domain.upcast(event));
      this.#revision = event.revision;
    }
    return this.#state;
  }

  get #aggregate() {
    const aggregate = this.domain.aggregates.get(categoryOf(this.domain.days.stream));
    invariant(aggregate !== undefined, 'the days have an aggregate');
    return aggregate;
  }
}
