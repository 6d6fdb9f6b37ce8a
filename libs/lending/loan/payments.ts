import { dateOfDay, dayNumber } from '../../kernel/dates.js';
import { asDong } from '../../kernel/money.js';
import { invariant } from '../../kernel/result.js';
import { PAYMENT_METHODS } from '../codes.js';
import type { Installment, Payment } from './book.js';
import type { Allocation, Share } from './events.js';

/*
 * The payments of a loan as one text. Five years of them are most of what a loan is in memory: as objects some 250
 * bytes each, here some 25, and a hundred thousand loans are kept at hand. Only a reversal, a backdated entry and a
 * question about the past look at a single payment; everything else needs the running figures of the book.
 *
 * A line each, which begins with its newline, in base 36, trailing zeros left out:
 * receipt ␠ method, `!` behind it when reversed ␠ value date ␠ the five of the allocation ␠ instalment:principal …
 */

declare const packedPayments: unique symbol;
export type PackedPayments = string & { readonly [packedPayments]: true };

export const NO_PAYMENTS = '' as PackedPayments;

const RADIX = 36;
const REVERSED = '!';

/** With one more, which stands. */
export function packed(payments: PackedPayments, payment: Omit<Payment, 'reversed'>): PackedPayments {
  const { receipt, method, valueDate, allocation, shares } = payment;
  const { interestInTerm, interestOverdue, principalOverdue, principalDue, principalPrepaid } = allocation;
  const [code, day] = [PAYMENT_METHODS.indexOf(method), dayNumber(valueDate).toString(RADIX)];
  const line = `\n${receipt} ${code} ${day} ${interestInTerm.toString(RADIX)} ${interestOverdue.toString(RADIX)}`;
  if (principalOverdue === 0 && principalDue === 0 && principalPrepaid === 0) return joined(payments, line);
  const principal = [principalOverdue, principalDue, principalPrepaid].map((of) => of.toString(RADIX)).join(' ');
  const by = shares.map((share) => ` ${share.installment.toString(RADIX)}:${share.principal.toString(RADIX)}`).join('');
  return joined(payments, `${line} ${principal}${by}`);
}

// One flat text: the engine keeps a sum of texts as a chain of its parts, which is ten times as large.
const joined = (...texts: readonly string[]): PackedPayments => texts.join('') as PackedPayments;

/** A receipt number has no white space, so a line's beginning is nothing else. */
export const hasReceipt = (payments: PackedPayments, receipt: string): boolean => payments.includes(`\n${receipt} `);

/** With one of them marked as reversed. */
export function reversedIn(payments: PackedPayments, receipt: string): PackedPayments {
  const beginning = `\n${receipt} `;
  const at = payments.indexOf(beginning);
  invariant(at >= 0, `the payment ${receipt} is recorded`);
  const method = at + beginning.length + 1;
  return `${payments.slice(0, method)}${REVERSED}${payments.slice(method)}` as PackedPayments;
}

/** As they were, in order. The schedule says the due days. */
export function unpacked(payments: PackedPayments, installments: readonly Installment[]): readonly Payment[] {
  return payments
    .split('\n')
    .slice(1)
    .map((line) => {
      const [receipt = '', mark = '', day = '', ...rest] = line.split(' ');
      const method = PAYMENT_METHODS[Number(mark.charAt(0))];
      invariant(method !== undefined, `${mark} stands for a method`);
      const shares = rest.slice(AMOUNTS).map((share) => shareOf(share, installments));
      const allocation = allocationOf(rest.slice(0, AMOUNTS).map(fromText));
      const amount = asDong(Object.values(allocation).reduce((sum, of) => sum + of, 0));
      const valueDate = dateOfDay(fromText(day));
      return { receipt, amount, method, allocation, valueDate, shares, reversed: mark.endsWith(REVERSED) };
    });
}

const AMOUNTS = 5;

const fromText = (text: string): number => Number.parseInt(text, RADIX);

function allocationOf(amounts: readonly number[]): Allocation {
  const of = (index: number) => asDong(amounts[index] ?? 0);
  return {
    ...{ interestInTerm: of(0), interestOverdue: of(1) },
    ...{ principalOverdue: of(2), principalDue: of(3), principalPrepaid: of(4) },
  };
}

function shareOf(text: string, installments: readonly Installment[]): Share {
  const [installment = 0, principal = 0] = text.split(':').map(fromText);
  const on = installments[installment - 1];
  invariant(on !== undefined, `instalment ${installment} is on the schedule`);
  return { installment, dueDate: on.dueDate, principal: asDong(principal) };
}
