import { applied, approved, disbursed, ground, lent, PLACE, paid, registered, reversed } from '../examples.js';
import { day, given, openUntil, type Sent } from '../scenario.js';
import type { Loan } from './state.js';
import { loanOn } from './view.js';

const ON = '2021-07-15';
const NEXT = '2021-07-16';
const GROUND = ground(ON);
const APPROVED: readonly Sent[] = [...GROUND, applied(ON), approved(ON)];
const rejected: Sent = ['reject-loan', ON, { loan: 'L', reason: 'thiếu hồ sơ', decision: 'QĐ-2' }];

describe('apply-for-loan', () => {
  it("records the borrower's dimensions with the application", () => {
    const group: Sent = ['register-group', ON, { group: 'G', ...PLACE, massOrganisation: 'YOUTH' }];
    const dimensions = {
      ...PLACE,
      group: 'G',
      massOrganisation: 'YOUTH',
      borrowerClass: 'POOR',
      borrowerKind: 'WORKER',
    };
    given(...GROUND, group, registered(ON, { borrower: 'C', group: 'G' }))
      .when(...applied(ON, { borrower: 'C' }))
      .gives(['LoanApplied', { loan: 'L', borrower: 'C', amount: 50_000_000, ...dimensions, ageing: [] }]);
  });

  it('is refused for a loan, programme or borrower that does not fit', () => {
    given(...GROUND, applied(ON))
      .when(...applied(ON))
      .refused('LOAN_EXISTS', 'loan');
    given(...GROUND)
      .when(...applied(ON, { programme: 'Q' }))
      .refused('PROGRAMME_UNKNOWN', 'programme');
    given(...GROUND)
      .when(...applied(ON, { borrower: 'C' }))
      .refused('BORROWER_UNKNOWN', 'borrower');
  });
});

describe('approve-loan', () => {
  it('fixes the terms by the policy in force on its value date, and names its revision', () => {
    given(...GROUND, ['publish-policy', ON, { ...POLICY_2022 }], applied(ON))
      .when(...approved(ON, { amount: 40_000_000 }))
      .gives(['LoanApproved', { amount: 40_000_000, annualRate: '0.0792', overdueFactor: '1.3', policyRevision: 0 }]);
    given(...GROUND, ['publish-policy', ON, { ...POLICY_2022 }], applied(ON), openUntil('2022-01-01'))
      .when(...approved('2022-01-01'))
      .gives(['LoanApproved', { annualRate: '0.066', policyRevision: 1 }]);
  });

  it('is not changed by what is published later', () => {
    const history = given(...APPROVED, disbursed(ON), ['publish-policy', ON, { ...POLICY_2022, effectiveFrom: ON }]);
    const loan = history.fold<Loan>('loan-L').state;
    expect(loanOn(loan, day('2021-08-15'))?.interest.accruedInTerm).toBe(336_329);
  });

  it('is refused without an application, after a decision, before the application or above it', () => {
    given(...GROUND)
      .when(...approved(ON))
      .refused('LOAN_UNKNOWN', 'loan');
    given(...APPROVED)
      .when(...approved(ON))
      .refused('LOAN_NOT_APPLIED', 'loan');
    given(...GROUND, applied(ON), rejected)
      .when(...approved(ON))
      .refused('LOAN_NOT_APPLIED', 'loan');
    given(...GROUND, openUntil(NEXT), applied(NEXT))
      .when(...approved(ON))
      .refused('VALUE_DATE_ORDER', 'valueDate');
    given(...GROUND, applied(ON))
      .when(...approved(ON, { amount: 50_000_001 }))
      .refused('APPROVAL_ABOVE_APPLICATION', 'amount');
  });

  it('is refused where no policy is in force', () => {
    const later = ground(ON, { effectiveFrom: NEXT });
    given(...later, applied(ON))
      .when(...approved(ON))
      .refused('POLICY_UNKNOWN', 'valueDate');
    const other = ground(ON, { source: 'OTHER' });
    given(...other, applied(ON))
      .when(...approved(ON))
      .refused('POLICY_UNKNOWN', 'valueDate');
  });
});

// Decision 2553's rate, from a day to come.
const POLICY_2022 = {
  ...{ programme: 'P', effectiveFrom: '2022-01-01', annualRate: '0.066', overdueFactor: '1.3', maxPerJob: 10 ** 15 },
  ...{ maxPerLoan: 10 ** 15, maxTermMonths: 120, arrearsOrder: 'INTEREST_FIRST', dueDayRoll: 'NONE', decision: '2553' },
};

