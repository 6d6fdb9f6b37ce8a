import { accepted, DECISION, day, lend, setUp, type TestLedger, testLedger } from '../testing/ledger.js';
import { ask, TinyView, viewOf } from '../testing/view.js';
import { capitalPlan } from './project.js';
import { capitalPlanQuery } from './query.js';

const plan = (ledger: TestLedger, asOf: string, asked: { programme?: string; knownOn?: string } = {}) => {
  const { knownOn, ...parameters } = asked;
  const at = { asOf: day(asOf), knownOn: knownOn === undefined ? null : day(knownOn) };
  return ask(capitalPlanQuery, viewOf(capitalPlan, ledger.events), parameters, at);
};

const target = (year: number, capital: number, jobs: number) => ({
  ...{ year, capital, jobs, collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' },
});

const NOTHING = { planned: 0, funded: 0, allocated: 0, disbursed: 0, recovered: 0, jobsTarget: 0, jobsCreated: 0 };

describe('plan against actual', () => {
  const ledger = testLedger(day('2022-12-20'));
  setUp(ledger, { targets: [target(2022, 7_000, 20), target(2023, 8_000, 30)] });
  lend(ledger, day('2022-12-20'), 'L', { amount: 10_000_000, termMonths: 36, every: 36 });
  const move = { programme: 'P', source: 'CITY', fromDistrict: '001', toDistrict: '250', amount: 5, decision: 'D' };
  accepted(ledger.send('reallocate-capital', ledger.open, move));
  const pay = (on: string, receipt: string, amount: number, allocation: object) =>
    accepted(ledger.send('record-payment', day(on), { loan: 'L', amount, receipt, method: 'CASH', allocation }));
  ledger.openUntil(day('2023-03-01'));
  pay('2023-03-01', 'R-1', 3_000, { principalPrepaid: 3_000 });
  pay('2023-03-01', 'R-2', 2_000, { principalPrepaid: 2_000 });
  ledger.openUntil(day('2024-02-01'));
  pay('2024-02-01', 'R-3', 1_000, { interestInTerm: 1_000 });
  const undone = { loan: 'L', receipt: 'R-2', reason: 'nhầm', decision: 'QD' };
  accepted(ledger.send('reverse-payment', ledger.open, undone));

  test('has a row a year: flows by value date, jobs with the first part, reallocations unseen', async () => {
    const { rows } = await plan(ledger, '2023-12-31', { programme: 'P' });
    expect(rows).toEqual([
      {
        ...{ year: 2022, planned: 7_000, funded: 10 ** 12, allocated: 5 * 10 ** 11, disbursed: 10_000_000 },
        ...{ recovered: 0, jobsTarget: 20, jobsCreated: 1 },
      },
      { ...NOTHING, year: 2023, planned: 8_000, recovered: 3_000, jobsTarget: 30 },
    ]);
  });

  test('counts a year up to asOf', async () => {
    const { rows } = await plan(ledger, '2023-02-28', { programme: 'P' });
    expect(rows).toMatchObject([{ year: 2022 }, { year: 2023, recovered: 0, planned: 8_000 }]);
  });

  test('counts what was known', async () => {
    const { rows } = await plan(ledger, '2023-12-31', { programme: 'P', knownOn: '2023-12-31' });
    expect(rows).toMatchObject([{ year: 2022 }, { year: 2023, recovered: 5_000 }]);
  });

  test('has no row for a year without a target in which no capital moved, whatever interest was paid', async () => {
    expect((await plan(ledger, '2024-02-01')).rows.at(-1)).toMatchObject({ year: 2023 });
    expect((await plan(ledger, '2024-12-31', { knownOn: '2024-01-31' })).rows.at(-1)).toMatchObject({ year: 2023 });
  });

  test('has no rows for a programme that was not opened, or not known, and of which nothing moved', async () => {
    expect((await plan(ledger, '2024-12-31', { programme: 'Q' })).rows).toEqual([]);
    expect((await plan(ledger, '2022-12-19')).rows).toEqual([]);
    expect((await plan(ledger, '2024-12-31', { knownOn: '2022-12-19' })).rows).toEqual([]);
  });

  test('counts what moved before its programme was opened, without a target until then', async () => {
    const late = testLedger(day('2023-01-05'));
    setUp(late, { programme: 'O', borrower: 'C' });
    late.openUntil(day('2023-03-10'));
    const opened = { programme: 'P', name: 'P', plan: DECISION, from: '2023-01-01', to: '2025-12-31' };
    accepted(late.send('open-programme', late.open, { ...opened, targets: [target(2023, 7_000, 20)] }));
    const fund = { programme: 'P', source: 'CITY', amount: 1_000, decision: DECISION };
    accepted(late.send('fund-tranche', day('2023-02-01'), fund));
    const allocation = { programme: 'P', source: 'CITY', district: '001', amount: 400, decision: DECISION };
    accepted(late.send('allocate-capital', day('2023-02-02'), allocation));
    const before = await plan(late, '2023-02-15', { programme: 'P' });
    expect(before.rows).toEqual([{ ...NOTHING, year: 2023, funded: 1_000, allocated: 400 }]);
    expect((await plan(late, '2023-02-01', { programme: 'P' })).rows).toMatchObject([{ funded: 1_000, allocated: 0 }]);
    const since = await plan(late, '2023-03-10', { programme: 'P' });
    expect(since.rows).toEqual([
      { ...NOTHING, year: 2023, planned: 7_000, jobsTarget: 20, funded: 1_000, allocated: 400 },
    ]);
  });

  test('is of all programmes together when none is named', async () => {
    const two = testLedger(day('2023-01-10'));
    setUp(two, { targets: [target(2023, 7, 1)] });
    setUp(two, { programme: 'Q', borrower: 'C', district: '250', targets: [target(2023, 8, 2), target(2024, 9, 3)] });
    expect((await plan(two, '2023-12-31')).rows).toMatchObject([
      { year: 2023, planned: 15, jobsTarget: 3, funded: 2 * 10 ** 12 },
      { year: 2024, planned: 9, jobsTarget: 3, funded: 0 },
    ]);
    expect((await plan(two, '2023-12-31')).total).toMatchObject({ planned: 24, funded: 2 * 10 ** 12 });
  });
});

test('a year without a target whose flows cancel one another has no row', async () => {
  const ledger = testLedger(day('2023-12-20'));
  setUp(ledger, { targets: [] });
  lend(ledger, ledger.open, 'L', { amount: 1_000, termMonths: 36, every: 36 });
  ledger.openUntil(day('2024-01-05'));
  const payment = { loan: 'L', amount: 10, receipt: 'R', method: 'CASH', allocation: { principalPrepaid: 10 } };
  accepted(ledger.send('record-payment', ledger.open, payment));
  accepted(ledger.send('reverse-payment', ledger.open, { loan: 'L', receipt: 'R', reason: 'x', decision: DECISION }));
  expect((await plan(ledger, '2024-01-05')).rows).toMatchObject([{ year: 2023 }]);
});

test('an empty ledger has no rows and zeros in total', async () => {
  const { rows, total } = await ask(capitalPlanQuery, new TinyView(), {}, { asOf: day('2024-01-01') });
  expect([rows, total]).toEqual([[], NOTHING]);
});
