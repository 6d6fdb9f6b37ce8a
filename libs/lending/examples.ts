import type { Sent } from './scenario.js';

/* Commands that specs have in common: programme P, source CITY, district 001, borrower B and establishment E. */

type Data = Sent[2];

export const TARGET = { year: 2021, capital: 1, jobs: 1, collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' };
export const PROGRAMME = {
  ...{ programme: 'P', name: 'Cho vay giải quyết việc làm', plan: '159/KH-UBND' },
  ...{ from: '2021-07-01', to: '2025-12-31', targets: [TARGET] },
};
export const POLICY = {
  ...{ programme: 'P', effectiveFrom: '2019-11-08', annualRate: '0.0792', overdueFactor: '1.3' },
  ...{ maxPerJob: 10 ** 15, maxPerLoan: 10 ** 15, maxTermMonths: 120 },
  ...{ arrearsOrder: 'INTEREST_FIRST', dueDayRoll: 'NONE', decision: '74/2019/NĐ-CP' },
};
export const PLACE = { district: '001', commune: '00001' };
export const MONEY = { programme: 'P', source: 'CITY', decision: '159/KH-UBND' };
export const APPLICATION = {
  ...{ loan: 'L', borrower: 'B', programme: 'P', source: 'CITY', amount: 50_000_000 },
  ...{ termMonths: 36, installmentEveryMonths: 6, jobs: 1, purpose: 'xưởng may' },
};

export const opened = (on: string): Sent => ['open-programme', on, PROGRAMME];
export const published = (on: string, terms: Data = {}): Sent => ['publish-policy', on, { ...POLICY, ...terms }];
export const funded = (on: string, amount = 10 ** 12): Sent => ['fund-tranche', on, { ...MONEY, amount }];
export const allocated = (on: string, amount = 10 ** 12, district = '001'): Sent => [
  'allocate-capital',
  on,
  { ...MONEY, district, amount },
];
export const registered = (on: string, borrower: Data = {}): Sent => [
  'register-borrower',
  on,
  { borrower: 'B', kind: 'WORKER', borrowerClass: 'POOR', ...PLACE, ...borrower },
];
export const establishment = (on: string): Sent =>
  registered(on, { borrower: 'E', kind: 'ESTABLISHMENT', borrowerClass: 'ENTERPRISE' });
export const applied = (on: string, application: Data = {}): Sent => [
  'apply-for-loan',
  on,
  { ...APPLICATION, ...application },
];
export const approved = (on: string, approval: Data = {}): Sent => [
  'approve-loan',
  on,
  { loan: 'L', amount: APPLICATION.amount, decision: 'QĐ-1', ...approval },
];
export const disbursed = (on: string, part: Data = {}): Sent => [
  'disburse-loan',
  on,
  { loan: 'L', amount: APPLICATION.amount, voucher: 'V-1', ...part },
];
export const paid = (on: string, amount: number, payment: Data = {}): Sent => [
  'record-payment',
  on,
  { loan: 'L', amount, receipt: 'R-1', method: 'TRANSFER', ...payment },
];
export const reversed = (on: string, reversal: Data = {}): Sent => [
  'reverse-payment',
  on,
  { loan: 'L', receipt: 'R-1', reason: 'nhập sai số tiền', decision: 'QĐ-9', ...reversal },
];

/** A programme with a policy, capital in district 001 and its two borrowers. */
export const ground = (on: string, terms: Data = {}): readonly Sent[] => [
  opened(on),
  published(on, terms),
  funded(on),
  allocated(on),
  registered(on),
  establishment(on),
];

/** And a loan that was applied for, approved and paid out whole on one day. */
export const lent = (on: string, application: Data = {}, terms: Data = {}): readonly Sent[] => {
  const { amount, loan } = { ...APPLICATION, ...application };
  return [
    ...ground(on, terms),
    applied(on, application),
    approved(on, { loan, amount }),
    disbursed(on, { loan, amount }),
  ];
};
