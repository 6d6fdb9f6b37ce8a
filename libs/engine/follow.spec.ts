import { setImmediate as yieldTurn } from 'node:timers/promises';
import { memoryLedger, testLink } from '../../test/harness.js';
import { sheetOf, stored } from '../../test/sheet.js';
import { until } from '../../test/until.js';
import { memoryEventStore } from '../event-store/memory/overlay.js';
import { StoreUnavailable } from '../event-store/port.js';
import { lent, paid } from '../lending/examples.js';
import { memoryReadStore } from '../read-store/memory/overlay.js';
import type { CommandRequest } from './answers.js';
import { type Followed, FollowerBehind, FollowerHalted } from './ledger.js';
import type { openLedger } from './open-ledger.js';

/** Counts events by type; takes none of a type that it was told to fear. */
function counting(name: string, feared: Set<string> = new Set()): Followed {
  const collection = { name: 'counts', key: { type: 'text' as const }, measures: ['events'] };
  return {
    model: { name, version: 1, collections: [collection] },
    project: ({ type }) => {
      if (feared.has(type)) throw new Error(`cannot take ${type}`);
      return [{ op: 'add', collection: 'counts', key: { type }, measures: { events: 1 } }];
    },
  };
}

const open = (programme: string) => ({
  command: 'open-programme',
  id: `open-${programme}`,
  valueDate: '2021-07-01',
  data: { programme, name: programme, plan: '159/KH-UBND', from: '2021-01-01', to: '2025-12-31', targets: [] },
});

const group = (name: string) => ({
  command: 'register-group',
  id: `group-${name}`,
  valueDate: '2021-07-01',
  data: { group: name, district: '001', commune: '00004', massOrganisation: 'WOMEN' },
});

const total = (ledger: Awaited<ReturnType<typeof openLedger>>, model: string, after: string | null = null) =>
  ledger.read(model, after, async (view) => {
    const [row] = await view.sum('counts', { where: [{}], by: [], measures: ['events'] });
    return Number(row?.events ?? 0);
  });

describe('a follower', () => {
  it('writes what a folded batch comes to', async () => {
    const seen: number[] = [];
    const rolled: Followed = {
      ...counting('rolled'),
      rollUp: (folded) => {
        seen.push(folded.length);
        return folded.map((change) => (change.op === 'add' ? { ...change, measures: { events: 100 } } : change));
      },
    };
    const { ledger } = await memoryLedger({ followed: [rolled] });
    for (const name of ['G', 'H', 'I']) await ledger.handle(group(name));
    // The opening and three groups: two types, folded before they are rolled up.
    expect([await total(ledger, 'rolled'), seen]).toEqual([200, [2]]);
    await ledger.close();
  });
});

