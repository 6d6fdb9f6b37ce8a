import { setTimeout as wait } from 'node:timers/promises';
import type {
  LogCheckpoint,
  Message,
  PartitionedFeed,
  PartitionReader,
  PublishOutcome,
  TransactionalLog,
} from '../libs/messaging/port.js';

/** What a test lets go wrong with a publication: nothing, written and not told, neither, or the process dies there. */
export type Mishap = 'none' | 'answer-lost' | 'lost';

/** A log that several publishers and readers share, as Kafka would keep it: batches whole or not at all, fencing by epoch. */
export class TestLog {
  readonly partitions = new Map<number, Message[]>();
  checkpoint: LogCheckpoint = { position: '', sequences: new Map() };
  #epoch = 0;
  #grown: (() => void)[] = [];
  /** What happens to the next publication. */
  mishap: () => Mishap = () => 'none';

  publisher(): TransactionalLog {
    let own = -1;
    return {
      recover: async () => {
        own = ++this.#epoch;
        return { position: this.checkpoint.position, sequences: new Map(this.checkpoint.sequences) };
      },
      watch: async () => this.checkpoint.position,
      publish: async (messages, checkpoint): Promise<PublishOutcome> => {
        await wait(0);
        if (own !== this.#epoch) return { outcome: 'fenced' };
        const mishap = this.mishap();
        if (mishap !== 'lost') this.#keep(messages, checkpoint);
        return mishap === 'none' ? { outcome: 'committed' } : { outcome: 'unknown', cause: new Error(mishap) };
      },
      close: async () => {},
    };
  }

  /** A feed of some partitions. */
  feed(partitions: readonly number[], batch = 50): PartitionedFeed {
    return {
      run: async (reader, signal) => {
        await Promise.all(partitions.map((partition) => this.#give(partition, reader, signal, batch)));
      },
    };
  }

  messages(partition: number): Message[] {
    const known = this.partitions.get(partition) ?? [];
    this.partitions.set(partition, known);
    return known;
  }

  #keep(messages: readonly Message[], checkpoint: LogCheckpoint): void {
    for (const message of messages) this.messages(message.partition).push(message);
    this.checkpoint = checkpoint;
    for (const wake of this.#grown.splice(0)) wake();
  }

  async #give(partition: number, reader: PartitionReader, signal: AbortSignal, batch: number): Promise<void> {
    const kept = this.messages(partition);
    let at: number | null = null;
    while (!signal.aborted) {
      try {
        const after: number = at ?? (await reader.position(partition));
        // By place, as a broker does: what stands wrong is given as it stands.
        const place: number = at === null ? kept.findIndex(({ sequence }) => sequence > after) : after;
        const found = place < 0 ? [] : kept.slice(place, place + batch);
        if (found.length > 0) {
          await reader.apply(partition, found);
          at = place + found.length;
        } else reader.caughtUp(partition);
        if (found.length < batch) await Promise.race([this.#more(signal), wait(20)]);
      } catch {
        at = null;
        await wait(5);
      }
    }
    reader.revoked(partition);
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#grown.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
