/**
 * A map whose values together weigh at most `max`. What has to go is picked nearly at random among what was not used
 * since it was last looked at. A ledger goes through its loans in turn, month after month: whoever then drops what was
 * not used for longest drops just what comes next, and as soon as all of them do not fit finds none of them; at random
 * it finds the share that fits.
 */
export class WeighedMap<V> {
  readonly #entries = new Map<string, Entry<V>>();
  /** Where the search for what has to go stands; a live iterator of a Map goes on behind what was deleted. */
  #hand: Iterator<readonly [string, Entry<V>]>;
  #weight = 0;
  /** Of a linear congruential generator: what is dropped need not be fair, only spread. */
  #random = 1;

  constructor(
    private readonly max: number,
    private readonly weigh: (value: V) => number,
  ) {
    this.#hand = this.#entries.entries();
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.value;
  }

  /** The value that was set last is never what goes. */
  set(key: string, value: V): void {
    const weight = this.weigh(value);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { value, weight, used: true });
      this.#weight += weight;
    } else {
      this.#weight += weight - entry.weight;
      entry.value = value;
      entry.weight = weight;
      entry.used = true;
    }
    while (this.#weight > this.max && this.#entries.size > 1) this.#dropOne(key);
  }

  delete(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }

  #dropOne(kept: string): void {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) | 0;
    let steps = (this.#random >>> 16) % STEPS_MAX;
    for (;;) {
      const [key, entry] = this.#next();
      if (steps-- > 0 || key === kept) continue;
      if (!entry.used) {
        this.delete(key);
        return;
      }
      entry.used = false;
    }
  }

  #next(): readonly [string, Entry<V>] {
    for (;;) {
      const { done, value } = this.#hand.next();
      if (!done) return value;
      this.#hand = this.#entries.entries();
    }
  }
}

/** How many entries are passed over at most before one is looked at. */
const STEPS_MAX = 32;

interface Entry<V> {
  value: V;
  weight: number;
  used: boolean;
}
