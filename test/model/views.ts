import { addDays, type Day, daysBetween, shown, sum, yearOf } from './exact.js';
import { ALLOCATION, type Fact, type FundKey, known, ofType } from './facts.js';
import {
  districtFigures,
  districtFunds,
  fundFigures,
  fundOf,
  type Movement,
  movements,
  ofDistrict,
  sameFund,
} from './funds.js';
import {
  accruedBy,
  type Book,
  bookOf,
  type Installment,
  installmentsOf,
  interestReceived,
  isSettled,
  overdueOn,
} from './loan.js';
import { type Model, revisionOf } from './model.js';

/** The queries of contract §2, as JSON; `null` where the answer is "not found". */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

const statusOf = (book: Book, asOf: Day): string => {
  if (book.rejected) return 'REJECTED';
  if (book.approval === undefined) return 'APPLIED';
  if (book.parts.length === 0) return 'APPROVED';
  return isSettled(book, asOf) ? 'SETTLED' : 'ACTIVE';
};

const installmentStatus = (item: Installment, asOf: Day): string =>
  item.unpaid === 0n ? 'PAID' : item.dueDate < asOf ? 'OVERDUE' : 'IN_TERM';

export const loanView = (model: Model, asOf: Day, knownOn: Day, loan: string): JsonObject | null => {
  const book = bookOf(known(model.facts, asOf, knownOn), loan);
  if (book === undefined) return null;
  const items = installmentsOf(book);
  const late = overdueOn(book, asOf);
  const outstanding = sum(items.map((item) => item.unpaid));
  const overdue = sum(late.map((item) => item.unpaid));
  const accrued = accruedBy(book, asOf);
  const received = interestReceived(book);
  const paid = received.inTerm + received.overdue;
  return {
    loan,
    status: statusOf(book, asOf),
    outstanding: shown(outstanding),
    inTerm: shown(outstanding - overdue),
    overdue: shown(overdue),
    daysPastDue: late[0] === undefined ? 0 : daysBetween(late[0].dueDate, asOf),
    interest: {
      accruedInTerm: shown(accrued.inTerm),
      accruedOverdue: shown(accrued.overdue),
      paid: shown(paid),
      due: shown(accrued.inTerm + accrued.overdue - paid),
    },
    installments: items.map((item) => ({
      number: item.number,
      dueDate: item.dueDate,
      principal: shown(item.principal),
      paid: shown(item.paid),
      status: installmentStatus(item, asOf),
    })),
    disbursements: book.parts.map((part) => ({
      valueDate: part.valueDate,
      amount: shown(part.amount),
      voucher: part.voucher,
    })),
    payments: book.payments.map((payment) => ({
      receipt: payment.receipt,
      valueDate: payment.valueDate,
      amount: shown(payment.amount),
      method: payment.method,
      allocation: Object.fromEntries(ALLOCATION.map((field) => [field, shown(payment.allocation[field])])),
      reversed: book.reversed.has(payment.receipt),
    })),
    revision: revisionOf(model, `loan ${loan}`),
  };
};

/** The loan's principal as an account: what was disbursed, paid and reversed, by value date and then as recorded. */
export const statement = (model: Model, asOf: Day, knownOn: Day, loan: string): JsonObject | null => {
  const facts = known(model.facts, asOf, knownOn);
  if (bookOf(facts, loan) === undefined) return null;
  const own = movements(facts)
    .filter(({ fact }) => 'loan' in fact && fact.loan === loan)
    .sort((a, b) => (a.fact.valueDate < b.fact.valueDate ? -1 : a.fact.valueDate > b.fact.valueDate ? 1 : 0));
  let balance = 0n;
  const lines = own.map(({ measure, amount, fact }) => {
    const principal = measure === 'disbursed' ? amount : -amount;
    balance += principal;
    const reference = fact.type === 'LoanDisbursed' ? fact.voucher : 'receipt' in fact ? fact.receipt : null;
    return {
      type: fact.type,
      valueDate: fact.valueDate,
      reference,
      principal: shown(principal),
      balance: shown(balance),
    };
  });
  return { loan, opening: 0, lines, closing: shown(balance) };
};

