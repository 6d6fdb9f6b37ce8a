import { defaultAllocation, explicitAllocation, portionsOf, principalOf } from './allocation.js';
import { type Day, sum } from './exact.js';
import {
  type Content,
  type Fact,
  type FactOf,
  type FundKey,
  type Line,
  must,
  ofType,
  refuse,
  type Target,
  type Terms,
} from './facts.js';
import { districtBalance, fundFigures } from './funds.js';
import { type Book, bookOf, dueDays, isSettled, outstandingOf, sharesOf } from './loan.js';

/** A command that passed the checks of its form, at a moment; `facts` is everything recorded. */
export interface Request {
  readonly data: Line['data'];
  readonly valueDate: Day;
  readonly openDay: Day;
  readonly facts: readonly Fact[];
}
/** What is to be recorded; the value date is the command's unless the content comes with its own. */
export type Decision = readonly (Content & { readonly valueDate?: Day })[];

const text = (data: Line['data'], name: string): string => String(data[name]);
const optional = (data: Line['data'], name: string): string | null => (name in data ? text(data, name) : null);
const whole = (data: Line['data'], name: string): number => Number(data[name]);
const amountIn = (data: Line['data'], name = 'amount'): bigint => BigInt(data[name] as number | string);
const fundIn = (data: Line['data']): FundKey => ({ programme: text(data, 'programme'), source: text(data, 'source') });

const MAX_SUM = 2n ** 53n - 1n;

const programmeExists = ({ facts, data }: Request): void =>
  must(
    ofType(facts, 'ProgrammeOpened').some((fact) => fact.programme === data.programme),
    'unknown',
  );

const openProgramme = ({ facts, data }: Request): Decision => {
  const programme = text(data, 'programme');
  must(!ofType(facts, 'ProgrammeOpened').some((fact) => fact.programme === programme), 'exists');
  const targets = (data.targets as Record<string, unknown>[]).map(
    (target): Target => ({
      year: whole(target, 'year'),
      capital: amountIn(target, 'capital'),
      jobs: whole(target, 'jobs'),
      collectionRateAtLeast: text(target, 'collectionRateAtLeast'),
      overdueRatioBelow: text(target, 'overdueRatioBelow'),
    }),
  );
  return [{ type: 'ProgrammeOpened', programme, targets }];
};

const publishPolicy = (request: Request): Decision => {
  programmeExists(request);
  const { data } = request;
  const terms: Terms = {
    annualRate: text(data, 'annualRate'),
    overdueFactor: text(data, 'overdueFactor'),
    maxPerJob: amountIn(data, 'maxPerJob'),
    maxPerLoan: amountIn(data, 'maxPerLoan'),
    maxTermMonths: whole(data, 'maxTermMonths'),
    arrearsOrder: text(data, 'arrearsOrder'),
    dueDayRoll: text(data, 'dueDayRoll'),
  };
  return [
    {
      type: 'PolicyPublished',
      programme: text(data, 'programme'),
      source: optional(data, 'source'),
      borrowerClass: optional(data, 'borrowerClass'),
      effectiveFrom: text(data, 'effectiveFrom'),
      terms,
    },
  ];
};

const fundTranche = (request: Request): Decision => {
  programmeExists(request);
  const fund = fundIn(request.data);
  const amount = amountIn(request.data);
  must(fundFigures(request.facts, fund).funded + amount <= MAX_SUM, 'sum');
  return [{ type: 'TrancheFunded', ...fund, amount }];
};

/** "never more than was funded" */
const allocateCapital = (request: Request): Decision => {
  programmeExists(request);
  const fund = fundIn(request.data);
  const amount = amountIn(request.data);
  must(amount <= fundFigures(request.facts, fund).unallocated, 'capital');
  return [{ type: 'CapitalAllocated', ...fund, district: text(request.data, 'district'), amount }];
};

const reallocateCapital = (request: Request): Decision => {
  programmeExists(request);
  const fund = fundIn(request.data);
  const amount = amountIn(request.data);
  const fromDistrict = text(request.data, 'fromDistrict');
  const toDistrict = text(request.data, 'toDistrict');
  must(fromDistrict !== toDistrict, 'invalid');
  must(amount <= districtBalance(request.facts, { ...fund, district: fromDistrict }), 'capital');
  return [{ type: 'CapitalReallocated', ...fund, fromDistrict, toDistrict, amount }];
};

const registerGroup = ({ facts, data }: Request): Decision => {
  const group = text(data, 'group');
  must(!ofType(facts, 'GroupRegistered').some((fact) => fact.group === group), 'exists');
  return [{ type: 'GroupRegistered', group, district: text(data, 'district'), mass: text(data, 'massOrganisation') }];
};

