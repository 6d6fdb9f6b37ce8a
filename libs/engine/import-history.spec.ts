import { memoryLedger } from '../../test/harness.js';
import { accept, lineOf, sheetOf, stored } from '../../test/sheet.js';
import { memoryEventStore } from '../event-store/memory/overlay.js';
import { type AppendOutcome, type EventStore, StoreUnavailable } from '../event-store/port.js';
import type { Envelope } from '../kernel/envelope.js';
import { lent, paid } from '../lending/examples.js';
import { closed } from '../lending/scenario.js';
import { ledgerDigest } from '../proof/seal.js';
import { IMPORT_WINDOW, importHistory, SourceDamaged, TargetDiffers } from './import-history.js';

const ON = '2021-07-15';

/** A ledger of more events than one window holds. */
async function ledger(payments = 2 * IMPORT_WINDOW): Promise<readonly Envelope[]> {
  const { ledger, store } = await memoryLedger();
  await accept(ledger, sheetOf(lent(ON)));
  const receipts = Array.from({ length: payments }, (_, n) => `R-${n}`);
  const lines = receipts.map((receipt) =>
    lineOf(paid(ON, 1, { receipt, allocation: { principalPrepaid: 1 } }), receipt),
  );
  await accept(ledger, [...lines, lineOf(closed(ON), 'close')]);
  await ledger.close();
  return stored(store);
}

async function* of(events: readonly Envelope[]) {
  yield* events;
}

const run = (events: readonly Envelope[], target: EventStore) =>
  importHistory({ source: of(events), target, progress: () => {} });
const bare = (events: readonly Envelope[]) => events.map(({ position: _, ...event }) => event);

/** A store whose appends go wrong: `fault` is asked before each, by its number. */
function faulty(store: EventStore, fault: (nth: number) => 'written' | 'lost' | 'away' | 'gone' | null): EventStore {
  let count = 0;
  const unknown: AppendOutcome = { outcome: 'unknown', cause: new Error('no answer') };
  return {
    ...store,
    append: async (stream, revision, events) => {
      const what = fault(count++);
      if (what === 'gone') throw new Error('the process is gone');
      if (what === 'away') throw new StoreUnavailable('UNREACHABLE', 'away');
      if (what === 'lost') return unknown;
      const outcome = await store.append(stream, revision, events);
      return what === 'written' ? unknown : outcome;
    },
  };
}

describe('a ledger that is moved', () => {
  it('is the same events in the same order, with the same digest', async () => {
    const events = await ledger();
    const target = memoryEventStore();
    const report = await run(events, target);
    expect(bare(await stored(target))).toEqual(bare(events));
    const digest = await ledgerDigest(target.streams());
    expect(report).toEqual({ events: events.length, imported: events.length, streams: expect.any(Number), digest });
  });

  it('goes on where a run was cut off, as often as it is, and writes nothing twice', async () => {
    const events = await ledger();
    const target = memoryEventStore();
    for (const cut of [0, 1, 100, IMPORT_WINDOW + 3]) {
      await expect(
        run(
          events,
          faulty(target, (nth) => (nth >= cut ? 'gone' : null)),
        ),
      ).rejects.toThrow('gone');
    }
    const there = (await stored(target)).length;
    expect(there).toBeGreaterThan(IMPORT_WINDOW);
    const { imported } = await run(events, target);
    expect([imported, bare(await stored(target))]).toEqual([events.length - there, bare(events)]);
    expect(await run(events, target)).toMatchObject({ events: events.length, imported: 0 });
  });

  it('takes what was added since the last run: whoever writes it need not stop for the first', async () => {
    const events = await ledger();
    const target = memoryEventStore();
    await run(events.slice(0, 200), target);
    expect(await run(events, target)).toMatchObject({ imported: events.length - 200 });
    expect(bare(await stored(target))).toEqual(bare(events));
  });

  it.each(['written', 'lost', 'away'] as const)('is whole where the end of a window was %s', async (what) => {
    const events = await ledger();
    const target = memoryEventStore();
    const store = faulty(target, (nth) => (nth >= 40 && nth < IMPORT_WINDOW ? what : null));
    expect(await run(events, store)).toMatchObject({ imported: events.length });
    expect(bare(await stored(target))).toEqual(bare(events));
  });
});

describe('a move that is refused', () => {
  const other = async () => {
    const events = await ledger(3);
    const { ledger: another, store } = await memoryLedger();
    await accept(another, sheetOf(lent(ON), 'other'));
    return { events, store };
  };

  it('into a store of another ledger writes nothing', async () => {
    const { events, store } = await other();
    const before = await stored(store);
    await expect(run(events, store)).rejects.toThrow(TargetDiffers);
    expect(await stored(store)).toEqual(before);
  });

  it('into a store that holds more than the ledger', async () => {
    const events = await ledger(3);
    const target = memoryEventStore();
    await run(events, target);
    await expect(run(events.slice(0, -2), target)).rejects.toThrow('stands behind the last event of the ledger');
  });

  it('into a store that somebody else writes to meanwhile', async () => {
    const events = await ledger(3);
    const target = memoryEventStore();
    const [, opened] = await stored((await other()).store);
    const { position: _, ...foreign } = opened as Envelope;
    const store: EventStore = {
      ...target,
      append: async (stream, revision, batch) => {
        await target.append(foreign.stream, -1, [foreign]);
        return target.append(stream, revision, batch);
      },
    };
    await expect(run(events, store)).rejects.toThrow('stands at 0');
  });

  it('whose store wrote a later event before an earlier one', async () => {
    const events = await ledger(3);
    const store = faulty(memoryEventStore(), (nth) => (nth === 2 ? 'lost' : null));
    await expect(run(events, store)).rejects.toThrow('out of order');
  });

  it.each<readonly [string, (event: Envelope) => Envelope]>([
    ['was changed', (event) => ({ ...event, data: { ...(event.data as object), amount: 2 } })],
    ['is another', (event) => ({ ...event, revision: event.revision + 1 })],
  ])('of a ledger whose event %s', async (_, change) => {
    const events = await ledger(3);
    const at = events.findLastIndex(({ type }) => type === 'InstallmentPaid');
    const target = memoryEventStore();
    await expect(run(events.with(at, change(events[at] as Envelope)), target)).rejects.toThrow(SourceDamaged);
  });
});
