import { randomUUID } from 'node:crypto';
import type { UnplacedEnvelope } from '../../kernel/envelope.js';
import { InvariantBroken } from '../../kernel/result.js';
import { APPEND_BYTES_MAX, NO_STREAM } from '../port.js';
import { all, appended, type Bench, eventAt, eventsAfter, headPosition, newStream } from './harness.js';

interface Refused {
  readonly what: string;
  readonly expected?: number;
  readonly events: (stream: string) => readonly UnplacedEnvelope[];
}

const one = (parts: (stream: string) => Partial<UnplacedEnvelope>) => (stream: string) => [
  eventAt(stream, 0, parts(stream)),
];

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

const REFUSED: readonly Refused[] = [
  { what: 'no events', events: () => [] },
  { what: 'an id that is no UUID', events: one(() => ({ id: 'E-1' })) },
  { what: 'an id in upper case', events: one(() => ({ id: randomUUID().toUpperCase() })) },
  { what: 'an empty id', events: one(() => ({ id: '' })) },
  { what: 'the nil UUID', events: one(() => ({ id: '00000000-0000-0000-0000-000000000000' })) },
  {
    what: 'one id twice',
    events: (stream) => {
      const first = eventAt(stream, 0);
      return [first, eventAt(stream, 1, { id: first.id })];
    },
  },
  { what: 'an empty type', events: one(() => ({ type: '' })) },
  { what: 'version 0', events: one(() => ({ version: 0 })) },
  { what: 'an event of another stream', events: one((stream) => ({ stream: `${stream}0` })) },
  { what: 'a first revision that does not follow', events: one(() => ({ revision: 1 })) },
  { what: 'a gap between revisions', events: (stream) => [eventAt(stream, 0), eventAt(stream, 2)] },
  { what: 'an expected revision below none', expected: -2, events: (stream) => [eventAt(stream, -1)] },
  { what: 'an expected revision that is no whole number', expected: 0.5, events: (stream) => [eventAt(stream, 1.5)] },
  { what: 'data that is undefined', events: one(() => ({ data: undefined })) },
  { what: 'a member that is undefined', events: one(() => ({ data: { amount: undefined } })) },
  { what: 'a number that is not finite', events: one(() => ({ data: { amount: Number.NaN } })) },
  { what: 'a bigint', events: one(() => ({ data: { amount: 1n } })) },
  { what: 'a date object', events: one(() => ({ data: { at: new Date(0) } })) },
  { what: 'a lone surrogate', events: one(() => ({ data: '\ud800' })) },
  { what: 'data without a bottom', events: one(() => ({ data: nested(100_000) })) },
  { what: 'too much data', events: one(() => ({ data: 'x'.repeat(APPEND_BYTES_MAX) })) },
  { what: 'too much data in letters of three bytes', events: one(() => ({ data: 'ộ'.repeat(APPEND_BYTES_MAX / 3) })) },
  {
    what: 'too much metadata',
    events: (stream) => {
      const event = eventAt(stream, 0);
      return [{ ...event, meta: { ...event.meta, actor: 'x'.repeat(APPEND_BYTES_MAX) } }];
    },
  },
  {
    what: 'too much in all, each event being small enough',
    events: (stream) => [0, 1, 2].map((at) => eventAt(stream, at, { data: 'x'.repeat(APPEND_BYTES_MAX / 3) })),
  },
];

export function refusalCases({ store }: Bench): void {
  it.each(REFUSED)('refuses $what, writes nothing and harms no neighbour in flight', async (refused) => {
    const stream = newStream();
    const [before, after] = [newStream(), newStream()];
    const first = appended(store(), before, NO_STREAM, 1);
    const bad = store().append(stream, refused.expected ?? NO_STREAM, refused.events(stream));
    const last = appended(store(), after, NO_STREAM, 1);
    await expect(bad).rejects.toThrow(InvariantBroken);
    expect(await all(store().readStream(stream))).toEqual([]);
    expect([(await first).length, (await last).length]).toEqual([1, 1]);
  });

  it('refuses a stream without a name, or with one that is no text', async () => {
    await expect(store().append('', NO_STREAM, eventsAfter('', NO_STREAM, 1))).rejects.toThrow(InvariantBroken);
    const broken = 'loan-\udc00';
    await expect(store().append(broken, NO_STREAM, eventsAfter(broken, NO_STREAM, 1))).rejects.toThrow(InvariantBroken);
  });

  it('takes as much as the bound says', async () => {
    const stream = newStream();
    const event = eventAt(stream, 0, { data: '' });
    const room = APPEND_BYTES_MAX - Buffer.byteLength(JSON.stringify(event.data) + JSON.stringify(event.meta));
    const full = { ...event, data: 'x'.repeat(room) };
    expect(await store().append(stream, NO_STREAM, [full])).toMatchObject({ outcome: 'committed' });
    expect(await all(store().readStream(stream))).toMatchObject([{ data: full.data }]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses to read with a limit of %d', async (limit) => {
    await expect(all(store().readStream(newStream(), { limit }))).rejects.toThrow(InvariantBroken);
    await expect(all(store().readAll({ limit }))).rejects.toThrow(InvariantBroken);
  });

  it.each([-1, 0.5, Number.NaN])('refuses to read a stream from revision %d', async (from) => {
    await expect(all(store().readStream(newStream(), { from }))).rejects.toThrow(InvariantBroken);
  });

  it('refuses a subscription with an empty batch', async () => {
    const { signal } = new AbortController();
    const after = await headPosition(store());
    await expect(all(store().subscribe({ after, batch: 0, signal }))).rejects.toThrow(InvariantBroken);
  });
}
