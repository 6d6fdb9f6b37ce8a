import type { EventTable, StoredOf } from '../../kernel/decider.js';
import { amount, date, integer, list, rate, record, reference, words } from '../../kernel/fields.js';
import { programmeId } from '../vocabulary.js';

/* Storage format: change with care. */

export const target = () =>
  record({
    year: integer(1990, 2199),
    /** Đồng to be added to the capital in the year. */
    capital: amount(0),
    jobs: integer(0, 1_000_000_000),
    /** Met from this on, inclusive. */
    collectionRateAtLeast: rate('0', '1'),
    /** Met below this, strictly. */
    overdueRatioBelow: rate('0', '1'),
  });

export const programmeFields = {
  programme: programmeId(),
  name: words(200),
  plan: reference(),
  from: date(),
  to: date(),
  targets: list(target(), 210),
};

export const programmeEvents = {
  ProgrammeOpened: {
    version: 1,
    summary: "A programme with its plan's number, years and yearly targets.",
    fields: programmeFields,
  },
} as const satisfies EventTable;

export type ProgrammeStored = StoredOf<typeof programmeEvents>;
