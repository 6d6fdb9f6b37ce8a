/*
 * A small history in which every part of the page has something to show: three districts, a loan that pays, one that
 * does not, one whose payment was taken back late, and one that is settled.
 */

const OPENED = '2021-01-04';
export const LAST = '2022-03-31';
export const LATE = 'LATE';
/** A receipt may be any visible characters: it must be shown as what it is. */
export const RECEIPT = '<b>"R&amp;1\'</b>';

const programme = {
  ...{ programme: 'P', name: 'Cho vay', plan: '159/KH-UBND', from: '2021-01-01', to: '2022-12-31' },
  targets: [2021, 2022].map((year) => ({
    ...{ year, capital: 900_000_000, jobs: 4 },
    ...{ collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' },
  })),
};
const policy = {
  ...{ programme: 'P', effectiveFrom: '2021-01-01', annualRate: '0.0792', overdueFactor: '1.3' },
  ...{ maxPerJob: 100_000_000, maxPerLoan: 2_000_000_000, maxTermMonths: 120 },
  ...{ arrearsOrder: 'INTEREST_FIRST', dueDayRoll: 'NONE', decision: '74/2019/ND-CP' },
};
const capital = (amount: number) => ({ programme: 'P', source: 'city', amount, decision: 'QD-1' });

type Step = readonly [day: string, command: string, data: object, valueDate?: string];

const loan = (id: string, district: string, commune: string, day: string): readonly Step[] => [
  [day, 'register-borrower', { borrower: id, kind: 'WORKER', borrowerClass: 'POOR', district, commune, group: null }],
  [
    day,
    'apply-for-loan',
    {
      ...{ loan: id, borrower: id, programme: 'P', source: 'city', amount: 60_000_000, termMonths: 12 },
      ...{ installmentEveryMonths: 6, jobs: 1, purpose: 'Chăn nuôi' },
    },
  ],
  [day, 'approve-loan', { loan: id, amount: 60_000_000, decision: 'PD' }],
  [day, 'disburse-loan', { loan: id, amount: 60_000_000, voucher: `PC-${id}` }],
];
const paid = (day: string, id: string, amount: number, receipt: string, valueDate?: string): Step => [
  day,
  'record-payment',
  { loan: id, amount, receipt, method: 'CASH' },
  valueDate,
];

const steps: readonly Step[] = [
  [OPENED, 'open-programme', programme],
  [OPENED, 'publish-policy', policy],
  [OPENED, 'fund-tranche', capital(1_000_000_000)],
  ...['016', '268', '271'].map((district): Step => [OPENED, 'allocate-capital', { ...capital(250_000_000), district }]),
  ...loan('GOOD', '016', '00376', '2021-01-18'),
  ...loan(LATE, '271', '09619', '2021-02-22'),
  ...loan('BACK', '268', '09552', '2021-03-15'),
  ...loan('DONE', '016', '00376', '2021-03-15'),
  paid('2021-07-18', 'GOOD', 32_000_000, RECEIPT),
  paid('2021-09-15', 'BACK', 32_000_000, 'BL-2'),
  // All of it, and entered two weeks late: what was known on 15 September differs.
  paid('2021-09-29', 'DONE', 62_382_510, 'BL-3', '2021-09-14'),
  ['2021-11-10', 'reverse-payment', { loan: 'BACK', receipt: 'BL-2', reason: 'Nhầm', decision: 'HD' }],
  paid('2022-01-17', 'GOOD', 30_100_000, 'BL-4'),
];

/** The lines of the history, each recorded on its own day, with the days closed in between. */
export function pageLedger(): readonly object[] {
  const lines: object[] = [];
  let open = OPENED;
  const line = (day: string, command: string, data: object, valueDate = day, hour = '09') =>
    lines.push({
      ...{ command, id: `k-${lines.length}`, actor: 'test', valueDate, data },
      recordedAt: `${day}T${hour}:00:00.000Z`,
    });
  const closeUntil = (day: string) => {
    const before = new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);
    if (day > open) line(before, 'close-business-day', { date: before }, before, '11');
    open = day;
  };
  for (const [day, command, data, valueDate] of steps) {
    closeUntil(day);
    line(day, command, data, valueDate);
  }
  closeUntil(LAST);
  return lines;
}
