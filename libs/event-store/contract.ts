import { appendCases } from './contract/append.js';
import type { EventStoreContractOptions, EventStoreHarness } from './contract/harness.js';
import { readCases } from './contract/read.js';
import { refusalCases } from './contract/refusals.js';
import { retryCases } from './contract/retry.js';
import { subscriptionCases } from './contract/subscriptions.js';

export type { EventStoreCapabilities, EventStoreContractOptions, EventStoreHarness } from './contract/harness.js';

/**
 * What every adapter of the event store keeps, as tests. It makes its own streams and never assumes that it is alone or
 * that positions are dense, so it runs against a server that others use as well as against a new file.
 */
export function eventStoreContract(name: string, options: EventStoreContractOptions): void {
  describe(`${name} keeps the contract of an event store`, () => {
    let harness: EventStoreHarness | undefined;
    const current = (): EventStoreHarness => {
      if (harness === undefined) throw new Error('a case runs between open and dispose');
      return harness;
    };
    beforeEach(async () => {
      harness = await options.open();
    });
    afterEach(async () => {
      await harness?.dispose();
      harness = undefined;
    });
    const bench = { capabilities: options.capabilities, harness: current, store: () => current().store };
    describe('appending', () => appendCases(bench));
    describe('retrying', () => retryCases(bench));
    describe('refusing', () => refusalCases(bench));
    describe('reading', () => readCases(bench));
    describe('subscribing', () => subscriptionCases(bench));
  });
}
