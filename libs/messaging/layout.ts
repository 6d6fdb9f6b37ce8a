import { categoryOf } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';

/*
 * Which partition a stream goes to. Everything but the adapter of a log speaks of one dense number a partition; topics
 * and their indices are the adapter's.
 */

/** A category of streams, and into how many partitions it is divided. Stored format: a count is never changed. */
export interface CategoryPartitions {
  readonly category: string;
  readonly partitions: number;
}

/** A category's partitions: `first` is the dense number of its partition 0. */
export interface CategoryPlace extends CategoryPartitions {
  readonly first: number;
}

/** Partitions of all categories, numbered densely from 0. A category that comes later is put behind those that are there. */
export interface Layout {
  readonly count: number;
  readonly categories: readonly CategoryPlace[];
  /** The partition of a stream, for ever the same. A stream of no category of the layout is a broken invariant. */
  of(stream: string): number;
  /** The category and index of a partition. */
  placeOf(partition: number): { readonly category: string; readonly index: number };
}

/** The layout of categories in a fixed order. */
export function layoutOf(categories: readonly CategoryPartitions[]): Layout {
  let first = 0;
  const byCategory = new Map<string, CategoryPlace>();
  const places: { readonly category: string; readonly index: number }[] = [];
  for (const { category, partitions } of categories) {
    invariant(Number.isSafeInteger(partitions) && partitions >= 1, `${category} has at least one partition`);
    invariant(!byCategory.has(category), `${category} stands once in a layout`);
    byCategory.set(category, { category, partitions, first });
    for (let index = 0; index < partitions; index++) places.push({ category, index });
    first += partitions;
  }
  return {
    count: first,
    categories: [...byCategory.values()],
    of(stream) {
      const place = byCategory.get(categoryOf(stream));
      invariant(place !== undefined, `the layout has no category for the stream ${stream}`);
      return place.first + indexOf(stream, place.partitions);
    },
    placeOf(partition) {
      const place = places[partition];
      invariant(place !== undefined, `the layout has no partition ${partition}`);
      return place;
    },
  };
}

/**
 * The index that Kafka's own clients choose for a key by default: who joins our topics with theirs by the same key finds
 * both in partitions of the same number.
 */
function indexOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const at = (index: number): number => bytes[index] ?? 0;
  let hash = SEED ^ length;
  const words = length - (length % 4);
  for (let i = 0; i < words; i += 4) {
    let word = at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  if (words < length) {
    for (let i = length - 1; i >= words; i--) hash ^= at(i) << (8 * (i - words));
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}
