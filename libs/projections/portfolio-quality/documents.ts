import type { Collection } from '../../read-store/port.js';
import { type Cube, cells, type Lag } from '../cube.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 9;

export const DIMENSIONS = ['district', 'massOrganisation', 'borrowerClass', 'programme', 'source'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Sums up to a value date: parts paid out, loans with outstanding above zero, and đồng. */
export const STOCKS = ['parts', 'loans', 'outstanding', 'overdue', 'par0', 'par30', 'par90'] as const;
/** Sums over a period, đồng: `collected` is what was received on its due day or after. */
export const FLOWS = ['fellDue', 'collected', 'prepaid'] as const;
export const RECOVERED = 'recovered';
/** Of what was collected, what fell due in an earlier month: `recovered` of a period that is its month, told without `due`. */
export const RECOVERED_IN_MONTH = 'recoveredInMonth';

/**
 * What time alone will do stands on the due day itself, beside what falls due, and counts so many days later: an
 * instalment that nobody pays is overdue from the day after, the loan in PAR over n days after n + 1. So a payment on
 * its day touches two days, this due day and the next, and not eight.
 */
export const LAGS = {
  overdueAhead: { of: 'overdue', days: 1 },
  par0Ahead: { of: 'par0', days: 1 },
  par30Ahead: { of: 'par30', days: 31 },
  par90Ahead: { of: 'par90', days: 91 },
} as const satisfies Readonly<Record<string, Lag>>;

export type Measure = (typeof STOCKS)[number] | (typeof FLOWS)[number] | typeof RECOVERED_IN_MONTH | keyof typeof LAGS;

/** The levels of breakdown: what each keeps of recording is weighed in ADR 0004, rows against cells read. */
export const QUALITY: Cube<Dimension> = {
  name: 'quality',
  measures: [...STOCKS, ...FLOWS, RECOVERED_IN_MONTH, ...(Object.keys(LAGS) as (keyof typeof LAGS)[])],
  lags: LAGS,
  levels: [
    { collection: 'quality_all', dimensions: ['programme', 'source'], knownByMonth: 'days', aheadByDay: true },
    {
      collection: 'quality_district',
      dimensions: ['programme', 'source', 'district'],
      ...{ knownByMonth: 'days', aheadByYear: 'days', byYear: true },
    },
    // Who borrows, wherever: five organisations times eleven classes.
    {
      collection: 'quality_kind',
      dimensions: ['programme', 'source', 'massOrganisation', 'borrowerClass'],
      ...{ knownByMonth: 'months', aheadByYear: 'months', byYear: true },
    },
    {
      collection: 'quality_full',
      dimensions: ['programme', 'source', 'district', 'massOrganisation', 'borrowerClass'],
      ...{ aheadByYear: 'months', byYear: true },
    },
  ],
};

/** Principal received after its due day, by that day too: one in some dozens of payments of principal. */
export const LATE: Cube<Dimension | 'due'> = {
  name: 'late',
  measures: [RECOVERED],
  lags: {},
  levels: [
    { collection: 'late_all', dimensions: ['programme', 'source', 'due'] },
    {
      collection: 'late_full',
      dimensions: ['programme', 'source', 'district', 'massOrganisation', 'borrowerClass', 'due'],
    },
  ],
};

export const PROGRAMMES = 'programmes';

const programmes: Collection = {
  name: PROGRAMMES,
  key: { programme: 'text' },
  /** The targets as the plan has them, and the day on which they were recorded. */
  fields: { recorded: 'text', targets: 'json' },
};

export const collections: readonly Collection[] = [...cells(QUALITY), ...cells(LATE), programmes];
