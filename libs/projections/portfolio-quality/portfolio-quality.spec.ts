import { addDays } from '../../kernel/dates.js';
import { readFields } from '../../kernel/fields.js';
import { accepted, day, lend, setUp, type TestLedger, testLedger } from '../testing/ledger.js';
import { ask, TinyView, viewOf } from '../testing/view.js';
import { portfolioQuality } from './project.js';
import { portfolioQualityQuery } from './query.js';

const quality = (
  ledger: TestLedger,
  asOf: string,
  asked: { readonly by?: string; readonly from?: string; readonly knownOn?: string } = {},
) => {
  const { knownOn, ...parameters } = asked;
  const at = { asOf: day(asOf), knownOn: knownOn === undefined ? null : day(knownOn) };
  return ask(portfolioQualityQuery, viewOf(portfolioQuality, ledger.events), parameters, at);
};

const pay = (ledger: TestLedger, on: string, loan: string, principal: number, receipt: string) => {
  const allocation = { [principalKind(ledger, on, loan)]: principal };
  accepted(
    ledger.send('record-payment', day(on), { loan, amount: principal, receipt, method: 'TRANSFER', allocation }),
  );
};

/** The component of the oldest unpaid instalment on a day: these specs pay one at a time. */
function principalKind(ledger: TestLedger, on: string, loan: string): string {
  const { book } = ledger.state(`loan-${loan}`) as {
    book: { installments: readonly { dueDate: string; principal: number; paid: number }[] };
  };
  const due = book.installments.find(({ principal, paid }) => principal > paid)?.dueDate ?? '';
  return due < on ? 'principalOverdue' : due === on ? 'principalDue' : 'principalPrepaid';
}

/** Domain §5, without what later issues bring (L4 frozen, L5 extended). */
function fixture(): TestLedger {
  const ledger = testLedger(day('2022-11-15'));
  setUp(ledger);
  lend(ledger, day('2022-11-15'), 'L2', { amount: 50_000_000, termMonths: 36, every: 6 });
  ledger.openUntil(day('2023-03-01'));
  lend(ledger, day('2023-03-01'), 'L3', { amount: 20_000_000, termMonths: 12, every: 12 });
  ledger.openUntil(day('2023-05-15'));
  pay(ledger, '2023-05-15', 'L2', 8_333_000, 'R-1');
  ledger.openUntil(day('2023-11-15'));
  pay(ledger, '2023-11-15', 'L2', 8_333_000, 'R-2');
  ledger.openUntil(day('2023-12-20'));
  lend(ledger, day('2023-12-20'), 'L6', { amount: 10_000_000, termMonths: 30, every: 6 });
  ledger.openUntil(day('2024-01-01'));
  lend(ledger, day('2024-01-01'), 'L1', { amount: 50_000_000, termMonths: 36, every: 12 });
  ledger.openUntil(day('2024-06-30'));
  return ledger;
}

describe('the fixture of domain §5, loans L1, L2, L3 and L6', () => {
  const ledger = fixture();

  test('on 2024-06-30', async () => {
    expect((await quality(ledger, '2024-06-30')).total).toEqual({
      ...{ loans: 4, outstanding: 113_334_000, inTerm: 83_001_000, extended: 0, overdue: 30_333_000, frozen: 0 },
      ...{ par0: 63_334_000, par30: 53_334_000, par90: 20_000_000 },
      ...{ fellDue: 30_333_000, collectedOfDue: 0, prepaid: 0, arrearsRecovered: 0 },
      ...{ collectionRate: '0.000000', overdueRatio: '0.267643' },
      ...{ meetsCollectionRate: false, meetsOverdueRatio: false },
    });
  });

  test.each([
    ['L3 is due', '2024-03-01', { overdue: 0, par0: 0, par30: 0, par90: 0 }],
    ['L3 is a day late', '2024-03-02', { overdue: 20_000_000, par0: 20_000_000, par30: 0, par90: 0 }],
    ['L3 is 30 days late', '2024-03-31', { par0: 20_000_000, par30: 0, par90: 0 }],
    ['L3 is 31 days late', '2024-04-01', { par0: 20_000_000, par30: 20_000_000, par90: 0 }],
    ['L2 is due', '2024-05-15', { overdue: 20_000_000, par0: 20_000_000 }],
    ['L2 is a day late: its portion is overdue, the whole of it at risk', '2024-05-16', { overdue: 28_333_000 }],
    ['… and in PAR over 0', '2024-05-16', { par0: 53_334_000, par30: 20_000_000 }],
    ['L3 is 90 days late', '2024-05-30', { par90: 0 }],
    ['L3 is 91 days late', '2024-05-31', { par90: 20_000_000 }],
    ['L2 is 30 days late', '2024-06-14', { par30: 20_000_000 }],
    ['L2 is 31 days late', '2024-06-15', { par30: 53_334_000 }],
    ['L6 is due', '2024-06-20', { overdue: 28_333_000, par0: 53_334_000 }],
    ['L6 is a day late', '2024-06-21', { overdue: 30_333_000, par0: 63_334_000 }],
    ['no day is closed yet: L2 will be 91 days late', '2024-08-14', { par90: 53_334_000 }],
    ['… and was 90 the day before', '2024-08-13', { par90: 20_000_000 }],
  ])('%s on %s', async (_, asOf, figures) => {
    expect((await quality(ledger, asOf)).total).toMatchObject(figures);
  });

  test('as known on a day, later payments and loans are not there', async () => {
    const { total, knownOn } = await quality(ledger, '2024-06-30', { knownOn: '2023-05-14' });
    expect(knownOn).toBe('2023-05-14');
    // L2 with three instalments due and none paid, and L3.
    expect(total).toMatchObject({ loans: 2, outstanding: 70_000_000, overdue: 44_999_000 });
  });
});

