import type { LocalDate } from '../libs/kernel/dates.js';
import { applied, approved, disbursed, ground, paid } from '../libs/lending/examples.js';
import { openUntil, type Sent } from '../libs/lending/scenario.js';
import { loan } from '../libs/projections/loan/project.js';
import { loanQuery } from '../libs/projections/loan/query.js';
import { portfolioQuality } from '../libs/projections/portfolio-quality/project.js';
import { portfolioQualityQuery } from '../libs/projections/portfolio-quality/query.js';
import { followedAs } from '../libs/projections/projection.js';
import { type MemoryLedger, memoryLedger } from './harness.js';
import { accept, sheetOf } from './sheet.js';

/*
 * Domain §5's loans on 2024-06-30, through real commands, but for those that are frozen (L4) and extended (L5):
 * L1 50,000,000 current, L2 33,334,000 with 8,333,000 due 05-15 unpaid, L3 20,000,000 all overdue since 03-01,
 * L6 10,000,000 with 2,000,000 due 06-20 unpaid.
 */

const AS_OF = '2024-06-30';

const lend = (on: string, id: string, amount: number, termMonths: number, every: number): readonly Sent[] => [
  openUntil(on),
  applied(on, { loan: id, amount, termMonths, installmentEveryMonths: every }),
  approved(on, { loan: id, amount }),
  disbursed(on, { loan: id, amount }),
];
const payPrincipal = (on: string, id: string, amount: number, receipt: string): readonly Sent[] => [
  openUntil(on),
  paid(on, amount, { loan: id, receipt, allocation: { principalDue: amount } }),
];

const COMMANDS: readonly Sent[] = [
  ...ground('2022-11-15'),
  ...lend('2022-11-15', 'L2', 50_000_000, 36, 6),
  ...lend('2023-03-01', 'L3', 20_000_000, 12, 12),
  ...payPrincipal('2023-05-15', 'L2', 8_333_000, 'R-1'),
  ...payPrincipal('2023-11-15', 'L2', 8_333_000, 'R-2'),
  ...lend('2023-12-20', 'L6', 10_000_000, 30, 6),
  ...lend('2024-01-30', 'L1', 50_000_000, 36, 36),
  openUntil(AS_OF),
];

const followed = [portfolioQuality, loan].map(followedAs);

describe('the fixture of four loans', () => {
  let place: MemoryLedger;
  beforeAll(async () => {
    place = await memoryLedger({ followed });
    await accept(place.ledger, sheetOf(COMMANDS));
  });

  const at = (asOf: string) => ({ asOf: asOf as LocalDate, knownOn: null, today: AS_OF as LocalDate });
  const quality = async (asOf: string) =>
    place.ledger.read(portfolioQualityQuery.model, null, async (view) => {
      const answer = await portfolioQualityQuery.run(view, { by: null, from: null }, at(asOf));
      return answer?.total;
    });
  const loanOf = async (id: string, asOf: string) =>
    place.ledger.read(loanQuery.model, null, (view) =>
      loanQuery.run(view, { loan: id } as Parameters<typeof loanQuery.run>[1], at(asOf)),
    );

  it.each([
    ['L1', 50_000_000, 0, 0],
    ['L2', 33_334_000, 8_333_000, 46],
    ['L3', 20_000_000, 20_000_000, 121],
    ['L6', 10_000_000, 2_000_000, 10],
  ])('%s has %d outstanding, %d overdue, %d days past due', async (id, outstanding, overdue, daysPastDue) => {
    const inTerm = outstanding - overdue;
    expect(await loanOf(id, AS_OF)).toMatchObject({ status: 'ACTIVE', outstanding, overdue, inTerm, daysPastDue });
  });

  it('has 113,334,000 outstanding, 30,333,000 overdue and 53,334,000 in PAR over 30 days', async () => {
    expect(await quality(AS_OF)).toMatchObject({
      ...{ loans: 4, outstanding: 113_334_000, inTerm: 83_001_000, overdue: 30_333_000 },
      ...{ par0: 63_334_000, par30: 53_334_000, par90: 20_000_000 },
      // Of domain §5, without L4 and L5 in the denominator.
      ...{ overdueRatio: '0.267643', meetsOverdueRatio: false },
    });
  });

  it.each([
    ['L2', 'par0', '2024-05-15', '2024-05-16', 33_334_000],
    ['L2', 'par30', '2024-06-14', '2024-06-15', 33_334_000],
    ['L2', 'par90', '2024-08-13', '2024-08-14', 33_334_000],
    ['L3', 'par0', '2024-03-01', '2024-03-02', 20_000_000],
    ['L3', 'par30', '2024-03-31', '2024-04-01', 20_000_000],
    ['L3', 'par90', '2024-05-30', '2024-05-31', 20_000_000],
    ['L6', 'par0', '2024-06-20', '2024-06-21', 10_000_000],
    ['L6', 'par30', '2024-07-20', '2024-07-21', 10_000_000],
    ['L6', 'par90', '2024-09-18', '2024-09-19', 10_000_000],
  ] as const)(
    '%s is not yet in %s on %s, and on %s with its whole principal',
    async (_, par, before, after, amount) => {
      const [eve, day] = [await quality(before), await quality(after)];
      expect(Number(day?.[par]) - Number(eve?.[par])).toBe(amount);
      for (const other of (['par0', 'par30', 'par90'] as const).filter((name) => name !== par)) {
        expect(day?.[other]).toBe(eve?.[other]);
      }
    },
  );

  it('has the same edges as each loan says of itself', async () => {
    expect(await loanOf('L2', '2024-05-15')).toMatchObject({ overdue: 0, daysPastDue: 0 });
    expect(await loanOf('L2', '2024-05-16')).toMatchObject({ overdue: 8_333_000, daysPastDue: 1 });
    expect(await loanOf('L3', '2024-03-01')).toMatchObject({ overdue: 0, daysPastDue: 0 });
    expect(await loanOf('L3', '2024-03-02')).toMatchObject({ overdue: 20_000_000, daysPastDue: 1 });
  });

  it('collected of what fell due in 2024 nothing, and in 2023 all', async () => {
    expect(await quality(AS_OF)).toMatchObject({ fellDue: 30_333_000, collectedOfDue: 0, collectionRate: '0.000000' });
    expect(await quality('2023-12-31')).toMatchObject({
      ...{ fellDue: 16_666_000, collectedOfDue: 16_666_000, collectionRate: '1.000000' },
      ...{ meetsCollectionRate: true, meetsOverdueRatio: true, par0: 0 },
    });
  });
});
