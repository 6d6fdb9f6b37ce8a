/* A ledger in which every refusal of the domain has its reason: loans in each state, capital here and none there. */

/** The clock of the fixture; its days are closed up to the day before. */
export const NOW = '2021-02-10T03:00:00.000Z';
export const OPEN = '2021-02-10';
export const FIRST = '2021-01-04';
const LATER = '2021-01-20';

export const line = (command: string, valueDate: string, data: object, more: object = {}) => ({
  ...{ command, valueDate, data },
  ...more,
});

const [P, S] = ['P', 'S'];
const target = { capital: 1_000, jobs: 1, collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' };
export const programme = {
  ...{ programme: P, name: 'Việc làm', plan: '159/KH-UBND', from: '2021-01-01', to: '2025-12-31' },
  targets: [{ year: 2021, ...target }],
};
export const policy = {
  ...{ programme: P, effectiveFrom: '2021-01-01', annualRate: '0.0792', overdueFactor: '1.3' },
  ...{ maxPerJob: 100_000_000, maxPerLoan: 2_000_000_000, maxTermMonths: 60 },
  ...{ arrearsOrder: 'INTEREST_FIRST', dueDayRoll: 'NONE', decision: 'QD-1' },
};
export const group = { group: 'G1', district: '268', commune: '09552', massOrganisation: 'WOMEN' };
export const borrower = {
  ...{ borrower: 'B1', kind: 'WORKER', borrowerClass: 'POOR', district: '268', commune: '09552', group: 'G1' },
};
export const application = (loan: string, more: object = {}) => ({
  ...{ loan, borrower: 'B1', programme: P, source: S, amount: 50_000_000, termMonths: 24 },
  ...{ installmentEveryMonths: 6, jobs: 1, purpose: 'Chăn nuôi' },
  ...more,
});
export const tranche = (source: string, amount: number) => ({ programme: P, source, amount, decision: 'QD-2' });
export const allocation = (more: object = {}) => ({
  ...{ programme: P, source: S, district: '268', amount: 300_000_000, decision: 'QD-3' },
  ...more,
});
export const payment = (loan: string, receipt: string, amount: number, more: object = {}) => ({
  ...{ loan, amount, receipt, method: 'CASH' },
  ...more,
});
export const approval = (loan: string, amount = 50_000_000) => ({ loan, amount, decision: 'PD-1' });
export const part = (loan: string, amount: number, voucher: string) => ({ loan, amount, voucher });
export const reversal = (loan: string, receipt: string) => ({ loan, receipt, reason: 'nhầm', decision: 'QD-4' });

const on = (day: string, command: string, data: object) => line(command, day, data);

export const fixture: readonly object[] = [
  on(FIRST, 'open-programme', programme),
  on(FIRST, 'open-programme', { ...programme, programme: 'WITHOUT-POLICY' }),
  on(FIRST, 'publish-policy', policy),
  on(FIRST, 'fund-tranche', tranche(S, 1_000_000_000)),
  ...Array.from({ length: 9 }, () => on(FIRST, 'fund-tranche', tranche('FULL', 1_000_000_000_000_000))),
  on(FIRST, 'allocate-capital', allocation()),
  on(FIRST, 'register-group', group),
  on(FIRST, 'register-borrower', borrower),
  on(FIRST, 'register-borrower', { ...borrower, borrower: 'B2', district: '271', group: null }),
  on(FIRST, 'register-borrower', { ...borrower, borrower: 'E1', kind: 'ESTABLISHMENT', group: null }),
  // A loan of one month, of which a part is paid out: its last due day has passed.
  on(FIRST, 'apply-for-loan', application('SHORT', { termMonths: 1, installmentEveryMonths: 1 })),
  on(FIRST, 'approve-loan', approval('SHORT')),
  on(FIRST, 'disburse-loan', part('SHORT', 20_000_000, 'V1')),
  // A loan that is paid back on the day on which it was paid out.
  on(FIRST, 'apply-for-loan', application('SETTLED')),
  on(FIRST, 'approve-loan', approval('SETTLED')),
  on(FIRST, 'disburse-loan', part('SETTLED', 50_000_000, 'V1')),
  on(FIRST, 'record-payment', payment('SETTLED', 'R1', 50_000_000)),
  line('close-business-day', FIRST, { date: '2021-01-19' }),
  on(LATER, 'apply-for-loan', application('APPLIED')),
  on(LATER, 'apply-for-loan', application('MANY', { amount: 150_000_000 })),
  on(LATER, 'apply-for-loan', application('LARGE', { borrower: 'E1', amount: 2_500_000_000, jobs: 50 })),
  on(LATER, 'apply-for-loan', application('LONG', { termMonths: 72 })),
  on(LATER, 'apply-for-loan', application('UNRULED', { programme: 'WITHOUT-POLICY' })),
  on(LATER, 'apply-for-loan', application('APPROVED')),
  on(LATER, 'approve-loan', approval('APPROVED')),
  on(LATER, 'apply-for-loan', application('ELSEWHERE', { borrower: 'B2' })),
  on(LATER, 'approve-loan', approval('ELSEWHERE')),
  on(LATER, 'apply-for-loan', application('ACTIVE')),
  on(LATER, 'approve-loan', approval('ACTIVE')),
  on(LATER, 'disburse-loan', part('ACTIVE', 40_000_000, 'V1')),
  on(LATER, 'record-payment', payment('ACTIVE', 'R1', 1_000_000)),
  on(LATER, 'record-payment', payment('ACTIVE', 'R2', 1_000_000)),
  on(LATER, 'reverse-payment', reversal('ACTIVE', 'R2')),
  line('close-business-day', FIRST, { date: '2021-02-09' }),
];
