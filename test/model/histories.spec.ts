import fc from 'fast-check';
import { principalOf } from './allocation.js';
import { type Day, sum } from './exact.js';
import { ofType } from './facts.js';
import { COMMANDS } from './fields.js';
import { districtBalance, districtFunds, movements } from './funds.js';
import { type History, history, replay } from './generate.js';
import { loansOf } from './model.js';
import { portfolioQuality, type QualityKey } from './quality.js';
import { capitalIdentity, districtBalances, interestingDays, type JsonObject, loanView, statement } from './views.js';
import { createRandom } from './world.js';

const FAR: Day = '2199-12-31';
const RUNS = { numRuns: 8 };

/** Some days of both axes, the same for the same history. */
const probes = ({ model, lines }: History, count: number): (readonly [Day, Day])[] => {
  const random = createRandom(lines.length);
  const { asOf, knownOn } = interestingDays(model);
  return Array.from({ length: count }, () => [random.pick(asOf), random.pick(knownOn)] as const);
};
const present = (views: readonly (JsonObject | null)[]): JsonObject[] => views.filter((view) => view !== null);
const big = (row: JsonObject, field: string): bigint => BigInt(String(row[field]));

const holdsQuality = (row: JsonObject): void => {
  const [outstanding, overdue] = [big(row, 'outstanding'), big(row, 'overdue')];
  const pars = [outstanding, big(row, 'par0'), big(row, 'par30'), big(row, 'par90'), 0n];
  for (const [index, par] of pars.slice(1).entries()) expect((pars[index] ?? 0n) >= par).toBe(true);
  expect(big(row, 'inTerm') + overdue).toBe(outstanding);
  expect(overdue <= big(row, 'par0')).toBe(true);
  for (const field of ['overdue', 'fellDue', 'collectedOfDue', 'prepaid', 'arrearsRecovered'])
    expect(big(row, field) >= 0n).toBe(true);
  for (const field of ['collectionRate', 'overdueRatio'])
    expect(row[field] === null || (Number(row[field]) >= 0 && Number(row[field]) <= 1)).toBe(true);
};

describe('generated histories on the model', () => {
  test('the same lines give the same answers', () => {
    fc.assert(
      fc.property(history(), ({ lines, answers, model }) => {
        const again = replay(lines, model.clock);
        expect(again.answers).toEqual(answers);
        expect(again.model.facts).toEqual(model.facts);
      }),
      RUNS,
    );
  });

  test('funded = outstanding + idle in districts + unallocated, by any day as known on any day', () => {
    fc.assert(
      fc.property(history(), (made) => {
        for (const [asOf, knownOn] of [...probes(made, 5), [FAR, FAR] as const])
          for (const fund of capitalIdentity(made.model, asOf, knownOn))
            expect(fund.funded).toBe(fund.outstanding + fund.idle + fund.unallocated);
        for (const key of districtFunds(movements(made.model.facts)))
          expect(districtBalance(made.model.facts, key) >= 0n).toBe(true);
      }),
      RUNS,
    );
  });

  test('payments: the five fields add up, and the portions are their principal', () => {
    fc.assert(
      fc.property(history(), ({ model }) => {
        for (const paid of ofType(model.facts, 'InstallmentPaid')) {
          expect(sum(Object.values(paid.allocation))).toBe(paid.amount);
          expect(sum(paid.portions.map((portion) => portion.principal))).toBe(principalOf(paid.allocation));
        }
      }),
      RUNS,
    );
  });

  test('quality, balances, loans and statements tell one outstanding', () => {
    fc.assert(
      fc.property(history(), (made) => {
        for (const [asOf, knownOn] of probes(made, 4)) {
          const quality = portfolioQuality(made.model, asOf, knownOn).total as JsonObject;
          holdsQuality(quality);
          const loans = present(loansOf(made.model).map((loan) => loanView(made.model, asOf, knownOn, loan)));
          const closings = present(loansOf(made.model).map((loan) => statement(made.model, asOf, knownOn, loan)));
          const outstanding = big(quality, 'outstanding');
          expect(sum(loans.map((loan) => big(loan, 'outstanding')))).toBe(outstanding);
          expect(sum(closings.map((loan) => big(loan, 'closing')))).toBe(outstanding);
          const balances = districtBalances(made.model, asOf, knownOn, ['source', 'programme']);
          expect(big(balances.total as JsonObject, 'outstanding')).toBe(outstanding);
          for (const loan of loans)
            for (const item of loan.installments as JsonObject[])
              expect(big(item, 'principal') >= big(item, 'paid')).toBe(true);
        }
      }),
      RUNS,
    );
  });

  test('rows of any breakdown add up to the total', () => {
    const keys: QualityKey[] = ['district', 'massOrganisation', 'borrowerClass', 'programme', 'source'];
    fc.assert(
      fc.property(history(), fc.subarray(keys), (made, by) => {
        for (const [asOf, knownOn] of probes(made, 3)) {
          const { rows, total } = portfolioQuality(made.model, asOf, knownOn, by);
          for (const row of rows as JsonObject[]) holdsQuality(row);
          for (const field of ['outstanding', 'overdue', 'par30', 'fellDue', 'collectedOfDue', 'prepaid', 'loans'])
            expect(sum((rows as JsonObject[]).map((row) => big(row, field)))).toBe(big(total as JsonObject, field));
        }
      }),
      RUNS,
    );
  });

  test('what was known on a day does not change behind it', () => {
    fc.assert(
      fc.property(history(), fc.nat(), (made, cut) => {
        const earlier = replay(made.lines.slice(0, cut % made.lines.length), made.model.clock);
        const before = interestingDays(earlier.model).knownOn.at(-2);
        const { asOf } = interestingDays(made.model);
        if (before === undefined) return;
        for (const day of [asOf.at(-1) ?? FAR, asOf[cut % asOf.length] ?? FAR])
          expect(portfolioQuality(made.model, day, before)).toEqual(portfolioQuality(earlier.model, day, before));
      }),
      RUNS,
    );
  });
});

test('a ledger on the machine clock takes no recordedAt and closes no day ahead', () => {
  const clock = '2026-01-01T00:00:00Z';
  fc.assert(
    fc.property(history({ simulated: false, clock }), ({ lines, model }) => {
      expect(lines.every((line) => line.recordedAt === undefined)).toBe(true);
      expect((model.openDay ?? '') <= '2026-01-02').toBe(true);
    }),
    { numRuns: 5 },
  );
});

test('the generator is worth its name: most lines are accepted, every command is, and most reasons of refusal occur', () => {
  const made = fc.sample(history(), { numRuns: 30, seed: 7 });
  const answered = made.flatMap(({ lines, answers }) =>
    lines.map((line, index) => ({ line, answer: answers[index] ?? { outcome: 'refused', reason: '' } })),
  );
  const accepted = answered.filter(({ answer }) => answer.outcome === 'accepted');
  expect(accepted.length / answered.length).toBeGreaterThan(0.7);
  expect(new Set(accepted.map(({ line }) => line.command))).toEqual(new Set(Object.keys(COMMANDS)));
  const reasons = new Set(answered.map(({ answer }) => ('reason' in answer ? answer.reason : answer.outcome)));
  for (const reason of 'allocation capital duplicate exists groupLeader invalid key limits order overpaid receipt settled state unknown valueDate voucher'.split(
    ' ',
  ))
    expect(reasons).toContain(reason);
  const events = new Set(accepted.flatMap(({ answer }) => ('events' in answer ? answer.events : [])));
  for (const type of ['LoanSettled', 'LoanReopened', 'BusinessDayClosed', 'PaymentReversed'])
    expect(events).toContain(type);
});
