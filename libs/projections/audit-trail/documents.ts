import type { Collection } from '../../read-store/port.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 2;

export const ENTRIES = 'entries';

/** The filters, each of which has an index. */
export const FILTERS = ['loan', 'borrower', 'actor', 'district', 'type', 'recorded'] as const;

/**
 * One row an event. What moves between two districts stands under both: at place 0 and 1, told apart in nothing but
 * the district; a search that names no district reads place 0 only.
 */
const entries: Collection = {
  name: ENTRIES,
  key: { position: 'text', place: 'integer' },
  fields: {
    recorded: 'text',
    recordedAt: 'text',
    bookingDate: 'text',
    valueDate: 'text',
    actor: 'text',
    type: 'text',
    stream: 'text',
    decision: 'text',
    receipt: 'text',
    voucher: 'text',
    loan: 'text',
    borrower: 'text',
    district: 'text',
    summary: 'text',
    traceparent: 'text',
  },
  indexes: FILTERS.map((name) => [name, 'position']),
};

export const collections: readonly Collection[] = [entries];