/** "A borrower's district is his group's" */
const registerBorrower = ({ facts, data }: Request): Decision => {
  const borrower = text(data, 'borrower');
  must(!ofType(facts, 'BorrowerRegistered').some((fact) => fact.borrower === borrower), 'exists');
  const group = optional(data, 'group');
  if (group !== null) {
    const found = ofType(facts, 'GroupRegistered').find((fact) => fact.group === group) ?? refuse('unknown');
    must(found.district === data.district, 'district');
  }
  return [
    {
      type: 'BorrowerRegistered',
      borrower,
      kind: text(data, 'kind'),
      borrowerClass: text(data, 'borrowerClass'),
      district: text(data, 'district'),
      commune: text(data, 'commune'),
      group,
    },
  ];
};

const borrowerIn = ({ facts, data }: Request): FactOf<'BorrowerRegistered'> =>
  ofType(facts, 'BorrowerRegistered').find((fact) => fact.borrower === data.borrower) ?? refuse('unknown');

const reclassifyBorrower = (request: Request): Decision => {
  const { borrower } = borrowerIn(request);
  return [{ type: 'BorrowerReclassified', borrower, borrowerClass: text(request.data, 'borrowerClass') }];
};

/** "a reclassification concerns later applications": those recorded later. */
const applyForLoan = (request: Request): Decision => {
  const { facts, data } = request;
  const loan = text(data, 'loan');
  must(bookOf(facts, loan) === undefined, 'exists');
  programmeExists(request);
  const borrower = borrowerIn(request);
  const reclassified = ofType(facts, 'BorrowerReclassified').filter((fact) => fact.borrower === borrower.borrower);
  const group = ofType(facts, 'GroupRegistered').find((fact) => fact.group === borrower.group);
  const dimensions = {
    ...fundIn(data),
    district: borrower.district,
    commune: borrower.commune,
    // "without a group, `group` is `null` and the mass organisation `NONE`"
    massOrganisation: group?.mass ?? 'NONE',
    group: borrower.group,
    borrowerClass: reclassified.at(-1)?.borrowerClass ?? borrower.borrowerClass,
  };
  return [
    {
      type: 'LoanApplied',
      loan,
      kind: borrower.kind,
      dimensions,
      amount: amountIn(data),
      termMonths: whole(data, 'termMonths'),
      every: whole(data, 'installmentEveryMonths'),
      jobs: whole(data, 'jobs'),
    },
  ];
};

/** "the most specific wins (source and class, then source, then class, then neither), then the latest effective date, then the last recorded" */
const termsInForce = (facts: readonly Fact[], { application }: Book, valueDate: Day): Terms => {
  const { programme, source, borrowerClass } = application.dimensions;
  const rank = (policy: FactOf<'PolicyPublished'>): string =>
    `${policy.source === null ? 0 : 1}${policy.borrowerClass === null ? 0 : 1} ${policy.effectiveFrom}`;
  const candidates = ofType(facts, 'PolicyPublished').filter(
    (policy) =>
      policy.programme === programme &&
      policy.effectiveFrom <= valueDate &&
      (policy.source === null || policy.source === source) &&
      (policy.borrowerClass === null || policy.borrowerClass === borrowerClass),
  );
  const first = candidates[0] ?? refuse('policy');
  return candidates.reduce((best, next) => (rank(next) >= rank(best) ? next : best), first).terms;
};

/** "Approval not before application", and a rejection likewise; once, and not both. */
const undecided = ({ facts, data, valueDate }: Request): Book => {
  const book = bookOf(facts, text(data, 'loan')) ?? refuse('unknown');
  must(book.approval === undefined && !book.rejected, 'state');
  must(valueDate >= book.application.valueDate, 'order');
  return book;
};

/** "Limits are checked at approval, on the approved amount and the term" */
const approveLoan = (request: Request): Decision => {
  const book = undecided(request);
  const { application } = book;
  const amount = amountIn(request.data);
  must(amount <= application.amount, 'limits');
  const terms = termsInForce(request.facts, book, request.valueDate);
  must(application.termMonths <= terms.maxTermMonths, 'limits');
  if (application.kind === 'WORKER') must(amount <= terms.maxPerJob, 'limits');
  else must(amount <= terms.maxPerJob * BigInt(application.jobs) && amount <= terms.maxPerLoan, 'limits');
  return [{ type: 'LoanApproved', loan: application.loan, amount, terms }];
};

