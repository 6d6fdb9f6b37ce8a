import type { Collection } from '../../read-store/port.js';
import { type Cube, cells } from '../cube.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 5;

/** By value date. Đồng, but for `entries`: how many events spoke of the fund, so that a row is there though all is 0. */
export const MEASURES = [
  'entries',
  'allocated',
  'committed',
  'disbursed',
  'principalCollected',
  'principalReturned',
  /** Sent by the source or another district and not received yet. */
  'inTransit',
  /** The fund's own balance, from its own stream alone. */
  'fundBalance',
] as const;
/**
 * By booking day, and 0 on a closed day: what the one stream recorded, less what the other did. Set aside and not lent
 * or reallocated, collected and not returned, sent and not received.
 */
export const BOOKED = ['bookedCommitted', 'bookedCollected', 'bookedSent'] as const;
export type Measure = (typeof MEASURES)[number];
export type BookedMeasure = (typeof BOOKED)[number];

/** Thirty districts a programme and source are few enough for one level. */
export const BALANCES: Cube<'programme' | 'source' | 'district'> = {
  name: 'entries',
  measures: [...MEASURES, ...BOOKED],
  lags: {},
  levels: [{ collection: 'balances', dimensions: ['programme', 'source', 'district'], byYear: true }],
};

/** Of the source's own fund, đồng. */
export const SOURCE_MEASURES = ['funded', 'sent'] as const;

export const SOURCES: Cube<'programme' | 'source'> = {
  name: 'source-entries',
  measures: SOURCE_MEASURES,
  lags: {},
  levels: [{ collection: 'sources', dimensions: ['programme', 'source'] }],
};

/** The days that were closed, each with the day on which its close was recorded and where it stands. */
export const CLOSES = 'closes';

export const collections: readonly Collection[] = [
  ...cells(BALANCES),
  ...cells(SOURCES),
  { name: CLOSES, key: { day: 'text' }, fields: { recorded: 'text', position: 'text' } },
];
