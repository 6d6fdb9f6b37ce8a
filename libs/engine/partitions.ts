import { laterOf } from '../kernel/dates.js';
import { AT_START, type ReadView } from '../read-store/port.js';

/**
 * How streams share the partitions of a ledger, which are numbered densely from 0. Told to the engine by the app: the
 * relay, the projector and whoever reads tokens must be told the same.
 */
export interface Partitions {
  readonly count: number;
  /** The partition that all events of a stream go to, for ever. */
  of(stream: string): number;
}

/**
 * A token of several partitions: what a command answers, and a query waits for. `3:0000042,5:0000040` says that the
 * reader wants to see what stands at these positions of these partitions, `*:0000044` at that one of all. The events of
 * the stream `toAll` stand in every partition: whoever has come to one of them everywhere has seen all before it.
 */
export function tokenOf(
  partitions: Partitions,
  toAll: string,
  written: Iterable<{ readonly stream: string; readonly position: string }>,
): string {
  const ends = new Map<string, string>();
  for (const { stream, position } of written) {
    const partition = stream === toAll ? EVERY : String(partitions.of(stream));
    ends.set(partition, laterOf(position, ends.get(partition) ?? ''));
  }
  return [...ends].map(([partition, position]) => `${partition}:${position}`).join(',');
}

/** What stands for every partition in a token. */
const EVERY = '*';

/** The positions that a token names, by partition. Empty for the empty token; null for what is no token of these. */
export function positionsIn(token: string, { count }: Partitions): ReadonlyMap<number, string> | null {
  const positions = new Map<number, string>();
  const every = Array.from({ length: count }, (_, partition) => partition);
  for (const part of token === '' ? [] : token.split(',')) {
    const [, name, position] = /^(\*|\d{1,6}):([0-9A-Za-z._-]{1,64})$/.exec(part) ?? [];
    if (position === undefined) return null;
    const named = name === EVERY ? every : [Number(name)];
    for (const partition of named) {
      if (partition >= count) return null;
      positions.set(partition, laterOf(position, positions.get(partition) ?? ''));
    }
  }
  return positions;
}

/** The last of several positions. */
export const furthest = (of: readonly { readonly position: string }[]): string =>
  of.reduce((last, { position }) => laterOf(last, position), '');

/** The view with those partitions too of which nothing was applied yet: who asks how far all have come must see them. */
export function ofEveryPartition(view: ReadView, { count }: Partitions): ReadView {
  const checkpoints = new Map(Array.from({ length: count }, (_, partition) => [partition, AT_START] as const));
  for (const [partition, checkpoint] of view.checkpoints) checkpoints.set(partition, checkpoint);
  return {
    ...{ checkpoint: view.checkpoint, checkpoints },
    get: (collection, key) => view.get(collection, key),
    find: (collection, find) => view.find(collection, find),
    sum: (collection, sum) => view.sum(collection, sum),
  };
}