const rejectLoan = (request: Request): Decision => [
  { type: 'LoanRejected', loan: undecided(request).application.loan },
];

const disburseLoan = ({ facts, data, valueDate, openDay }: Request): Decision => {
  const loan = text(data, 'loan');
  const book = bookOf(facts, loan) ?? refuse('unknown');
  const approval = book.approval ?? refuse('state');
  const amount = amountIn(data);
  const voucher = text(data, 'voucher');
  // "disbursement not before approval nor before any recorded part or standing payment"
  must(valueDate >= approval.valueDate, 'order');
  must(
    [...book.parts, ...book.standing].every((entry) => valueDate >= entry.valueDate),
    'order',
  );
  must(!isSettled(book, openDay), 'settled');
  must(!book.parts.some((part) => part.voucher === voucher), 'voucher');
  must(sum(book.parts.map((part) => part.amount)) + amount <= approval.amount, 'limits');
  const days = dueDays(book, valueDate);
  // "A part on or after the last due day is refused."
  must(valueDate < (days.at(-1) ?? ''), 'order');
  must(amount <= districtBalance(facts, book.application.dimensions), 'capital');
  const jobs = book.parts.length === 0 ? book.application.jobs : 0;
  return [{ type: 'LoanDisbursed', loan, amount, voucher, jobs, shares: sharesOf(days, amount, valueDate) }];
};

const recordPayment = ({ facts, data, valueDate, openDay }: Request): Decision => {
  const loan = text(data, 'loan');
  const book = bookOf(facts, loan) ?? refuse('unknown');
  const amount = amountIn(data);
  const receipt = text(data, 'receipt');
  must(book.parts.length > 0, 'state');
  must(!isSettled(book, openDay), 'settled');
  // "payment not before the last recorded part"
  must(
    book.parts.every((part) => valueDate >= part.valueDate),
    'order',
  );
  // "stays used after its reversal"
  must(!book.payments.some((payment) => payment.receipt === receipt), 'receipt');
  const allocation =
    'allocation' in data
      ? explicitAllocation(book, valueDate, amount, data.allocation as Record<string, unknown>)
      : defaultAllocation(book, valueDate, amount);
  const method = text(data, 'method');
  // "A payment by GROUP_LEADER that would reach principal is refused."
  must(method !== 'GROUP_LEADER' || principalOf(allocation) === 0n, 'groupLeader');
  const portions = portionsOf(book, valueDate, allocation);
  const paid = { type: 'InstallmentPaid', loan, amount, receipt, method, allocation, portions } as const;
  const after = { ...book, standing: [...book.standing, { ...paid, ...NOWHERE, valueDate }] };
  return isSettled(after, openDay) ? [paid, { type: 'LoanSettled', loan }] : [paid];
};

/** Where a trial payment stands before it is recorded. */
const NOWHERE = { stream: '', bookingDate: '', recordedDay: '' };

/** "`PaymentReversed` carries that as its value date; the command's own value date only has to be a day from the payment's to the open business day" */
const reversePayment = ({ facts, data, valueDate, openDay }: Request): Decision => {
  const loan = text(data, 'loan');
  const book = bookOf(facts, loan) ?? refuse('unknown');
  const receipt = text(data, 'receipt');
  const payment = book.payments.find((candidate) => candidate.receipt === receipt) ?? refuse('unknown');
  must(!book.reversed.has(receipt), 'state');
  must(valueDate >= payment.valueDate, 'order');
  const after = { ...book, standing: book.standing.filter((other) => other !== payment) };
  const reopened = isSettled(book, openDay) && !isSettled(after, openDay);
  const reversed = {
    type: 'PaymentReversed',
    loan,
    receipt,
    principal: outstandingOf(after) - outstandingOf(book),
    valueDate: payment.valueDate,
  } as const;
  return reopened ? [reversed, { type: 'LoanReopened', loan }] : [reversed];
};

export const DECISIONS: Readonly<Record<string, (request: Request) => Decision>> = {
  'open-programme': openProgramme,
  'publish-policy': publishPolicy,
  'fund-tranche': fundTranche,
  'allocate-capital': allocateCapital,
  'reallocate-capital': reallocateCapital,
  'register-group': registerGroup,
  'register-borrower': registerBorrower,
  'reclassify-borrower': reclassifyBorrower,
  'apply-for-loan': applyForLoan,
  'approve-loan': approveLoan,
  'reject-loan': rejectLoan,
  'disburse-loan': disburseLoan,
  'record-payment': recordPayment,
  'reverse-payment': reversePayment,
};
