import {
  allocated,
  applied,
  approved,
  disbursed,
  funded,
  ground,
  lent,
  opened,
  PLACE,
  PROGRAMME,
  paid,
  published,
  registered,
  reversed,
  TARGET,
} from './examples.js';
import { fill, type RefusalCode, refusals } from './refusals.js';
import { closed, given, openUntil, type Sent } from './scenario.js';

/*
 * Every refusal has a case. Those that a decision of the ledger gives stand here, with the history and the command
 * that lead to them; of the others it is said who gives them, and their own specs have the cases.
 */

type Given = readonly [past: readonly Sent[], refused: Sent];
/** A field's kind or a request's own members; the engine around decisions; HTTP, CLI, sheets and queries. */
type Elsewhere = 'fields' | 'request' | 'engine' | 'surface';

const ON = '2021-07-15';
const NEXT = '2021-07-16';
const DUE = '2022-01-15';
const GROUND = ground(ON);
const APPLIED = [...GROUND, applied(ON)];
const APPROVED = [...APPLIED, approved(ON)];
const LENT = lent(ON);
const group: Sent = ['register-group', ON, { group: 'G', ...PLACE, massOrganisation: 'WOMEN' }];
const limited = (terms: Sent[2], application: Sent[2] = {}): Given => [
  [...ground(ON, terms), applied(ON, application)],
  approved(ON),
];