describe('flows of a period', () => {
  const ledger = testLedger(day('2024-01-10'));
  setUp(ledger);
  lend(ledger, day('2024-01-10'), 'L', { amount: 40_000_000, termMonths: 4, every: 1 });
  ledger.openUntil(day('2024-02-10'));
  pay(ledger, '2024-02-10', 'L', 6_000_000, 'R-1');
  ledger.openUntil(day('2024-03-05'));
  pay(ledger, '2024-03-05', 'L', 4_000_000, 'R-2');
  pay(ledger, '2024-03-05', 'L', 3_000_000, 'R-3');
  ledger.openUntil(day('2024-04-20'));

  test.each([
    ['the year', '2024-01-01', '2024-04-20', [27_000_000, 10_000_000, 3_000_000, 0]],
    ['the day of the first due day', '2024-02-10', '2024-02-10', [10_000_000, 6_000_000, 0, 0]],
    ['after it', '2024-02-11', '2024-03-04', [0, 0, 0, 0]],
    ['with the late receipt', '2024-02-11', '2024-03-05', [0, 0, 3_000_000, 4_000_000]],
    ['with the second due day, of which some was prepaid', '2024-03-10', '2024-03-31', [7_000_000, 0, 0, 0]],
    ['that is empty', '2024-04-21', '2024-04-20', [0, 0, 0, 0]],
  ])('%s, from %s to %s', async (_, from, asOf, [fellDue, collectedOfDue, prepaid, arrearsRecovered]) => {
    const { total } = await quality(ledger, asOf, { from });
    expect(total).toMatchObject({ fellDue, collectedOfDue, prepaid, arrearsRecovered });
  });

  test('begin on 1 January unless told otherwise', async () => {
    expect((await quality(ledger, '2024-04-20')).from).toBe('2024-01-01');
  });

  test('a reversal puts back what its payment prevented, on its own recorded day', async () => {
    const again = testLedger(day('2024-01-10'));
    setUp(again);
    lend(again, day('2024-01-10'), 'L', { amount: 40_000_000, termMonths: 4, every: 1 });
    again.openUntil(day('2024-02-10'));
    pay(again, '2024-02-10', 'L', 10_000_000, 'R');
    again.openUntil(day('2024-02-20'));
    const undone = { loan: 'L', receipt: 'R', reason: 'nhầm khoản vay', decision: 'QD-2' };
    accepted(again.send('reverse-payment', again.open, undone));
    expect((await quality(again, '2024-02-20')).total).toMatchObject({ overdue: 10_000_000, par0: 40_000_000 });
    expect((await quality(again, '2024-02-20', { knownOn: '2024-02-19' })).total).toMatchObject({
      overdue: 0,
      par0: 0,
    });
  });
});

