import type { Envelope } from '../kernel/envelope.js';
import { foldChanges } from '../read-store/fold.js';
import type { Change } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
import type { Followed } from './ledger.js';

/** What a read model makes of events, folded: up to the first one that its projection cannot take. */
export interface Projected {
  readonly folded: readonly Change[];
  readonly taken: number;
  /** The event that stopped it. */
  readonly halted: FollowerStatus['halted'];
}

/** Projects events of today's version. What is written of it is `written`. */
export function projected({ project }: Followed, events: readonly Envelope[]): Projected {
  const changes: Change[] = [];
  let taken = 0;
  let halted: FollowerStatus['halted'] = null;
  for (const event of events) {
    try {
      for (const change of project(event)) changes.push(change);
    } catch (error) {
      const { type, stream, position } = event;
      halted = { type, stream, position, error: error instanceof Error ? error.message : String(error) };
      break;
    }
    taken++;
  }
  return { folded: foldChanges(changes), taken, halted };
}

/** What a folded batch comes to in the collections. */
export const written = ({ rollUp }: Followed, folded: readonly Change[]): readonly Change[] =>
  rollUp?.(folded) ?? folded;
