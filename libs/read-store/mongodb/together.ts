import { setImmediate as turn } from 'node:timers/promises';

interface Asked<In, Out> {
  readonly input: In;
  readonly resolve: (out: Out) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls that are asked for while one is under way are made as one, when it has ended. A call begins after it was asked
 * for, so what it reads is not older than the question; and one that fails fails for all who asked.
 */
export class Together<In, Out> {
  #waiting: Asked<In, Out>[] = [];
  #busy = false;

  /** `work` answers inputs in their order. */
  constructor(
    private readonly most: number,
    private readonly work: (inputs: readonly In[]) => Promise<readonly Out[]>,
  ) {}

  ask(input: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject });
      if (!this.#busy) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    // Who asks in the same turn is taken along.
    for (await turn(); this.#waiting.length > 0; ) {
      const some = this.#waiting.splice(0, this.most);
      try {
        const outs = await this.work(some.map(({ input }) => input));
        for (const [place, { resolve }] of some.entries()) resolve(outs[place] as Out);
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    this.#busy = false;
  }
}
