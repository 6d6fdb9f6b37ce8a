import type { Day } from './exact.js';
import { known, ofType } from './facts.js';
import { accepted, application, createDesk, type Desk, lend, openProgramme, POLICY, pay } from './fixture.js';
import { accruedBy, bookOf } from './loan.js';
import { portfolioQuality } from './quality.js';
import { districtBalances, type JsonObject, loanView } from './views.js';

const FAR = '2199-12-31';
const view = (desk: Desk, asOf: Day, loan = 'L'): JsonObject => loanView(desk.model, asOf, FAR, loan) ?? {};
const interest = (desk: Desk, asOf: Day): unknown => view(desk, asOf).interest;
const dueDates = (desk: Desk, asOf: Day): string[] =>
  (view(desk, asOf).installments as JsonObject[]).map((item) => String(item.dueDate));

const lent = (day: Day, amount: number, termMonths: number, every: number, annualRate = '0.0792'): Desk => {
  const desk = createDesk(day);
  openProgramme(desk, day, { annualRate });
  lend(desk, day, 'L', amount, termMonths, every);
  return desk;
};

describe('the worked examples of the domain', () => {
  test.each([
    ['E1', '2021-07-15', '2021-08-15', '0.0792', 50_000_000, 336_329],
    ['E1 overdue rate', '2021-07-15', '2021-08-15', '0.10296', 50_000_000, 437_227],
    ['E1 preferential', '2021-07-15', '2021-08-15', '0.0396', 50_000_000, 168_164],
    ['E2', '2021-09-15', '2021-10-15', '0.0792', 50_000_000, 325_479],
    ['E2 overdue rate', '2021-09-15', '2021-10-15', '0.10296', 50_000_000, 423_123],
    ['E2 preferential', '2021-09-15', '2021-10-15', '0.0396', 50_000_000, 162_740],
    ['E3 2023', '2023-01-01', '2024-01-01', '0.0792', 50_000_000, 3_960_000],
    ['E3 leap 2024', '2024-01-01', '2025-01-01', '0.0792', 50_000_000, 3_970_849],
    ['E11', '2026-01-01', '2026-02-01', '0.079248', 200_000_000, 1_346_130],
    ['E11 special', '2026-01-01', '2026-02-01', '0.0624', 200_000_000, 1_059_945],
  ])('%s: a full balance from %s to %s at %s', (_, from, to, rate, amount, expected) => {
    const desk = lent(from, amount, 60, 60, rate);
    expect(interest(desk, to)).toMatchObject({ accruedInTerm: expected, accruedOverdue: 0 });
  });

  test('E11 overdue', () => {
    const desk = lent('2025-12-01', 200_000_000, 1, 1, '0.079248');
    desk.openUntil('2026-02-01');
    expect(interest(desk, '2026-02-01')).toMatchObject({ accruedOverdue: 1_749_970 });
  });

  test('E4 and E5: the schedule, paid on the day', () => {
    const desk = lent('2021-07-15', 50_000_000, 36, 6);
    const items = view(desk, '2021-07-15').installments as JsonObject[];
    expect(items.map((item) => [item.dueDate, item.principal])).toEqual([
      ['2022-01-15', 8_333_000],
      ['2022-07-15', 8_333_000],
      ['2023-01-15', 8_333_000],
      ['2023-07-15', 8_333_000],
      ['2024-01-15', 8_333_000],
      ['2024-07-15', 8_335_000],
    ]);
    const expected = [1_996_274, 1_636_451, 1_330_876, 981_903, 665_478, 329_161];
    const events = items.map((item, index) => {
      const day = String(item.dueDate);
      desk.openUntil(day);
      expect(interest(desk, day)).toMatchObject({ due: expected[index] });
      return pay(desk, day, 'L', Number(item.principal) + Number(expected[index]));
    });
    expect(events.at(-1)).toEqual(['InstallmentPaid', 'LoanSettled']);
    expect(view(desk, '2024-07-15')).toMatchObject({ status: 'SETTLED', interest: { paid: 6_940_143, due: 0 } });
  });

  test('E6: thirty-six monthly postings drift by nothing', () => {
    const desk = lent('2021-07-15', 50_000_000, 36, 6);
    for (let month = 1; month <= 36; month++) {
      const day = new Date(Date.UTC(2021, 6 + month, 15)).toISOString().slice(0, 10);
      desk.openUntil(day);
      const principal = month === 36 ? 8_335_000 : month % 6 === 0 ? 8_333_000 : 0;
      pay(desk, day, 'L', Number((interest(desk, day) as JsonObject).due) + principal);
    }
    expect(view(desk, '2024-07-15')).toMatchObject({ status: 'SETTLED', interest: { paid: 6_940_143 } });
  });

  test('E7: the first instalment forty days late', () => {
    const desk = lent('2021-07-15', 50_000_000, 36, 6);
    desk.openUntil('2022-01-15');
    pay(desk, '2022-01-15', 'L', 1_996_274);
    desk.openUntil('2022-02-24');
    expect(view(desk, '2022-02-24')).toMatchObject({ overdue: 8_333_000, daysPastDue: 40 });
    expect(interest(desk, '2022-02-24')).toMatchObject({ accruedInTerm: 1_996_274 + 361_647, accruedOverdue: 94_024 });
    pay(desk, '2022-02-24', 'L', 8_333_000 + 455_671);
    expect(view(desk, '2022-02-24')).toMatchObject({ overdue: 0, interest: { due: 0 } });
  });

  test('E8: the last instalment three months late', () => {
    const desk = lent('2024-01-15', 8_335_000, 6, 6);
    desk.openUntil('2024-10-15');
    expect(interest(desk, '2024-10-15')).toMatchObject({ accruedOverdue: 216_306 });
  });

  test('E12: the month-end anchor', () => {
    expect(dueDates(lent('2023-08-31', 6_000_000, 36, 6), '2023-08-31')).toEqual([
      '2024-02-29',
      '2024-08-31',
      '2025-02-28',
      '2025-08-31',
      '2026-02-28',
      '2026-08-31',
    ]);
  });
});

