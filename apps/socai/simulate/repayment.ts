import type { Agenda } from './agenda.js';
import type { SimulatedLoan } from './book.js';
import type { Capital } from './capital.js';
import type { Discipline } from './discipline.js';
import type { Commune, Places } from './places.js';
import { Every, type Random } from './random.js';
import type { Sheet } from './sheet.js';

/*
 * A commune's session, once a month: the group leaders bring interest, members' savings pay principal, borrowers pay
 * the instalment that is due. And what goes wrong: late and partial payments, papers that come late, mistakes.
 */

const ROUND = 100_000;
/** Borrowers who may borrow again, at most, in each commune. */
const RETURNING_MAX = 200;

type Method = 'CASH' | 'TRANSFER' | 'GROUP_LEADER';

export class Repayment {
  readonly #latePapers = new Every(350);
  readonly #wrongSavings = new Every(900);
  readonly #wrongInterest = new Every(500);
  readonly #wrongSettlement = new Every(60, 5);
  readonly #twice = new Every(2_500);
  readonly #leaderAbove = new Every(3_500);
  readonly #aboveDue = new Every(30, 3);

  constructor(
    private readonly random: Random,
    private readonly places: Places,
    private readonly capital: Capital,
    private readonly agenda: Agenda,
    private readonly discipline: Discipline,
  ) {}

  /** The sessions of a day, in all communes that hold one. */
  sessions(sheet: Sheet): void {
    for (const commune of this.places.byDay[sheet.day.dayOfMonth] ?? []) {
      for (const loan of commune.loans) if (!loan.isSettled && !loan.isStopped) this.#session(sheet, loan);
      commune.loans = commune.loans.filter(({ isSettled }) => !isSettled);
    }
  }

  #session(sheet: Sheet, loan: SimulatedLoan): void {
    loan.advance(sheet.day.number);
    if (loan.isInstallmentDay && this.discipline.stops(loan.borrower.commune.district)) {
      this.#stop(sheet, loan);
      return;
    }
    // The papers of one loan in a few hundred come days after the session: entered late, they count from it.
    // Nothing else of the loan comes in between: not what was promised for one of these days.
    const isFree = loan.promisedOn < sheet.day.number;
    const papers = new Papers(sheet, this.agenda, isFree && this.#latePapers.hit() ? this.random.between(1, 4) : 0);
    if (this.#settlesEarly(loan)) this.#settle(papers, loan);
    else if (loan.isInstallmentDay) this.#installment(papers, loan);
    else this.#month(papers, loan);
    if (loan.isBanking && loan.pending === 0 && !loan.isSettled) this.#transferLater(sheet, loan);
  }

  /** Between two sessions, interest first. */
  #transferLater({ day }: Sheet, loan: SimulatedLoan): void {
    this.agenda.at(day.number + this.random.between(9, 18), (sheet) => {
      if (loan.isSettled || loan.isStopped) return;
      loan.advance(sheet.day.number);
      const amount = Math.min(loan.savings, loan.outstanding + Math.max(0, loan.interestDue));
      if (amount > 0) this.#pay(new Papers(sheet, this.agenda, 0), loan, amount, 'TRANSFER');
    });
  }

  // --------------------------------------------------------------------------------------------------- an usual month

  #month(papers: Papers, loan: SimulatedLoan): void {
    if (this.random.chance(100)) return;
    if (this.random.chance(40)) {
      const half = Math.floor(loan.interestDue / 2);
      if (half > 0) this.#pay(papers, loan, half, leaderOf(loan));
      return;
    }
    const saves = loan.savings > 0 && loan.outstanding > 0;
    const mayErr = papers.delay === 0 && loan.pending === 0 && loan.promisedOn < papers.sheet.day.number;
    if (!saves && mayErr && this.#wrongInterest.hit() && this.#mistakenInterest(papers, loan)) return;
    this.#interest(papers, loan);
    if (saves && loan.outstanding > 0) this.#save(papers, loan, mayErr);
    else if (loan.pending === 0 && this.random.chance(60)) this.#prepay(papers, loan);
  }

