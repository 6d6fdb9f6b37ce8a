import type { Collection } from '../../read-store/port.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 2;

export const SOURCES = 'sources';
/** Đồng of one programme and source, each from one type of event. */
export const SOURCE_MEASURES = ['funded', 'allocated', 'reallocated'] as const;

export const FUNDS = 'funds';
/** Đồng of one district's fund. `outstanding` is what the loans say of themselves, the rest is what was moved. */
export const FUND_MEASURES = [
  'received',
  'reallocated',
  'committed',
  'released',
  'disbursed',
  'collected',
  'returned',
  'outstanding',
] as const;

export const DAYS = 'days';
/** What a day's close counts, đồng. */
export const CONTROLS = ['disbursements', 'payments', 'reversals', 'principalReturned', 'overdue'] as const;
export type Control = (typeof CONTROLS)[number];
/** The same as its close said it. */
export const totalOf = (control: Control) => `${control}_total` as const;
/** What is under way from one stream to another, by the day on which it is booked: nothing once the day is closed. */
export const UNDER_WAY = ['committed', 'sent'] as const;
export const DAY_MEASURES = [...CONTROLS, ...CONTROLS.map(totalOf), ...UNDER_WAY] as const;

export const CLOSES = 'closes';

export const VIOLATIONS = 'violations';

export const collections: readonly Collection[] = [
  { name: SOURCES, key: { programme: 'text', source: 'text' }, measures: SOURCE_MEASURES },
  { name: FUNDS, key: { programme: 'text', source: 'text', district: 'text' }, measures: FUND_MEASURES },
  { name: DAYS, key: { day: 'text' }, measures: DAY_MEASURES },
  { name: CLOSES, key: { day: 'text' }, fields: { position: 'text' } },
  {
    name: VIOLATIONS,
    key: { position: 'text', rule: 'text' },
    // Sums as text: what breaks a rule may break the bounds of numbers too.
    fields: { type: 'text', stream: 'text', left: 'text', right: 'text' },
  },
];
