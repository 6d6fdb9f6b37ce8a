import type { BorrowerClass } from '../../../libs/lending/codes.js';
import type { Agenda } from './agenda.js';
import { type Borrower, SimulatedLoan } from './book.js';
import { dayAt, dayOfMonth, monthOf, officeDayFrom } from './calendar.js';
import type { Capital } from './capital.js';
import type { Commune, District, Places } from './places.js';
import { SESSION_FIRST, SESSIONS_A_MONTH } from './places.js';
import { jobsOf, type Parameters, PER_JOB_MAX, PROGRAMME, SOURCE, YEARS } from './programme.js';
import { Every, type Random } from './random.js';
import type { Line, Sheet } from './sheet.js';
import { purposeOf } from './words.js';

/*
 * From application to disbursement. The year's jobs are spread over its sessions; a loan is applied for two weeks
 * before the session on which it is paid out, where its district has capital free for it.
 */

const LEAD_DAYS = 14;
const SESSIONS_A_YEAR = 12 * SESSIONS_A_MONTH;
const GROUP_MEMBERS_MAX = 60;
const MILLION = 1_000_000;
const AMOUNT_MIN = 5 * MILLION;
const AMOUNT_MAX = 90 * MILLION;
/** A shorter look ahead would make the last loans of a quarter very large or very small. */
const HORIZON_DAYS_MIN = 25;
/** Loans for which a district may be asked although it has less than half of the usual amount free. */
const BEHIND_MAX = 3;

const CLASSES: readonly (readonly [BorrowerClass, number])[] = [
  ['POOR', 8],
  ['NEAR_POOR', 20],
  ['ESCAPED_POVERTY', 18],
  ['ETHNIC_MINORITY', 5],
  ['DISABLED', 4],
  ['JOB_LOSS', 15],
  ['PRODUCTION_MODEL', 12],
  ['OTHER', 18],
];
const ESTABLISHMENTS: readonly (readonly [BorrowerClass, number])[] = [
  ['ENTERPRISE', 40],
  ['COOPERATIVE', 30],
  ['COVID_BUSINESS', 20],
  ['PRODUCTION_MODEL', 10],
];
const ORGANISATIONS: readonly (readonly [string, number])[] = [
  ['WOMEN', 46],
  ['FARMERS', 32],
  ['VETERANS', 13],
  ['YOUTH', 9],
];
/** Term and interval in months. */
const TERMS: readonly (readonly [readonly [number, number], number])[] = [
  [[12, 3], 2],
  [[24, 6], 6],
  [[36, 6], 24],
  [[36, 12], 8],
  [[48, 6], 30],
  [[60, 6], 18],
  [[60, 12], 12],
];

interface Plan {
  readonly commune: Commune;
  readonly borrower: Borrower;
  readonly isNew: boolean;
  readonly loan: SimulatedLoan;
  readonly amount: number;
  readonly jobs: number;
  /** The day number of the session on which it is paid out. */
  readonly session: number;
}

export class Lending {
  readonly #planned = new Map<number, number>();
  #loans = 0;
  #borrowers = 0;
  #groups = 0;
  readonly #establishments = new Every(400, 60);
  readonly #rejections = new Every(50);
  readonly #aboveLimit = new Every(400);
  readonly #inParts = new Every(18);
  readonly #reclassified = new Every(6);

  constructor(
    private readonly parameters: Parameters,
    private readonly random: Random,
    private readonly places: Places,
    private readonly capital: Capital,
    private readonly agenda: Agenda,
    private readonly firstDay: number,
  ) {}

  /** Takes the applications for the sessions that are two weeks away. */
  plan(sheet: Sheet): void {
    const session = dayAt(sheet.day.number + LEAD_DAYS);
    const communes = this.places.byDay[session.dayOfMonth] ?? [];
    const year = YEARS.find(({ year }) => year === session.year);
    if (communes.length === 0 || year === undefined) return;
    const wanted = this.#wanted(session.year, session.number, jobsOf(year, this.parameters.scale));
    const aDay = jobsOf(year, this.parameters.scale) / SESSIONS_A_YEAR;
    const usual = this.#usualAmount(sheet, aDay * SESSIONS_A_MONTH);
    const isBehind = wanted - this.#plannedOf(session.year) > BEHIND_MAX * aDay + 1;
    const least = isBehind ? AMOUNT_MIN : Math.max(AMOUNT_MIN, usual / 2);
    while (this.#plannedOf(session.year) < wanted) {
      const commune = this.#communeWithCapital(communes, least);
      if (commune === null) return;
      const plan = this.#loan(commune, usual, session.number);
      this.#planned.set(session.year, this.#plannedOf(session.year) + plan.jobs);
      this.#apply(sheet, plan);
      if (this.#rejections.hit()) this.#applyInVain(sheet, commune);
    }
  }

  // ------------------------------------------------------------------------------------------------- how many, to whom

  #plannedOf = (year: number): number => this.#planned.get(year) ?? 0;

  /** Jobs of the year by a session, spread evenly over those from the simulation's first on. */
  #wanted(year: number, session: number, jobs: number): number {
    const first = dayAt(Math.max(this.firstDay + LEAD_DAYS, dayOfMonth(year * 12, SESSION_FIRST)));
    const before = sessionOfYear(first) - 1;
    const left = SESSIONS_A_YEAR - before;
    const inPeriod = Math.round((jobs * left) / SESSIONS_A_YEAR);
    const whole = before <= SESSIONS_A_MONTH ? jobs : inPeriod;
    return Math.floor((whole * (sessionOfYear(dayAt(session)) - before)) / left);
  }

