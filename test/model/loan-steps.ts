import { unpaidOn } from './allocation.js';
import { addDays, type Day, daysBetween, least, localDay, most, sum } from './exact.js';
import { ALLOCATION, type Allocation, type FactOf } from './facts.js';
import { districtBalance } from './funds.js';
import { type Book, dueDays, installmentsOf, isSettled } from './loan.js';
import {
  booksOf,
  borrowersOf,
  clockReaches,
  command,
  firstDay,
  openDay,
  PROGRAMMES,
  SOURCES,
  valueDateFrom,
  type World,
} from './world.js';

const MAX = 10n ** 15n;
const canTakePart = (world: World, book: Book): boolean =>
  !isSettled(book, openDay(world)) && (dueDays(book).at(-1) ?? '9') > openDay(world);
const bounded = (amount: bigint): number => Number(amount < 1n ? 1n : amount > MAX ? MAX : amount);
const latest = (days: readonly Day[]): Day => [...days].sort().at(-1) ?? '';

const USUAL_AMOUNTS = [6_001, 1_234_567, 12_345_678, 33_333_333, 50_000_000, 100_000_000];
const EDGE_AMOUNTS = [1, 999, 5_000, 100_000_001, 2 * 10 ** 9, 10 ** 15];

const apply = (world: World): void => {
  const { random } = world;
  const borrowers = borrowersOf(world);
  if (borrowers.length === 0) return;
  command(world, 'apply-for-loan', valueDateFrom(world, firstDay(world)), {
    loan: `L${booksOf(world).length + 1}`,
    borrower: random.pick(borrowers),
    programme: random.chance(0.7) ? PROGRAMMES[0] : PROGRAMMES[1],
    source: random.pick(SOURCES),
    amount: random.pick(random.chance(0.8) ? USUAL_AMOUNTS : EDGE_AMOUNTS),
    termMonths: random.pick(random.chance(0.9) ? [2, 3, 6, 7, 12, 13, 24] : [1, 36, 60, 120, 121]),
    installmentEveryMonths: random.pick([1, 1, 2, 3, 6, 12, 120]),
    jobs: random.pick([1, 2, 20, 10_000]),
    purpose: 'a sewing workshop',
  });
};

const approve = (world: World, book: Book): void => {
  const { random } = world;
  const { loan, amount, valueDate } = book.application;
  const day = valueDateFrom(world, random.chance(0.05) ? firstDay(world) : valueDate);
  if (random.chance(0.06)) command(world, 'reject-loan', day, { loan, reason: 'no need', decision: 'QD-2' });
  else {
    const approved = random.pick([amount, least(amount, 100_000_000n), least(amount, 100_000_000n), amount / 2n]);
    command(world, 'approve-loan', day, {
      loan,
      amount: bounded(approved + (random.chance(0.04) ? 1n : 0n)),
      decision: 'QD-1',
    });
  }
};

/** The whole, a part, the rest, what the district has, or one đồng too many. */
const disburse = (world: World, book: Book, approval: FactOf<'LoanApproved'>): void => {
  const { random } = world;
  const { loan, dimensions } = book.application;
  const left = approval.amount - sum(book.parts.map((part) => part.amount));
  const there = districtBalance(world.model.facts, dimensions);
  const affordable = least(there, left);
  const usual = [affordable, affordable, affordable / 2n, affordable / 3n];
  const amount = random.pick(random.chance(0.9) ? usual : [1n, left + 1n, there + 1n]);
  const from = latest([approval, ...book.parts, ...book.standing].map((entry) => entry.valueDate));
  const day = valueDateFrom(world, random.chance(0.05) ? firstDay(world) : from, 0.35);
  const voucher = random.chance(0.03) ? 'V-0' : `V-${book.parts.length}`;
  command(world, 'disburse-loan', day, { loan, amount: bounded(amount), voucher });
};

