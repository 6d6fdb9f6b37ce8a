import type { Amount } from '../../kernel/money.js';
import type { BusinessDayStored } from '../../lending/business-day/events.js';
import type { LoanStored } from '../../lending/loan/events.js';
import type { Change } from '../../read-store/port.js';
import type { Projection, Stored } from '../projection.js';
import {
  CLOSES,
  type Control,
  collections,
  DAYS,
  type FUND_MEASURES,
  FUNDS,
  type SOURCE_MEASURES,
  SOURCES,
  totalOf,
  type UNDER_WAY,
  VERSION,
  VIOLATIONS,
} from './documents.js';
import { agedBy, brokenRules, negated, principalOf } from './rules.js';

/*
 * Always on. It shares no code with the cube, so that the two can be held against one another; each side of an identity
 * comes from other events, or from other fields of them, than the other side.
 */

export const invariants: Projection = {
  name: 'invariants',
  version: VERSION,
  collections,
  project: {
    LedgerOpened: 'ignored',
    BusinessDayClosing: 'ignored',
    BusinessDayClosed: closed,
    LateEntriesCounted: late,
    ProgrammeOpened: 'ignored',
    PolicyPublished: 'ignored',
    TrancheFunded: ({ data }) => [source(data, { funded: data.amount })],
    CapitalAllocated: (event) => [
      source(event.data, { allocated: event.data.amount }),
      underWay(event, { sent: event.data.amount }),
    ],
    CapitalReallocated: (event) => [
      source(event.data, { reallocated: event.data.amount }),
      fund({ ...event.data, district: event.data.fromDistrict }, { reallocated: event.data.amount }),
      underWay(event, { sent: event.data.amount, committed: -event.data.amount }),
    ],
    CapitalReceived: (event) => [
      fund(event.data, { received: event.data.amount }),
      underWay(event, { sent: -event.data.amount }),
    ],
    CapitalCommitted: (event) => [
      fund(event.data, { committed: event.data.amount }),
      underWay(event, { committed: event.data.amount }),
    ],
    CapitalReleased: (event) => [
      fund(event.data, { released: event.data.amount }),
      underWay(event, { committed: -event.data.amount }),
    ],
    PrincipalReturned: (event) => [
      fund(event.data, { returned: event.data.returned }),
      control(event, 'principalReturned', event.data.returned),
    ],
    GroupRegistered: 'ignored',
    BorrowerRegistered: 'ignored',
    BorrowerReclassified: 'ignored',
    LoanApplied: (event) => ofLoan(event, {}),
    LoanApproved: (event) => ofLoan(event, {}),
    LoanRejected: (event) => ofLoan(event, {}),
    LoanDisbursed: (event) => [
      ...ofLoan(event, { disbursed: event.data.amount }),
      control(event, 'disbursements', event.data.amount),
      underWay(event, { committed: -event.data.amount }),
    ],
    InstallmentPaid: (event) => [
      ...ofLoan(event, { collected: principalOf(event) }),
      control(event, 'payments', event.data.amount),
    ],
    PaymentReversed: (event) => [
      ...ofLoan(event, { collected: negated(principalOf(event)) }),
      control(event, 'reversals', event.data.amount),
    ],
    LoanSettled: (event) => ofLoan(event, {}),
    LoanReopened: (event) => ofLoan(event, {}),
    LoanOverdue: (event) => [...ofLoan(event, {}), control(event, 'overdue', event.data.amount)],
  },
};

function closed({ data, position }: Extract<BusinessDayStored, { type: 'BusinessDayClosed' }>): readonly Change[] {
  const { disbursements, payments, reversals, principalReturned, overdue } = data.totals;
  const measures = {
    [totalOf('disbursements')]: disbursements.amount,
    [totalOf('payments')]: payments.amount,
    [totalOf('reversals')]: reversals.amount,
    [totalOf('principalReturned')]: principalReturned,
    [totalOf('overdue')]: overdue.amount,
  };
  const key = { day: data.date };
  return [
    { op: 'add', collection: DAYS, key, measures },
    { op: 'put', collection: CLOSES, key, fields: { position } },
  ];
}

/** What a later close counted for a day belongs to both, under its name: the day's totals with it, the later ones without. */
function late({ data }: Extract<BusinessDayStored, { type: 'LateEntriesCounted' }>): readonly Change[] {
  const [here, there]: [Record<string, number>, Record<string, number>] = [{}, {}];
  for (const { control, amount } of data.entries) {
    const measure = totalOf(control);
    here[measure] = (here[measure] ?? 0) + amount;
    there[measure] = (there[measure] ?? 0) - amount;
  }
  return [
    { op: 'add', collection: DAYS, key: { day: data.date }, measures: here },
    { op: 'add', collection: DAYS, key: { day: data.countedOn }, measures: there },
  ];
}

/** What a loan's event moved in its district's fund, and the rules that it breaks. */
function ofLoan(event: LoanStored, moved: { readonly disbursed?: Amount; readonly collected?: Amount }): Change[] {
  const changes: Change[] = [];
  for (const { rule, left, right } of brokenRules(event)) {
    changes.push({
      op: 'put',
      collection: VIOLATIONS,
      key: { position: event.position, rule },
      fields: { type: event.type, stream: event.stream, left: `${left}`, right: `${right}` },
    });
  }
  const outstanding = agedBy(event);
  const nothing = outstanding === 0 && (moved.disbursed ?? 0) === 0 && (moved.collected ?? 0) === 0;
  if (!nothing) changes.push(fund(event.data, { ...moved, outstanding }));
  return changes;
}

function source(
  { programme, source }: { readonly programme: string; readonly source: string },
  measures: { readonly [M in (typeof SOURCE_MEASURES)[number]]?: Amount },
): Change {
  return { op: 'add', collection: SOURCES, key: { programme, source }, measures };
}

function fund(
  { programme, source, district }: { readonly programme: string; readonly source: string; readonly district: string },
  measures: { readonly [M in (typeof FUND_MEASURES)[number]]?: Amount },
): Change {
  return { op: 'add', collection: FUNDS, key: { programme, source, district }, measures };
}

const underWay = ({ meta }: Stored, measures: { readonly [M in (typeof UNDER_WAY)[number]]?: number }): Change => ({
  op: 'add',
  collection: DAYS,
  key: { day: meta.bookingDate },
  measures,
});

const control = ({ meta }: Stored, name: Control, amount: number): Change => ({
  op: 'add',
  collection: DAYS,
  key: { day: meta.bookingDate },
  measures: { [name]: amount },
});