describe('E14: limits', () => {
  const decrees: readonly Sent[] = [
    ...ground('2025-12-31', { maxPerJob: 100_000_000, maxPerLoan: 2_000_000_000 }),
    [
      'publish-policy',
      '2025-12-31',
      { ...POLICY_2022, effectiveFrom: '2026-01-01', maxPerJob: 200_000_000, maxPerLoan: 10_000_000_000 },
    ],
  ];
  const asked = (on: string, borrower: string, amount: number, termMonths: number, jobs: number) =>
    given(...decrees, openUntil(on), applied(on, { borrower, amount, termMonths, jobs })).when(
      ...approved(on, { amount }),
    );

  it.each([
    ['2025-12-31', 'B', 100_000_000, 120, 1],
    ['2026-01-01', 'B', 200_000_000, 120, 1],
    ['2025-12-31', 'E', 2_000_000_000, 120, 20],
    ['2025-12-31', 'E', 1_900_000_000, 120, 19],
    ['2026-01-01', 'E', 10_000_000_000, 120, 50],
  ])('on %s %s may have %d over %d months with %d jobs', (on, borrower, amount, termMonths, jobs) => {
    asked(on, borrower, amount, termMonths, jobs).gives(['LoanApproved', { amount }]);
  });

  it.each([
    ['2025-12-31', 'B', 100_000_001, 120, 1, 'LIMIT_PER_JOB'],
    ['2025-12-31', 'B', 100_000_001, 120, 20, 'LIMIT_PER_JOB'],
    ['2026-01-01', 'B', 200_000_001, 120, 1, 'LIMIT_PER_JOB'],
    ['2025-12-31', 'B', 100_000_000, 121, 1, 'LIMIT_TERM'],
    ['2025-12-31', 'E', 2_000_000_000, 120, 19, 'LIMIT_PER_JOB'],
    ['2025-12-31', 'E', 2_000_000_001, 120, 21, 'LIMIT_PER_LOAN'],
  ])('on %s %s may not have %d over %d months with %d jobs: %s', (on, borrower, amount, termMonths, jobs, code) => {
    asked(on, borrower, amount, termMonths, jobs).refused(code, code === 'LIMIT_TERM' ? 'loan' : 'amount');
  });

  it('are of the approved amount: an application may ask for more', () => {
    given(...decrees, applied('2025-12-31', { amount: 150_000_000 }))
      .when(...approved('2025-12-31', { amount: 100_000_000 }))
      .gives(['LoanApproved', { amount: 100_000_000 }]);
  });
});

describe('reject-loan', () => {
  it('rejects an application', () => {
    given(...GROUND, applied(ON))
      .when(...rejected)
      .gives(['LoanRejected', { reason: 'thiếu hồ sơ', ageing: [] }]);
  });

  it('is refused without an application, after a decision or before the application', () => {
    given(...GROUND)
      .when(...rejected)
      .refused('LOAN_UNKNOWN', 'loan');
    given(...GROUND, applied(ON), rejected)
      .when(...rejected)
      .refused('LOAN_NOT_APPLIED', 'loan');
    given(...APPROVED)
      .when(...rejected)
      .refused('LOAN_NOT_APPLIED', 'loan');
    given(...GROUND, openUntil(NEXT), applied(NEXT))
      .when(...rejected)
      .refused('VALUE_DATE_ORDER', 'valueDate');
  });
});

