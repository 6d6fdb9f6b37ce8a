import { type MemoryLedger, memoryLedger } from '../../test/harness.js';
import { accept, lineOf, sealsByStream, sheetOf, stored } from '../../test/sheet.js';
import { memoryEventStore, overlayEventStore } from '../event-store/memory/overlay.js';
import { type EventStore, StoreUnavailable } from '../event-store/port.js';
import { disbursed, ground, lent, MONEY, paid, reversed } from '../lending/examples.js';
import { closed, openUntil, type Sent } from '../lending/scenario.js';
import { memoryReadStore, overlayReadStore } from '../read-store/memory/overlay.js';

/*
 * A process that dies between two appends: the store takes `appends` of them and refuses everything after, as it does
 * for a process that is gone. `answerLost`: the last one is written, and nobody hears of it.
 */

function dying(
  store: EventStore,
  appends: number,
  answerLost: boolean,
): EventStore & { readonly isDead: () => boolean } {
  let left = appends;
  const dead = () => new StoreUnavailable('STORE_CLOSED', 'the process is gone');
  return {
    isDead: () => left < 0,
    append: async (stream, expectedRevision, events) => {
      left--;
      if (left < 0) throw dead();
      const outcome = await store.append(stream, expectedRevision, events);
      if (left > 0 || !answerLost) return outcome;
      left = -1;
      throw dead();
    },
    readStream: (stream, options) => store.readStream(stream, options),
    readAll: (options) => store.readAll(options),
    readAllText: (options) => store.readAllText(options),
    head: () => store.head(),
    streams: () => store.streams(),
    subscribe: (options) => store.subscribe(options),
    close: () => store.close(),
  };
}

const ON = '2021-07-15';
const DUE = '2021-08-15';
const loan = { amount: 3_000, termMonths: 3, installmentEveryMonths: 1 };
const reallocation: Sent = ['reallocate-capital', ON, { ...MONEY, fromDistrict: '001', toDistrict: '002', amount: 5 }];

const LENT = sheetOf(lent(ON, loan));
/** Every command that takes several appends. */
const TRANSFERS = [...LENT, lineOf(reallocation, 'reallocate')];
/** Closes that find something and move something, over a ledger that stands at the due day. */
const AT_DUE_DAY = [...LENT, lineOf(openUntil(DUE), 'open')];
const CLOSES = sheetOf(
  [
    paid(DUE, 500, { allocation: { principalPrepaid: 500 } }),
    paid(DUE, 100, { receipt: 'R-2', allocation: { principalDue: 100 } }),
    reversed(DUE),
    closed('2021-08-17'),
    paid('2021-08-18', 10, { receipt: 'R-3' }),
  ],
  'later',
);

type Lines = typeof LENT;
type Stores = Pick<MemoryLedger, 'store' | 'readStore'>;

async function storesAfter(lines: Lines): Promise<Stores> {
  const { ledger, store, readStore } = await memoryLedger();
  await accept(ledger, lines);
  return { store, readStore };
}

const copyOf = ({ store, readStore }: Stores): Stores => ({
  store: overlayEventStore(store),
  readStore: overlayReadStore(readStore),
});

async function whole(base: Stores, lines: Lines) {
  const { ledger, store } = await memoryLedger(copyOf(base));
  await accept(ledger, lines);
  return { seals: sealsByStream(await stored(store)), digest: await ledger.digest() };
}

/** Posts a sheet to a process that dies after some appends; the next one starts and is posted the whole sheet again. */
async function interrupted(base: Stores, lines: Lines, appends: number, answerLost: boolean) {
  const { store, readStore } = copyOf(base);
  const mortal = dying(store, appends, answerLost);
  const place = await memoryLedger({ store: mortal, readStore });
  for (const line of lines) {
    const answer = await place.ledger.handle(line).catch((error: unknown) => error);
    if (answer instanceof Error) break;
  }
  await (await memoryLedger({ store, readStore })).ledger.close();
  const { ledger } = await memoryLedger({ store, readStore });
  await accept(ledger, lines);
  return { died: mortal.isDead(), seals: sealsByStream(await stored(store)), digest: await ledger.digest() };
}

