import { memoryLedger } from '../../test/harness.js';
import { accept, codeOf, lineOf, sheetOf, stored } from '../../test/sheet.js';
import type { Instant } from '../kernel/dates.js';
import { applied, funded, ground, lent, opened, paid } from '../lending/examples.js';
import { closed } from '../lending/scenario.js';

const ON = '2021-07-15';
const OPEN = lineOf(opened(ON), 'open');

describe('an empty ledger', () => {
  it('is opened by its first accepted command, on its value date', async () => {
    const { ledger, store } = await memoryLedger();
    expect(await ledger.calendar()).toMatchObject({ first: null, open: null });
    expect(await ledger.handle(OPEN)).toMatchObject({ accepted: true, events: [{ type: 'ProgrammeOpened' }] });
    expect(await stored(store)).toMatchObject([
      {
        ...{ type: 'LedgerOpened', stream: 'businessDay', revision: 0 },
        data: { firstBusinessDay: ON, simulated: true, formatVersion: 1 },
      },
      { type: 'ProgrammeOpened', meta: { bookingDate: ON, valueDate: ON } },
    ]);
  });

  it.each([
    ['a decision that refuses', lineOf(funded(ON), 'k'), 'PROGRAMME_UNKNOWN'],
    ['a body that cannot be read', { ...OPEN, data: {} }, 'FIELD_MISSING'],
    ['a value date after the clock', lineOf(opened('2026-01-02'), 'k'), 'VALUE_DATE_AFTER_CLOCK'],
    ['a close', lineOf(closed(ON), 'k'), 'LEDGER_EMPTY'],
  ])('is not opened by %s', async (_, line, code) => {
    const { ledger, store } = await memoryLedger();
    expect(codeOf(await ledger.handle(line))).toBe(code);
    expect(await stored(store)).toEqual([]);
    expect(await ledger.handle(OPEN)).toMatchObject({ accepted: true });
  });

  it("takes the clock's own day, in Hanoi", async () => {
    const { ledger } = await memoryLedger({ now: '2021-07-14T17:00:00.000Z' });
    expect(await ledger.handle(OPEN)).toMatchObject({ accepted: true });
  });

  it('is opened once by commands at the same moment', async () => {
    const { ledger, store } = await memoryLedger();
    const programmes = ['A', 'B', 'C'].map((programme) => ({
      ...OPEN,
      id: programme,
      data: { ...OPEN.data, programme },
    }));
    const answers = await Promise.all(programmes.map((line) => ledger.handle(line)));
    expect(answers.every(({ accepted }) => accepted)).toBe(true);
    expect((await stored(store)).map(({ type }) => type).filter((type) => type === 'LedgerOpened')).toHaveLength(1);
  });
});

describe('a close while commands go on', () => {
  it('takes what was booked before it announced itself, and nothing lands in the closed day', async () => {
    const { ledger, store } = await memoryLedger();
    await accept(ledger, sheetOf(lent(ON)));
    const payments = (prefix: string) =>
      Array.from({ length: 20 }, (_, index) =>
        lineOf(paid(ON, 1_000 + index, { receipt: `${prefix}-${index}` }), `${prefix}-${index}`),
      );
    const before = payments('before').map((line) => ledger.handle(line));
    const close = ledger.handle(lineOf(closed(ON), 'close'));
    const after = payments('after').map((line) => ledger.handle(line));
    const answers = await Promise.all([...before, close, ...after]);
    expect(answers.every(({ accepted }) => accepted)).toBe(true);

    const events = await stored(store);
    const announced = events.findIndex(({ type }) => type === 'BusinessDayClosing');
    const paidIn = events.map((event, index) => ({ ...event, index })).filter(({ type }) => type === 'InstallmentPaid');
    for (const { index, meta } of paidIn) expect(meta.bookingDate).toBe(index < announced ? ON : '2021-07-16');
    const own = paidIn.filter(({ index }) => index < announced);
    const amount = own.reduce((sum, { data }) => sum + (data as { amount: number }).amount, 0);
    expect(events.find(({ type }) => type === 'BusinessDayClosed')?.data).toMatchObject({
      totals: { payments: { count: own.length, amount }, principalCollected: amount, principalReturned: amount },
    });
  });

  it('follows another close of the same moment: each day is closed once', async () => {
    const { ledger, store } = await memoryLedger();
    await accept(ledger, sheetOf(ground(ON)));
    const closes = ['2021-07-15', '2021-07-17', '2021-07-16'].map((date) => ledger.handle(lineOf(closed(date), date)));
    expect((await Promise.all(closes)).every(({ accepted }) => accepted)).toBe(true);
    const days = (await stored(store)).filter(({ type }) => type === 'BusinessDayClosed').map(({ data }) => data);
    expect(days.map((data) => (data as { date: string }).date)).toEqual(['2021-07-15', '2021-07-16', '2021-07-17']);
  });
});