  #interest(papers: Papers, loan: SimulatedLoan): void {
    const due = loan.interestDue;
    if (due <= 0) return;
    const method = leaderOf(loan);
    if (method === 'GROUP_LEADER' && papers.delay === 0 && this.#leaderAbove.hit()) {
      const amount = due + Math.min(ROUND, loan.outstanding);
      this.#line(papers, loan, { amount, method, receipt: this.#receipt(loan) }, 'GROUP_LEADER_PRINCIPAL');
    }
    const receipt = this.#pay(papers, loan, due, method);
    if (papers.delay === 0 && this.#twice.hit()) {
      this.#line(papers, loan, { amount: due, method, receipt }, 'RECEIPT_ALREADY_USED');
    }
  }

  #save(papers: Papers, loan: SimulatedLoan, mayErr: boolean): void {
    const savings = Math.min(loan.savings, loan.outstanding);
    const wrong = savings * 10;
    if (mayErr && wrong < loan.outstanding && this.#wrongSavings.hit()) {
      this.#correct(papers.sheet, loan, { wrong, right: savings, method: 'TRANSFER' });
      return;
    }
    this.#pay(papers, loan, savings, 'TRANSFER');
  }

  #prepay(papers: Papers, loan: SimulatedLoan): void {
    const amount = Math.floor((loan.outstanding * this.random.between(5, 30)) / 100 / ROUND) * ROUND;
    if (amount > 0) this.#pay(papers, loan, amount, 'CASH');
  }

  // ---------------------------------------------------------------------------------------------------- an instalment

  #installment(papers: Papers, loan: SimulatedLoan): void {
    this.#interest(papers, loan);
    if (loan.savings > 0 && loan.outstanding > 0)
      this.#pay(papers, loan, Math.min(loan.savings, loan.outstanding), 'TRANSFER');
    const due = loan.principalDue;
    if (due === 0) return;
    const { district } = loan.borrower.commune;
    const late = papers.delay > 0 ? null : this.discipline.late(district, papers.sheet.day);
    const part = late === null ? due : Math.floor((due * late.paidOnTheDay) / 100 / 1_000) * 1_000;
    if (part > 0) this.#pay(papers, loan, part, 'CASH');
    if (late !== null) this.#promise(papers.sheet, loan, late.days);
  }

  #promise(sheet: Sheet, loan: SimulatedLoan, days: number): void {
    loan.promisedOn = Math.max(loan.promisedOn, sheet.day.number + days);
    this.agenda.at(sheet.day.number + days, (sheet) => {
      if (!loan.isSettled && !loan.isStopped) this.#payArrears(sheet, loan);
    });
  }

  #payArrears(sheet: Sheet, loan: SimulatedLoan): void {
    loan.advance(sheet.day.number);
    const amount = loan.principalDue;
    if (amount > 0) this.#pay(new Papers(sheet, this.agenda, 0), loan, amount + Math.max(0, loan.interestDue), 'CASH');
  }

  /** Pays nothing any more; a few come back after months. */
  #stop(sheet: Sheet, loan: SimulatedLoan): void {
    loan.isStopped = true;
    if (!this.random.chance(4_000)) return;
    this.agenda.at(sheet.day.number + this.random.between(70, 300), (sheet) => {
      loan.isStopped = false;
      this.#payArrears(sheet, loan);
    });
  }

  // ---------------------------------------------------------------------------------------------------- the last đồng

  #settlesEarly(loan: SimulatedLoan): boolean {
    return loan.pending === 0 && loan.matured > 0 && this.random.chance(20);
  }

  #settle(papers: Papers, loan: SimulatedLoan): void {
    const amount = loan.outstanding + Math.max(0, loan.interestDue);
    if (papers.delay === 0 && this.#aboveDue.hit()) {
      const above = { amount: amount + 1_000, method: 'CASH', receipt: this.#receipt(loan) } as const;
      this.#line(papers, loan, above, 'PAYMENT_ABOVE_DUE');
    }
    const principal = loan.outstanding;
    const receipt = this.#pay(papers, loan, amount, 'CASH');
    if (papers.delay > 0 || !this.#wrongSettlement.hit()) return;
    // It was entered under a receipt that belongs to another payment: taken back and entered again.
    const days = this.random.between(1, 3);
    this.#reenter(papers.sheet, loan, { days, receipt, amount, method: 'CASH', wrong: principal, right: principal });
  }

  // --------------------------------------------------------------------------------------------------------- mistakes

  #mistakenInterest(papers: Papers, loan: SimulatedLoan): boolean {
    const right = loan.interestDue;
    const wrong = Math.floor(right / 10);
    if (wrong <= 0) return false;
    this.#correct(papers.sheet, loan, { wrong, right, method: leaderOf(loan) });
    return true;
  }

  /** Enters a wrong amount, takes it back a few days later and enters the right one as of the same day. */
  #correct(
    sheet: Sheet,
    loan: SimulatedLoan,
    { wrong, right, method }: { readonly wrong: number; readonly right: number; readonly method: Method },
  ): void {
    const receipt = this.#receipt(loan);
    const principal = loan.pay(right);
    const wrongPrincipal = principal === 0 ? 0 : wrong;
    this.#line(new Papers(sheet, this.agenda, 0), loan, { amount: wrong, method, receipt }, null, wrongPrincipal);
    const days = this.random.between(1, 3);
    this.#reenter(sheet, loan, { days, receipt, amount: right, method, wrong: wrongPrincipal, right: principal });
  }

  /** `wrong` and `right`: the principal in what is taken back and in what is entered instead. */
  #reenter(
    { day }: Sheet,
    loan: SimulatedLoan,
    entry: {
      readonly days: number;
      readonly receipt: string;
      readonly amount: number;
      readonly method: Method;
      readonly wrong: number;
      readonly right: number;
    },
  ): void {
    const { receipt, amount, method } = entry;
    const { district } = loan.borrower.commune;
    this.agenda.at(day.number + entry.days, (sheet) => {
      const reason = 'Nhập sai chứng từ';
      const data = { loan: loan.id, receipt, reason, decision: `SS-${receipt}` };
      sheet.add('reverse-payment', `reversal-${receipt}`, `controller-${district.code}`, data);
      this.capital.reverse(district, entry.wrong);
      const again = new Papers(sheet, this.agenda, 0, day.date);
      this.#line(again, loan, { amount, method, receipt: this.#receipt(loan) }, null, entry.right);
    });
  }

  // ---------------------------------------------------------------------------------------------------------- one line

  #pay(papers: Papers, loan: SimulatedLoan, amount: number, method: Method): string {
    const receipt = this.#receipt(loan);
    const principal = loan.pay(amount);
    this.#line(papers, loan, { amount, method, receipt }, null, principal);
    if (loan.isSettled) this.#thank(loan);
    return receipt;
  }

  #thank({ borrower }: SimulatedLoan): void {
    const { returning } = borrower.commune;
    if (borrower.isWorker && returning.length < RETURNING_MAX && this.random.chance(5_000)) returning.push(borrower);
  }

  #line(
    papers: Papers,
    loan: SimulatedLoan,
    payment: { readonly amount: number; readonly method: Method; readonly receipt: string },
    refusal: 'GROUP_LEADER_PRINCIPAL' | 'RECEIPT_ALREADY_USED' | 'PAYMENT_ABOVE_DUE' | null,
    principal = 0,
  ): void {
    const { district } = loan.borrower.commune;
    const id = refusal === null ? payment.receipt : `${payment.receipt}-0`;
    papers.enter((sheet, valueDate) => {
      sheet.add(
        'record-payment',
        id,
        tellerOf(loan.borrower.commune),
        { loan: loan.id, ...payment },
        { valueDate, refusal },
      );
      this.capital.collect(district, principal);
    });
  }

  /** Numbered within the loan. */
  #receipt = (loan: SimulatedLoan): string => `BL-${loan.id}-${++loan.receipts}`;
}

/** What was received on one session for one loan, entered on the day or days later. */
class Papers {
  constructor(
    readonly sheet: Sheet,
    private readonly agenda: Agenda,
    readonly delay: number,
    private readonly valueDate = sheet.day.date,
  ) {}

  enter(line: (sheet: Sheet, valueDate: Sheet['day']['date']) => void): void {
    if (this.delay === 0) line(this.sheet, this.valueDate);
    else this.agenda.at(this.sheet.day.number + this.delay, (sheet) => line(sheet, this.valueDate));
  }
}

const leaderOf = ({ borrower }: SimulatedLoan): Method => (borrower.group === null ? 'CASH' : 'GROUP_LEADER');
const tellerOf = ({ district }: Commune): string => `teller-${district.code}`;
