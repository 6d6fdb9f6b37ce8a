import { setTimeout as wait } from 'node:timers/promises';
import type { PartitionedFeed, PartitionReader } from '../port.js';
import { parse, type Shared } from './shared.js';

/** The most messages that one call of a reader is given: small, so that tests meet the border of a batch. */
const BATCH = 100;
/** How long a partition rests after a rejection. */
const REST_MS = 20;

/** Members that share the partitions. */
export interface Group {
  members: Member[];
  join(member: Member): void;
  leave(member: Member): void;
  /** Moves every partition on to the next member, without waiting for what is being applied. */
  rotate(): void;
  /** Whoever has the partition delivers its last `count` messages again. */
  back(partition: number, count: number): void;
  owner(partition: number): Member | undefined;
}

/** Where one reads in the partitions that it has. */
type Member = Map<number, Place>;

interface Place {
  /** How many messages lie before the next one. */
  next: number;
  caughtUp: boolean;
}

/** The group of that name, made at the first call. */
export function groupOf(shared: Shared, name: string): Group {
  const found = shared.groups.get(name);
  if (found !== undefined) return found;
  let turned = 0;
  const group: Group = {
    members: [],
    join: (member) => void group.members.push(member),
    leave(member) {
      group.members = group.members.filter((other) => other !== member);
    },
    rotate() {
      turned++;
    },
    back(partition, count) {
      const place = group.owner(partition)?.get(partition);
      if (place !== undefined) place.next = Math.max(0, place.next - count);
    },
    owner: (partition) => group.members[(partition + turned) % group.members.length],
  };
  shared.groups.set(name, group);
  return group;
}

/** What a member reads: all partitions, if it is not said, and up to 100 messages at once. */
export interface MemoryFeedOptions {
  readonly of?: readonly number[];
  readonly batch?: number;
}

/** A member of the group `name`, which reads partition by partition. */
export function memoryFeed(shared: Shared, name: string, options: MemoryFeedOptions = {}): PartitionedFeed {
  return {
    async run(reader, signal) {
      const group = groupOf(shared, name);
      const member: Member = new Map();
      group.join(member);
      shared.ring();
      try {
        while (!signal.aborted) {
          const seen = shared.changes();
          if (!(await round(shared, group, member, { reader, signal, ...options }))) await shared.changed(seen, signal);
        }
      } finally {
        group.leave(member);
        shared.ring();
      }
    },
  };
}

interface Reading extends MemoryFeedOptions {
  readonly reader: PartitionReader;
  readonly signal: AbortSignal;
}

/** Once through all partitions. Answers whether there may be more to do. */
async function round(
  shared: Shared,
  group: Group,
  member: Member,
  { reader, signal, of = [...shared.kept.keys()], batch = BATCH }: Reading,
): Promise<boolean> {
  let more = false;
  for (const partition of of) {
    if (signal.aborted) break;
    if (group.owner(partition) !== member) {
      if (member.delete(partition)) reader.revoked(partition);
      continue;
    }
    try {
      more = (await deliver(shared, member, reader, partition, batch)) || more;
    } catch {
      // It is the reader's to say what was wrong.
      member.delete(partition);
      more = true;
      await wait(REST_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return more;
}

async function deliver(
  shared: Shared,
  member: Member,
  reader: PartitionReader,
  partition: number,
  batch: number,
): Promise<boolean> {
  const kept = shared.kept[partition] ?? [];
  const place = member.get(partition) ?? { next: countBelow(kept, await reader.position(partition)), caughtUp: false };
  member.set(partition, place);
  const messages = kept.slice(place.next, place.next + batch).map(parse);
  place.next += messages.length;
  if (messages.length > 0) {
    place.caughtUp = false;
    await reader.apply(partition, messages);
  }
  if (place.next < kept.length) return true;
  if (!place.caughtUp) reader.caughtUp(partition);
  place.caughtUp = true;
  return messages.length > 0;
}

function countBelow(kept: readonly string[], position: number): number {
  const next = kept.findIndex((text) => parse(text).sequence > position);
  return next < 0 ? kept.length : next;
}
