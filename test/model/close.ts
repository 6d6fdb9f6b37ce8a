import { addDays, type Day, most } from './exact.js';
import type { Content, Fact } from './facts.js';
import { ofType } from './facts.js';
import { districtFigures, districtFunds, movements, ofDistrict } from './funds.js';
import { bookOf, type Installment, installmentsOf } from './loan.js';

export type Closed = Content & { readonly stream: string; readonly valueDate: Day };

/** What the close of `day` records; `facts` is everything recorded before it announced itself. */
export const closeOf = (facts: readonly Fact[], unpaid: readonly Unpaid[], day: Day): Closed[] => [
  ...overduePortions(facts, unpaid, day),
  ...returns(facts, day),
  { type: 'BusinessDayClosed', stream: 'businessDay', valueDate: day },
];

/** An instalment with something unpaid; closing days changes none of them, so several days share one list. */
export interface Unpaid {
  readonly loan: string;
  readonly item: Installment;
}
export const unpaidPortions = (facts: readonly Fact[]): Unpaid[] =>
  ofType(facts, 'LoanApplied').flatMap(({ loan }) => {
    const book = bookOf(facts, loan);
    return (book === undefined ? [] : installmentsOf(book))
      .filter((item) => item.unpaid > 0n)
      .map((item) => ({ loan, item }));
  });

/** "each portion due on D or before, unpaid at the end of D [...], and not recorded by an earlier close" */
const overduePortions = (facts: readonly Fact[], unpaid: readonly Unpaid[], day: Day): Closed[] => {
  const recorded = new Set(ofType(facts, 'LoanOverdue').map((fact) => `${fact.loan} ${fact.installment}`));
  return unpaid
    .filter(({ loan, item }) => item.dueDate <= day && !recorded.has(`${loan} ${item.number}`))
    .map(({ loan, item }) => ({
      type: 'LoanOverdue',
      stream: `loan ${loan}`,
      loan,
      installment: item.number,
      amount: item.unpaid,
      // "its value date is the day after the due day"
      valueDate: addDays(item.dueDate, 1),
    }));
};

/**
 * "returns the principal of payments booked on D less that of reversals booked on D; it never takes a district fund
 * below zero: what reversals leave uncovered is taken by the next closes as soon as the fund has it": so what is to be
 * returned is all that was booked up to D less all that earlier closes returned.
 */
const returns = (facts: readonly Fact[], day: Day): Closed[] => {
  const moved = movements(facts).filter((move) => move.fact.bookingDate <= day);
  return districtFunds(moved).flatMap((key): Closed[] => {
    const figures = districtFigures(ofDistrict(moved, key));
    const amount = most(figures.collected - figures.returned, -figures.balance);
    if (amount === 0n) return [];
    const stream = `districtFund ${key.programme} ${key.source} ${key.district}`;
    return [{ type: 'PrincipalReturned', stream, ...key, amount, valueDate: day }];
  });
};
