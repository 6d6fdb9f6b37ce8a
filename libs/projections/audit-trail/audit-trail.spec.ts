import type { Envelope } from '../../kernel/envelope.js';
import { readFields } from '../../kernel/fields.js';
import { events as catalogue } from '../../lending/catalogue.js';
import { accepted, day, fundDistrict, lend, setUp, type TestLedger, testLedger } from '../testing/ledger.js';
import { ask, TinyView, viewOf } from '../testing/view.js';
import { auditTrail } from './project.js';
import { auditTrailQuery } from './query.js';
import { dong, percent, summaries } from './summary.js';

const DISTRICT_FUND = { programme: 'P', source: 'CITY', district: '250' };

function story(): TestLedger {
  const ledger = testLedger(day('2024-01-10'));
  setUp(ledger);
  fundDistrict(ledger, DISTRICT_FUND);
  const move = { programme: 'P', source: 'CITY', fromDistrict: '250', toDistrict: '001', amount: 7_000 };
  accepted(ledger.send('reallocate-capital', ledger.open, { ...move, decision: '12/QD' }));
  lend(ledger, ledger.open, 'L', { amount: 1_234_567, termMonths: 1, every: 1 });
  ledger.openUntil(day('2024-02-11'));
  const payment = { loan: 'L', amount: 1_000, receipt: 'R-1', method: 'CASH' };
  accepted(ledger.send('record-payment', day('2024-02-01'), payment));
  const undone = { loan: 'L', receipt: 'R-1', reason: 'nhầm', decision: 'QD-2' };
  accepted(ledger.send('reverse-payment', ledger.open, undone));
  return ledger;
}

describe('the audit trail', () => {
  const ledger = story();
  const view = viewOf(auditTrail, ledger.events);
  const trail = (asked: Readonly<Record<string, unknown>>, asOf = '2024-02-11', knownOn: string | null = null) =>
    ask(auditTrailQuery, view, asked, { asOf: day(asOf), knownOn: knownOn === null ? null : day(knownOn) });
  const typesOf = async (...asked: Parameters<typeof trail>) => (await trail(...asked)).rows.map(({ type }) => type);
  const OF_LOAN = ['LoanApplied', 'LoanApproved', 'CapitalCommitted', 'LoanDisbursed'];

  test('has one row an event, in their order', async () => {
    const { rows, next } = await trail({ limit: 1_000 });
    expect(rows.map(({ position }) => position)).toEqual(ledger.events.map(({ position }) => position));
    expect(next).toBeNull();
  });

  test('says who did what, when, on whose decision', async () => {
    const { rows } = await trail({ loan: 'L', type: 'PaymentReversed' });
    expect(rows).toEqual([
      {
        ...{ position: ledger.events.at(-1)?.position, recordedAt: '2024-02-11T05:00:00.000Z' },
        ...{ bookingDate: '2024-02-11', valueDate: '2024-02-01', actor: 'teller', type: 'PaymentReversed' },
        ...{ stream: 'loan-L', decision: 'QD-2', receipt: 'R-1', voucher: null },
        ...{ loan: 'L', borrower: 'B', district: '001', traceparent: null },
        summary: 'Hủy khoản thu 1.000\u00a0₫ (gốc 0\u00a0₫, lãi 1.000\u00a0₫): nhầm',
      },
    ]);
  });

  test('keeps the trace of the request that an event came from', async () => {
    const [last] = ledger.events.slice(-1) as [Envelope];
    const id = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
    const traced = { ...last, id, meta: { ...last.meta, correlationId: '0af7651916cd43dd8448eb211c80319c' } };
    const at = { asOf: day('2024-02-11'), knownOn: null };
    const { rows } = await ask(auditTrailQuery, viewOf(auditTrail, [traced]), {}, at);
    expect(rows.map(({ traceparent }) => traceparent)).toEqual([
      '00-0af7651916cd43dd8448eb211c80319c-7c9e6679742540de-01',
    ]);
  });

  test('is found by loan, borrower, actor, district and type', async () => {
    expect(await typesOf({ loan: 'L' })).toEqual([...OF_LOAN, 'LoanOverdue', 'InstallmentPaid', 'PaymentReversed']);
    expect(await typesOf({ borrower: 'B', loan: 'L' })).toEqual(await typesOf({ loan: 'L' }));
    expect(await typesOf({ borrower: 'B' })).toContain('BorrowerRegistered');
    expect(await typesOf({ actor: 'nobody' })).toEqual([]);
    expect((await trail({ actor: 'teller', limit: 1_000 })).rows).toHaveLength(ledger.events.length);
    expect(await typesOf({ type: 'CapitalAllocated', district: '250' })).toEqual(['CapitalAllocated']);
  });

  test('has a reallocation under both districts, and once under neither', async () => {
    const moved = ['CapitalCommitted', 'CapitalReallocated', 'CapitalReceived'];
    for (const district of ['001', '250']) {
      const { rows } = await trail({ district });
      const found = rows.filter(({ decision }) => decision === '12/QD');
      expect(found.map(({ type }) => type)).toEqual(moved);
      expect(new Set(found.map((row) => row.district))).toEqual(new Set([district]));
    }
    const { rows } = await trail({ limit: 1_000 });
    expect(rows.filter(({ decision }) => decision === '12/QD').map(({ type }) => type)).toEqual(moved);
  });

  test('goes by recorded days, both included', async () => {
    expect(await typesOf({ loan: 'L', to: '2024-01-10' })).toEqual(OF_LOAN);
    expect(await typesOf({ loan: 'L', from: '2024-02-11', to: '2024-02-11' })).toHaveLength(3);
    expect(await typesOf({ loan: 'L', from: '2024-01-11', to: '2024-02-10' })).toEqual([]);
    expect(await typesOf({ loan: 'L', to: '2024-12-31' }, '2024-02-11', '2024-02-10')).toEqual(OF_LOAN);
  });

  test('leaves out what counts after asOf', async () => {
    // The arrears of the portion due on 02-10 count from the day after.
    expect(await typesOf({ type: 'LoanOverdue' }, '2024-02-10')).toEqual([]);
    expect(await typesOf({ type: 'LoanOverdue' }, '2024-02-11')).toEqual(['LoanOverdue']);
  });

  test('is read page by page', async () => {
    const all = await typesOf({ loan: 'L' });
    const pages: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await trail({ loan: 'L', limit: 3, ...(cursor === null ? {} : { cursor }) });
      pages.push(...page.rows.map(({ type }) => type));
      cursor = page.next;
    } while (cursor !== null);
    expect(pages).toEqual(all);
    expect((await trail({ loan: 'L', limit: all.length })).next).toBeNull();
  });

  test('has pages of 100 unless told otherwise', async () => {
    const long = testLedger(day('2024-01-10'));
    long.openUntil(day('2024-03-31'));
    const page = await ask(auditTrailQuery, viewOf(auditTrail, long.events), {}, { asOf: long.open });
    expect([page.rows.length, page.next]).toEqual([100, page.rows[99]?.position]);
  });

  test('of an empty ledger is empty', async () => {
    expect(await ask(auditTrailQuery, new TinyView(), {}, { asOf: day('2024-01-01') })).toMatchObject({ rows: [] });
  });
});

