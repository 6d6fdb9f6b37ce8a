/*
 * What can be made to go wrong, by name: the same words in a test (`standIn.fault('append-dropped')`) and on the
 * standard input of the process (`append-dropped 3`).
 */

/** What becomes of the next appends; `amount` says of how many (1). */
export const APPEND_FAULTS = [
  /** Written, and never answered. */
  'append-answer-lost',
  /** Neither written nor answered. */
  'append-dropped',
  /** Not written; refused as timed out after two seconds. */
  'append-timed-out',
  /** Written, and refused as timed out after two seconds. */
  'append-written-timed-out',
  /** Written; then every connection breaks. */
  'append-written-cut',
  /** Not written; every connection breaks. */
  'append-cut',
] as const;

/** What happens at once, or from now on until `healthy`. */
export const OTHER_FAULTS = [
  /** Every read and subscription breaks (14). */
  'streams-cut',
  /** Every subscription ends without an error. */
  'subscriptions-ended',
  /** Every subscription is cut off as too slow (10). */
  'consumers-too-slow',
  /** Every connection breaks. */
  'connections-cut',
  /** Nothing reaches the disk: what is in flight stays in flight, and a twin of it is dropped. */
  'hold',
  'release',
  'not-leader',
  'not-ready',
  /** Every call is taken up `amount` milliseconds late. */
  'slow',
  'healthy',
] as const;

export type AppendFault = (typeof APPEND_FAULTS)[number];
export type Fault = AppendFault | (typeof OTHER_FAULTS)[number];

/** The faults that are set, as the calls ask for them. */
export class Faults {
  notLeader = false;
  notReady = false;
  slowMs = 0;
  readonly #appends: AppendFault[] = [];
  readonly #now: (fault: Fault) => void;

  /** `now` does what happens at once. */
  constructor(now: (fault: Fault) => void) {
    this.#now = now;
  }

  set(fault: Fault, amount = 1): void {
    const ofAppends = APPEND_FAULTS.find((known) => known === fault);
    if (ofAppends) {
      for (let n = 0; n < amount; n++) this.#appends.push(ofAppends);
      return;
    }
    if (!OTHER_FAULTS.some((known) => known === fault)) throw new Error(`no such fault: ${fault}`);
    if (fault === 'not-leader') this.notLeader = true;
    else if (fault === 'not-ready') this.notReady = true;
    else if (fault === 'slow') this.slowMs = amount;
    else if (fault === 'healthy') this.#heal();
    else this.#now(fault);
  }

  /** The fault of this append, which is used up. */
  takeAppend(): AppendFault | undefined {
    return this.#appends.shift();
  }

  /** Waits as long as calls are to be slow. */
  async pace(): Promise<void> {
    if (this.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, this.slowMs));
  }

  #heal(): void {
    this.notLeader = false;
    this.notReady = false;
    this.slowMs = 0;
    this.#appends.length = 0;
    this.#now('release');
  }
}
