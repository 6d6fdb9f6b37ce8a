import { addDays, type LocalDate } from '../../../kernel/dates.js';
import type { CloseProcess, FollowUp, NewEvent, ProcessEntry } from '../../../kernel/decider.js';
import type { Envelope } from '../../../kernel/envelope.js';
import { addExact, asDong } from '../../../kernel/money.js';
import { invariant } from '../../../kernel/result.js';
import type { BusinessDayStored } from '../../business-day/events.js';
import type { BusinessDay } from '../../business-day/state.js';
import type { DistrictFundStored } from '../../district-fund/events.js';
import type { LoanStored, Share } from '../../loan/events.js';
import { districtFundStream } from '../../vocabulary.js';

/*
 * The close of a business day, from the process's own due list: a loan's entry is due on the earliest day with a
 * portion that is unpaid and that no close has recorded; a district fund's on the first booking day whose recovered
 * principal has not come back, or at once while reversals are uncovered.
 */

type Followed = LoanStored | DistrictFundStored | BusinessDayStored;

interface LoanEntry {
  readonly portions: readonly { readonly installment: number; readonly dueDate: LocalDate; readonly unpaid: number }[];
  readonly recorded: readonly number[];
}

interface Recovered {
  readonly collected: number;
  readonly reversed: number;
}

interface FundEntry {
  readonly programme: string;
  readonly source: string;
  readonly district: string;
  /** By booking day. */
  readonly days: Readonly<Record<string, Recovered>>;
  readonly uncovered: number;
}

interface Control {
  readonly count: number;
  readonly amount: number;
}

interface DayTotals {
  readonly disbursements: Control;
  readonly payments: Control;
  readonly reversals: Control;
  readonly principalCollected: number;
  readonly principalReversed: number;
}

type Totals = Readonly<Record<string, DayTotals>>;

const UNDER_WAY = 'under way';
const TOTALS = 'totals';
/** What a close may do at once, whatever day it closes. */
const AT_ONCE = '0001-01-01' as LocalDate;
const NO_CONTROL: Control = { count: 0, amount: 0 };
const NO_TOTALS: DayTotals = {
  disbursements: NO_CONTROL,
  payments: NO_CONTROL,
  reversals: NO_CONTROL,
  principalCollected: 0,
  principalReversed: 0,
};

export const dayClose: CloseProcess = {
  name: 'day-close',
  version: 1,
  startsOn: 'BusinessDayClosing',
  underWay: UNDER_WAY,
  totals: TOTALS,
  keys: (event) => keys(event as Followed),
  evolve: (entries, event) => evolve(entries, event as Followed),
  isUnderWay: (days, announced) => {
    const { closing } = days as BusinessDay;
    return closing !== null && (announced === null || closing.date === dayOf(announced));
  },
  day: (announced) => dayOf(announced),
  react: (announced, entry) =>
    entry.key.startsWith('loan-') ? markOverdue(dayOf(announced), entry) : returnPrincipal(dayOf(announced), entry),
  finish: (announced, totals, written) => completeClose(announced, (totals ?? {}) as Totals, written),
};

// --------------------------------------------------------------------------------------------- the state of its own

function keys(event: Followed): readonly string[] {
  switch (event.type) {
    case 'LoanDisbursed':
      return [event.stream, TOTALS];
    case 'InstallmentPaid':
    case 'PaymentReversed':
      return event.data.installments.length === 0 ? [TOTALS] : [event.stream, districtFundStream(event.data), TOTALS];
    case 'LoanOverdue':
    case 'PrincipalReturned':
      return [event.stream];
    case 'BusinessDayClosing':
      return [UNDER_WAY];
    case 'BusinessDayClosed':
      return [UNDER_WAY, TOTALS];
    default:
      return [];
  }
}

function evolve(entries: ReadonlyMap<string, unknown>, event: Followed): readonly ProcessEntry[] {
  const loan = (entries.get(event.stream) ?? { portions: [], recorded: [] }) as LoanEntry;
  const totals = (entries.get(TOTALS) ?? {}) as Totals;
  switch (event.type) {
    case 'LoanDisbursed':
      return [
        loanEntry(event.stream, { ...loan, portions: moved(loan.portions, event.data.installments, 1) }),
        counted(totals, event.meta.bookingDate, 'disbursements', event.data.amount),
      ];
    case 'InstallmentPaid':
    case 'PaymentReversed':
      return moneyReceived(entries, loan, totals, event);
    case 'LoanOverdue':
      return [loanEntry(event.stream, { ...loan, recorded: [...loan.recorded, event.data.installment] })];
    case 'PrincipalReturned':
      return [returned(entries.get(event.stream) as FundEntry | undefined, event)];
    case 'BusinessDayClosing':
      return [{ key: UNDER_WAY, due: null, value: event }];
    case 'BusinessDayClosed': {
      const { [event.data.date]: _, ...left } = totals;
      return [
        { key: UNDER_WAY, due: null, value: null },
        { key: TOTALS, due: null, value: left },
      ];
    }
    default:
      return [];
  }
}

