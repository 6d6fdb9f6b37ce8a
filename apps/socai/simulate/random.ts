const WORD = 2 ** 32;
/** Words that are drawn and thrown away, until a small seed has spread over the whole state. */
const WARM_UP = 12;

/** sfc32: additions and shifts of 32-bit words, so that one seed draws the same numbers on every machine and engine. */
export class Random {
  #a: number;
  #b: number;
  #c = 0;
  #counter = 1;

  constructor(seed: number) {
    this.#a = (seed % WORD) | 0;
    this.#b = Math.floor(seed / WORD) | 0;
    for (let drawn = 0; drawn < WARM_UP; drawn++) this.#next();
  }

  /** A whole number from 0 to below `bound`, which is at most 2²¹: the product stays exact. */
  below(bound: number): number {
    return Math.floor((this.#next() * bound) / WORD);
  }

  /** From `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `parts` of ten thousand cases. */
  chance(parts: number): boolean {
    return this.below(10_000) < parts;
  }

  /** One of the values, as often as its weight says among all. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    const last = choices.at(-1) as readonly [T, number];
    let left = this.below(choices.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [value, weight] of choices) {
      if (left < weight) return value;
      left -= weight;
    }
    return last[0];
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** True on every `period`-th call, the first time after `first`: what is rare occurs in a small simulation too. */
export class Every {
  #calls = 0;

  constructor(
    private readonly period: number,
    private readonly first = Math.floor(period / 3),
  ) {}

  hit(): boolean {
    return this.#calls++ % this.period === this.first;
  }
}