/** Brings one loan a step on: applied for, approved or rejected, disbursed in one or several parts. */
export const advanceStep = (world: World): void => {
  const books = booksOf(world).filter(
    (book) =>
      !book.rejected &&
      (book.approval === undefined || sum(book.parts.map((part) => part.amount)) < book.approval.amount) &&
      (canTakePart(world, book) || world.random.chance(0.05)),
  );
  const fresh = booksOf(world).length < 10 && (books.length === 0 || world.random.chance(0.35));
  if (fresh) apply(world);
  if (fresh || books.length === 0) return;
  const book = world.random.pick(books);
  if (book.approval === undefined) approve(world, book);
  else disburse(world, book, book.approval);
};

const payable = (world: World): Book[] => {
  const books = booksOf(world).filter((book) => book.parts.length > 0);
  const running = books.filter((book) => !isSettled(book, openDay(world)));
  return world.random.chance(0.03) ? books : running;
};

/** Sensible sums: the interest, what is late, what is due, all of it, the next instalment; and one đồng beside. */
const someAmount = (world: World, unpaid: Allocation, book: Book): number => {
  const interest = unpaid.interestInTerm + unpaid.interestOverdue;
  const demanded = interest + unpaid.principalOverdue + unpaid.principalDue;
  const all = demanded + unpaid.principalPrepaid;
  const next = installmentsOf(book).find((item) => item.unpaid > 0n)?.unpaid ?? 1n;
  return bounded(
    world.random.pick([
      most(interest, 1n),
      demanded,
      demanded,
      demanded,
      all,
      interest + unpaid.principalOverdue / 2n,
      unpaid.principalOverdue,
      demanded + next,
      interest + next,
      demanded + next / 2n,
      demanded - 1n,
      1n,
      world.random.chance(0.5) ? all - 1n : all + 1n,
      (demanded * BigInt(world.random.below(1000))) / 1000n,
    ]),
  );
};

const receiptFor = (world: World, book: Book): string => {
  const used = book.payments.map((payment) => payment.receipt);
  return used.length > 0 && world.random.chance(0.03) ? world.random.pick(used) : `R-${used.length + 1}`;
};

/** The open day, or back: any day since the last part, a due day or a day beside it, a payment's own day. */
const paymentDay = (world: World, book: Book): Day => {
  const { random } = world;
  if (random.chance(0.6)) return openDay(world);
  if (random.chance(0.1)) return valueDateFrom(world, firstDay(world), 1);
  const from = latest(book.parts.map((part) => part.valueDate));
  const near = [...dueDays(book), ...book.payments.map((payment) => payment.valueDate)].flatMap((day) =>
    [-1, 0, 1].map((days) => addDays(day, days)),
  );
  const possible = near.filter((day) => day >= from && day <= openDay(world));
  return possible.length > 0 && random.chance(0.5) ? random.pick(possible) : valueDateFrom(world, from, 1);
};

export const payStep = (world: World): void => {
  const books = payable(world);
  if (books.length === 0) return;
  const book = world.random.pick(books);
  payAmount(world, book, paymentDay(world, book));
};

const payAmount = (world: World, book: Book, day: Day): void => {
  command(world, 'record-payment', day, {
    loan: book.application.loan,
    amount: someAmount(world, unpaidOn(book, day), book),
    receipt: receiptFor(world, book),
    method: world.random.pick(['CASH', 'TRANSFER', 'TRANSFER']),
  });
};

/** By the group's leader: interest, all of it, part of it, or one đồng into the principal (refused). */
export const leaderStep = (world: World): void => {
  const books = payable(world);
  if (books.length === 0) return;
  const book = world.random.pick(books);
  const day = paymentDay(world, book);
  const unpaid = unpaidOn(book, day);
  const interest = unpaid.interestInTerm + unpaid.interestOverdue;
  if (interest === 0n && !world.random.chance(0.1)) return;
  command(world, 'record-payment', day, {
    loan: book.application.loan,
    amount: bounded(world.random.pick([interest, interest, interest, interest / 2n, interest + 1n])),
    receipt: receiptFor(world, book),
    method: 'GROUP_LEADER',
  });
};

