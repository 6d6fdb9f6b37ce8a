import { comparisonContract } from './contract/comparisons.js';
import { instanceContract } from './contract/instances.js';
import type { ReadStoreHarness, ReadStorePlace, ReadStoreTraits } from './contract/place.js';
import { readContract } from './contract/reads.js';
import { snapshotContract } from './contract/snapshots.js';
import { writeContract } from './contract/writes.js';

export type { ReadStoreHarness, ReadStorePlace, ReadStoreTraits };

/** What every adapter keeps of the port, whatever it is made of. Each case has a place of its own. */
export function readStoreContract(name: string, harness: ReadStoreHarness, traits: ReadStoreTraits = {}): void {
  describe(`the read store ${name}`, () => {
    let place: ReadStorePlace;
    beforeEach(async () => {
      place = await harness();
    });
    afterEach(async () => {
      await place.dispose();
    });
    const current = (): ReadStorePlace => place;
    writeContract(current);
    readContract(current);
    snapshotContract(current, traits);
    instanceContract(current);
    comparisonContract(current, harness, traits);
  });
}
