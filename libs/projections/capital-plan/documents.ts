import type { Collection } from '../../read-store/port.js';
import { type Cube, cells } from '../cube.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 2;

/** Đồng, but for `jobs`. */
export const MEASURES = ['funded', 'allocated', 'disbursed', 'recovered', 'jobs'] as const;
export type Measure = (typeof MEASURES)[number];

export const FLOWS: Cube<'programme'> = {
  name: 'moved',
  measures: MEASURES,
  lags: {},
  levels: [{ collection: 'flows', dimensions: ['programme'] }],
};

export const PROGRAMMES = 'programmes';

const programmes: Collection = {
  name: PROGRAMMES,
  key: { programme: 'text' },
  fields: { recorded: 'text', valueDate: 'text', targets: 'json' },
};

export const collections: readonly Collection[] = [...cells(FLOWS), programmes];
