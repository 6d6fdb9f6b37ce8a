import { memoryLedger } from '../../test/harness.js';
import { accept, codeOf, type Line, lineOf, sheetOf, stored } from '../../test/sheet.js';
import { faultsOf, type Writer, writer } from '../../test/writers.js';
import { memoryEventStore } from '../event-store/memory/overlay.js';
import type { Envelope } from '../kernel/envelope.js';
import { allocated, funded, ground, lent, MONEY, paid } from '../lending/examples.js';
import { closed } from '../lending/scenario.js';
import { memoryReadStore } from '../read-store/memory/overlay.js';

/* Several writers of one ledger: instances that know of one another only by the stores that they share. */

const ON = '2021-07-15';
const NEXT = '2021-07-16';
const SHARED = { leaseMs: 60, marginMs: 60, sweepMs: 40 };
const LENT = sheetOf(lent(ON, { amount: 9_000, termMonths: 3, installmentEveryMonths: 1 }));

const opened: Writer[] = [];

async function writers(count: number, shared = SHARED, first: Partial<typeof SHARED> = {}): Promise<Writer[]> {
  const [store, readStore] = [memoryEventStore(), memoryReadStore()];
  const made: Writer[] = [];
  for (let index = 0; index < count; index++) {
    made.push(await writer({ store, readStore }, index === 0 ? { ...shared, ...first } : shared));
  }
  opened.push(...made);
  return made;
}

afterEach(async () => {
  for (const { ledger } of opened.splice(0)) await ledger.close();
});

/** The lease of the second holds, however slow the machine is, until it has decided. */
const withSleeper = async () => (await writers(2, { ...SHARED, leaseMs: 60_000 }, SHARED)) as [Writer, Writer];
const two = async () => (await writers(2)) as [Writer, Writer];

const payment = (day: string, amount: number, receipt: string): Line =>
  lineOf(paid(day, amount, { receipt, allocation: { principalPrepaid: amount } }), receipt);
const close = (day: string): Line => lineOf(closed(day), `close-${day}`);

const closesOf = (events: readonly Envelope[]) =>
  events.filter(({ type }) => type === 'BusinessDayClosed').map(({ data }) => data as Closed);

interface Closed {
  readonly date: string;
  readonly totals: Readonly<
    Record<'payments' | 'disbursements', { readonly count: number; readonly amount: number }>
  > & {
    readonly principalReturned: number;
  };
}

describe('a stream that another writer moved', () => {
  it('is read again: the command is decided anew and accepted', async () => {
    const [a, b] = await two();
    await accept(a.ledger, LENT);
    for (let index = 0; index < 6; index++) {
      await accept(index % 2 === 0 ? b.ledger : a.ledger, [payment(ON, 10, `R-${index}`)]);
    }
    const paidIn = (await stored(a.store)).filter(({ type }) => type === 'InstallmentPaid');
    expect(paidIn.map(({ data }) => (data as { receipt: string }).receipt)).toEqual(
      [0, 1, 2, 3, 4, 5].map((n) => `R-${n}`),
    );
  });

  it('refuses nobody for what was true before', async () => {
    const [a, b] = await two();
    const lines = [...LENT];
    // Each writer takes every other line of a sheet whose lines build on one another.
    for (const [index, line] of lines.entries()) await accept(index % 2 === 0 ? a.ledger : b.ledger, [line]);
    // b folded the loan before a paid; only the store knows better.
    await accept(b.ledger, [payment(ON, 10, 'R-b')]);
    await accept(a.ledger, [payment(ON, 20, 'R-a')]);
    const again = { ...payment(ON, 20, 'R-a'), id: 'another-key' };
    expect(codeOf(await b.ledger.handle(again))).toBe('RECEIPT_ALREADY_USED');
  });

  it('answers If-Match by what is stored', async () => {
    const [a, b] = await two();
    await accept(a.ledger, LENT);
    await accept(b.ledger, [payment(ON, 1, 'R-1')]);
    const loan = (await stored(a.store)).filter(({ stream }) => stream.startsWith('loan-')).length - 1;
    expect(codeOf(await a.ledger.handle({ ...payment(ON, 2, 'R-2'), ifMatch: loan - 1 }))).toBe('REVISION_MOVED');
    await accept(b.ledger, [payment(ON, 3, 'R-3')]);
    expect(await a.ledger.handle({ ...payment(ON, 4, 'R-4'), ifMatch: loan + 1 })).toMatchObject({ accepted: true });
  });

  it('knows the keys of the other: once, with the same answer, or refused for another body', async () => {
    const [a, b] = await two();
    await accept(a.ledger, LENT);
    await accept(b.ledger, [payment(ON, 1, 'R-0')]);
    const line = payment(ON, 5, 'R-1');
    const answers = await Promise.all([a.ledger.handle(line), b.ledger.handle(line), a.ledger.handle(line)]);
    const [first] = answers;
    for (const answer of answers) {
      expect(answer).toMatchObject({ accepted: true, events: first?.accepted ? first.events : [] });
    }
    expect(answers.filter((answer) => answer.accepted && !answer.duplicate)).toHaveLength(1);
    expect(codeOf(await b.ledger.handle({ ...payment(ON, 6, 'R-1'), id: 'R-1' }))).toBe('KEY_REUSED');
  });
});

