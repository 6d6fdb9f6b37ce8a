import type { EventStore } from '../event-store/port.js';
import type { Domain } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import type { Answer } from './answers.js';
import { type Partitions, tokenOf } from './partitions.js';
import type { Done } from './steps.js';

/** Answers commands with tokens of partitions, where read models are followed partition by partition. */
export class PartitionedTokens {
  constructor(
    private readonly store: Pick<EventStore, 'readStream'>,
    private readonly domain: Pick<Domain, 'transfers' | 'days'>,
    private readonly partitions: Partitions,
  ) {}

  async answer(about: string, { answer, written }: Done): Promise<Answer> {
    if (!answer.accepted) return answer;
    const covered = answer.duplicate ? await this.#all(written) : written;
    const found = covered.length > 0 ? covered : await this.#last(about);
    return { ...answer, token: tokenOf(this.partitions, this.domain.days.stream, found) };
  }

  /** What a command wrote the first time, on other streams too: each continuation stands on one that it read. */
  async #all(written: readonly Envelope[]): Promise<readonly Envelope[]> {
    const all = [...written];
    for (let index = 0; index < all.length; index++) {
      const event = all[index] as Envelope;
      if (!this.domain.transfers.opensOn.includes(event.type)) continue;
      for (const stream of Object.values(this.domain.transfers.reads(event))) {
        const made = await this.#continuation(stream, event.id);
        if (made !== null && !all.some(({ id }) => id === made.id)) all.push(made);
      }
    }
    return all;
  }

  async #continuation(stream: string, cause: string): Promise<Envelope | null> {
    for await (const event of this.store.readStream(stream, { direction: 'backwards' })) {
      if (event.meta.causationId === cause) return event;
    }
    return null;
  }

  /** Where nothing had to be written, what is there covers it. */
  async #last(stream: string): Promise<readonly Envelope[]> {
    for await (const event of this.store.readStream(stream, { direction: 'backwards', limit: 1 })) return [event];
    return [];
  }
}