describe('E14: limits', () => {
  const desk = createDesk('2025-12-31');
  openProgramme(desk, '2025-12-31');
  const limits = { source: 'CITY', decision: '338/2025', maxTermMonths: 120 };
  const policy = { ...POLICY, ...limits };
  desk.send('publish-policy', '2025-12-31', { ...policy, maxPerJob: 100_000_000, maxPerLoan: 2_000_000_000 });
  desk.send('publish-policy', '2025-12-31', {
    ...policy,
    effectiveFrom: '2026-01-01',
    maxPerJob: 200_000_000,
    maxPerLoan: 10_000_000_000,
  });

  test.each([
    ['2025-12-31', 'B', 100_000_000, 120, 1, 'accepted'],
    ['2025-12-31', 'B', 100_000_001, 120, 5, 'refused'],
    ['2025-12-31', 'B', 100_000_000, 121, 1, 'refused'],
    ['2025-12-31', 'E', 2_000_000_000, 120, 19, 'refused'],
    ['2025-12-31', 'E', 2_000_000_000, 120, 20, 'accepted'],
    ['2026-01-01', 'B', 200_000_000, 120, 1, 'accepted'],
    ['2026-01-01', 'B', 200_000_001, 120, 1, 'refused'],
  ])('on %s: %s asks for %d over %d months with %d jobs: %s', (day, borrower, amount, term, jobs, outcome) => {
    if (desk.model.openDay !== day) desk.openUntil(day);
    const loan = `L${desk.lines.length}`;
    accepted(desk.send('apply-for-loan', day, { ...application(loan, amount, term, 12), borrower, jobs }));
    expect(desk.send('approve-loan', day, { loan, amount, decision: 'QD-1' }).outcome).toBe(outcome);
  });
});

