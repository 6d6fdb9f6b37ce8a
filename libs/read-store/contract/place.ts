import type { ReadStore } from '../port.js';

/** One place where read models live, empty when it is made. */
export interface ReadStorePlace {
  readonly store: ReadStore;
  /** Another store on the same place while the first is open: a second writer, in this thread or another. Absent where there can be none. */
  readonly second?: () => Promise<ReadStore>;
  /** Closes the store and opens the place anew. Absent where nothing outlives the process. */
  readonly reopen?: () => Promise<ReadStore>;
  /** How many durable writes the store has made; absent where nothing is durable. */
  readonly writes?: () => number;
  /** The most that `apply` of a batch, and `applyAll` of batches of so many instances, may make. */
  readonly writesMax?: { readonly apply: number; readonly applyAll: (instances: number) => number };
  /** Closes all stores of the place and removes it. */
  dispose(): Promise<void>;
}

export type ReadStoreHarness = () => Promise<ReadStorePlace>;

/** What not every adapter can do. */
export interface ReadStoreTraits {
  /** Why a read cannot go on seeing the state that it began with while it is written over, where that is so. */
  readonly noSnapshots?: string;
}
