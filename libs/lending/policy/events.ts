import type { EventTable, StoredOf } from '../../kernel/decider.js';
import { amount, date, integer, nullable, oneOf, optional, rate, reference } from '../../kernel/fields.js';
import { ARREARS_ORDERS, DUE_DAY_ROLLS } from '../codes.js';
import { borrowerClass, programmeId, sourceId } from '../vocabulary.js';

/* Storage format: change with care. */

/** What a loan takes from the policy in force on the value date of its approval. */
export const termsFields = {
  /** Of one, a year of 365 days. */
  annualRate: rate('0', '1', { below: true }),
  /** The overdue rate is the annual rate times this (domain §2: 130 %). */
  overdueFactor: rate('1', '10'),
  arrearsOrder: oneOf(ARREARS_ORDERS),
  dueDayRoll: oneOf(DUE_DAY_ROLLS),
};

const policyFields = {
  effectiveFrom: date(),
  ...termsFields,
  maxPerJob: amount(),
  maxPerLoan: amount(),
  maxTermMonths: integer(1, 600),
  decision: reference(),
};

/** As a command has them: a source or class that is left out means any. */
export const publishPolicyFields = {
  programme: programmeId(),
  source: optional(sourceId()),
  borrowerClass: optional(borrowerClass()),
  ...policyFields,
};

export const policyEvents = {
  PolicyPublished: {
    version: 1,
    summary: 'Rates and limits for a programme, source and class from a day on.',
    fields: {
      programme: programmeId(),
      source: nullable(sourceId()),
      borrowerClass: nullable(borrowerClass()),
      ...policyFields,
    },
  },
} as const satisfies EventTable;

export type PolicyStored = StoredOf<typeof policyEvents>;
