import { type Day, DECIMAL, daysBetween, decimal, ratio, shown, sum, yearOf } from './exact.js';
import { type Fact, known, ofType, type Portion, type Target } from './facts.js';
import { type Book, bookOf, installmentsOf } from './loan.js';
import type { Model } from './model.js';
import { groupBy, type JsonObject } from './views.js';

export type QualityKey = 'district' | 'massOrganisation' | 'borrowerClass' | 'programme' | 'source';

interface Period {
  readonly from: Day;
  readonly asOf: Day;
}

export const portfolioQuality = (
  model: Model,
  asOf: Day,
  knownOn: Day,
  by: readonly QualityKey[] = [],
  from: Day = `${asOf.slice(0, 4)}-01-01`,
): JsonObject => {
  const facts = known(model.facts, asOf, knownOn);
  const books = ofType(facts, 'LoanApplied')
    .flatMap(({ loan }) => bookOf(facts, loan) ?? [])
    .filter((book) => book.parts.length > 0);
  const keysOf = ({ application }: Book): JsonObject =>
    Object.fromEntries(by.map((key) => [key, application.dimensions[key]]));
  const figures = (own: readonly Book[]): JsonObject => qualityOf(own, { from, asOf }, model.facts);
  return {
    asOf,
    knownOn,
    from,
    rows: groupBy(books, keysOf).map(([keys, own]) => ({ ...keys, ...figures(own) })),
    total: figures(books),
  };
};

const qualityOf = (books: readonly Book[], period: Period, facts: readonly Fact[]): JsonObject => {
  const loans = books.map((book) => loanQuality(book, period));
  const total = (measure: keyof LoanQuality): bigint => sum(loans.map((loan) => loan[measure]));
  const { outstanding, overdue, fellDue, collectedOfDue } = {
    outstanding: total('outstanding'),
    overdue: total('overdue'),
    fellDue: total('fellDue'),
    collectedOfDue: total('collectedOfDue'),
  };
  const targets = targetsOf(books, facts, yearOf(period.asOf));
  // "the tests against the plan's bounds use the exact fraction"; "over several programmes the strictest"
  const meetsCollectionRate = targets.every(
    (target) => collectedOfDue * DECIMAL >= fellDue * decimal(target.collectionRateAtLeast),
  );
  const meetsOverdueRatio = targets.every(
    (target) => overdue * DECIMAL < outstanding * decimal(target.overdueRatioBelow),
  );
  return {
    loans: loans.filter((loan) => loan.outstanding > 0n).length,
    outstanding: shown(outstanding),
    inTerm: shown(outstanding - overdue),
    extended: 0,
    overdue: shown(overdue),
    frozen: 0,
    par0: shown(total('par0')),
    par30: shown(total('par30')),
    par90: shown(total('par90')),
    fellDue: shown(fellDue),
    collectedOfDue: shown(collectedOfDue),
    prepaid: shown(total('prepaid')),
    arrearsRecovered: shown(total('arrearsRecovered')),
    collectionRate: ratio(collectedOfDue, fellDue),
    overdueRatio: ratio(overdue, outstanding),
    meetsCollectionRate: fellDue === 0n || targets.length === 0 ? null : meetsCollectionRate,
    meetsOverdueRatio: outstanding === 0n || targets.length === 0 ? null : meetsOverdueRatio,
  };
};

interface LoanQuality {
  readonly outstanding: bigint;
  readonly overdue: bigint;
  readonly par0: bigint;
  readonly par30: bigint;
  readonly par90: bigint;
  readonly fellDue: bigint;
  readonly collectedOfDue: bigint;
  readonly prepaid: bigint;
  readonly arrearsRecovered: bigint;
}

const loanQuality = (book: Book, { from, asOf }: Period): LoanQuality => {
  const items = installmentsOf(book);
  const outstanding = sum(items.map((item) => item.unpaid));
  const late = items.filter((item) => item.unpaid > 0n && item.dueDate < asOf);
  const daysLate = late[0] === undefined ? 0 : daysBetween(late[0].dueDate, asOf);
  // "whole unpaid principal of loans whose oldest unpaid instalment is more than 0, 30, 90 days late"
  const par = (days: number): bigint => (daysLate > days ? outstanding : 0n);
  const received = book.standing.flatMap(({ valueDate, portions }) =>
    portions.map((portion): Receipt => ({ ...portion, valueDate })),
  );
  const receivedIf = (condition: (receipt: Receipt) => boolean): bigint =>
    sum(received.filter(condition).map((receipt) => receipt.principal));
  const isPrepaid = (receipt: Receipt): boolean => receipt.valueDate < receipt.dueDate;
  const fallsIn = (day: Day): boolean => day >= from && day <= asOf;
  const principalDue = sum(items.filter((item) => fallsIn(item.dueDate)).map((item) => item.principal));
  return {
    outstanding,
    overdue: sum(late.map((item) => item.unpaid)),
    par0: par(0),
    par30: par(30),
    par90: par(90),
    // "principal whose due day lies in it"; what was prepaid "never falls due any more"
    fellDue: principalDue - receivedIf((receipt) => isPrepaid(receipt) && fallsIn(receipt.dueDate)),
    // "what was received by `asOf` of just that principal, on the day or late"
    collectedOfDue: receivedIf((receipt) => !isPrepaid(receipt) && fallsIn(receipt.dueDate)),
    // "principal received in it before its due day"
    prepaid: receivedIf((receipt) => isPrepaid(receipt) && fallsIn(receipt.valueDate)),
    // "what was received in it of principal that fell due before it"
    arrearsRecovered: receivedIf((receipt) => receipt.dueDate < from && fallsIn(receipt.valueDate)),
  };
};

type Receipt = Portion & { readonly valueDate: Day };

/** "the programme's target for `asOf`'s year, or the latest before it, or else the earliest" */
const targetsOf = (books: readonly Book[], facts: readonly Fact[], year: number): Target[] => {
  const programmes = new Set(books.map((book) => book.application.dimensions.programme));
  return ofType(facts, 'ProgrammeOpened')
    .filter((fact) => programmes.has(fact.programme))
    .flatMap(({ targets }) => {
      const byYear = [...targets].sort((a, b) => a.year - b.year);
      return byYear.findLast((target) => target.year <= year) ?? byYear[0] ?? [];
    });
};