describe('disburse-loan', () => {
  it('commits capital, then pays out with the schedule and the jobs', () => {
    given(...GROUND, applied(ON, { jobs: 3 }), approved(ON))
      .when(...disbursed(ON))
      .gives(
        ['CapitalCommitted', { purpose: 'DISBURSEMENT', loan: 'L', borrower: 'B', amount: 50_000_000, voucher: 'V-1' }],
        ['LoanDisbursed', { amount: 50_000_000, voucher: 'V-1', jobs: 3 }],
      );
  });

  it('pays out in parts: the jobs once, the later part over the instalments that are left', () => {
    const part = { amount: 20_000_000 };
    const { outcome } = given(
      ...GROUND,
      applied(ON, { jobs: 3 }),
      approved(ON),
      disbursed(ON, part),
      openUntil('2022-01-15'),
    )
      .when(...disbursed('2022-01-15', { amount: 30_000_000, voucher: 'V-2' }))
      .gives(['CapitalCommitted'], ['LoanDisbursed', { amount: 30_000_000, jobs: 0 }]);
    expect(outcome.written.at(-1)?.data).toMatchObject({
      installments: [2, 3, 4, 5, 6].map((installment) => ({ installment, principal: 6_000_000 })),
    });
  });

  it('is refused for a loan that is not approved', () => {
    given(...GROUND)
      .when(...disbursed(ON))
      .refused('LOAN_UNKNOWN', 'loan');
    given(...GROUND, applied(ON))
      .when(...disbursed(ON))
      .refused('LOAN_NOT_APPROVED', 'loan');
    given(...GROUND, applied(ON), rejected)
      .when(...disbursed(ON))
      .refused('LOAN_NOT_APPROVED', 'loan');
  });

  it('is refused before the approval, before a recorded part and before a standing payment', () => {
    const later = given(...GROUND, openUntil(NEXT), applied(NEXT), approved(NEXT));
    later.when(...disbursed(ON)).refused('VALUE_DATE_ORDER', 'valueDate');
    const part = later.after(disbursed(NEXT, { amount: 20_000_000 })).after(openUntil('2021-07-20'));
    part.when(...disbursed(ON, { voucher: 'V-2', amount: 1 })).refused('VALUE_DATE_ORDER', 'valueDate');
    const paidUp = part.after(paid('2021-07-20', 1_000));
    paidUp.when(...disbursed('2021-07-19', { voucher: 'V-2', amount: 1 })).refused('VALUE_DATE_ORDER', 'valueDate');
    paidUp
      .after(reversed('2021-07-20'))
      .when(...disbursed('2021-07-19', { voucher: 'V-2', amount: 1 }))
      .gives(['CapitalCommitted'], ['LoanDisbursed']);
  });

  it('is refused on or after the last due day', () => {
    const short = given(...GROUND, applied(ON, { termMonths: 1 }), approved(ON), disbursed(ON, { amount: 1_000 }));
    const part = disbursed('2021-08-15', { voucher: 'V-2', amount: 1_000 });
    short
      .after(openUntil('2021-08-15'))
      .when(...part)
      .refused('VALUE_DATE_AFTER_LAST_DUE', 'valueDate');
  });

  it('is refused above what was approved, with a used voucher, without capital', () => {
    const part = given(...APPROVED, disbursed(ON, { amount: 20_000_000 }));
    part
      .when(...disbursed(ON, { voucher: 'V-2', amount: 30_000_001 }))
      .refused('DISBURSEMENT_ABOVE_APPROVAL', 'amount');
    part.when(...disbursed(ON, { amount: 30_000_000 })).refused('VOUCHER_ALREADY_USED', 'voucher');
    const more = { loan: 'M', amount: 10 ** 12 };
    given(...GROUND, applied(ON, more), approved(ON, more), ...APPROVED.slice(-2), disbursed(ON))
      .when(...disbursed(ON, more))
      .refused('CAPITAL_INSUFFICIENT', 'amount');
  });

  it('is refused on a settled loan, until a reversal opens it', () => {
    const settled = given(...APPROVED, disbursed(ON, { amount: 1_000 }), paid(ON, 1_000));
    const part = disbursed(ON, { voucher: 'V-2', amount: 1_000 });
    settled.when(...part).refused('LOAN_SETTLED', 'loan');
    settled
      .after(reversed(ON))
      .when(...part)
      .gives(['CapitalCommitted'], ['LoanDisbursed']);
  });
});

describe('E15: 550 bn funded, 550 lent, 100 recovered, 60 lent again', () => {
  it('has 510 outstanding and 40 idle', () => {
    const tỷ = 10 ** 9;
    const whole = { loan: 'L', amount: 550 * tỷ };
    const again = { loan: 'M', amount: 60 * tỷ };
    const establishment = { borrower: 'E', jobs: 10_000 };
    const history = given(
      ['open-programme', ON, { programme: 'P', name: 'Việc làm', plan: '159', from: ON, to: ON, targets: [] }],
      ['publish-policy', ON, { ...POLICY_2022, effectiveFrom: ON }],
      ['fund-tranche', ON, { programme: 'P', source: 'CITY', amount: 550 * tỷ, decision: '1' }],
      ['allocate-capital', ON, { programme: 'P', source: 'CITY', district: '001', amount: 550 * tỷ, decision: '1' }],
      registered(ON, { borrower: 'E', kind: 'ESTABLISHMENT' }),
      ...[applied(ON, { ...whole, ...establishment }), approved(ON, whole), disbursed(ON, whole)],
      ...[applied(ON, { ...again, ...establishment }), approved(ON, again), paid(ON, 100 * tỷ)],
    );
    history.when(...disbursed(ON, again)).refused('CAPITAL_INSUFFICIENT', 'amount');
    const after = history.after(openUntil(NEXT)).after(disbursed(NEXT, again));
    const outstanding = ['L', 'M'].map(
      (id) => loanOn(after.fold<Loan>(`loan-${id}`).state, day(NEXT))?.outstanding ?? 0,
    );
    expect(outstanding.map((sum) => sum / tỷ)).toEqual([450, 60]);
    expect(after.fold<{ available: number }>('districtFund-P:001:CITY').state.available).toBe(40 * tỷ);
  });
});

describe('a loan on a day', () => {
  const history = given(...lent(ON));
  const seen = (on: string) => loanOn(history.fold<Loan>('loan-L').state, day(on));

  it('follows from the schedule, whether the day was closed or not', () => {
    expect(seen('2022-01-15')).toMatchObject({ status: 'ACTIVE', overdue: 0, daysPastDue: 0, inTerm: 50_000_000 });
    expect(seen('2022-01-16')).toMatchObject({ overdue: 8_333_000, daysPastDue: 1, inTerm: 41_667_000 });
    expect(
      seen('2022-01-16')
        ?.installments.map(({ status }) => status)
        .slice(0, 2),
    ).toEqual(['OVERDUE', 'IN_TERM']);
  });

  it('is not there before its application', () => {
    expect(seen('2021-07-14')).toBeNull();
    expect(given().fold<Loan>('loan-L').state).toEqual({ status: 'NONE' });
  });
});