describe('recordedAt', () => {
  it('is never earlier than that of what was loaded, whosever clock it was', async () => {
    const [a, b] = await two();
    await accept(a.ledger, LENT);
    [a.now, b.now] = ['2026-03-01T10:00:00.000Z' as never, '2026-03-01T09:00:00.000Z' as never];
    await accept(a.ledger, [payment(ON, 1, 'R-1')]);
    await accept(b.ledger, [payment(ON, 2, 'R-2')]);
    const last = (await stored(a.store)).slice(-2).map(({ meta }) => meta.recordedAt);
    expect(last).toEqual(['2026-03-01T10:00:00.000Z', '2026-03-01T10:00:00.000Z']);
  });
});

describe('a recordedAt that is given, beside other writers', () => {
  it('is not held against what was written on other streams, and never earlier than what was loaded', async () => {
    const [a] = await two();
    await accept(a.ledger, sheetOf([...lent(ON), ...lent(ON, { loan: 'M' }).slice(-3)]));
    const at = (second: number, loan: string): Line => {
      const line = payment(ON, 5, `R-${loan}-${second}`);
      return { ...line, recordedAt: `2026-03-01T10:00:0${second}.000Z`, data: { ...line.data, loan } } as Line;
    };
    await accept(a.ledger, [at(2, 'M'), at(1, 'L')]);
    expect(codeOf(await a.ledger.handle(at(0, 'L')))).toBe('RECORDED_AT_TOO_EARLY');
    const given = (await stored(a.store)).slice(-2).map(({ meta }) => meta.recordedAt);
    expect(given).toEqual(['2026-03-01T10:00:02.000Z', '2026-03-01T10:00:01.000Z']);
  });
});

describe.each([
  ['one writer', undefined],
  ['other writers', SHARED],
])('two disbursements from one fund, with %s', (_, shared) => {
  it('are recorded each at one instant, whatever the fund saw between', async () => {
    const [store, readStore] = [memoryEventStore(), memoryReadStore()];
    const place = await memoryLedger({ store, readStore, shared });
    const lines = sheetOf([...lent(ON), ...lent(ON, { loan: 'M' }).slice(-3)]);
    const parts = lines.filter(({ command }) => command === 'disburse-loan');
    await accept(
      place.ledger,
      lines.filter((line) => !parts.includes(line)),
    );
    const answers = [];
    for (const [n, part] of parts.entries()) {
      place.now = `2026-03-01T10:00:0${n}.000Z` as never;
      answers.push((await place.ledger.begin(part)).answer);
    }
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ accepted: true });
    await place.ledger.close();
    const events = await stored(store);
    const times = (type: string) => events.filter((event) => event.type === type).map(({ meta }) => meta.recordedAt);
    expect(times('CapitalCommitted')).toEqual(['2026-03-01T10:00:00.000Z', '2026-03-01T10:00:01.000Z']);
    expect(times('LoanDisbursed')).toEqual(times('CapitalCommitted'));
  });
});

describe('an append whose outcome is unknown', () => {
  it('is written once, though another writer came after it', async () => {
    const [a, b] = await two();
    await accept(a.ledger, LENT);
    a.faults.lose = 1;
    const answer = a.ledger.handle(payment(ON, 5, 'R-1'));
    await accept(b.ledger, [payment(ON, 7, 'R-2')]);
    expect(await answer).toMatchObject({ accepted: true });
    const paidIn = (await stored(a.store)).filter(({ type }) => type === 'InstallmentPaid');
    expect(paidIn).toHaveLength(2);
  });
});

describe('a line of a sheet that another writer, or the store, made wait', () => {
  it.each(['conflict', 'away'] as const)('keeps its place: what builds on it comes after it (%s)', async (fault) => {
    const [a] = await two();
    a.faults[fault] = 3;
    const answers = [];
    for (const line of LENT) answers.push((await a.ledger.begin(line)).answer);
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ accepted: true });
  });
});

