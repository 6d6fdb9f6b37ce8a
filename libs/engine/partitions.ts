import { laterOf } from '../kernel/dates.js';

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
 * reader wants to see what stands at these positions of these partitions.
 */
export function tokenOf(
  partitions: Partitions,
  written: Iterable<{ readonly stream: string; readonly position: string }>,
): string {
  const furthest = new Map<number, string>();
  for (const { stream, position } of written) {
    const partition = partitions.of(stream);
    if (position > (furthest.get(partition) ?? '')) furthest.set(partition, position);
  }
  return [...furthest]
    .sort(([a], [b]) => a - b)
    .map(([partition, position]) => `${partition}:${position}`)
    .join(',');
}

/** The positions that a token names, by partition. Empty for the empty token; null for what is no token. */
export function positionsIn(token: string, { count }: Partitions): ReadonlyMap<number, string> | null {
  const positions = new Map<number, string>();
  for (const part of token === '' ? [] : token.split(',')) {
    const [, number, position] = /^(\d{1,6}):([0-9A-Za-z._-]{1,64})$/.exec(part) ?? [];
    const partition = Number(number);
    if (position === undefined || partition >= count || positions.has(partition)) return null;
    positions.set(partition, position);
  }
  return positions;
}

/** The last of several positions. */
export const furthest = (of: readonly { readonly position: string }[]): string =>
  of.reduce((last, { position }) => laterOf(last, position), '');