describe.each(['in this thread', 'over a link'])('a follower %s', (where) => {
  const link = () => (where === 'over a link' ? { link: testLink() } : {});

  it('stops at the event that it cannot take, by name, and no other follower stops', async () => {
    const feared = new Set(['GroupRegistered']);
    const { ledger } = await memoryLedger({
      followed: [counting('bold'), counting('timid', feared)],
      follow: true,
      ...link(),
    });
    await ledger.handle(open('P'));
    const answer = await ledger.handle(group('G'));
    const token = answer.accepted ? answer.token : '';
    await ledger.handle(open('Q'));
    expect(await total(ledger, 'bold')).toBe(4);
    await expect(total(ledger, 'timid', token)).rejects.toThrow(FollowerHalted);
    const status = ledger.followers().find(({ name }) => name === 'timid');
    expect(status).toMatchObject({
      state: 'halted',
      sequence: 2,
      halted: { type: 'GroupRegistered', stream: 'group-G' },
    });
    await ledger.close();
  });

  it('takes the event when it is retried after the cause is mended, and loses and doubles nothing', async () => {
    const feared = new Set(['GroupRegistered']);
    const { ledger } = await memoryLedger({ followed: [counting('timid', feared)], follow: true, ...link() });
    for (const request of [open('P'), group('G'), group('H'), open('Q')]) await ledger.handle(request);
    await expect(total(ledger, 'timid')).rejects.toThrow(FollowerHalted);
    feared.clear();
    expect(ledger.retry('timid')).toBe(true);
    expect(ledger.retry('nobody')).toBe(false);
    expect(await total(ledger, 'timid')).toBe(5);
    await ledger.close();
  });

  it('lets a reader with a token wait until it has passed, and tells one whose token never comes', async () => {
    const { ledger } = await memoryLedger({ followed: [counting('bold')], follow: true, ...link() });
    for (let n = 0; n < 50; n++) {
      const answer = await ledger.handle(group(`G${n}`));
      expect(await total(ledger, 'bold', answer.accepted ? answer.token : '')).toBe(n + 2);
    }
    await expect(total(ledger, 'bold', '9'.repeat(20))).rejects.toThrow(FollowerBehind);
    await ledger.close();
  }, 20_000);

  it('says that it does not know the head while its store is away, and takes what it missed', async () => {
    const store = memoryEventStore();
    const whole = store.readAll;
    const place = await memoryLedger({
      ...{ store, followed: [counting('bold')], follow: true, onFault: () => {} },
      ...link(),
    });
    const { ledger } = place;
    await ledger.handle(group('G'));
    expect(await total(ledger, 'bold')).toBe(2);
    // biome-ignore lint/correctness/useYield: the read of a store that is away
    store.readAll = async function* () {
      throw new StoreUnavailable('UNREACHABLE', 'nobody answers');
    };
    await until(() => ledger.followers().every(({ fault }) => fault !== null));
    for (const status of ledger.followers()) {
      expect(status).toMatchObject({ state: 'running', caughtUp: false, fault: 'nobody answers' });
    }
    store.readAll = whole;
    const answer = await ledger.handle(group('H'));
    expect(await total(ledger, 'bold', answer.accepted ? answer.token : '')).toBe(3);
    await until(() => ledger.followers().every(({ fault, caughtUp }) => fault === null && caughtUp));
    await ledger.close();
  });

  it('goes on where it was after a restart', async () => {
    const first = await memoryLedger({ followed: [counting('bold')], follow: true, ...link() });
    await first.ledger.handle(group('G'));
    expect(await total(first.ledger, 'bold')).toBe(2);
    await first.ledger.close();
    const { store, readStore } = first;
    const second = await memoryLedger({ store, readStore, followed: [counting('bold')], follow: true, ...link() });
    await second.ledger.handle(group('H'));
    expect(await total(second.ledger, 'bold')).toBe(3);
    await second.ledger.close();
  });
});

describe('what followed a store that holds less now, as after a power cut or from a backup', () => {
  it('is made anew: no read model, and no process of a close, counts what is not there', async () => {
    const readStore = memoryReadStore();
    const taken = async (lines: readonly CommandRequest[], day: string) => {
      const { ledger, store } = await memoryLedger({ readStore, followed: [counting('bold')] });
      for (const line of lines) expect(await ledger.handle(line)).toMatchObject({ accepted: true });
      const close = { command: 'close-business-day', id: 'close', data: { date: day } };
      expect(await ledger.handle(close)).toMatchObject({ accepted: true });
      const counted = await total(ledger, 'bold');
      await ledger.close();
      return { counted, events: await stored(store) };
    };
    const lines = sheetOf([...lent('2021-07-15'), paid('2021-07-15', 5)]);
    const before = await taken(lines, '2021-07-16');
    expect(before.counted).toBe(before.events.length);
    const after = await taken(lines.slice(0, -1), '2021-07-15');
    expect(after.events.length).toBeLessThan(before.events.length);
    expect(after.counted).toBe(after.events.length);
    const closed = after.events.find(({ type }) => type === 'BusinessDayClosed');
    expect(closed?.data).toMatchObject({ totals: { payments: { count: 0 }, disbursements: { count: 1 } } });
  });
});

