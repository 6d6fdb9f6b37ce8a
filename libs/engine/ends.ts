import { type EventStore, START } from '../event-store/port.js';
import { laterOf } from '../kernel/dates.js';
import type { Envelope } from '../kernel/envelope.js';
import type { Checkpoint } from '../read-store/port.js';
import type { Partitions } from './partitions.js';

/** The most events that one look reads. */
const LOOK_EVENTS = 5_000;

export interface EndsOptions {
  readonly store: Pick<EventStore, 'head' | 'readAll' | 'readStream'>;
  readonly partitions: Partitions;
  /** The stream whose events stand in every partition: see the relay. */
  readonly toAll: string;
}

/** The position of the last event of partitions: whoever has come so far has all of them. */
export type EndPositions = ReadonlyMap<number, string>;

/** Where partitions end, for one who sees the event store and not the log: counted as the relay does it. */
export class Ends {
  readonly #ends = new Map<number, string>();
  #read: string | null = null;

  constructor(private readonly options: EndsOptions) {}

  /** Of everything that the store holds now. Reads what came since the last event that stands in all. */
  static async of(options: EndsOptions): Promise<EndPositions> {
    const ends = new Ends(options);
    await ends.#takeLastOfAll();
    await ends.#readOn({});
    return ends.#ends;
  }

  /**
   * At first, and when more has come since than is read at once: the last event that stands in all, and the very last.
   * From there on every event is taken.
   */
  async look(): Promise<EndPositions> {
    if (this.#read === null || !(await this.#readOn({ limit: LOOK_EVENTS }))) {
      const head = await this.options.store.head();
      await this.#takeLastOfAll();
      if (head !== undefined) this.#take(head);
    }
    return new Map(this.#ends);
  }

  async #takeLastOfAll(): Promise<void> {
    const { store, toAll } = this.options;
    for await (const event of store.readStream(toAll, { direction: 'backwards', limit: 1 })) this.#take(event);
  }

  /** False where there may be more. */
  async #readOn(bound: { readonly limit?: number }): Promise<boolean> {
    let read = 0;
    for await (const event of this.options.store.readAll({ after: this.#read ?? START, ...bound })) {
      this.#take(event);
      read++;
    }
    return read !== bound.limit;
  }

  #take({ stream, position }: Envelope): void {
    const { partitions, toAll } = this.options;
    const [first, last] = stream === toAll ? [0, partitions.count - 1] : [partitions.of(stream), partitions.of(stream)];
    for (let partition = first; partition <= last; partition++) {
      this.#ends.set(partition, laterOf(position, this.#ends.get(partition) ?? START));
    }
    this.#read = laterOf(position, this.#read ?? START);
  }
}

/** Whether every partition has come to its end. */
export const arePassed = (ends: EndPositions, by: ReadonlyMap<number, Checkpoint>): boolean =>
  [...ends].every(([partition, position]) => (by.get(partition)?.position ?? START) >= position);