test('E15: money that comes back is lent again', () => {
  const billion = 1_000_000_000;
  const desk = createDesk('2021-07-15');
  openProgramme(desk, '2021-07-15', { capital: 550 * billion });
  lend(desk, '2021-07-15', 'L', 550 * billion, 12, 12);
  const more = application('M', 60 * billion, 12, 12);
  accepted(desk.send('apply-for-loan', '2021-07-15', more));
  accepted(desk.send('approve-loan', '2021-07-15', { loan: 'M', amount: 60 * billion, decision: 'QD-2' }));
  pay(desk, '2021-07-15', 'L', 100 * billion);
  const part = { loan: 'M', amount: 60 * billion, voucher: 'V-1' };
  // Recovered principal is in the district, but its fund has it only from the close.
  expect(desk.send('disburse-loan', '2021-07-15', part)).toEqual({ outcome: 'refused', reason: 'capital' });
  desk.openUntil('2021-07-16');
  accepted(desk.send('disburse-loan', '2021-07-16', part));
  expect(districtBalances(desk.model, '2021-07-16', FAR).total).toMatchObject({
    outstanding: 510 * billion,
    idle: 40 * billion,
    available: 40 * billion,
    allocated: 550 * billion,
  });
});

describe('the fixture of the indicators, without its frozen and extended loans', () => {
  const desk = createDesk('2022-11-15');
  const payPrincipal = (day: Day, amount: number): void => {
    desk.openUntil(day);
    const receipt = `R-${day}`;
    const allocation = { principalDue: amount };
    accepted(desk.send('record-payment', day, { loan: 'L2', amount, receipt, method: 'CASH', allocation }));
  };
  openProgramme(desk, '2022-11-15');
  lend(desk, '2022-11-15', 'L2', 50_000_000, 36, 6);
  desk.openUntil('2023-03-01');
  lend(desk, '2023-03-01', 'L3', 20_000_000, 12, 12);
  payPrincipal('2023-05-15', 8_333_000);
  desk.openUntil('2023-06-20');
  lend(desk, '2023-06-20', 'L6', 10_000_000, 60, 12);
  payPrincipal('2023-11-15', 8_333_000);
  desk.openUntil('2024-02-01');
  lend(desk, '2024-02-01', 'L1', 50_000_000, 12, 12);
  desk.openUntil('2024-06-30');
  const of = (asOf: Day): JsonObject => portfolioQuality(desk.model, asOf, FAR).total as JsonObject;

  test('on 2024-06-30', () => {
    expect(of('2024-06-30')).toMatchObject({
      loans: 4,
      outstanding: 50_000_000 + 33_334_000 + 20_000_000 + 10_000_000,
      overdue: 30_333_000,
      par0: 63_334_000,
      par30: 53_334_000,
      par90: 20_000_000,
      meetsOverdueRatio: false,
    });
  });

  test.each([
    ['par0', '2024-03-01', 0, 20_000_000],
    ['par30', '2024-03-31', 0, 20_000_000],
    ['par90', '2024-05-30', 0, 20_000_000],
    ['par30', '2024-06-14', 20_000_000, 53_334_000],
    ['par0', '2024-06-20', 53_334_000, 63_334_000],
  ])('%s on %s and the day after', (measure, day, before, after) => {
    const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
    expect([of(day)[measure], of(next)[measure]]).toEqual([before, after]);
  });

  test('a close records each portion once', () => {
    const found = ofType(known(desk.model.facts, FAR, FAR), 'LoanOverdue');
    expect(found.map((fact) => [fact.loan, fact.valueDate, fact.amount])).toEqual([
      ['L3', '2024-03-02', 20_000_000n],
      ['L2', '2024-05-16', 8_333_000n],
      ['L6', '2024-06-21', 2_000_000n],
    ]);
    const book = bookOf(desk.model.facts, 'L3');
    expect(book === undefined ? null : accruedBy(book, '2024-03-01').overdue).toBe(0n);
  });
});