describe.each(['in this thread', 'over a link'])('a rebuild %s', (where) => {
  const link = () => (where === 'over a link' ? { link: testLink() } : {});

  it('takes the place of the live read model while commands and reads go on, and no read fails', async () => {
    const { ledger, readStore } = await memoryLedger({ followed: [counting('bold')], follow: true, ...link() });
    for (let n = 0; n < 30; n++) await ledger.handle(group(`G${n}`));
    let stop = false;
    const reading = (async () => {
      let reads = 0;
      for (let last = 0; !stop; reads++) {
        const found = await total(ledger, 'bold');
        expect(found).toBeGreaterThanOrEqual(last);
        last = found;
        // In memory nothing waits for a disk: the loop has to turn all the same.
        await yieldTurn();
      }
      return reads;
    })();
    const writing = (async () => {
      for (let n = 30; !stop; n++) {
        await ledger.handle(group(`G${n}`));
        await yieldTurn();
      }
    })();
    const [report] = await ledger.rebuild(['bold']);
    stop = true;
    await writing;
    expect(await reading).toBeGreaterThan(0);
    expect(report).toMatchObject({ name: 'bold', difference: null, switched: true });
    expect(await readStore.instances()).toEqual(expect.not.arrayContaining(['bold.1']));
    await ledger.close();
  });

  it('names the first document that differs from what was live', async () => {
    const { store, readStore, ledger } = await memoryLedger({ followed: [counting('bold')] });
    for (const name of ['G', 'H']) await ledger.handle(group(name));
    expect(await total(ledger, 'bold')).toBe(3);
    await ledger.close();
    const changed: Followed = { ...counting('bold'), project: twice };
    const again = await memoryLedger({ store, readStore, followed: [changed] });
    const [report] = await again.ledger.rebuild(['bold']);
    expect(report?.difference).toEqual({
      collection: 'counts',
      live: expect.objectContaining({ type: 'GroupRegistered', events: 2 }),
      rebuilt: expect.objectContaining({ type: 'GroupRegistered', events: 4 }),
    });
    await again.ledger.close();
  });
});

const twice: Followed['project'] = (event) => {
  const [change] = counting('bold').project(event);
  return change === undefined ? [] : [change, change];
};

describe('who follows over a link', () => {
  it('is begun again when it dies, and takes what it missed; what waits is asked again', async () => {
    const link = testLink();
    const { ledger } = await memoryLedger({ followed: [counting('bold')], follow: true, link });
    const token = async (name: string) => {
      const answer = await ledger.handle(group(name));
      return answer.accepted ? answer.token : '';
    };
    expect(await total(ledger, 'bold', await token('G'))).toBe(2);
    link.kill();
    const waiting = total(ledger, 'bold', await token('H'));
    expect(ledger.followers()[0]).toMatchObject({
      state: 'running',
      caughtUp: false,
      fault: expect.stringMatching(/killed/),
    });
    expect(await waiting).toBe(3);
    expect([link.begun, link.faults, ledger.followers()[0]?.fault]).toEqual([2, [new Error('killed')], null]);
    await ledger.close();
  });

  it('does not keep a close from being written when it dies in the middle', async () => {
    const link = testLink();
    const { ledger } = await memoryLedger({ followed: [], follow: true, link });
    await ledger.handle(group('G'));
    const closing = ledger
      .handle({ ...open('P'), command: 'open-programme' })
      .then(() => ledger.handle({ command: 'close-business-day', id: 'close', data: { date: '2021-07-04' } }));
    await yieldTurn();
    link.kill();
    expect(await closing).toMatchObject({ accepted: true });
    expect((await ledger.calendar()).open).toBe('2021-07-05');
    await ledger.close();
  });
});