/** The payer's own allocation: each field none, some or all of what is unpaid under it; seldom one đồng wrong. */
export const explicitStep = (world: World): void => {
  const { random } = world;
  const books = payable(world);
  if (books.length === 0) return;
  const book = random.pick(books);
  const day = paymentDay(world, book);
  const unpaid = unpaidOn(book, day);
  const chosen = ALLOCATION.map((field) => {
    const share = random.pick([0n, unpaid[field], unpaid[field] / 2n, unpaid[field] > 0n ? 1n : 0n]);
    return [
      field,
      (field === 'principalPrepaid' && random.chance(0.6) ? 0n : share) + (random.chance(0.02) ? 1n : 0n),
    ] as const;
  }).filter(([, share]) => share > 0n);
  if (chosen.length === 0) return;
  const amount = sum(chosen.map(([, share]) => share)) + (random.chance(0.05) ? 1n : 0n);
  command(world, 'record-payment', day, {
    loan: book.application.loan,
    amount: bounded(amount),
    receipt: receiptFor(world, book),
    method: random.chance(0.1) ? 'GROUP_LEADER' : 'TRANSFER',
    allocation: Object.fromEntries(chosen.map(([field, share]) => [field, bounded(share)])),
  });
};

/** Any payment, on a settled loan too, on its day or later; half of them entered again under another receipt. */
export const reverseStep = (world: World): void => {
  const { random } = world;
  const all = booksOf(world).flatMap((book) => book.payments.map((payment) => ({ book, payment })));
  const standing = all.filter(({ book, payment }) => !book.reversed.has(payment.receipt));
  const candidates = standing.length > 0 && !random.chance(0.05) ? standing : all;
  if (candidates.length === 0) return;
  const { payment } = random.pick(candidates);
  const day = valueDateFrom(world, random.chance(0.05) ? firstDay(world) : payment.valueDate, 0.4);
  const data = { loan: payment.loan, receipt: payment.receipt, reason: 'entered twice', decision: 'QD-9' };
  command(world, 'reverse-payment', day, data);
  const book = booksOf(world).find((found) => found.application.loan === payment.loan);
  if (book !== undefined && random.chance(0.5)) payAmount(world, book, payment.valueDate);
};

/** Closes up to the eve of `day`, at once or, the last days, one by one. */
const closeUntil = (world: World, day: Day): void => {
  const eve = addDays(day, -1);
  if (eve < openDay(world)) return;
  if (!world.model.simulated && eve > localDay(world.model.clock)) return;
  if (world.random.chance(0.3) && daysBetween(openDay(world), eve) > 2) closeOn(world, addDays(eve, -2));
  if (world.random.chance(0.2) && daysBetween(openDay(world), eve) > 0) closeOn(world, addDays(eve, -1));
  closeOn(world, eve);
};

const closeOn = (world: World, date: Day): void => {
  clockReaches(world, date);
  command(world, 'close-business-day', date, { date });
};

/** One day, a few, months to catch up with, or a day that is closed already. */
export const closeStep = (world: World): void =>
  closeUntil(world, addDays(openDay(world), world.random.pick([1, 1, 1, 2, 3, 7, 31, 100, 0, -1])));

/** To where something happens: the day before a due day, on it, after it, on the edges of PAR over 30 and 90. */
export const hopStep = (world: World): void => {
  const days = booksOf(world)
    .flatMap((book) => installmentsOf(book).filter((item) => item.unpaid > 0n))
    .flatMap((item) => [-1, 0, 0, 1, 30, 31, 90, 91].map((late) => addDays(item.dueDate, late)))
    .filter((day) => day > openDay(world) && daysBetween(openDay(world), day) <= 400);
  if (days.length > 0) closeUntil(world, world.random.pick(days));
};
