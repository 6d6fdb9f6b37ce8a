import type { ReadView } from '../read-store/port.js';

/*
 * Read models are followed partition by partition, and each partition has come to its own place. A sum over them is no
 * moment of the ledger: it may hold what a loan did and not yet what its fund did before it. The events of the business
 * day stand in every partition, so what was booked on a day whose close every partition has passed is all there.
 */

/** The position that every partition has come to. With one partition, all that it has taken. */
export function levelOf({ checkpoints }: ReadView): string {
  let level: string | null = null;
  for (const { position } of checkpoints.values()) if (level === null || position < level) level = position;
  return level ?? '';
}

/** Whether partitions are followed apart: between two of their entries there is no order. */
export const isDivided = ({ checkpoints }: ReadView): boolean => checkpoints.size > 1;
