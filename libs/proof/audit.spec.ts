import { memoryLedger } from '../../test/harness.js';
import type { Envelope } from '../kernel/envelope.js';
import { auditHistory } from './audit.js';

const GROUPS = ['G1', 'G2', 'G1-again'];

async function history(): Promise<Envelope[]> {
  const { ledger, store } = await memoryLedger();
  for (const group of GROUPS) {
    const data = { group, district: '001', commune: '00004', massOrganisation: 'WOMEN' };
    await ledger.handle({ command: 'register-group', id: group, valueDate: '2021-07-01', data });
  }
  await ledger.handle({ command: 'close-business-day', id: 'close', data: { date: '2021-07-03' } });
  await ledger.close();
  const events: Envelope[] = [];
  for await (const event of store.readAll()) events.push(event);
  return events;
}

async function* from(events: readonly Envelope[]) {
  yield* events;
}

describe('an audit', () => {
  it('finds an untouched history whole', async () => {
    const events = await history();
    expect(await auditHistory(from(events))).toEqual({ events: 10, streams: 4, holds: true, failure: null });
  });

  it.each([
    [
      'a changed amount of data',
      (e: Envelope) => ({ ...e, data: { ...(e.data as object), commune: '00005' } }),
      /seal/,
    ],
    ['another actor', (e: Envelope) => ({ ...e, meta: { ...e.meta, actor: 'somebody' } }), /seal/],
    ['another id', (e: Envelope) => ({ ...e, id: '00000000-0000-5000-8000-000000000000' }), /seal/],
    ['a later place in its stream', (e: Envelope) => ({ ...e, revision: e.revision + 1 }), /revision 0/],
  ])('names the event with %s', async (_, change, what) => {
    const events = await history();
    const at = events.findIndex(({ type }) => type === 'GroupRegistered');
    const { holds, failure } = await auditHistory(from(events.with(at, change(events[at] as Envelope))));
    expect([holds, failure]).toEqual([
      false,
      { ...place(events[at] as Envelope), revision: expect.any(Number), what: expect.stringMatching(what) },
    ]);
  });

  it('names the event behind one that was removed', async () => {
    const events = await history();
    const at = events.findIndex(({ type }) => type === 'BusinessDayClosing');
    const { failure } = await auditHistory(from(events.toSpliced(at, 1)));
    expect(failure).toMatchObject({ ...place(events[at + 1] as Envelope), what: expect.stringMatching(/missing/) });
  });

  it('sees two events that changed places', async () => {
    const events = await history();
    const [one, other] = [events[1] as Envelope, events[2] as Envelope];
    const { failure } = await auditHistory(from(events.with(1, other).with(2, one)));
    expect(failure).toMatchObject({ ...place(one), what: expect.stringMatching(/position/) });
  });
});

const place = ({ position, stream }: Envelope) => ({ position, stream });