describe('a process that dies after any append, posted the same sheet again', () => {
  it.each([
    ['transfers, before the next append', [], TRANSFERS, false],
    ['transfers, and the answer is lost', [], TRANSFERS, true],
    ['closes, before the next append', AT_DUE_DAY, CLOSES, false],
    ['closes, and the answer is lost', AT_DUE_DAY, CLOSES, true],
  ])('ends with the same events, byte for byte: %s', async (_, before, lines, answerLost) => {
    const base = await storesAfter(before);
    const { seals, digest } = await whole(base, lines);
    let appends = 1;
    for (let died = true; died; appends++) {
      const found = await interrupted(base, lines, appends, answerLost);
      died = found.died;
      expect([appends, found.seals, found.digest]).toEqual([appends, seals, digest]);
    }
    expect(appends).toBeGreaterThan(lines.length);
  });
});

describe('a disbursement that was interrupted between its two appends', () => {
  const prepared = sheetOf(lent(ON, loan).slice(0, -1));
  const disbursement = lineOf(disbursed(ON, { amount: 3_000 }), 'pay-out');

  const cut = async () => {
    const [store, readStore] = [memoryEventStore(), memoryReadStore()];
    await accept((await memoryLedger({ store, readStore })).ledger, prepared);
    const { ledger } = await memoryLedger({ store: dying(store, 1, false), readStore });
    await expect(ledger.handle(disbursement)).rejects.toThrow('the process is gone');
    return { store, readStore };
  };

  it('is finished by the next start, with the marks of the command', async () => {
    const { store, readStore } = await cut();
    expect((await stored(store)).at(-1)?.type).toBe('CapitalCommitted');
    await memoryLedger({ store, readStore, now: '2026-02-02T00:00:00.000Z' });
    expect(sealsByStream(await stored(store))).toEqual(
      (await whole(await storesAfter([]), [...prepared, disbursement])).seals,
    );
  });

  it('answers its key after that, and pays out once', async () => {
    const { ledger } = await memoryLedger(await cut());
    expect(await ledger.handle(disbursement)).toMatchObject({ duplicate: true, events: [{ type: 'LoanDisbursed' }] });
  });

  it('is finished before the day closes when only the store was away', async () => {
    const store = memoryEventStore();
    let away = false;
    const shaky: EventStore = {
      ...dying(store, Number.POSITIVE_INFINITY, false),
      append: async (stream, revision, events) => {
        if (away && stream.startsWith('loan-')) throw new StoreUnavailable('DISK_FULL', 'no room');
        return store.append(stream, revision, events);
      },
    };
    const { ledger } = await memoryLedger({ store: shaky });
    await accept(ledger, prepared);
    away = true;
    await expect(ledger.handle(disbursement)).rejects.toThrow('no room');
    away = false;
    await accept(ledger, [lineOf(closed(ON), 'close')]);
    const types = (await stored(store)).map(({ type }) => type).slice(-4);
    expect(types).toEqual(['CapitalCommitted', 'LoanDisbursed', 'BusinessDayClosing', 'BusinessDayClosed']);
  });
});

describe('two ledgers over one store', () => {
  it('release capital for a part that lost the race between the two appends', async () => {
    const store = memoryEventStore();
    const first = await memoryLedger({ store });
    await accept(first.ledger, sheetOf([...ground(ON), ...lent(ON, loan).slice(-3, -1)]));
    const rival = await memoryLedger({ store });
    const rivals = lineOf(disbursed(ON, { amount: 2_000, voucher: 'V-2' }), 'rival');
    let raced = false;
    const slow: EventStore = {
      ...dying(store, Number.POSITIVE_INFINITY, false),
      append: async (stream, revision, events) => {
        if (!raced && events[0]?.type === 'LoanDisbursed') {
          raced = true;
          await accept(rival.ledger, [rivals]);
        }
        return store.append(stream, revision, events);
      },
    };
    const loser = await memoryLedger({ store: slow });
    const own = lineOf(disbursed(ON, { amount: 2_000 }), 'own');
    expect(await loser.ledger.handle(own)).toMatchObject({ refusal: { code: 'DISBURSEMENT_ABOVE_APPROVAL' } });
    expect((await stored(store)).at(-1)).toMatchObject({ type: 'CapitalReleased', data: { voucher: 'V-1' } });
    // The key is free: the same command fits when the amount does.
    const fits = lineOf(disbursed(ON, { amount: 1_000 }), 'own');
    expect(await loser.ledger.handle(fits)).toMatchObject({ accepted: true, duplicate: false });
  });
});
