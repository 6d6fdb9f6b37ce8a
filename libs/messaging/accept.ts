import { invariant } from '../kernel/result.js';
import type { LogCheckpoint, Message } from './port.js';

/** What every adapter asserts of a batch before it publishes: see `TransactionalLog.publish`. */
export function acceptBatch(last: LogCheckpoint, messages: readonly Message[], next: LogCheckpoint): void {
  invariant(messages.length > 0, 'a batch holds at least one message');
  const sequences = new Map(last.sequences);
  // An event may go to several partitions: its position then stands more than once, and never goes back.
  let position = last.position;
  for (const { partition, sequence, event } of messages) {
    const expected = (sequences.get(partition) ?? 0) + 1;
    if (sequence !== expected)
      invariant(false, `partition ${partition} goes on with ${expected}, not with ${sequence}`);
    if (event.position < position) invariant(false, `${event.position} is published behind ${position}`);
    sequences.set(partition, sequence);
    position = event.position;
  }
  invariant(next.position === position, `the checkpoint stands at ${next.position}, the messages at ${position}`);
  invariant(sameSequences(next.sequences, sequences), 'the checkpoint names the last sequence of each partition');
}

function sameSequences(given: ReadonlyMap<number, number>, expected: ReadonlyMap<number, number>): boolean {
  if (given.size !== expected.size) return false;
  for (const [partition, sequence] of expected) if (given.get(partition) !== sequence) return false;
  return true;
}
