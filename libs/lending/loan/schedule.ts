import { addMonths, type LocalDate, rollFollowing } from '../../kernel/dates.js';
import { asDong, type Dong } from '../../kernel/money.js';
import type { DueDayRoll } from '../codes.js';
import type { Share } from './events.js';

/** Instalments are cut down to this, in đồng; what is left goes to the last one (domain §4). */
const INSTALLMENT_UNIT = 1_000;

export interface ScheduleTerms {
  readonly termMonths: number;
  readonly installmentEveryMonths: number;
  readonly dueDayRoll: DueDayRoll;
}

/**
 * The due days of a loan whose first part was disbursed on `anchor`: ceil(term / interval) of them, the last at the
 * end of the term. Each runs from the anchor's day, never from the due day before it; a day that a month lacks becomes
 * its last; the roll is applied to each apart, and the rolled day is the due day (domain §3, §4).
 */
export function dueDates(anchor: LocalDate, terms: ScheduleTerms): readonly LocalDate[] {
  const count = Math.ceil(terms.termMonths / terms.installmentEveryMonths);
  return Array.from({ length: count }, (_, index) => {
    const months = Math.min((index + 1) * terms.installmentEveryMonths, terms.termMonths);
    const nominal = addMonths(anchor, months);
    return terms.dueDayRoll === 'FOLLOWING' ? rollFollowing(nominal) : nominal;
  });
}

/**
 * A part's shares in the instalments whose due day lies after its value date: an equal part each, cut down to
 * thousands, and the remainder on the last. `due` holds at least one such day.
 */
export function splitPart(
  amount: Dong,
  valueDate: LocalDate,
  due: readonly { readonly number: number; readonly dueDate: LocalDate }[],
): readonly Share[] {
  const open = due.filter(({ dueDate }) => dueDate > valueDate);
  const equal = Math.floor(amount / open.length / INSTALLMENT_UNIT) * INSTALLMENT_UNIT;
  return open.map(({ number, dueDate }, index) => ({
    installment: number,
    dueDate,
    principal: asDong(index === open.length - 1 ? amount - equal * (open.length - 1) : equal),
  }));
}