describe("the plan's bounds", () => {
  const target = (year: number, collectionRateAtLeast: string, overdueRatioBelow: string) => ({
    ...{ year, capital: 0, jobs: 0, collectionRateAtLeast, overdueRatioBelow },
  });

  /** 1,000 fell due and `paid` of it was received on the day; 1,000 more are outstanding. */
  async function withPaid(paid: number, targets: readonly ReturnType<typeof target>[], asOf = '2024-02-11') {
    const ledger = testLedger(day('2024-01-10'));
    setUp(ledger, { targets });
    lend(ledger, day('2024-01-10'), 'L', { amount: 2_000, termMonths: 2, every: 1 });
    ledger.openUntil(day('2024-02-10'));
    pay(ledger, '2024-02-10', 'L', paid, 'R');
    return (await quality(ledger, asOf)).total;
  }

  test('a collection rate is met from the bound on, an overdue ratio below it', async () => {
    // Overdue 20 of 1,020 outstanding; 980 of 1,000 collected.
    const at = await withPaid(980, [target(2024, '0.98', '0.019607843138')]);
    expect(at).toMatchObject({ meetsCollectionRate: true, meetsOverdueRatio: true, collectionRate: '0.980000' });
    const short = await withPaid(979, [target(2024, '0.98', '0.019607843138')]);
    expect(short).toMatchObject({ meetsCollectionRate: false, meetsOverdueRatio: false });
    expect(await withPaid(980, [target(2024, '0.98', '0.019607843137')])).toMatchObject({ meetsOverdueRatio: false });
  });

  test('are compared exactly where the shown ratio is rounded', async () => {
    const { collectionRate, meetsCollectionRate } = await withPaid(980, [target(2024, '0.980000000001', '1')]);
    expect([collectionRate, meetsCollectionRate]).toEqual(['0.980000', false]);
  });

  test("are those of asOf's year, or the latest before it, or else the earliest", async () => {
    const [strict, loose] = ['1', '0.5'];
    const meets = async (...targets: ReturnType<typeof target>[]) => (await withPaid(980, targets)).meetsCollectionRate;
    expect(await meets(target(2023, strict, '1'), target(2024, loose, '1'), target(2025, strict, '1'))).toBe(true);
    expect(await meets(target(2022, strict, '1'), target(2023, loose, '1'), target(2025, strict, '1'))).toBe(true);
    expect(await meets(target(2026, strict, '1'), target(2025, loose, '1'))).toBe(true);
  });

  test('are null where the ratio is, or where there is no target', async () => {
    expect(await withPaid(980, [])).toMatchObject({ meetsCollectionRate: null, meetsOverdueRatio: null });
    const nothingDue = await withPaid(980, [target(2024, '1', '0')], '2024-02-09');
    expect(nothingDue).toMatchObject({ collectionRate: null, meetsCollectionRate: null, meetsOverdueRatio: false });
  });

  test('of several programmes are the strictest of those that a row has loans of', async () => {
    const ledger = testLedger(day('2024-01-10'));
    setUp(ledger, { targets: [target(2024, '0.5', '1')] });
    setUp(ledger, { programme: 'Q', borrower: 'C', district: '250', targets: [target(2024, '0.99', '1')] });
    for (const [loan, programme, borrower] of [
      ['L', 'P', 'B'],
      ['M', 'Q', 'C'],
    ] as const) {
      lend(ledger, day('2024-01-10'), loan, { amount: 2_000, termMonths: 2, every: 1, programme, borrower });
    }
    ledger.openUntil(day('2024-02-10'));
    pay(ledger, '2024-02-10', 'L', 900, 'R');
    pay(ledger, '2024-02-10', 'M', 900, 'R');
    const { rows, total } = await quality(ledger, '2024-02-11', { by: 'district' });
    expect(rows.map(({ district, meetsCollectionRate }) => [district, meetsCollectionRate])).toEqual([
      ['001', true],
      ['250', false],
    ]);
    expect(total.meetsCollectionRate).toBe(false);
    const bySource = await quality(ledger, '2024-02-11', { by: 'source' });
    expect(bySource.rows).toMatchObject([{ source: 'CITY', meetsCollectionRate: false }]);
  });
});

test('an empty ledger has no rows, zeros in total and ratios of null', async () => {
  const view = new TinyView();
  const { rows, total } = await ask(portfolioQualityQuery, view, {}, { asOf: day('2024-01-01') });
  expect(rows).toEqual([]);
  expect(total).toMatchObject({ loans: 0, outstanding: 0, collectionRate: null, meetsOverdueRatio: null });
});

test('figures beyond 2^53 are text', async () => {
  const ledger = testLedger(day('2024-01-10'));
  setUp(ledger);
  lend(ledger, ledger.open, 'L', { amount: 10 ** 11, termMonths: 1, every: 1 });
  const view = viewOf(portfolioQuality, ledger.events);
  for (let n = 0; n < 17; n++) view.apply(doubled(view));
  const { total } = await ask(portfolioQualityQuery, view, {}, { asOf: ledger.open });
  expect(total.outstanding).toBe(String(10n ** 11n * 2n ** 17n));
});

/** Every cell once more. */
function doubled(view: TinyView) {
  return view.cells().map(({ collection, key, measures }) => ({ op: 'add' as const, collection, key, measures }));
}

test.each([
  ['an unknown name', { by: 'commune' }, 'by', 'PARAMETER_INVALID'],
  ['an empty name', { by: 'district,' }, 'by', 'PARAMETER_INVALID'],
  ['no text', { by: 3 }, 'by', 'PARAMETER_INVALID'],
  ['a day that is none', { from: '2024-02-30' }, 'from', 'DATE_INVALID'],
  ['an unknown parameter', { district: '001' }, 'district', 'FIELD_UNKNOWN'],
])('%s is a problem of its parameter', (_, given, field, code) => {
  const read = readFields(portfolioQualityQuery.parameters, given);
  expect(read).toMatchObject({ ok: false, error: [{ field, code }] });
});

test('names in `by` may come with spaces and twice, and give the order of keys', async () => {
  const ledger = testLedger(day('2024-01-10'));
  setUp(ledger);
  lend(ledger, ledger.open, 'L', { amount: 1_000, termMonths: 1, every: 1 });
  const { rows } = await quality(ledger, addDays(ledger.open, 1), { by: 'source, district,source' });
  expect(Object.keys(rows[0] ?? {}).slice(0, 3)).toEqual(['source', 'district', 'loans']);
});