describe('a store that takes longer to read than the lease on the day', () => {
  it('is written nothing on that day, until it is as fast again', async () => {
    const clock = { now: 0 };
    const stores = { store: memoryEventStore(), readStore: memoryReadStore() };
    const slow = await writer(stores, { ...SHARED, monotonic: () => clock.now });
    opened.push(slow);
    await accept(slow.ledger, LENT);
    slow.faults.reading = () => {
      clock.now += 2 * SHARED.leaseMs;
    };
    clock.now += SHARED.leaseMs;
    await expect(slow.ledger.handle(payment(ON, 5, 'R-1'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
    slow.faults.reading = () => {};
    await accept(slow.ledger, [payment(ON, 5, 'R-1')]);
  });
});

describe('an announcement whose outcome is unknown for longer than the lease', () => {
  it('is settled by its own revision: it does not wait for a lease that waits for it', async () => {
    const [a, b] = (await writers(2, { ...SHARED, leaseMs: 10 })) as [Writer, Writer];
    await accept(a.ledger, LENT);
    a.faults.lose = 3;
    const closing = a.ledger.handle(close(ON));
    await accept(b.ledger, [payment(ON, 7, 'R-1')]);
    expect(await closing).toMatchObject({ accepted: true });
    const events = await stored(a.store);
    expect(closesOf(events).map(({ date }) => date)).toEqual([ON]);
    expect(events.filter(({ type }) => type === 'BusinessDayClosing')).toHaveLength(1);
  });
});

describe('a disbursement that a writer left between its two appends', () => {
  it('is finished by another one, as the first would have', async () => {
    // The one that dies looks for nothing any more.
    const [a, b] = (await writers(2, SHARED, { sweepMs: 60_000 })) as [Writer, Writer];
    await accept(a.ledger, LENT.slice(0, -1));
    const line = LENT.at(-1) as Line;
    const stream = `loan-${(line.data as { loan: string }).loan}`;
    a.faults.refuse = stream;
    await expect(a.ledger.handle(line)).rejects.toThrow('gone');
    while (!(await stored(b.store)).some(({ type }) => type === 'LoanDisbursed')) await pause(10);
    const events = await stored(b.store);
    const commitment = events.find(({ type }) => type === 'CapitalCommitted') as Envelope;
    const disbursement = events.find(({ type }) => type === 'LoanDisbursed') as Envelope;
    const { actor, bookingDate, commandId, commandHash, recordedAt } = commitment.meta;
    expect(disbursement.meta).toMatchObject({ actor, bookingDate, commandId, commandHash, recordedAt });
    expect(disbursement.meta.causationId).toBe(commitment.id);
    a.faults.refuse = null;
    expect(await a.ledger.handle(line)).toMatchObject({ accepted: true, duplicate: true });
  });
});

describe('a command whose first append is on another stream than its own', () => {
  const capital = sheetOf([...ground(ON), funded(ON, 50), allocated(ON, 50, '002')]);
  const move = lineOf(
    ['reallocate-capital', ON, { ...MONEY, fromDistrict: '002', toDistrict: '003', amount: 50 }],
    'move',
  );
  const moved = (events: readonly Envelope[]) => events.filter(({ type }) => type === 'CapitalReallocated');
  const small = { ...move, data: { ...move.data, amount: 20 } };

  it('is carried out once when two writers take it at once, and both give its answer', async () => {
    const [a, b] = await two();
    await accept(a.ledger, capital);
    const answers = await Promise.all([a.ledger.handle(small), b.ledger.handle(small)]);
    expect(answers.map((answer) => answer.accepted && answer.duplicate).sort()).toEqual([false, true]);
    expect(moved(await stored(a.store))).toHaveLength(1);
    expect(await faultsOf(a.store)).toEqual([]);
  });

  it('is finished, not begun again, for a writer whom the key comes to when another died between', async () => {
    const [a, b] = (await writers(2, { ...SHARED, sweepMs: 60_000 })) as [Writer, Writer];
    await accept(a.ledger, capital);
    a.faults.refuse = 'fund-P:CITY';
    await expect(a.ledger.handle(move)).rejects.toThrow('gone');
    // All of the district's capital is set aside: decided anew, it would be refused for lack of it.
    expect(await b.ledger.handle(move)).toMatchObject({ accepted: true, duplicate: true });
    expect(moved(await stored(a.store))).toHaveLength(1);
    expect(await faultsOf(a.store)).toEqual([]);
  });

  it('refuses another body under the key of one that was carried out meanwhile', async () => {
    const [a, b] = await withSleeper();
    await accept(a.ledger, capital);
    await accept(b.ledger, [{ ...small, id: 'first', data: { ...small.data, amount: 1 } }]);
    const { reached } = b.faults.sleep();
    const other = b.ledger.handle({ ...small, data: { ...small.data, amount: 10 } });
    await reached;
    await accept(a.ledger, [small]);
    b.faults.wake();
    expect(codeOf(await other)).toBe('KEY_REUSED');
    const events = await stored(a.store);
    expect(moved(events).map(({ data }) => (data as { amount: number }).amount)).toEqual([1, 20]);
    expect(await faultsOf(a.store)).toEqual([]);
  });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a ledger that two writers open at the same moment', () => {
  it('is opened once', async () => {
    const [a, b] = await two();
    const [first] = sheetOf(ground(ON)) as [Line];
    const other = { ...first, id: 'other', data: { ...first.data, programme: 'OTHER' } };
    const answers = await Promise.all([a.ledger.handle(first), b.ledger.handle(other)]);
    expect(answers).toMatchObject([{ accepted: true }, { accepted: true }]);
    expect((await stored(a.store)).filter(({ type }) => type === 'LedgerOpened')).toHaveLength(1);
  });
});

describe('one business day for all', () => {
  it('takes in what another writer booked on the day after it was announced, and nothing lands behind', async () => {
    const [a, b] = await two();
    await accept(a.ledger, LENT);
    await accept(b.ledger, [payment(ON, 1, 'R-0')]);
    let running = true;
    const paying = (async () => {
      for (let index = 1; running; index++) {
        await accept(b.ledger, [payment(ON, 1, `R-${index}`)]);
        await pause(2);
      }
    })();
    await accept(a.ledger, [close(ON)]);
    running = false;
    await paying;
    const events = await stored(a.store);
    const end = events.findIndex(({ type }) => type === 'BusinessDayClosed');
    const booked = events.filter(({ type, meta }) => type === 'InstallmentPaid' && meta.bookingDate === ON);
    expect(closesOf(events)).toMatchObject([
      { date: ON, totals: { payments: { count: booked.length, amount: booked.length } } },
    ]);
    for (const { meta } of events.slice(end + 1)) expect(meta.bookingDate).toBe(NEXT);
    expect(booked.length).toBeLessThan(events.filter(({ type }) => type === 'InstallmentPaid').length);
  });

  it('is closed once when every writer closes it', async () => {
    const places = await writers(3);
    const [a] = places as [Writer];
    await accept(a.ledger, LENT);
    const answers = await Promise.all(
      places.map(({ ledger }, index) => ledger.handle({ ...close(NEXT), id: `close-${index}` })),
    );
    for (const answer of answers) expect(answer).toMatchObject({ accepted: true });
    expect(closesOf(await stored(a.store)).map(({ date }) => date)).toEqual([ON, NEXT]);
  });

  it('stamps the next day when a writer that slept since before the close wakes', async () => {
    const clock = { at: 0 };
    const [store, readStore] = [memoryEventStore(), memoryReadStore()];
    const stores = { store, readStore };
    const a = await writer(stores, SHARED);
    // Its timers sleep with it: only its own clock says on waking that the lease ran out.
    const b = await writer(stores, { ...SHARED, monotonic: () => clock.at });
    opened.push(a, b);
    await accept(a.ledger, LENT);
    await accept(b.ledger, [payment(ON, 1, 'R-1')]);
    await accept(a.ledger, [close(ON)]);
    clock.at += 1_000;
    await accept(b.ledger, [payment(ON, 2, 'R-2')]);
    const last = (await stored(store)).filter(({ type }) => type === 'InstallmentPaid').at(-1);
    expect(last?.meta.bookingDate).toBe(NEXT);
  });

  it('counts an append that lands after all in the next day, and says so', async () => {
    const [a, b] = await withSleeper();
    await accept(a.ledger, LENT);
    await accept(b.ledger, [payment(ON, 100, 'R-1')]);
    const { reached } = b.faults.sleep();
    const paused = b.ledger.handle(payment(ON, 40, 'R-2'));
    await reached;
    await accept(a.ledger, [close(ON)]);
    b.faults.wake();
    expect(await paused).toMatchObject({ accepted: true });
    const late = (await stored(a.store)).at(-1) as Envelope;
    expect(late).toMatchObject({ type: 'InstallmentPaid', meta: { bookingDate: ON } });
    await accept(a.ledger, [payment(ON, 3, 'R-3')]);
    // Until it is counted, it is shown: the entries of its day are not what its control totals say.
    expect(await faultsOf(a.store)).toMatchObject([
      { name: 'closed-days-payments', scope: 'businessDay' },
      { name: 'closed-days-payments', scope: ON },
    ]);
    await accept(a.ledger, [close(NEXT)]);
    expect(await faultsOf(a.store)).toEqual([]);
    const events = await stored(a.store);
    expect(closesOf(events)).toMatchObject([
      { date: ON, totals: { payments: { count: 1, amount: 100 }, principalReturned: 100 } },
      { date: NEXT, totals: { payments: { count: 2, amount: 43 }, principalReturned: 43 } },
    ]);
    expect(events.filter(({ type }) => type === 'LateEntriesCounted').map(({ data }) => data)).toEqual([
      {
        ...{ date: ON, countedOn: NEXT },
        entries: [{ stream: late.stream, revision: late.revision, control: 'payments', amount: 40, principal: 40 }],
      },
    ]);
  });
});
