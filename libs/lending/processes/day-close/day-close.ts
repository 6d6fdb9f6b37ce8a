import { addDays, type LocalDate } from '../../../kernel/dates.js';
import type { CloseProcess, FollowUp, NewEvent, ProcessEntry } from '../../../kernel/decider.js';
import type { Envelope } from '../../../kernel/envelope.js';
import { addExact, asDong } from '../../../kernel/money.js';
import { invariant } from '../../../kernel/result.js';
import { type BusinessDayStored, LATE_ENTRIES_MAX } from '../../business-day/events.js';
import type { BusinessDay } from '../../business-day/state.js';
import type { DistrictFundStored } from '../../district-fund/events.js';
import type { LoanStored, Share } from '../../loan/events.js';
import { districtFundStream } from '../../vocabulary.js';

/*
 * The close of a business day, from the process's own due list: a loan's entry is due on the earliest day with a
 * portion that is unpaid and that no close has recorded; a district fund's on the first booking day whose recovered
 * principal has not come back, or at once while reversals are uncovered.
 *
 * An entry is late when its day's control totals do not hold it. What a close counts is a beginning of the global order,
 * so the log alone says which these are: of the entries of a day that stand before its close, the last ones, as many as
 * the totals lack; and all that stand behind it. The next close counts them, and says so (docs/adr/0015).
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

type Side = 'disbursements' | 'payments' | 'reversals';

type LateEntry = Extract<BusinessDayStored, { type: 'LateEntriesCounted' }>['data']['entries'][number];

/** By booking day. `after`: what landed when the close was announced. */
type Totals = Readonly<Record<string, DayTotals & { readonly after?: readonly LateEntry[] }>>;

interface LateState {
  readonly closedThrough: LocalDate | null;
  /** In global order, each with the day that it is booked on. */
  readonly entries: readonly (LateEntry & { readonly date: LocalDate })[];
  /** How many of earlier days the close that is being written counts. */
  readonly counted: Readonly<Partial<Record<Side, number>>>;
}

const UNDER_WAY = 'under way';
const TOTALS = 'totals';
const LATE = 'late';
/** What a close may do at once, whatever day it closes. */
const AT_ONCE = '0001-01-01' as LocalDate;
const NO_CONTROL: Control = { count: 0, amount: 0 };
const SIDES: readonly Side[] = ['disbursements', 'payments', 'reversals'];
const NO_LATE: LateState = { closedThrough: null, entries: [], counted: {} };
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
  finishReads: [TOTALS, LATE],
  keys: (event) => keys(event as Followed),
  evolve: (entries, event) => evolve(entries, event as Followed),
  isUnderWay: (days, announced) => {
    const { closing } = days as BusinessDay;
    return closing !== null && (announced === null || closing.date === dayOf(announced));
  },
  day: (announced) => dayOf(announced),
  react: (announced, entry) =>
    entry.key.startsWith('loan-') ? markOverdue(dayOf(announced), entry) : returnPrincipal(dayOf(announced), entry),
  finish: (announced, entries, written) => completeClose(announced, totalsOf(entries), lateOf(entries), written),
};

// --------------------------------------------------------------------------------------------- the state of its own

function keys(event: Followed): readonly string[] {
  switch (event.type) {
    case 'LoanDisbursed':
      return [event.stream, TOTALS, LATE];
    case 'InstallmentPaid':
    case 'PaymentReversed':
      return event.data.installments.length === 0
        ? [TOTALS, LATE]
        : [event.stream, districtFundStream(event.data), TOTALS, LATE];
    case 'LoanOverdue':
    case 'PrincipalReturned':
      return [event.stream];
    case 'BusinessDayClosing':
      return [UNDER_WAY, TOTALS];
    case 'LateEntriesCounted':
      return [LATE];
    case 'BusinessDayClosed':
      return [UNDER_WAY, TOTALS, LATE];
    default:
      return [];
  }
}

function evolve(entries: ReadonlyMap<string, unknown>, event: Followed): readonly ProcessEntry[] {
  const loan = (entries.get(event.stream) ?? { portions: [], recorded: [] }) as LoanEntry;
  switch (event.type) {
    case 'LoanDisbursed':
      return [
        loanEntry(event.stream, { ...loan, portions: moved(loan.portions, event.data.installments, 1) }),
        counted(entries, event, 'disbursements'),
      ];
    case 'InstallmentPaid':
    case 'PaymentReversed':
      return moneyReceived(entries, loan, event);
    case 'LoanOverdue':
      return [loanEntry(event.stream, { ...loan, recorded: [...loan.recorded, event.data.installment] })];
    case 'PrincipalReturned':
      return [returned(entries.get(event.stream) as FundEntry | undefined, event)];
    case 'BusinessDayClosing':
      return announcedClose(totalsOf(entries), event);
    case 'LateEntriesCounted':
      return [countedLate(lateOf(entries), event.data.entries)];
    case 'BusinessDayClosed':
      return closed(totalsOf(entries), lateOf(entries), event);
    default:
      return [];
  }
}

