import type { EventTable, StoredOf } from '../../kernel/decider.js';
import { nullable, oneOf, optional, reference } from '../../kernel/fields.js';
import { BORROWER_KINDS } from '../codes.js';
import { borrowerClass, borrowerId, commune, district, groupId, massOrganisation } from '../vocabulary.js';

/* Storage format: change with care. No personal data here: a random id and coded classes (domain §7). */

export const registerBorrowerFields = {
  borrower: borrowerId(),
  kind: oneOf(BORROWER_KINDS),
  borrowerClass: borrowerClass(),
  district: district(),
  commune: commune(),
  group: optional(groupId()),
};

export const reclassifyBorrowerFields = {
  borrower: borrowerId(),
  borrowerClass: borrowerClass(),
  decision: reference(),
};

export const borrowerEvents = {
  BorrowerRegistered: {
    version: 1,
    summary: 'A household or an establishment that may apply for loans.',
    fields: { ...registerBorrowerFields, group: nullable(groupId()), massOrganisation: massOrganisation() },
  },
  BorrowerReclassified: {
    version: 1,
    summary: 'Another beneficiary class, for later applications; running loans keep theirs.',
    fields: {
      ...reclassifyBorrowerFields,
      district: district(),
      previousClass: borrowerClass(),
    },
  },
} as const satisfies EventTable;

export type BorrowerStored = StoredOf<typeof borrowerEvents>;
