import { comparisonContract } from './contract/comparisons.js';
import { instanceContract } from './contract/instances.js';
import type { ReadStoreHarness, ReadStorePlace } from './contract/place.js';
import { readContract } from './contract/reads.js';
import { snapshotContract } from './contract/snapshots.js';
import { writeContract } from './contract/writes.js';

export type { ReadStoreHarness, ReadStorePlace };

/** What every adapter keeps of the port, whatever it is made of. Each case has a place of its own. */
export function readStoreContract(name: string, harness: ReadStoreHarness): void {
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
    snapshotContract(current);
    instanceContract(current);
    comparisonContract(current);
  });
}