function moneyReceived(
  entries: ReadonlyMap<string, unknown>,
  loan: LoanEntry,
  event: Extract<LoanStored, { type: 'InstallmentPaid' | 'PaymentReversed' }>,
): readonly ProcessEntry[] {
  const { data, meta } = event;
  const isPayment = event.type === 'InstallmentPaid';
  const principal = data.installments.reduce((sum, share) => sum + share.principal, 0);
  const control = counted(entries, event, isPayment ? 'payments' : 'reversals', principal);
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
  const { businessDay } = event.data;
  const all = Object.entries(fund.days);
  const days = Object.fromEntries(all.filter(([day]) => day > businessDay));
  // What landed when the close had counted the day stays, for the next close to bring back.
  const upTo = all.filter(([day]) => day <= businessDay);
  const collected = upTo.reduce((sum, [, day]) => sum + day.collected, 0) - event.data.collected;
  const reversed = upTo.reduce((sum, [, day]) => sum + day.reversed, 0) - event.data.reversed;
  if (collected !== 0 || reversed !== 0) days[businessDay] = { collected, reversed };
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

const totalsOf = (entries: ReadonlyMap<string, unknown>) => (entries.get(TOTALS) ?? {}) as Totals;
const lateOf = (entries: ReadonlyMap<string, unknown>) => (entries.get(LATE) ?? NO_LATE) as LateState;
const lateAs = (value: LateState): ProcessEntry => ({ key: LATE, due: null, value });

/** An entry that moves money is counted on the day that it is booked on, or kept for the next close. */
function counted(
  entries: ReadonlyMap<string, unknown>,
  { stream, revision, data, meta }: Extract<LoanStored, { data: { readonly amount: number } }>,
  control: Side,
  principal = 0,
): ProcessEntry {
  const [late, totals, day] = [lateOf(entries), totalsOf(entries), meta.bookingDate];
  const entry: LateEntry = { stream, revision, control, amount: asDong(data.amount), principal: asDong(principal) };
  if (late.closedThrough !== null && day <= late.closedThrough) {
    return lateAs({ ...late, entries: [...late.entries, { ...entry, date: day }] });
  }
  const before: Totals[string] = totals[day] ?? NO_TOTALS;
  const after = before.after === undefined ? {} : { after: [...before.after, entry] };
  return { key: TOTALS, due: null, value: { ...totals, [day]: { ...before, ...plus(before, entry), ...after } } };
}

function plus(before: DayTotals, { control, amount, principal }: LateEntry): DayTotals {
  const { disbursements, payments, reversals, principalCollected, principalReversed } = before;
  return {
    ...{ disbursements, payments, reversals },
    [control]: { count: before[control].count + 1, amount: safeSum(before[control].amount, amount) },
    principalCollected: principalCollected + (control === 'payments' ? principal : 0),
    principalReversed: principalReversed + (control === 'reversals' ? principal : 0),
  };
}

function announcedClose(
  totals: Totals,
  event: Extract<BusinessDayStored, { type: 'BusinessDayClosing' }>,
): readonly ProcessEntry[] {
  const { date } = event.data;
  return [
    { key: UNDER_WAY, due: null, value: event },
    { key: TOTALS, due: null, value: { ...totals, [date]: { ...(totals[date] ?? NO_TOTALS), after: [] } } },
  ];
}

function countedLate(late: LateState, entries: readonly LateEntry[]): ProcessEntry {
  const done = new Set(entries.map(({ stream, revision }) => `${stream} ${revision}`));
  const counts = { ...late.counted };
  for (const { control } of entries) counts[control] = (counts[control] ?? 0) + 1;
  const left = late.entries.filter(({ stream, revision }) => !done.has(`${stream} ${revision}`));
  return lateAs({ ...late, entries: left, counted: counts });
}

function closed(
  before: Totals,
  late: LateState,
  event: Extract<BusinessDayStored, { type: 'BusinessDayClosed' }>,
): readonly ProcessEntry[] {
  const { date, totals } = event.data;
  const { [date]: day, ...left } = before;
  const missed = new Set<LateEntry>();
  for (const side of SIDES) {
    const lacking = (day?.[side].count ?? 0) + (late.counted[side] ?? 0) - totals[side].count;
    const landed = (day?.after ?? []).filter(({ control }) => control === side);
    for (const entry of landed.slice(landed.length - Math.max(0, lacking))) missed.add(entry);
  }
  const entries = (day?.after ?? []).filter((entry) => missed.has(entry)).map((entry) => ({ ...entry, date }));
  return [
    { key: UNDER_WAY, due: null, value: null },
    { key: TOTALS, due: null, value: left },
    lateAs({ closedThrough: date, entries: [...late.entries, ...entries], counted: {} }),
  ];
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

function completeClose(announced: Envelope, totals: Totals, late: LateState, written: readonly NewEvent[]): FollowUp {
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
  const { after: _, ...own } = totals[day] ?? { ...NO_TOTALS, after: [] };
  const carried = late.entries.slice(0, LATE_ENTRIES_MAX);
  const byDay = new Map<LocalDate, LateEntry[]>();
  for (const { date, ...entry } of carried) byDay.set(date, [...(byDay.get(date) ?? []), entry]);
  return {
    command: 'complete-close',
    key: keyOf(day),
    valueDate: day,
    data: {
      date: day,
      totals: { ...carried.reduce<DayTotals>(plus, own), principalReturned, overdue },
      late: [...byDay].map(([date, entries]) => ({ date, entries })),
    },
  };
}
