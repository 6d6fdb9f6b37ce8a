import { setTimeout as wait } from 'node:timers/promises';
import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { Ledger } from '../libs/engine/ledger.js';
import { openEventStoreDb } from '../libs/event-store/eventstoredb/store.js';
import { memoryEventStore } from '../libs/event-store/memory/overlay.js';
import { type EventStore, StoreUnavailable } from '../libs/event-store/port.js';
import { addDays, type LocalDate } from '../libs/kernel/dates.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { disbursed, lent, paid, reversed } from '../libs/lending/examples.js';
import { closed } from '../libs/lending/scenario.js';
import { memoryReadStore } from '../libs/read-store/memory/overlay.js';
import type { Fault } from '../tools/eventstoredb-stand-in/faults.js';
import { startStandIn } from '../tools/eventstoredb-stand-in/server.js';
import { accept, codeOf, type Line, lineOf, sheetOf, stored } from './sheet.js';
import { faultsOf, type Writer, writer } from './writers.js';

/*
 * Three writers of one ledger, in any order: they pay, take back, disburse and close, lose answers, fall asleep between
 * their look at the lease and their write, and wake when the day is closed.
 */

const ON = '2021-07-15' as LocalDate;
const WRITERS = 3;
const STEPS_MAX = 24;
const SLEEP_MS = 40;
/** Loans that are paid, and that are to be paid out. */
const [LENT, APPROVED] = [
  ['L', 'M'],
  ['N', 'O', 'P'],
] as const;
/** What a line of these histories may be refused for. */
const REFUSED = ['RECEIPT_UNKNOWN', 'PAYMENT_ALREADY_REVERSED'];

const WHAT = [
  ...['pay', 'pay', 'pay', 'pay', 'pay', 'reverse', 'disburse', 'close'],
  ...['lose', 'sleep', 'wake', 'wake', 'oversleep', 'oversleep'],
] as const;
const step = fc.record({
  writer: fc.nat(WRITERS - 1),
  what: fc.constantFrom(...WHAT),
  key: fc.nat(9),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const history = fc.array(step, { minLength: 6, maxLength: STEPS_MAX });

interface Place {
  readonly store: EventStore;
  /** The store's own fault, whichever it has. */
  upset(nth: number): Promise<void> | void;
  close(): Promise<void>;
}

jest.setTimeout(180_000);

describe('commands and closes of three writers in any order', () => {
  it('double nothing, lose nothing, and count each entry in one day, over a store in memory', async () => {
    await fc.assert(
      fc.asyncProperty(history, (steps) => holds(steps, memoryPlace())),
      { numRuns: Number(process.env.HISTORIES ?? 12), endOnFailure: true },
    );
  });

  it('double nothing, lose nothing, and count each entry in one day, over a stand-in for EventStoreDB', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => holds(steps, await standInPlace())),
      { numRuns: Math.ceil(Number(process.env.HISTORIES ?? 12) / 4), endOnFailure: true },
    );
  });
});

const memoryPlace = (): Place => {
  const store = memoryEventStore();
  return { store, upset: () => {}, close: () => store.close() };
};

async function standInPlace(): Promise<Place> {
  const server = await startStandIn();
  const store = await openEventStoreDb({ connectionString: server.url, patience: { append: 1_500, close: 100 } });
  const faults: readonly Fault[] = [
    'append-answer-lost',
    'append-written-cut',
    'append-cut',
    'connections-cut',
    'append-dropped',
  ];
  return {
    store,
    upset: (nth) => server.fault(faults[nth % faults.length] as Fault),
    async close() {
      server.fault('healthy');
      await store.close();
      await server.close();
    },
  };
}

const terms = (loan: string) => ({ loan, amount: 9_000, termMonths: 3, installmentEveryMonths: 1 });
const ground = sheetOf([
  ...lent(ON, terms('L')),
  ...lent(ON, terms('M')).slice(-3),
  ...APPROVED.flatMap((loan) => lent(ON, terms(loan)).slice(-3, -1)),
]);

const payment = (key: number): Line => {
  const loan = LENT[key % LENT.length];
  return lineOf(
    paid(ON, key + 1, { loan, receipt: `R-${key}`, allocation: { principalPrepaid: key + 1 } }),
    `R-${key}`,
  );
};
const reversal = (key: number): Line =>
  lineOf(reversed(ON, { loan: LENT[key % LENT.length], receipt: `R-${key}` }), `X-${key}`);
const disbursement = (key: number): Line => {
  const loan = APPROVED[key % APPROVED.length];
  return lineOf(disbursed(ON, { loan, amount: 9_000, voucher: `V-${loan}` }), `V-${loan}`);
};

