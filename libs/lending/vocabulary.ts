import { id, oneOf, pattern } from '../kernel/fields.js';
import { BORROWER_CLASSES, DISTRICT_CODES, MASS_ORGANISATIONS } from './codes.js';

/*
 * The kinds of field that more than one aggregate uses, and the names of streams. Stream names are stored: a name is
 * never changed. Identifiers hold no colon, so the parts of a name cannot run into one another.
 */

export const programmeId = () => id('programme');
export const sourceId = () => id('source');
export const groupId = () => id('group');
export const borrowerId = () => id('borrower');
export const loanId = () => id('loan');
export const district = () => oneOf(DISTRICT_CODES, 'DISTRICT_UNKNOWN');
/** Communes were split, merged and renumbered: the form is checked, no list (contract §1, Codes). */
export const commune = () =>
  pattern<string>('^[0-9]{5}$', 'COMMUNE_INVALID', 'a statistics-office code of five digits');
export const massOrganisation = () => oneOf(MASS_ORGANISATIONS, 'MASS_ORGANISATION_UNKNOWN');
export const borrowerClass = () => oneOf(BORROWER_CLASSES, 'BORROWER_CLASS_UNKNOWN');

export const BUSINESS_DAY_STREAM = 'businessDay';
export const programmeStream = (programme: string) => `programme-${programme}`;
export const policyStream = (programme: string) => `policy-${programme}`;
export const groupStream = (group: string) => `group-${group}`;
export const borrowerStream = (borrower: string) => `borrower-${borrower}`;
export const loanStream = (loan: string) => `loan-${loan}`;
export const fundStream = (of: { readonly programme: string; readonly source: string }) =>
  `fund-${of.programme}:${of.source}`;
export const districtFundStream = (of: {
  readonly programme: string;
  readonly district: string;
  readonly source: string;
}) => `districtFund-${of.programme}:${of.district}:${of.source}`;
