import type { BorrowerClass } from '../../../libs/lending/codes.js';
import { dayOfMonth } from './calendar.js';
import type { Commune } from './places.js';

/*
 * What the simulation knows of a loan, so that it pays what is due to the đồng without asking the ledger. Payments are
 * taken in the default order, so principal is paid oldest instalment first and its sum says all.
 *
 * Interest is kept as đồng·days, whole numbers. The largest loan, 2·10⁹ đ, over all days of five years makes 3.7·10¹²;
 * times the rates' numerators below that is 4.8·10¹⁵, still below 2⁵³: every step is exact.
 */

/** 7.92 % of a year of 365 days, in lowest terms. */
const RATE = { numerator: 99, denominator: 456_250 };
/** 130 % of it. */
const OVERDUE_RATE = { numerator: 1_287, denominator: 4_562_500 };
/** Instalments are cut down to this (domain: the remainder goes to the last one). */
const INSTALLMENT_UNIT = 1_000;

export interface Borrower {
  readonly id: string;
  readonly commune: Commune;
  readonly group: string | null;
  readonly isWorker: boolean;
  borrowerClass: BorrowerClass;
}

export class SimulatedLoan {
  /** Months since year 0 of the first disbursement; every due day is the same day of a later month. */
  anchorMonth = 0;
  /** Instalments that are due, by today. */
  matured = 0;
  lent = 0;
  paid = 0;
  isSettled = false;
  /** Pays nothing any more. */
  isStopped = false;
  /** The day on which it pays what is late, or 0. */
  promisedOn = 0;
  /** Saved each month towards principal, or 0. */
  savings = 0;
  /** Pays something between two sessions too, through the bank. */
  isBanking = false;
  /** Approved and not paid out yet. */
  pending = 0;
  parts = 0;
  receipts = 0;
  #equal = 0;
  #today = 0;
  #inTermDays = 0;
  #overdueDays = 0;
  #inTermPaid = 0;
  #overduePaid = 0;

  constructor(
    readonly id: string,
    readonly borrower: Borrower,
    readonly termMonths: number,
    readonly everyMonths: number,
  ) {}

  get installments(): number {
    return Math.ceil(this.termMonths / this.everyMonths);
  }

  get outstanding(): number {
    return this.lent - this.paid;
  }

  get interestDue(): number {
    return this.#inTermDue + this.#overdueDue;
  }

  /** Principal that is due by today and unpaid. */
  get principalDue(): number {
    return Math.max(0, this.#scheduled - this.paid);
  }

  get isInstallmentDay(): boolean {
    return this.matured > 0 && this.#dueDay(this.matured - 1) === this.#today;
  }

  disburse(amount: number, day: number, month: number): void {
    if (this.parts++ === 0) {
      this.anchorMonth = month;
      this.#today = day;
    }
    this.advance(day);
    this.#equal += Math.floor(amount / this.installments / INSTALLMENT_UNIT) * INSTALLMENT_UNIT;
    this.lent += amount;
    this.pending -= amount;
  }

  /** Lets interest accrue up to a day; an instalment bears the overdue rate from its due day. */
  advance(day: number): void {
    while (this.#today < day) {
      const due = this.matured < this.installments ? this.#dueDay(this.matured) : Number.POSITIVE_INFINITY;
      const until = Math.min(day, due);
      const days = until - this.#today;
      const overdue = this.principalDue;
      this.#inTermDays += (this.outstanding - overdue) * days;
      this.#overdueDays += overdue * days;
      this.#today = until;
      if (until === due) this.matured++;
    }
  }

  /** Takes a payment on the day that it has come to, and says how much of it is principal. */
  pay(amount: number): number {
    const inTerm = Math.min(amount, Math.max(0, this.#inTermDue));
    const overdue = Math.min(amount - inTerm, Math.max(0, this.#overdueDue));
    const principal = amount - inTerm - overdue;
    this.#inTermPaid += inTerm;
    this.#overduePaid += overdue;
    this.paid += principal;
    this.isSettled = this.outstanding === 0 && this.pending === 0 && this.interestDue === 0;
    return principal;
  }

  get #scheduled(): number {
    return this.matured === this.installments ? this.lent : this.matured * this.#equal;
  }

  get #inTermDue(): number {
    return rounded(this.#inTermDays, RATE) - this.#inTermPaid;
  }

  get #overdueDue(): number {
    return rounded(this.#overdueDays, OVERDUE_RATE) - this.#overduePaid;
  }

  #dueDay(index: number): number {
    const months = Math.min((index + 1) * this.everyMonths, this.termMonths);
    return dayOfMonth(this.anchorMonth + months, this.borrower.commune.sessionDay);
  }
}

/** Half up; the remainder is exact, so the division is. */
function rounded(days: number, { numerator, denominator }: typeof RATE): number {
  const half = days * numerator + denominator / 2;
  return (half - (half % denominator)) / denominator;
}