test.each([
  ['limit', 0, 'INTEGER_INVALID'],
  ['limit', 1_001, 'INTEGER_INVALID'],
  ['type', 'LoanForgotten', 'CODE_UNKNOWN'],
  ['district', '999', 'DISTRICT_UNKNOWN'],
  ['cursor', 'a b', 'PARAMETER_INVALID'],
  ['cursor', 'garbage', 'PARAMETER_INVALID'],
  ['cursor', '0000000000000000001', 'PARAMETER_INVALID'],
  ['from', '2024-13-01', 'DATE_INVALID'],
])('%s of %s is a problem', (field, value, code) => {
  const read = readFields(auditTrailQuery.parameters, { [field]: value });
  expect(read).toMatchObject({ ok: false, error: [{ field, code }] });
});

describe('a summary', () => {
  test('is there for every event', () => {
    expect(Object.keys(summaries).sort()).toEqual(Object.keys(catalogue).sort());
  });

  test.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1.000'],
    [1_234_567, '1.234.567'],
    [-12_345, '-12.345'],
    [10 ** 15, '1.000.000.000.000.000'],
  ])('groups %d with dots', (amount, text) => {
    expect(dong(amount)).toBe(`${text}\u00a0₫`);
  });

  test.each([
    ['0.0792', '7,92%'],
    ['0.079248', '7,9248%'],
    ['0.1', '10%'],
    ['0', '0%'],
    ['0.005', '0,5%'],
    ['1', '100%'],
  ])('says %s as %s', (rate, text) => {
    expect(percent(rate)).toBe(text);
  });

  test('is one line with amounts and dates as Vietnamese has them', () => {
    const ledger = story();
    const { overdue, moved } = Object.fromEntries(
      [
        ['overdue', 'LoanOverdue'],
        ['moved', 'CapitalReallocated'],
      ].map(([name, type]) => [name, ledger.events.find((event) => event.type === type)?.data]),
    ) as never as Record<'overdue' | 'moved', never>;
    expect(summaries.LoanOverdue(overdue)).toBe('Kỳ 1 đến hạn ngày 10/02/2024 chuyển quá hạn: 1.234.567\u00a0₫');
    expect(summaries.CapitalReallocated(moved)).toBe('Điều chuyển 7.000\u00a0₫ từ Mê Linh sang Ba Đình');
  });
});
