import { memoryLedger } from '../../test/harness.js';
import { accept, codeOf, lineOf, sheetOf, stored } from '../../test/sheet.js';
import { memoryEventStore } from '../event-store/memory/overlay.js';
import type { EventStore, Snapshot, SnapshotStore } from '../event-store/port.js';
import { lent, paid } from '../lending/examples.js';
import { memoryReadStore } from '../read-store/memory/overlay.js';

const ON = '2021-07-15';
const PAYMENTS = 30;
const LOAN = 'loan-L';
const ground = [...sheetOf(lent(ON)), ...payments(1, PAYMENTS)];

describe('a ledger that keeps snapshots of its streams', () => {
  it('reads a long stream from its snapshot, and writes what it would have written without', async () => {
    const [with_, without] = [await lentLedger(memorySnapshots()), await lentLedger(null)];
    expect(with_.snapshots?.kept.get(LOAN)?.revision).toBeGreaterThan(PAYMENTS / 2);
    const again = [await reopened(with_), await reopened(without)];
    for (const { ledger } of again) await accept(ledger, payments(PAYMENTS + 1, PAYMENTS + 3));
    expect(await stored(with_.store)).toEqual(await stored(without.store));
    expect(with_.reads(LOAN)).toBeLessThan(without.reads(LOAN) / 2);
  });

  it('knows the keys and receipts of what lies before the snapshot', async () => {
    const place = await reopened(await lentLedger(memorySnapshots()));
    const before = await stored(place.store);
    expect((await accept(place.ledger, ground)).map((answer) => answer.accepted && answer.duplicate)).toEqual(
      ground.map(() => true),
    );
    const answer = await place.ledger.handle(lineOf(paid(ON, 1_000, { receipt: 'R-3' }), 'another'));
    expect(codeOf(answer)).toBe('RECEIPT_ALREADY_USED');
    expect(await stored(place.store)).toEqual(before);
  });

  it.each([
    ['of another history', (it: Snapshot, other: Snapshot) => ({ ...other, stream: it.stream })],
    ['beyond the end of its stream', (it: Snapshot, other: Snapshot) => ({ ...other, revision: it.revision })],
    ['of another stream', (it: Snapshot, other: Snapshot) => ({ ...it, body: other.body })],
  ])('takes no notice of one %s', async (_what, spoil) => {
    const other = await lentLedger(memorySnapshots(), 'other');
    const place = await lentLedger(memorySnapshots());
    const ours = place.snapshots?.kept.get(LOAN) as Snapshot;
    place.snapshots?.kept.set(LOAN, spoil(ours, other.snapshots?.kept.get(LOAN) as Snapshot));
    const again = await reopened(place);
    await accept(again.ledger, payments(PAYMENTS + 1, PAYMENTS + 1));
    expect((await stored(place.store)).at(-1)).toMatchObject({ type: 'InstallmentPaid', stream: LOAN });
    expect(await accept(again.ledger, [lineOf(paid(ON, 1_000, { receipt: 'R-3' }), 'pay-3')])).toMatchObject([
      { duplicate: true },
    ]);
  });

  it('keeps nothing of what a dry run did', async () => {
    const place = await lentLedger(memorySnapshots());
    const dry = place.ledger.dryRun();
    const before = new Map(place.snapshots?.kept);
    await accept(dry, payments(PAYMENTS + 1, PAYMENTS + 20));
    await dry.close();
    expect(place.snapshots?.kept).toEqual(before);
  });
});

function payments(from: number, to: number, mark = '') {
  return Array.from({ length: to - from + 1 }, (_, at) => {
    const number = `${from + at}`;
    return lineOf(paid(ON, 1_000, { receipt: `R-${number}` }), `pay-${number}${mark}`);
  });
}

async function lentLedger(snapshots: ReturnType<typeof memorySnapshots> | null, mark = '') {
  const { store, reads } = counted(memoryEventStore());
  const readStore = memoryReadStore();
  const { ledger } = await memoryLedger({ store, readStore, ...(snapshots && { snapshots }) });
  await accept(ledger, [...sheetOf(lent(ON)), ...payments(1, PAYMENTS, mark)]);
  return { ledger, store, readStore, snapshots, reads };
}

async function reopened(place: Awaited<ReturnType<typeof lentLedger>>) {
  await place.ledger.close();
  const { store, readStore, snapshots } = place;
  return memoryLedger({ store, readStore, ...(snapshots && { snapshots }) });
}

function memorySnapshots(): SnapshotStore & { readonly kept: Map<string, Snapshot> } {
  const kept = new Map<string, Snapshot>();
  return {
    kept,
    get: (stream) => kept.get(stream),
    put: (it) => void kept.set(it.stream, structuredClone(it)),
    close() {},
  };
}

/** Counts the events that are read of each stream. */
function counted(store: EventStore) {
  const counts = new Map<string, number>();
  async function* readStream(...[stream, options]: Parameters<EventStore['readStream']>) {
    for await (const event of store.readStream(stream, options)) {
      counts.set(stream, (counts.get(stream) ?? 0) + 1);
      yield event;
    }
  }
  return { store: { ...store, readStream }, reads: (stream: string) => counts.get(stream) ?? 0 };
}
