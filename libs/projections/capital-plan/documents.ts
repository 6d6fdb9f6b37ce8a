import type { Collection } from '../../read-store/port.js';
import { cells, cube } from '../cube.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 1;

/** Đồng, but for `jobs`, and `entries`: how many events there were, so that a year is there though all came to 0. */
export const MEASURES = ['entries', 'funded', 'allocated', 'disbursed', 'recovered', 'jobs'] as const;
export type Measure = (typeof MEASURES)[number];

export const FLOWS = cube<'programme'>({
  collection: 'flows',
  dimensions: ['programme'],
  cuts: ['em', 'ed', 'mm', 'dd'],
});

/**
 * Payments without principal move no capital, but their year has a row. They are most of all events, so they are kept
 * by day only: a query looks for one of them in the years that nothing else names.
 */
export const INTEREST = cube<'programme'>({
  collection: 'interest_only',
  dimensions: ['programme'],
  cuts: ['dd'],
});

export const PROGRAMMES = 'programmes';

const programmes: Collection = {
  name: PROGRAMMES,
  key: { programme: 'text' },
  fields: { recorded: 'text', valueDate: 'text', targets: 'json' },
};

export const collections: readonly Collection[] = [cells(FLOWS, MEASURES), cells(INTEREST, ['entries']), programmes];
