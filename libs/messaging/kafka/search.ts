/*
 * Where a sequence stands. Offsets are not sequences: the markers of transactions, and what was given up, take offsets as
 * well. But the offset grows at least by one with each sequence, so whatever was seen of a partition bounds where another
 * record can be.
 */

/** A record that was seen. */
export interface Seen {
  readonly sequence: number;
  readonly offset: number;
}

/** Before the first record of a partition. */
const BEFORE: Seen = { sequence: 0, offset: -1 };

/** How many reads follow the density of what was seen, before halving makes the cost certain. */
const GUESSES = 3;
/** A read brings what follows, so it begins rather before the place than behind it. */
const MARGIN = 100;

export type Step =
  /** What was read holds the wanted record, or what stands in its place: it is given from this offset on. */
  | { readonly at: number }
  /** Read from here. */
  | { readonly seek: number };

/** A search for the record of one sequence, by looking at what stands at offsets. */
export interface Search {
  readonly wanted: number;
  /** What a read brought: its records in order, at least one. Before the first seek it may have begun anywhere. */
  saw(records: readonly Seen[]): Step;
}

/**
 * Begins a search. `end` is a record that is known, by and large the last. It takes at most `GUESSES` reads and the
 * binary logarithm of the offsets that are in question; about two where batches are of one size.
 */
export function searchFor(wanted: number, end: Seen | undefined): Search {
  let low = BEFORE;
  let high: Seen | undefined;
  /** Where the wanted record is not behind. */
  let last = Number.POSITIVE_INFINITY;
  let read: number | undefined;
  let reads = 0;
  const first = (): number => low.offset + (wanted - low.sequence);
  const below = (seen: Seen): void => {
    if (seen.offset > low.offset) low = seen;
  };
  const above = (seen: Seen): void => {
    if (high === undefined || seen.offset < high.offset) high = seen;
    last = Math.min(last, seen.offset - (seen.sequence - wanted));
  };
  if (end !== undefined && end.sequence < wanted) below(end);
  else if (end !== undefined) above(end);

  function guess(): number {
    if (high === undefined) return first();
    if (++reads > GUESSES) return Math.floor((first() + last) / 2);
    const density = (high.offset - low.offset) / (high.sequence - low.sequence);
    return Math.floor(low.offset + (wanted - low.sequence) * density) - MARGIN;
  }

  return {
    wanted,
    saw(records) {
      const found = records.find(({ sequence }) => sequence >= wanted);
      const [earliest, latest] = [records[0], records.at(-1)];
      if (found === undefined) {
        if (latest !== undefined) below(latest);
      } else {
        // Equal, or its neighbours show that it is missing: the reader is to see that.
        if (found.sequence === wanted || found !== earliest) return { at: found.offset };
        above(found);
        if (read !== undefined) last = Math.min(last, read - 1);
        if (last < first()) return { at: found.offset };
      }
      read = Math.max(first(), Math.min(last, guess()));
      return { seek: read };
    },
  };
}
