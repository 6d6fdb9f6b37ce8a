import { type Day, least, most, sum } from './exact.js';
import { ALLOCATION, type Allocation, type AllocationField, must, type Portion } from './facts.js';
import { accruedBy, type Book, type Installment, installmentsOf, interestReceived } from './loan.js';

const NOTHING: Allocation = {
  interestInTerm: 0n,
  interestOverdue: 0n,
  principalOverdue: 0n,
  principalDue: 0n,
  principalPrepaid: 0n,
};

/** "whether principal is overdue, due or prepaid is judged on its value date" */
const classOn = (item: Installment, valueDate: Day): AllocationField =>
  item.dueDate < valueDate ? 'principalOverdue' : item.dueDate === valueDate ? 'principalDue' : 'principalPrepaid';

/**
 * "goes to what no recorded payment has paid yet: interest accrued to its value date less all interest received, then
 * instalments by their unpaid rest". `book` is everything recorded.
 */
export const unpaidOn = (book: Book, valueDate: Day): Allocation => {
  const accrued = accruedBy(book, valueDate);
  const received = interestReceived(book);
  const principal = (field: AllocationField): bigint =>
    sum(
      installmentsOf(book)
        .filter((item) => classOn(item, valueDate) === field)
        .map((item) => item.unpaid),
    );
  return {
    interestInTerm: most(0n, accrued.inTerm - received.inTerm),
    interestOverdue: most(0n, accrued.overdue - received.overdue),
    principalOverdue: principal('principalOverdue'),
    principalDue: principal('principalDue'),
    principalPrepaid: principal('principalPrepaid'),
  };
};

/** "on a loan with an overdue portion on the value date, PRINCIPAL_FIRST takes principal[...] before the two interests" */
const orderOf = (book: Book, unpaid: Allocation): readonly AllocationField[] =>
  book.approval?.terms.arrearsOrder === 'PRINCIPAL_FIRST' && unpaid.principalOverdue > 0n
    ? ['principalOverdue', 'principalDue', 'interestInTerm', 'interestOverdue', 'principalPrepaid']
    : ALLOCATION;

export const defaultAllocation = (book: Book, valueDate: Day, amount: bigint): Allocation => {
  const unpaid = unpaidOn(book, valueDate);
  // "A payment above unpaid principal plus interest due (each component at no less than 0) is refused"
  must(amount <= sum(Object.values(unpaid)), 'overpaid');
  const allocation = { ...NOTHING };
  let left = amount;
  for (const field of orderOf(book, unpaid)) {
    allocation[field] = least(left, unpaid[field]);
    left -= allocation[field];
  }
  return allocation;
};

/** "has the five fields (a missing one is 0), adds up to the amount, and none may exceed what is unpaid under it" */
export const explicitAllocation = (
  book: Book,
  valueDate: Day,
  amount: bigint,
  given: Readonly<Record<string, unknown>>,
): Allocation => {
  const unpaid = unpaidOn(book, valueDate);
  const allocation = { ...NOTHING };
  for (const field of ALLOCATION) {
    allocation[field] = BigInt((given[field] ?? 0) as number | string);
    must(allocation[field] <= unpaid[field], 'allocation');
  }
  must(sum(Object.values(allocation)) === amount, 'allocation');
  return allocation;
};

export const principalOf = (allocation: Allocation): bigint =>
  allocation.principalOverdue + allocation.principalDue + allocation.principalPrepaid;

/** "the principal by the instalment that it paid", oldest (next) instalment first in each of the three. */
export const portionsOf = (book: Book, valueDate: Day, allocation: Allocation): Portion[] => {
  const left = { ...allocation };
  return installmentsOf(book).flatMap((item) => {
    const field = classOn(item, valueDate);
    const principal = least(left[field], item.unpaid);
    left[field] -= principal;
    return principal > 0n ? [{ installment: item.number, dueDate: item.dueDate, principal }] : [];
  });
};
