import type { Collection } from '../../read-store/port.js';
import { cells, cube } from '../cube.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 1;

/** Đồng, but for `entries`: how many events spoke of the district's fund, so that a row is there though all is 0. */
export const MEASURES = [
  'entries',
  'allocated',
  'committed',
  'disbursed',
  'principalCollected',
  'principalReturned',
] as const;
export type Measure = (typeof MEASURES)[number];

/**
 * Thirty districts a programme and source are few enough for one level, and most entries are recorded on the day from
 * which they count, so that cells by two days are hardly more than by one.
 */
export const BALANCES = cube<'programme' | 'source' | 'district'>({
  collection: 'balances',
  dimensions: ['programme', 'source', 'district'],
  cuts: ['em', 'ed', 'mm', 'dd'],
});

export const collections: readonly Collection[] = [cells(BALANCES, MEASURES)];
