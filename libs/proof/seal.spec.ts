import { createHash } from 'node:crypto';
import type { Instant, LocalDate } from '../kernel/dates.js';
import type { UnplacedEnvelope } from '../kernel/envelope.js';
import { digestLine, idOf, ledgerDigest, sealEvent, sealOf, type UnsealedEnvelope } from './seal.js';

/* Recomputed here from the contract's words, with nothing of the code under test. */

const sortedJson = (value: unknown): string => JSON.stringify(value, sorted);
const sorted = (_: string, value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
const sha = (algorithm: string, ...parts: readonly (string | Buffer)[]) => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** SHA-256 of the envelope without `position` and `meta.seal`, with the seal of the event before it, if there is one. */
function sealByHand({ meta, ...envelope }: UnplacedEnvelope, previousSeal: string | null): string {
  const { seal: _, ...marks } = meta;
  const previous = previousSeal === null ? {} : { previousSeal };
  return sha('sha256', sortedJson({ ...envelope, meta: marks, ...previous })).toString('hex');
}

/** UUID version 5 (RFC 9562) of the same without `id`, in the ledger's own name space. */
function idByHand({ id: _, meta, ...envelope }: UnplacedEnvelope, previousSeal: string | null): string {
  const { seal: __, ...marks } = meta;
  const previous = previousSeal === null ? {} : { previousSeal };
  const space = Buffer.from('5b1e7a0c9d3f4e62a8c45f0d2b7c9e11', 'hex');
  const hash = sha('sha1', space, sortedJson({ ...envelope, meta: marks, ...previous })).subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) % 16) + 5 * 16, 6);
  hash.writeUInt8((hash.readUInt8(8) % 64) + 128, 8);
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const event = (revision: number, data: unknown): UnsealedEnvelope => ({
  ...{ type: 'InstallmentPaid', version: 1, stream: 'loan-L', revision, data },
  meta: {
    ...{ valueDate: '2021-08-15' as LocalDate, bookingDate: '2021-08-15' as LocalDate, actor: 'chi-nhánh' },
    ...{ recordedAt: '2021-08-15T02:30:00.000Z' as Instant, commandId: 'loan-L k-1', commandHash: 'ab' },
    ...{ correlationId: 'loan-L k-1', causationId: 'loan-L k-1' },
  },
});

const DATA = [
  { amount: 336_329, receipt: 'Số-12', note: null },
  { z: [1, { b: 2, a: 'đồng "€" \u2028 😀' }], a: -0, A: 1e21 },
  {},
];

function chain(): readonly UnplacedEnvelope[] {
  const events: UnplacedEnvelope[] = [];
  for (const [revision, data] of DATA.entries()) {
    events.push(sealEvent(event(revision, data), events.at(-1)?.meta.seal ?? null).event);
  }
  return events;
}

describe('a chain of three events', () => {
  const events = chain();

  it.each([0, 1, 2])('has at %d the id and the seal that the contract says', (revision) => {
    const sealed = events[revision] as UnplacedEnvelope;
    const previous = events[revision - 1]?.meta.seal ?? null;
    // JSON keeps no sign of zero: what a store gives back is what is hashed.
    const back = JSON.parse(JSON.stringify(sealed)) as UnplacedEnvelope;
    expect(sealed.id).toBe(idByHand(back, previous));
    expect(sealed.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(sealed.meta.seal).toBe(sealByHand(back, previous));
    expect([idOf(back, previous), sealOf(back, previous)]).toEqual([sealed.id, sealed.meta.seal]);
  });

  it('comes with the text that is stored: the same event, in the order of the envelope, canonical within', () => {
    for (const [revision, { data, meta, ...rest }] of events.entries()) {
      const { text } = sealEvent(event(revision, data), events[revision - 1]?.meta.seal ?? null);
      const back = JSON.parse(text) as UnplacedEnvelope;
      expect(back).toEqual(JSON.parse(JSON.stringify({ ...rest, data, meta })));
      expect(Object.keys(back)).toEqual(['id', 'type', 'version', 'stream', 'revision', 'data', 'meta']);
      expect(text).toContain(`"data":${sortedJson(data)},"meta":`);
    }
  });

  it('does not depend on the order of members, nor on the position', () => {
    const [first] = events as readonly [UnplacedEnvelope];
    const turned = Object.fromEntries(
      Object.entries({ ...first, position: '9' }).reverse(),
    ) as unknown as UnplacedEnvelope;
    expect(sealOf(turned, null)).toBe(first.meta.seal);
  });

  it('is another for another event before it', () => {
    const [first, second] = events as readonly [UnplacedEnvelope, UnplacedEnvelope];
    expect(sealOf(second, null)).not.toBe(second.meta.seal);
    expect(sealOf(second, `${first.meta.seal.slice(0, -1)}x`)).not.toBe(second.meta.seal);
    expect(idOf(second, null)).not.toBe(second.id);
  });

  it.each<readonly [string, (of: UnplacedEnvelope) => UnplacedEnvelope]>([
    ['amount', (of) => ({ ...of, data: { ...(of.data as object), amount: 336_330 } })],
    ['member that was absent', (of) => ({ ...of, data: { ...(of.data as object), more: null } })],
    ['type', (of) => ({ ...of, type: 'PaymentReversed' })],
    ['version', (of) => ({ ...of, version: 2 })],
    ['stream', (of) => ({ ...of, stream: 'loan-M' })],
    ['revision', (of) => ({ ...of, revision: 1 })],
    ['id', (of) => ({ ...of, id: of.id.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) })],
    ['value date', (of) => ({ ...of, meta: { ...of.meta, valueDate: '2021-08-14' as LocalDate } })],
    ['actor', (of) => ({ ...of, meta: { ...of.meta, actor: 'chi-nhanh' } })],
    ['command hash', (of) => ({ ...of, meta: { ...of.meta, commandHash: 'ac' } })],
  ])('shows another %s', (_, change) => {
    const [first] = events as readonly [UnplacedEnvelope];
    expect(sealOf(change(first), null)).not.toBe(first.meta.seal);
  });
});

describe("the ledger's digest", () => {
  it('is taken over one line a stream, as they come', async () => {
    const streams = [
      { stream: 'businessDay', revision: 3, seal: 'aa' },
      { stream: 'loan-L', revision: 12, seal: 'bb' },
    ];
    const given = (async function* () {
      yield* streams;
    })();
    expect(await ledgerDigest(given)).toBe(sha('sha256', 'businessDay 3 aa\nloan-L 12 bb\n').toString('hex'));
    expect(digestLine({ stream: 's', revision: 0, seal: 'cc' })).toBe('s 0 cc\n');
  });
});
