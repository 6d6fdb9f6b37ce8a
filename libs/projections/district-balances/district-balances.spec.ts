import fc from 'fast-check';
import type { DistrictFund } from '../../lending/district-fund/state.js';
import { districtFundStream } from '../../lending/vocabulary.js';
import { portfolioQuality } from '../portfolio-quality/project.js';
import { portfolioQualityQuery } from '../portfolio-quality/query.js';
import { asOfDays, plans, play, recordedDays } from '../testing/histories.js';
import { accepted, DECISION, day, fundDistrict, lend, setUp, type TestLedger, testLedger } from '../testing/ledger.js';
import { ask, TinyView, viewOf } from '../testing/view.js';
import { districtBalances } from './project.js';
import { districtBalancesQuery } from './query.js';

const balances = (ledger: TestLedger, asOf: string, asked: { by?: string; knownOn?: string } = {}) => {
  const knownOn = asked.knownOn === undefined ? null : day(asked.knownOn);
  const by = asked.by === undefined ? {} : { by: asked.by };
  return ask(districtBalancesQuery, viewOf(districtBalances, ledger.events), by, { asOf: day(asOf), knownOn });
};

const CAPITAL = 500_000_000_000;

describe("a district's capital", () => {
  const ledger = testLedger(day('2024-01-10'));
  setUp(ledger);
  lend(ledger, day('2024-01-10'), 'L', { amount: 12_000_000, termMonths: 12, every: 6 });
  ledger.openUntil(day('2024-07-10'));
  const principalDue = 4_000_000;
  const payment = { loan: 'L', amount: principalDue, receipt: 'R', method: 'CASH', allocation: { principalDue } };
  accepted(ledger.send('record-payment', day('2024-07-10'), payment));
  const move = { programme: 'P', source: 'CITY', fromDistrict: '001', toDistrict: '250', amount: 1_000, decision: 'D' };
  accepted(ledger.send('reallocate-capital', day('2024-07-10'), move));
  ledger.openUntil(day('2024-07-11'));

  test('is lent, recovered and returned by the close', async () => {
    const paid = { disbursed: 12_000_000, principalCollected: 4_000_000, outstanding: 8_000_000, writtenOff: 0 };
    const { rows, total } = await balances(ledger, '2024-07-10');
    expect(rows[0]).toEqual({
      ...{ district: '001', allocated: CAPITAL - 1_000, committed: 0, principalReturned: 4_000_000, ...paid },
      ...{ idle: CAPITAL - 1_000 - 8_000_000, available: CAPITAL - 1_000 - 8_000_000 },
    });
    expect(rows[1]).toMatchObject({ district: '250', allocated: 1_000, available: 1_000 });
    expect(total).toMatchObject({ allocated: CAPITAL, ...paid });
  });

  test('waits for the close with nothing but what is available', async () => {
    const open = testLedger(day('2024-01-10'));
    setUp(open);
    lend(open, open.open, 'L', { amount: 1_000, termMonths: 1, every: 1 });
    const allocation = { principalPrepaid: 400 };
    const early = { loan: 'L', amount: 400, receipt: 'R', method: 'CASH', allocation };
    accepted(open.send('record-payment', open.open, early));
    expect((await balances(open, '2024-01-10')).rows).toMatchObject([
      { outstanding: 600, idle: CAPITAL - 600, principalReturned: 0, available: CAPITAL - 1_000 },
    ]);
  });

  test('is told by source and programme, the district always first', async () => {
    const { rows } = await balances(ledger, '2024-07-10', { by: 'source,programme' });
    expect(rows.map((row) => Object.keys(row).slice(0, 3))).toEqual([
      ['district', 'source', 'programme'],
      ['district', 'source', 'programme'],
    ]);
  });

  test('is what it was, as known before', async () => {
    const { rows } = await balances(ledger, '2024-12-31', { knownOn: '2024-07-09' });
    expect(rows).toMatchObject([{ district: '001', allocated: CAPITAL, outstanding: 12_000_000 }]);
  });
});

test('a district whose capital all moved on still has its row', async () => {
  const ledger = testLedger(day('2024-01-10'));
  setUp(ledger);
  fundDistrict(ledger, { programme: 'P', source: 'CITY', district: '250' });
  const move = { programme: 'P', source: 'CITY', fromDistrict: '250', toDistrict: '001', decision: DECISION };
  accepted(ledger.send('reallocate-capital', ledger.open, { ...move, amount: CAPITAL }));
  expect((await balances(ledger, '2024-01-10')).rows).toMatchObject([
    { district: '001', allocated: 2 * CAPITAL },
    { district: '250', allocated: 0, committed: 0, idle: 0 },
  ]);
});

test('an empty ledger has no rows and zeros in total', async () => {
  const { rows, total } = await ask(districtBalancesQuery, new TinyView(), {}, { asOf: day('2024-01-01') });
  expect([rows, total]).toMatchObject([[], { allocated: 0, available: 0 }]);
});

test('in generated histories, agrees with quality on outstanding and with the streams on what is available', async () => {
  await fc.assert(
    fc.asyncProperty(plans({ loans: 3, steps: 20 }), fc.nat(), fc.nat(), async (plan, a, k) => {
      const ledger = play(plan);
      const pick = (days: readonly string[], n: number) => days[n % days.length] as string;
      const [asOf, knownOn] = [pick(asOfDays(ledger), a), pick(recordedDays(ledger), k)];
      const { total } = await balances(ledger, asOf, { knownOn });
      const at = { asOf: day(asOf), knownOn: day(knownOn) };
      const quality = await ask(portfolioQualityQuery, viewOf(portfolioQuality, ledger.events), {}, at);
      expect(total.outstanding).toBe(quality.total.outstanding);

      const { rows } = await balances(ledger, '2199-12-31', { by: 'programme,source' });
      for (const { district, programme = '', source = '', available } of rows) {
        const stream = districtFundStream({ district, programme, source });
        expect(available).toBe((ledger.state(stream) as DistrictFund).available);
      }
    }),
    { numRuns: 15 },
  );
});
