import type { Checkpoint } from '../port.js';
import { AT_START } from '../port.js';
import type { Claim } from './shelf.js';

/** Where a partition stands: the last batch that is whole, and the one that was begun after it. */
export interface State {
  readonly batch: number;
  readonly checkpoint: Checkpoint;
  readonly reach: bigint;
  readonly inFlight: Claim | null;
}

const BEGINNING: State = { batch: 0, checkpoint: AT_START, reach: 0n, inFlight: null };

/** The state of each partition that was ever claimed: its highest claim tells it. */
export function statesOf(claims: readonly Claim[]): ReadonlyMap<number, State> {
  const states = new Map<number, State>();
  for (const claim of claims) {
    const known = states.get(claim.partition);
    if (known === undefined || claim.batch > topOf(known)) states.set(claim.partition, stateOf(claim));
  }
  return states;
}

/** The state of one partition. */
export const stateIn = (states: ReadonlyMap<number, State>, partition: number): State =>
  states.get(partition) ?? BEGINNING;

/** The highest batch that may have touched a document. */
export const topOf = ({ batch, inFlight }: State): number => inFlight?.batch ?? batch;

/** A claim alone tells the state: the batch below it was whole before it was made. */
export function stateOf(claim: Claim): State {
  const { batch, from, to, reach, done } = claim;
  return done
    ? { batch, checkpoint: to, reach, inFlight: null }
    : { batch: batch - 1, checkpoint: from, reach, inFlight: claim };
}