function moneyReceived(
  entries: ReadonlyMap<string, unknown>,
  loan: LoanEntry,
  totals: Totals,
  event: Extract<LoanStored, { type: 'InstallmentPaid' | 'PaymentReversed' }>,
): readonly ProcessEntry[] {
  const { data, meta } = event;
  const isPayment = event.type === 'InstallmentPaid';
  const principal = data.installments.reduce((sum, share) => sum + share.principal, 0);
  const control = counted(totals, meta.bookingDate, isPayment ? 'payments' : 'reversals', data.amount, principal);
  if (data.installments.length === 0) return [control];
  const stream = districtFundStream(data);
  const { programme, source, district } = data;
  const fund = (entries.get(stream) ?? { programme, source, district, days: {}, uncovered: 0 }) as FundEntry;
  const day = fund.days[meta.bookingDate] ?? { collected: 0, reversed: 0 };
  const side = isPayment ? 'collected' : 'reversed';
  const days = { ...fund.days, [meta.bookingDate]: { ...day, [side]: safeSum(day[side], principal) } };
  return [
    loanEntry(event.stream, { ...loan, portions: moved(loan.portions, data.installments, isPayment ? -1 : 1) }),
    fundEntry(stream, { ...fund, days }),
    control,
  ];
}

function returned(
  fund: FundEntry | undefined,
  event: Extract<DistrictFundStored, { type: 'PrincipalReturned' }>,
): ProcessEntry {
  invariant(fund !== undefined, `${event.stream} had something to return`);
  const days = Object.fromEntries(Object.entries(fund.days).filter(([day]) => day > event.data.businessDay));
  return fundEntry(event.stream, { ...fund, days, uncovered: event.data.uncovered });
}

function loanEntry(key: string, loan: LoanEntry): ProcessEntry {
  let due: LocalDate | null = null;
  for (const { installment, dueDate } of loan.portions) {
    if ((due === null || dueDate < due) && !loan.recorded.includes(installment)) due = dueDate;
  }
  return { key, due, value: loan };
}

function fundEntry(key: string, fund: FundEntry): ProcessEntry {
  const [first = null] = Object.keys(fund.days).sort() as LocalDate[];
  return { key, due: fund.uncovered > 0 ? AT_ONCE : first, value: fund };
}

/** Unpaid portions after shares were added or taken away, those of 0 left out. */
function moved(portions: LoanEntry['portions'], shares: readonly Share[], sign: 1 | -1): LoanEntry['portions'] {
  const unpaid = new Map(portions.map((portion) => [portion.installment, portion]));
  for (const { installment, dueDate, principal } of shares) {
    const rest = (unpaid.get(installment)?.unpaid ?? 0) + sign * principal;
    if (rest === 0) unpaid.delete(installment);
    else unpaid.set(installment, { installment, dueDate, unpaid: rest });
  }
  return [...unpaid.values()].sort((a, b) => a.installment - b.installment);
}

function counted(
  totals: Totals,
  day: LocalDate,
  side: 'disbursements' | 'payments' | 'reversals',
  amount: number,
  principal = 0,
): ProcessEntry {
  const before = totals[day] ?? NO_TOTALS;
  const after: DayTotals = {
    ...before,
    [side]: { count: before[side].count + 1, amount: safeSum(before[side].amount, amount) },
    principalCollected: before.principalCollected + (side === 'payments' ? principal : 0),
    principalReversed: before.principalReversed + (side === 'reversals' ? principal : 0),
  };
  return { key: TOTALS, due: null, value: { ...totals, [day]: after } };
}

const safeSum = (a: number, b: number): number => asDong(Number(addExact(a, b)));

// ------------------------------------------------------------------------------------------------- what a close does

const dayOf = (announced: Envelope): LocalDate => (announced.data as { readonly date: LocalDate }).date;
const keyOf = (day: LocalDate): string => `~close-${day}`;

function markOverdue(day: LocalDate, { key, value }: ProcessEntry): FollowUp | null {
  const { portions, recorded } = value as LoanEntry;
  const found = portions.filter(({ installment, dueDate }) => dueDate <= day && !recorded.includes(installment));
  if (found.length === 0) return null;
  return {
    command: 'mark-overdue',
    key: keyOf(day),
    valueDate: day,
    data: {
      loan: key.slice('loan-'.length),
      portions: found.map(({ installment, dueDate, unpaid }) => ({
        ...{ installment, dueDate, amount: unpaid, overdueFrom: addDays(dueDate, 1) },
      })),
    },
  };
}

function returnPrincipal(day: LocalDate, { value }: ProcessEntry): FollowUp | null {
  const { programme, source, district, days } = value as FundEntry;
  const upToDay = Object.entries(days).filter(([booked]) => booked <= day);
  const sum = (side: keyof Recovered) => upToDay.reduce((total, [, of]) => safeSum(total, of[side]), 0);
  return {
    command: 'return-principal',
    key: keyOf(day),
    valueDate: day,
    data: { programme, source, district, businessDay: day, collected: sum('collected'), reversed: sum('reversed') },
  };
}

function completeClose(announced: Envelope, totals: Totals, written: readonly NewEvent[]): FollowUp {
  const day = dayOf(announced);
  let [overdue, principalReturned] = [NO_CONTROL, 0];
  for (const event of written as readonly Pick<Followed, 'type' | 'data'>[]) {
    if (event.type === 'LoanOverdue') {
      const { amount } = event.data as { readonly amount: number };
      overdue = { count: overdue.count + 1, amount: safeSum(overdue.amount, amount) };
    } else if (event.type === 'PrincipalReturned') {
      principalReturned = safeSum(principalReturned, (event.data as { readonly returned: number }).returned);
    }
  }
  return {
    command: 'complete-close',
    key: keyOf(day),
    valueDate: day,
    data: { date: day, totals: { ...(totals[day] ?? NO_TOTALS), principalReturned, overdue } },
  };
}
