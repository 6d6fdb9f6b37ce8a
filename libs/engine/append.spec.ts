import { accept, type Line, lineOf, sheetOf, stored } from '../../test/sheet.js';
import { type Writer, writer } from '../../test/writers.js';
import { memoryEventStore } from '../event-store/memory/overlay.js';
import { lent, paid } from '../lending/examples.js';
import { memoryReadStore } from '../read-store/memory/overlay.js';

describe('an append that a store does not take or tell of for longer than it is sent again', () => {
  const ON = '2021-07-15';
  const opened: Writer[] = [];
  afterEach(async () => {
    for (const { ledger } of opened.splice(0)) await ledger.close();
  });

  const impatient = async () => {
    const stores = { store: memoryEventStore(), readStore: memoryReadStore() };
    const shared = { leaseMs: 60, marginMs: 60, sweepMs: 40, patience: { unknown: 60, away: 30 } };
    const place = await writer(stores, shared);
    opened.push(place);
    await accept(place.ledger, sheetOf(lent(ON, { amount: 9_000, termMonths: 3, installmentEveryMonths: 1 })));
    return place;
  };
  const line: Line = lineOf(paid(ON, 5, { receipt: 'R-1', allocation: { principalPrepaid: 5 } }), 'R-1');
  const paidIn = async ({ store }: Writer) =>
    (await stored(store)).filter(({ type }) => type === 'InstallmentPaid').length;

  it('is OUTCOME_UNKNOWN where answers are lost, and the same key gives the first answer', async () => {
    const place = await impatient();
    place.faults.lose = Number.POSITIVE_INFINITY;
    await expect(place.ledger.handle(line)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    place.faults.lose = 0;
    expect(await place.ledger.handle(line)).toMatchObject({ accepted: true, duplicate: true });
    expect(await paidIn(place)).toBe(1);
  });

  it('is OUTCOME_UNKNOWN as well where the store is away once an answer was lost: it may be written', async () => {
    const place = await impatient();
    place.faults.lose = 1;
    place.faults.losing = () => {
      place.faults.away = Number.POSITIVE_INFINITY;
    };
    await expect(place.ledger.handle(line)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    place.faults.away = 0;
    expect(await place.ledger.handle(line)).toMatchObject({ accepted: true, duplicate: true });
    expect(await paidIn(place)).toBe(1);
  });

  it('is UNREACHABLE where the store was away all the time: nothing was written', async () => {
    const place = await impatient();
    place.faults.away = Number.POSITIVE_INFINITY;
    await expect(place.ledger.handle(line)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    place.faults.away = 0;
    expect(await paidIn(place)).toBe(0);
    expect(await place.ledger.handle(line)).toMatchObject({ accepted: true, duplicate: false });
  });
});