const CASES: Readonly<Record<RefusalCode, Given | Elsewhere>> = {
  BODY_NOT_JSON: 'surface',
  LINE_NOT_JSON: 'surface',
  LINE_INCOMPLETE: 'surface',
  LINE_TOO_LARGE: 'surface',
  BODY_TOO_LARGE: 'surface',
  OBJECT_INVALID: 'fields',
  LIST_INVALID: 'fields',
  FIELD_UNKNOWN: 'fields',
  FIELD_MISSING: 'fields',
  AMOUNT_INVALID: 'fields',
  INTEGER_INVALID: 'fields',
  BOOLEAN_INVALID: 'fields',
  RATE_INVALID: 'fields',
  DATE_INVALID: 'fields',
  INSTANT_INVALID: 'request',
  ID_INVALID: 'fields',
  REFERENCE_INVALID: 'fields',
  TEXT_INVALID: 'fields',
  CODE_UNKNOWN: [LENT, paid(ON, 1, { method: 'CHEQUE' })],
  DISTRICT_UNKNOWN: [GROUND, allocated(ON, 1, '999')],
  COMMUNE_INVALID: [GROUND, registered(ON, { borrower: 'C', commune: '123' })],
  MASS_ORGANISATION_UNKNOWN: [[], ['register-group', ON, { group: 'G', ...PLACE, massOrganisation: 'CHOIR' }]],
  BORROWER_CLASS_UNKNOWN: [GROUND, registered(ON, { borrower: 'C', borrowerClass: 'RICH' })],
  COMMAND_UNKNOWN: 'request',
  KEY_MISSING: 'request',
  KEY_INVALID: 'request',
  ACTOR_INVALID: 'request',
  IF_MATCH_INVALID: 'request',
  PARAMETER_UNKNOWN: 'surface',
  PARAMETER_INVALID: 'surface',
  KEY_REUSED: 'engine',
  REVISION_MOVED: 'engine',
  RECORDED_AT_NOT_ALLOWED: 'engine',
  RECORDED_AT_TOO_EARLY: 'engine',
  LEDGER_EMPTY: [[], closed(ON)],
  VALUE_DATE_AFTER_OPEN_DAY: [GROUND, applied(NEXT)],
  VALUE_DATE_BEFORE_LEDGER: [GROUND, applied('2021-07-14')],
  VALUE_DATE_AFTER_CLOCK: 'engine',
  DAY_AHEAD_OF_CLOCK: [GROUND, ['close-business-day', ON, { date: NEXT }]],
  PROGRAMME_EXISTS: [[opened(ON)], opened(ON)],
  PROGRAMME_UNKNOWN: [[], funded(ON)],
  PERIOD_INVALID: [[], ['open-programme', ON, { ...PROGRAMME, to: '2020-01-01' }]],
  YEAR_TWICE: [[], ['open-programme', ON, { ...PROGRAMME, targets: [TARGET, TARGET] }]],
  POLICY_UNKNOWN: limited({ effectiveFrom: NEXT }),
  GROUP_EXISTS: [[group], group],
  GROUP_UNKNOWN: [[], registered(ON, { group: 'G' })],
  DISTRICT_NOT_OF_GROUP: [[group], registered(ON, { group: 'G', district: '002' })],
  BORROWER_EXISTS: [GROUND, registered(ON)],
  BORROWER_UNKNOWN: [GROUND, applied(ON, { borrower: 'C' })],
  SUM_TOO_LARGE: [[opened(ON), ...Array.from({ length: 9 }, () => funded(ON, 10 ** 15))], funded(ON, 10 ** 15)],
  FUND_UNKNOWN: [[opened(ON)], allocated(ON)],
  CAPITAL_NOT_FUNDED: [[opened(ON), funded(ON, 1)], allocated(ON, 2)],
  CAPITAL_INSUFFICIENT: [
    [opened(ON), published(ON), funded(ON), registered(ON), applied(ON), approved(ON)],
    disbursed(ON),
  ],
  DISTRICTS_ALIKE: [
    GROUND,
    [
      'reallocate-capital',
      ON,
      { programme: 'P', source: 'CITY', fromDistrict: '001', toDistrict: '001', amount: 1, decision: '1' },
    ],
  ],
  LOAN_EXISTS: [APPLIED, applied(ON)],
  LOAN_UNKNOWN: [GROUND, approved(ON)],
  LOAN_NOT_APPLIED: [APPROVED, approved(ON)],
  LOAN_NOT_APPROVED: [APPLIED, disbursed(ON)],
  LOAN_NOT_DISBURSED: [APPROVED, paid(ON, 1)],
  LOAN_SETTLED: [[...LENT, paid(ON, 50_000_000)], paid(ON, 1, { receipt: 'R-2' })],
  APPROVAL_ABOVE_APPLICATION: [APPLIED, approved(ON, { amount: 50_000_001 })],
  LIMIT_PER_JOB: limited({ maxPerJob: 49_999_999 }),
  LIMIT_PER_LOAN: limited({ maxPerLoan: 49_999_999 }, { borrower: 'E' }),
  LIMIT_TERM: limited({ maxTermMonths: 35 }),
  VALUE_DATE_ORDER: [[...GROUND, openUntil(NEXT), applied(NEXT)], approved(ON)],
  VALUE_DATE_AFTER_LAST_DUE: [
    [...GROUND, applied(ON, { termMonths: 6 }), approved(ON), disbursed(ON, { amount: 1 }), openUntil(DUE)],
    disbursed(DUE, { amount: 1, voucher: 'V-2' }),
  ],
  DISBURSEMENT_ABOVE_APPROVAL: [APPROVED, disbursed(ON, { amount: 50_000_001 })],
  VOUCHER_ALREADY_USED: [[...APPROVED, disbursed(ON, { amount: 1 })], disbursed(ON, { amount: 1 })],
  RECEIPT_ALREADY_USED: [[...LENT, paid(ON, 1)], paid(ON, 1)],
  RECEIPT_UNKNOWN: [LENT, reversed(ON)],
  PAYMENT_ALREADY_REVERSED: [[...LENT, paid(ON, 1), reversed(ON)], reversed(ON)],
  PAYMENT_ABOVE_DUE: [LENT, paid(ON, 50_000_001)],
  ALLOCATION_SUM: [LENT, paid(ON, 2, { allocation: { principalPrepaid: 1 } })],
  ALLOCATION_ABOVE_UNPAID: [LENT, paid(ON, 1, { allocation: { interestInTerm: 1 } })],
  GROUP_LEADER_PRINCIPAL: [LENT, paid(ON, 1, { method: 'GROUP_LEADER' })],
  LOAN_NOT_KNOWN: 'surface',
  PROJECTION_UNKNOWN: 'surface',
  ROUTE_UNKNOWN: 'surface',
  METHOD_UNSUPPORTED: 'surface',
  TOKEN_INVALID: 'surface',
  READ_MODEL_BEHIND: 'surface',
  READ_MODEL_HALTED: 'surface',
  LEDGER_HELD: 'surface',
  LEDGER_SIMULATED: 'surface',
  SIMULATION_OTHER: 'surface',
  LEDGER_READ_ONLY: 'surface',
  FILE_UNREADABLE: 'surface',
  DISK_FULL: 'surface',
  DATA_DAMAGED: 'surface',
  DATA_FOREIGN: 'surface',
  STORE_UNREACHABLE: 'surface',
  OUTCOME_UNKNOWN: 'surface',
  IMPORT_TARGET_DIFFERS: 'surface',
  STORE_REFUSES: 'surface',
  SHUTTING_DOWN: 'surface',
};

const cases = Object.entries(CASES).filter((one): one is [RefusalCode, Given] => typeof one[1] !== 'string');

describe('a refusal', () => {
  it.each(cases)('%s is given, names a field and says what would be accepted', (code, [past, refused]) => {
    const { outcome } = given(...past)
      .when(...refused)
      .refused(code);
    expect(outcome.written).toEqual([]);
    expect(outcome.refusal?.errors).toEqual([
      { field: expect.stringMatching(/^[a-z]/), code, accepted: expect.any(String) },
    ]);
  });

  it.each(cases)('%s has texts whose every gap is filled', (code, [past, refused]) => {
    const { refusal } = given(...past).decide(refused);
    for (const text of [refusals[code].en, refusals[code].vi, refusals[code].accepted]) {
      expect(fill(text, refusal?.params ?? {})).not.toMatch(/[{}]/);
    }
  });

  it.each(Object.entries(refusals))('%s says in both languages what it is and what would be accepted', (_, entry) => {
    expect(entry.accepted.trim()).not.toBe('');
    for (const text of [entry.en, entry.vi]) expect(text).toMatch(/^\S.*(\.|\{detail\})$/);
    expect(entry.vi).not.toBe(entry.en);
  });
});