async function holds(steps: readonly Step[], place: Place): Promise<void> {
  const stores = { store: place.store, readStore: memoryReadStore() };
  const writers: Writer[] = [];
  for (let n = 0; n < WRITERS; n++) writers.push(await writer(stores, { leaseMs: 60, marginMs: 30, sweepMs: 20 }));
  const [first] = writers as [Writer];
  const wakeAll = () => {
    for (const { faults } of writers) faults.wake();
  };
  try {
    await accept(first.ledger, ground);
    const { answers, sent, next } = await played(steps, writers, place);
    wakeAll();
    const codes = (await Promise.all(answers)).filter((code) => code !== null && !REFUSED.includes(code));
    expect(codes).toEqual([]);
    expect(await answered(first.ledger, lineOf(closed(next), 'last'))).toBeNull();
    const events = await stored(place.store);
    const receipts = events.filter(({ type }) => type === 'InstallmentPaid').map(({ data }) => (data as Paid).receipt);
    expect(receipts.sort()).toEqual([...sent].sort());
    expectCounted(events);
    expect(await faultsOf(place.store)).toEqual([]);
  } finally {
    wakeAll();
    for (const { ledger } of writers) await ledger.close();
    await place.close();
  }
}

/** Sends what the steps say, without waiting for answers; `next` is a day that nobody closed. */
async function played(steps: readonly Step[], writers: readonly Writer[], place: Place) {
  const answers: Promise<string | null>[] = [];
  const sent = new Set<string>();
  let next = ON;
  for (const { writer: who, what, key } of steps) {
    const { ledger, faults } = writers[who] as Writer;
    const send = (line: Line, to = ledger) => answers[answers.push(answered(to, line)) - 1];
    const pay = () => {
      sent.add(`R-${key}`);
      return send(payment(key));
    };
    const close = (to = ledger) => {
      const day = next;
      next = addDays(next, 1);
      return send(lineOf(closed(day), `close-${answers.length}`), to);
    };
    if (what === 'pay') pay();
    else if (what === 'reverse') send(reversal(key));
    else if (what === 'disburse') send(disbursement(key));
    else if (what === 'close') close();
    else if (what === 'lose') {
      faults.lose++;
      await place.upset(key);
    } else if (what === 'sleep') faults.sleep();
    else if (what === 'wake') faults.wake();
    else if (what === 'oversleep') {
      // It falls asleep with its append in hand, where it comes to one, and wakes when another has closed the day.
      const { reached } = faults.sleep();
      pay();
      await Promise.race([reached, wait(SLEEP_MS)]);
      await Promise.race([close(writers[(who + 1) % WRITERS]?.ledger), wait(10 * SLEEP_MS)]);
      faults.wake();
    }
    await wait(key);
  }
  return { answers, sent, next };
}

/** As a caller does it: the same line again while the store is away. What it refused is null where it did not. */
async function answered(ledger: Ledger, line: Line): Promise<string | null> {
  for (;;) {
    try {
      return codeOf(await ledger.handle(line));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await wait(20);
    }
  }
}

interface Paid {
  readonly receipt: string;
}
interface Late {
  readonly date: string;
  readonly countedOn: string;
  readonly entries: readonly { readonly stream: string; readonly revision: number; readonly amount: number }[];
}
type Totals = Readonly<Record<string, { readonly count: number; readonly amount: number }>>;

const CONTROLS = { disbursements: 'LoanDisbursed', payments: 'InstallmentPaid', reversals: 'PaymentReversed' } as const;

/** Each entry is in the control totals of its own day, or it is late: named once for both days, and in the later one's. */
function expectCounted(events: readonly Envelope[]): void {
  const late = new Map<string, { readonly date: string; readonly countedOn: string }>();
  const place = ({ stream, revision }: Pick<Envelope, 'stream' | 'revision'>) => `${stream} ${revision}`;
  for (const { data } of events.filter(({ type }) => type === 'LateEntriesCounted')) {
    const { entries, ...days } = data as Late;
    for (const entry of entries) {
      const event = events.find((one) => place(one) === place(entry)) as Envelope;
      expect([event.meta.bookingDate, (event.data as { amount: number }).amount]).toEqual([days.date, entry.amount]);
      expect(late.has(place(entry))).toBe(false);
      late.set(place(entry), days);
    }
  }
  const closes = events.flatMap(({ type, data }, at) => (type === 'BusinessDayClosed' ? [{ data, at }] : []));
  for (const { data, at } of closes) {
    const { date, totals } = data as { readonly date: string; readonly totals: Totals };
    for (const [control, type] of Object.entries(CONTROLS)) {
      const counted = events.filter((event) => event.type === type && dayOf(event) === date);
      const amount = counted.reduce((sum, event) => sum + (event.data as { amount: number }).amount, 0);
      expect([date, control, totals[control]]).toEqual([date, control, { count: counted.length, amount }]);
    }
    const behind = events.slice(at + 1).filter(({ meta }) => meta.bookingDate <= date);
    for (const event of behind.filter(({ type }) => Object.values<string>(CONTROLS).includes(type))) {
      expect([place(event), late.get(place(event))?.date]).toEqual([place(event), event.meta.bookingDate]);
    }
  }
  function dayOf(event: Envelope): string {
    return late.get(place(event))?.countedOn ?? event.meta.bookingDate;
  }
}
