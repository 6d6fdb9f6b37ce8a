import type { Bench, TransportContractOptions, TransportHarness } from './contract/harness.js';
import { publishCases } from './contract/publish.js';
import { readCases } from './contract/read.js';

export type { TransportContractOptions, TransportHarness } from './contract/harness.js';

/** What every adapter keeps of both ports of messaging, as tests. Each case has a log of its own. */
export function transportContract(name: string, options: TransportContractOptions): void {
  describe(`${name} keeps the contract of a log and its feed`, () => {
    let harness: TransportHarness | undefined;
    beforeEach(async () => {
      harness = await options.open();
    });
    afterEach(async () => {
      await harness?.dispose();
      harness = undefined;
    });
    const bench: Bench = {
      harness() {
        if (harness === undefined) throw new Error('a case runs between open and dispose');
        return harness;
      },
      async until(what, condition) {
        const deadline = Date.now() + options.patienceMs;
        while (!condition()) {
          if (Date.now() > deadline) throw new Error(`waited ${options.patienceMs} ms for ${what}`);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
    };
    describe('publishing', () => publishCases(bench));
    describe('reading', () => readCases(bench));
  });
}