  /** What a loan may be, so that capital is nearly used when the next comes. */
  #usualAmount(sheet: Sheet, loansAMonth: number): number {
    const days = Math.max(HORIZON_DAYS_MIN, this.capital.daysToAllocation(sheet));
    const amount = this.capital.expected(days) / Math.max(1, (loansAMonth * days) / 30);
    return Math.min(AMOUNT_MAX, Math.max(AMOUNT_MIN, amount));
  }

  /** One of the communes of the district that has most free for its share. */
  #communeWithCapital(communes: readonly Commune[], least: number): Commune | null {
    let best: District | null = null;
    for (const { district } of communes) {
      if (this.capital.free(district) < least) continue;
      if (best === null || this.#relative(district) > this.#relative(best)) best = district;
    }
    const its = communes.filter(({ district }) => district === best);
    return its[this.random.below(Math.max(1, its.length))] ?? null;
  }

  #relative = (district: District): number => this.capital.free(district) / district.share;

  #loan(commune: Commune, usual: number, session: number): Plan {
    const free = this.capital.free(commune.district);
    const isEstablishment = this.#establishments.hit() && free > usual * 6;
    const jobs = isEstablishment ? this.random.between(2, 10) : 1;
    const share = this.random.between(isEstablishment ? 50 : 60, isEstablishment ? 90 : 140);
    // Where little is free, most of it is lent at once: a small simulation has a loan or two in a district.
    const usualHere = Math.max((usual * share) / 100, free < usual * 3 ? (free * 2) / 3 : 0);
    const most = Math.min(isEstablishment ? free / 2 : free, jobs * PER_JOB_MAX);
    const amount = Math.max(AMOUNT_MIN, Math.floor(Math.min(usualHere * jobs, most) / MILLION) * MILLION);
    const back = isEstablishment ? undefined : this.#returning(commune);
    const borrower = back ?? this.#borrower(commune, !isEstablishment);
    const [term, every] = this.random.weighted(TERMS);
    const id = `L${(++this.#loans).toString().padStart(6, '0')}`;
    const loan = new SimulatedLoan(id, borrower, term, every);
    this.capital.reserve(commune.district, amount);
    return { commune, borrower, isNew: back === undefined, loan, amount, jobs, session };
  }

  #returning = (commune: Commune): Borrower | undefined =>
    this.random.chance(4_000) ? commune.returning.shift() : undefined;

  #borrower(commune: Commune, isWorker: boolean): Borrower {
    const borrowerClass = this.random.weighted(isWorker ? CLASSES : ESTABLISHMENTS);
    const group = isWorker && !this.random.chance(600) ? this.#group(commune) : null;
    return { id: `B${(++this.#borrowers).toString().padStart(6, '0')}`, commune, group, isWorker, borrowerClass };
  }

  /** A group of the commune with room for one more, or a new one. */
  #group(commune: Commune): string {
    const organisation = this.random.weighted(ORGANISATIONS);
    const found = commune.groups.get(organisation);
    if (found !== undefined && found.members < GROUP_MEMBERS_MAX) {
      found.members++;
      return found.id;
    }
    const id = `G${(++this.#groups).toString().padStart(4, '0')}`;
    commune.groups.set(organisation, { id, members: 1 });
    this.#newGroups.push({
      group: id,
      district: commune.district.code,
      commune: commune.code,
      massOrganisation: organisation,
    });
    return id;
  }

  #newGroups: Readonly<Record<string, unknown>>[] = [];

  // ------------------------------------------------------------------------------------- from application to approval

  #apply(sheet: Sheet, plan: Plan): void {
    const { loan, session } = plan;
    this.#register(sheet, plan);
    const isAboveLimit = this.#aboveLimit.hit() && plan.jobs === 1;
    const more = this.random.chance(3_000)
      ? Math.floor((plan.amount * this.random.between(10, 40)) / 100 / MILLION) * MILLION
      : 0;
    const amount = isAboveLimit ? PER_JOB_MAX + 20 * MILLION : Math.min(plan.jobs * PER_JOB_MAX, plan.amount + more);
    this.#application(sheet, plan.borrower, { loan, amount, jobs: plan.jobs });
    loan.pending = plan.amount;
    this.agenda.at(officeDayFrom(sheet.day.number + this.random.between(5, 9)), (sheet) => {
      const decision = `PD-${loan.id}`;
      if (isAboveLimit) {
        const data = { loan: loan.id, amount, decision };
        sheet.add('approve-loan', 'approval-0', officer(plan.commune), data, { refusal: 'LIMIT_PER_JOB' });
      }
      sheet.add('approve-loan', 'approval', officer(plan.commune), { loan: loan.id, amount: plan.amount, decision });
    });
    this.agenda.at(session, (sheet) => this.#disburse(sheet, plan));
  }

  #register(sheet: Sheet, { borrower, isNew, commune }: Pick<Plan, 'borrower' | 'isNew' | 'commune'>): void {
    for (const group of this.#newGroups) this.#enter(sheet, 'register-group', 'group', commune, group);
    this.#newGroups = [];
    const { id, group, isWorker, borrowerClass } = borrower;
    const [district, kind] = [commune.district.code, isWorker ? 'WORKER' : 'ESTABLISHMENT'];
    if (isNew) {
      const data = { borrower: id, kind, borrowerClass, district, commune: commune.code, ...(group && { group }) };
      this.#enter(sheet, 'register-borrower', 'borrower', commune, data);
    } else if (this.#reclassified.hit()) {
      borrower.borrowerClass =
        borrowerClass === 'POOR' ? 'NEAR_POOR' : borrowerClass === 'NEAR_POOR' ? 'ESCAPED_POVERTY' : 'OTHER';
      const data = { borrower: id, borrowerClass: borrower.borrowerClass, decision: `RS-${sheet.day.date}` };
      this.#enter(sheet, 'reclassify-borrower', `class-${sheet.day.date}`, commune, data);
    }
  }

  #application(
    sheet: Sheet,
    borrower: Borrower,
    { loan, amount, jobs }: { readonly loan: SimulatedLoan; readonly amount: number; readonly jobs: number },
  ): void {
    this.#enter(sheet, 'apply-for-loan', 'application', borrower.commune, {
      ...{ loan: loan.id, borrower: borrower.id, programme: PROGRAMME, source: SOURCE, amount, jobs },
      ...{ termMonths: loan.termMonths, installmentEveryMonths: loan.everyMonths },
      purpose: purposeOf(borrower.borrowerClass, this.random),
    });
  }

  /** On the day or, where the office is shut, on the next one that it is open. */
  #enter({ day }: Sheet, command: string, id: string, commune: Commune, data: Line['request']['data']): void {
    this.agenda.at(officeDayFrom(day.number), (sheet) => sheet.add(command, id, officer(commune), data));
  }

  #applyInVain(sheet: Sheet, commune: Commune): void {
    const borrower = this.#borrower(commune, true);
    this.#register(sheet, { borrower, isNew: true, commune });
    const loan = new SimulatedLoan(`L${(++this.#loans).toString().padStart(6, '0')}`, borrower, 36, 6);
    this.#application(sheet, borrower, { loan, amount: 50 * MILLION, jobs: 1 });
    const reason = 'Phương án sử dụng vốn không khả thi';
    this.agenda.at(officeDayFrom(sheet.day.number + 7), (sheet) =>
      sheet.add('reject-loan', 'rejection', officer(commune), { loan: loan.id, reason, decision: `TC-${loan.id}` }),
    );
  }

  // -------------------------------------------------------------------------------------------------------- paying out

  /** On the commune's session; where capital has not come back as expected, on the next one. */
  #disburse(sheet: Sheet, plan: Plan): void {
    const { loan, commune, amount, borrower } = plan;
    const { district } = commune;
    const inParts = loan.parts === 0 && amount >= 20 * MILLION && this.#inParts.hit();
    const part = inParts ? Math.floor((amount * 6) / 10 / MILLION) * MILLION : loan.pending;
    const next = dayOfMonth(monthOf(sheet.day) + 1, commune.sessionDay);
    if (!this.capital.has(district, part)) {
      this.agenda.at(next, (sheet) => this.#disburse(sheet, plan));
      return;
    }
    const isFirst = loan.parts === 0;
    loan.disburse(part, sheet.day.number, monthOf(sheet.day));
    this.capital.disburse(district, part);
    const data = { loan: loan.id, amount: part, voucher: `PC-${loan.id}-${loan.parts}` };
    sheet.add('disburse-loan', `part-${loan.parts}`, `teller-${district.code}`, data);
    if (loan.pending > 0) this.agenda.at(next, (sheet) => this.#disburse(sheet, plan));
    if (!isFirst) return;
    commune.loans.push(loan);
    if (borrower.group === null || !this.random.chance(SAVERS)) return;
    // About one in a hundred of the loan each month.
    loan.savings = Math.max(50_000, Math.floor((amount * this.random.between(7, 13)) / 10_000_000) * 10_000);
    loan.isBanking = this.random.chance(BANKING);
  }
}

/** Of ten thousand members, those who save each month, and of those the ones who pay by telephone too. */
const SAVERS = 9_400;
const BANKING = 3_700;

const sessionOfYear = ({ month, dayOfMonth }: { readonly month: number; readonly dayOfMonth: number }): number =>
  (month - 1) * SESSIONS_A_MONTH + Math.min(SESSIONS_A_MONTH, Math.max(1, dayOfMonth - SESSION_FIRST + 1));

const officer = ({ district }: Commune): string => `officer-${district.code}`;