/** Group by what a row's keys say; without keys there is one row, and none where nothing is known. */
export const groupBy = <T>(items: readonly T[], keysOf: (item: T) => JsonObject): (readonly [JsonObject, T[]])[] => {
  const groups = new Map<string, readonly [JsonObject, T[]]>();
  for (const item of items) {
    const keys = keysOf(item);
    const name = JSON.stringify(keys);
    groups.set(name, groups.get(name) ?? [keys, []]);
    groups.get(name)?.[1].push(item);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
};

/** `by`: source, programme; a row is always of one district. */
export const districtBalances = (
  model: Model,
  asOf: Day,
  knownOn: Day,
  by: readonly ('source' | 'programme')[] = [],
): JsonObject => {
  const moved = movements(known(model.facts, asOf, knownOn)).filter((move) => move.fund.district !== null);
  const keysOf = ({ fund }: Movement): JsonObject => ({
    district: fund.district,
    ...Object.fromEntries(by.map((key) => [key, fund[key]])),
  });
  return {
    asOf,
    knownOn,
    rows: groupBy(moved, keysOf).map(([keys, own]) => ({ ...keys, ...balancesOf(own) })),
    total: balancesOf(moved),
  };
};

const balancesOf = (moved: readonly Movement[]): JsonObject => {
  const { allocated, disbursed, collected, returned } = districtFigures(moved);
  const writtenOff = 0n;
  // Nothing is under way between two commands.
  const committed = 0n;
  const outstanding = disbursed - collected - writtenOff;
  const idle = allocated - outstanding - writtenOff;
  return {
    allocated: shown(allocated),
    committed: shown(committed),
    disbursed: shown(disbursed),
    principalCollected: shown(collected),
    principalReturned: shown(returned),
    outstanding: shown(outstanding),
    writtenOff: shown(writtenOff),
    idle: shown(idle),
    available: shown(idle - committed - (collected - returned)),
  };
};

/** "flows by value date within the year up to `asOf`"; a row for each year with a target or a movement. */
export const capitalPlan = (model: Model, programme: string, asOf: Day, knownOn: Day): JsonObject => {
  const facts = known(model.facts, asOf, knownOn);
  const opened = ofType(facts, 'ProgrammeOpened').find((fact) => fact.programme === programme);
  const targets = opened?.targets ?? [];
  const moved = movements(facts).filter((move) => move.fund.programme === programme && move.measure !== 'returned');
  const years = new Set([
    ...targets.map((target) => target.year),
    ...moved.filter((move) => move.measure !== 'reallocated').map((move) => yearOf(move.fact.valueDate)),
  ]);
  const rows = [...years].sort().map((year) => {
    const target = targets.find((candidate) => candidate.year === year);
    const inYear = moved.filter((move) => yearOf(move.fact.valueDate) === year);
    const flow = (measure: Movement['measure']): number | string =>
      shown(sum(inYear.filter((move) => move.measure === measure).map((move) => move.amount)));
    const jobs = inYear.map(({ fact }) => (fact.type === 'LoanDisbursed' ? fact.jobs : 0));
    return {
      year,
      planned: shown(target?.capital ?? 0n),
      funded: flow('funded'),
      allocated: flow('allocated'),
      disbursed: flow('disbursed'),
      recovered: flow('collected'),
      jobsTarget: target?.jobs ?? 0,
      jobsCreated: jobs.reduce((total, count) => total + count, 0),
    };
  });
  return { programme, asOf, knownOn, rows };
};

export interface FundIdentity {
  readonly fund: FundKey;
  readonly funded: bigint;
  readonly unallocated: bigint;
  /** Cash in districts: each fund's own balance and what closes have not returned yet. */
  readonly idle: bigint;
  /** From the loans' own instalments. */
  readonly outstanding: bigint;
}

/** "funded = outstanding + written off + idle in districts + unallocated", each side from other facts. */
export const capitalIdentity = (model: Model, asOf: Day, knownOn: Day): FundIdentity[] => {
  const facts = known(model.facts, asOf, knownOn);
  const moved = movements(facts);
  const books = ofType(facts, 'LoanApplied').flatMap(({ loan }) => bookOf(facts, loan) ?? []);
  return groupBy(moved, (move) => ({ ...fundOf(move.fund) })).map(([, own]) => {
    const fund = fundOf((own[0] as Movement).fund);
    const districts = districtFunds(own).map((key) => districtFigures(ofDistrict(own, key)));
    const loans = books.filter((book) => sameFund(book.application.dimensions, fund));
    return {
      fund,
      ...fundFigures(facts, fund),
      idle: sum(districts.map((figures) => figures.balance + figures.collected - figures.returned)),
      outstanding: sum(loans.flatMap((book) => installmentsOf(book).map((item) => item.unpaid))),
    };
  });
};

/** Days on which figures change: value dates, due days and the edges of PAR, recorded days. */
export const interestingDays = (model: Model): { readonly asOf: Day[]; readonly knownOn: Day[] } => {
  const asOf = new Set<Day>();
  for (const fact of model.facts) {
    asOf.add(fact.valueDate);
    asOf.add(addDays(fact.valueDate, 1));
    if (fact.type === 'LoanDisbursed')
      for (const { dueDate } of fact.shares)
        for (const late of [-1, 0, 1, 30, 31, 90, 91]) asOf.add(addDays(dueDate, late));
  }
  return { asOf: [...asOf].sort(), knownOn: [...new Set(model.facts.map((fact: Fact) => fact.recordedDay))].sort() };
};