describe('a dry run', () => {
  it('answers what would happen, a later line seeing the earlier ones, and writes nothing', async () => {
    const { ledger, store } = await memoryLedger();
    const dry = ledger.dryRun();
    const answers = await accept(dry, sheetOf([...lent(ON), closed('2021-07-16')]));
    expect(answers.at(-1)).toMatchObject({ events: [{}, {}, {}, {}] });
    expect(codeOf(await dry.handle(lineOf(opened(ON), 'again')))).toBe('PROGRAMME_EXISTS');
    await dry.close();
    expect(await stored(store)).toEqual([]);
    expect(await ledger.calendar()).toMatchObject({ first: null });
  });

  it('answers as the ledger itself does afterwards', async () => {
    const { ledger } = await memoryLedger();
    await accept(ledger, sheetOf(ground(ON)));
    const lines = sheetOf([...lent(ON).slice(-3), paid(ON, 5), closed(ON)], 'more');
    const dry = await accept(ledger.dryRun(), lines);
    const events = (answers: typeof dry) => answers.map((answer) => answer.accepted && answer.events);
    expect(events(dry)).toEqual(events(await accept(ledger, lines)));
  });

  it('knows the keys of the ledger', async () => {
    const { ledger } = await memoryLedger();
    await accept(ledger, [OPEN]);
    expect(await ledger.dryRun().handle(OPEN)).toMatchObject({ duplicate: true });
  });
});

describe('recordedAt', () => {
  const instants = async (store: Parameters<typeof stored>[0]) =>
    (await stored(store)).map(({ meta }) => meta.recordedAt);

  it('never runs backwards, though the clock does, and not after a restart', async () => {
    const place = await memoryLedger({ now: '2025-05-05T10:00:00.000Z' });
    const [first, second, third] = sheetOf(ground(ON));
    await accept(place.ledger, first === undefined ? [] : [first]);
    place.now = '2025-05-05T09:00:00.000Z' as Instant;
    await accept(place.ledger, second === undefined ? [] : [second]);
    const { store, readStore } = place;
    const again = await memoryLedger({ store, readStore, now: '2020-01-01T00:00:00.000Z' });
    await accept(again.ledger, third === undefined ? [] : [third]);
    expect(new Set(await instants(store))).toEqual(new Set(['2025-05-05T10:00:00.000Z']));
  });

  it('rises with the global order while many commands run at once', async () => {
    const place = await memoryLedger({ now: '2025-05-05T10:00:00.000Z' });
    await accept(place.ledger, sheetOf(ground(ON)));
    let ms = Date.parse(place.now);
    const lines = Array.from({ length: 30 }, (_, index) => lineOf(applied(ON, { loan: `L-${index}` }), `a-${index}`));
    const answers = lines.map((line, index) => {
      ms += index % 3 === 0 ? -7_000 : 5_000;
      place.now = new Date(ms).toISOString() as Instant;
      return place.ledger.handle(line);
    });
    await Promise.all(answers);
    const recorded = await instants(place.store);
    expect(recorded).toEqual([...recorded].sort());
  });

  it("is the line's own in a simulated ledger, never earlier than the last", async () => {
    const { ledger, store } = await memoryLedger({ now: '2020-01-01T00:00:00.000Z' });
    await accept(ledger, [{ ...OPEN, recordedAt: '2021-07-15T09:30:00+07:00' } as typeof OPEN]);
    expect(await instants(store)).toEqual(['2021-07-15T02:30:00.000Z', '2021-07-15T02:30:00.000Z']);
    const early = { ...lineOf(funded(ON), 'k'), recordedAt: '2021-07-15T02:29:59.999Z' };
    expect(codeOf(await ledger.handle(early))).toBe('RECORDED_AT_TOO_EARLY');
    const close = { ...lineOf(closed('2021-07-16'), 'c'), recordedAt: '2021-07-16T16:59:59Z' };
    expect(await ledger.handle(close)).toMatchObject({ accepted: true });
    expect(ledger.today()).toBe('2021-07-16');
  });

  it("is nobody's to set in a ledger that is no simulation", async () => {
    const { ledger, store } = await memoryLedger({ simulated: false });
    const line = { ...OPEN, recordedAt: '2021-07-15T02:30:00Z' };
    expect(codeOf(await ledger.handle(line))).toBe('RECORDED_AT_NOT_ALLOWED');
    await accept(ledger, [OPEN]);
    expect(codeOf(await ledger.handle({ ...line, id: 'other' }))).toBe('RECORDED_AT_NOT_ALLOWED');
    expect((await stored(store))[0]?.data).toMatchObject({ simulated: false });
  });
});
