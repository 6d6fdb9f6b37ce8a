import fc from 'fast-check';
import type { Envelope } from '../../kernel/envelope.js';
import { plans, play } from '../testing/histories.js';
import { accepted, day, lend, setUp, type TestLedger, testLedger } from '../testing/ledger.js';
import { ask, TinyView, viewOf } from '../testing/view.js';
import { invariants } from './project.js';
import { invariantsQuery } from './query.js';

const checked = (events: readonly Envelope[]) =>
  ask(invariantsQuery, viewOf(invariants, events), {}, { asOf: day('2199-12-31') });

const failing = async (events: readonly Envelope[]) =>
  (await checked(events)).checks.filter(({ holds }) => !holds).map(({ name, scope }) => `${name} ${scope}`);

function story(): TestLedger {
  const ledger = testLedger(day('2024-01-10'));
  setUp(ledger);
  const move = { programme: 'P', source: 'CITY', fromDistrict: '001', toDistrict: '250', amount: 7_000, decision: 'D' };
  accepted(ledger.send('reallocate-capital', ledger.open, move));
  lend(ledger, ledger.open, 'L', { amount: 5_000_000, termMonths: 2, every: 1 });
  ledger.openUntil(day('2024-02-10'));
  const payment = { loan: 'L', amount: 1_000_000, receipt: 'R-1', method: 'CASH' };
  accepted(ledger.send('record-payment', ledger.open, payment));
  ledger.openUntil(day('2024-02-12'));
  accepted(ledger.send('reverse-payment', ledger.open, { loan: 'L', receipt: 'R-1', reason: 'x', decision: 'D' }));
  ledger.openUntil(day('2024-02-14'));
  return ledger;
}

/** The events with the data of the first of a type changed. */
const changed = (events: readonly Envelope[], type: string, change: Readonly<Record<string, unknown>>) => {
  const first = events.find((event) => event.type === type);
  return events.map((event) =>
    event === first ? { ...event, data: { ...(event.data as object), ...change } } : event,
  );
};

describe('the invariants', () => {
  const { events } = story();

  test('name both sides of each identity', async () => {
    const { holds, checks, violations, moreViolations } = await checked(events);
    expect([holds, violations, moreViolations]).toEqual([true, [], false]);
    expect(checks).toContainEqual({
      ...{ name: 'capital-identity', scope: 'fund-P:CITY', left: 10 ** 12, right: 10 ** 12, holds: true },
    });
    expect(checks).toContainEqual({
      ...{ name: 'outstanding-by-loans-and-by-money', scope: 'districtFund-P:001:CITY' },
      ...{ left: 5_000_000, right: 5_000_000, holds: true },
    });
    expect(checks.map(({ name }) => name)).toContain('closed-days-overdue');
  });

  test('hold after every event, with capital under way between two streams', async () => {
    for (let count = 0; count <= events.length; count++) {
      if (events[count - 1]?.type.startsWith('BusinessDay') && events[count]?.type.startsWith('BusinessDay')) continue;
      expect(await failing(events.slice(0, count))).toEqual([]);
    }
  });

  test('hold for an empty ledger', async () => {
    const empty = await ask(invariantsQuery, new TinyView(), {}, { asOf: day('2024-01-01') });
    expect([empty.holds, empty.violations]).toEqual([true, []]);
    expect(empty.checks.every(({ left, right }) => left === 0 && right === 0)).toBe(true);
  });

  test.each([
    ['a loan that says less of itself than was paid out', 'capital-identity fund-P:CITY', unaged],
    ['a disbursement gone from a closed day', 'closed-days-disbursements 2024-01-10', without('LoanDisbursed')],
    ['capital that arrived and never left', 'in-transit-not-negative fund-P:CITY', without('CapitalAllocated')],
    ['capital that was given away twice', 'available-not-negative districtFund-P:001:CITY', without('CapitalReceived')],
    ['a commitment that never was', 'committed-not-negative districtFund-P:001:CITY', without('CapitalCommitted')],
    ['a payment gone from a closed day', 'closed-days-payments 2024-02-10', without('InstallmentPaid')],
    ['an overdue portion gone', 'closed-days-overdue 2024-02-10', without('LoanOverdue')],
  ])('find %s', async (_, expected, damage) => {
    expect(await failing(damage(events))).toContain(expected);
    expect((await checked(damage(events))).holds).toBe(false);
  });

  test('name an event whose own sums do not add up, and go on', async () => {
    const event = events.find(({ type }) => type === 'InstallmentPaid');
    const { holds, violations } = await checked(changed(events, 'InstallmentPaid', { amount: 1_000_001 }));
    expect(holds).toBe(false);
    expect(violations).toEqual([
      {
        ...{ position: event?.position, type: 'InstallmentPaid', stream: 'loan-L', rule: 'allocation-adds-up' },
        ...{ left: '1000000', right: '1000001' },
      },
    ]);
    const unshared = await checked(changed(events, 'InstallmentPaid', { installments: [] }));
    expect(unshared.violations).toMatchObject([{ rule: 'shares-add-up', left: '0' }]);
    expect((await checked(unaged(events))).violations).toMatchObject([
      { rule: 'ageing-adds-up', type: 'LoanDisbursed', left: '0' },
    ]);
  });

  test('hold in generated histories', async () => {
    await fc.assert(
      fc.asyncProperty(plans({ loans: 3, steps: 25 }), async (plan) => {
        const answer = await checked(play(plan).events);
        expect(answer.checks.filter(({ holds }) => !holds)).toEqual([]);
        expect(answer.holds).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

function unaged(events: readonly Envelope[]): readonly Envelope[] {
  return changed(events, 'LoanDisbursed', { ageing: [] });
}

function without(type: string) {
  return (events: readonly Envelope[]) => {
    const first = events.find((event) => event.type === type);
    return events.filter((event) => event !== first);
  };
}
