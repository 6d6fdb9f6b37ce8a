import type { Envelope } from '../../kernel/envelope.js';
import { NO_STREAM, type ReadAllOptions, type ReadOptions, START } from '../port.js';
import { all, appended, type Bench, eventAt, headPosition, newStream, placed } from './harness.js';

/** Long enough that no adapter gives it in one page. */
const LONG = 1_100;

const revisions = (events: readonly Envelope[]): number[] => events.map(({ revision }) => revision);
const positions = (events: readonly Envelope[]): string[] => events.map(({ position }) => position);

const STREAM_READS: readonly { readonly options: ReadOptions; readonly finds: readonly number[] }[] = [
  { options: {}, finds: [0, 1, 2, 3, 4] },
  { options: { from: 0 }, finds: [0, 1, 2, 3, 4] },
  { options: { from: 2 }, finds: [2, 3, 4] },
  { options: { from: 4 }, finds: [4] },
  { options: { from: 5 }, finds: [] },
  { options: { limit: 2 }, finds: [0, 1] },
  { options: { from: 3, limit: 1 }, finds: [3] },
  { options: { from: 3, limit: 9 }, finds: [3, 4] },
  { options: { direction: 'backwards' }, finds: [4, 3, 2, 1, 0] },
  { options: { direction: 'backwards', from: 2 }, finds: [2, 1, 0] },
  { options: { direction: 'backwards', from: 0 }, finds: [0] },
  { options: { direction: 'backwards', from: 9 }, finds: [4, 3, 2, 1, 0] },
  { options: { direction: 'backwards', limit: 1 }, finds: [4] },
  { options: { direction: 'backwards', from: 3, limit: 2 }, finds: [3, 2] },
];

export function readCases(bench: Bench): void {
  describe('a stream', () => streamCases(bench));
  describe('the global order', () => globalCases(bench));
  describe('the list of streams', () => listCases(bench));
}

function streamCases({ store }: Bench): void {
  it.each(STREAM_READS)('read with $options gives revisions $finds', async ({ options, finds }) => {
    const stream = newStream();
    await appended(store(), stream, NO_STREAM, 3);
    await appended(store(), newStream(), NO_STREAM, 2);
    await appended(store(), stream, 2, 2);
    expect(revisions(await all(store().readStream(stream, options)))).toEqual(finds);
  });

  it.each(['forwards', 'backwards'] as const)('that does not exist is empty %s', async (direction) => {
    expect(await all(store().readStream(newStream(), { direction }))).toEqual([]);
    expect(await all(store().readStream(newStream(), { direction, from: 3, limit: 1 }))).toEqual([]);
  });

  it('comes whole and in order when it is long, both ways', async () => {
    const stream = newStream();
    const stored = await appended(store(), stream, NO_STREAM, LONG);
    expect(await all(store().readStream(stream))).toEqual(stored);
    expect(await all(store().readStream(stream, { direction: 'backwards' }))).toEqual([...stored].reverse());
    expect(await all(store().readStream(stream, { from: 70, limit: 1_000 }))).toEqual(stored.slice(70, 1_070));
  });

  it('can be left in the middle, and appended to while it is read', async () => {
    const stream = newStream();
    await appended(store(), stream, NO_STREAM, LONG);
    let expected = LONG - 1;
    for await (const { revision } of store().readStream(stream)) {
      if (revision % 400 === 0) await appended(store(), stream, expected++, 1);
      if (revision === 900) break;
    }
    expect((await all(store().readStream(stream, { from: LONG }))).length).toBe(expected - LONG + 1);
  });
}

function globalCases({ store }: Bench): void {
  /** Ten events in two streams, and the position before them. */
  async function ten(): Promise<{ before: string; stored: Envelope[] }> {
    const before = await headPosition(store());
    const [a, b] = [newStream(), newStream('fund')];
    const stored = [
      ...(await appended(store(), a, NO_STREAM, 3)),
      ...(await appended(store(), b, NO_STREAM, 4)),
      ...(await appended(store(), a, 2, 3)),
    ];
    return { before, stored };
  }

  it('is the order of the answers, rising and without doubles', async () => {
    const { before, stored } = await ten();
    const read = await all(store().readAll({ after: before }));
    expect(read).toEqual(stored);
    expect(positions(read)).toEqual([...new Set(positions(read))].sort());
  });

  it('is read behind a position, exclusive, both ways', async () => {
    const { before, stored } = await ten();
    for (let i = 0; i < stored.length; i++) {
      const after = stored[i]?.position ?? '';
      expect(await all(store().readAll({ after }))).toEqual(stored.slice(i + 1));
      const backwards = await all(store().readAll({ after, direction: 'backwards', limit: i + 1 }));
      expect(backwards.filter(({ position }) => position > before)).toEqual(stored.slice(0, i).reverse());
    }
  });

  it.each([1, 3, 10])('is cut off by a limit of %d, both ways', async (limit) => {
    const { before, stored } = await ten();
    const backwards: ReadAllOptions = { direction: 'backwards', limit };
    expect(await all(store().readAll({ after: before, limit }))).toEqual(stored.slice(0, limit));
    expect(await all(store().readAll(backwards))).toEqual([...stored].reverse().slice(0, limit));
  });

  it('begins at the first event of all, from START or from nothing said', async () => {
    await ten();
    const first = await all(store().readAll({ limit: 2 }));
    expect(first).toHaveLength(2);
    expect(await all(store().readAll({ after: START, limit: 2 }))).toEqual(first);
    expect(await all(store().readAll({ after: START, direction: 'backwards' }))).toEqual([]);
    expect(await all(store().readAll({ after: first[1]?.position ?? '', direction: 'backwards' }))).toEqual(
      first.slice(0, 1),
    );
  });

  it('comes whole and in order when it is long, both ways', async () => {
    const before = await headPosition(store());
    const stored: Envelope[] = [];
    for (let i = 0; i < 5; i++) stored.push(...(await appended(store(), newStream(), NO_STREAM, LONG / 5)));
    expect(await all(store().readAll({ after: before }))).toEqual(stored);
    const backwards = store().readAll({ direction: 'backwards', limit: LONG });
    expect(await all(backwards)).toEqual([...stored].reverse());
  });

  it('is text as well: a line an event, as JSON has it', async () => {
    const { before, stored } = await ten();
    const stream = newStream();
    const words = ['Nguyễn Văn An', '\\u0041', 'a\u0000b\u2028', '\u{1f600}', '"'];
    const events = words.map((word, revision) => eventAt(stream, revision, { data: { word } }));
    const written = [...stored, ...placed(events, await store().append(stream, NO_STREAM, events))];
    const text = async (options: { limit?: number; after: string }) =>
      (await all(store().readAllText(options))).join('').split('\n');
    const lines = (await all(store().readAll({ after: before }))).map((event) => JSON.stringify(event));
    expect(lines.map((line) => JSON.parse(line))).toEqual(written);
    expect(await text({ after: before })).toEqual([...lines, '']);
    expect(await text({ after: before, limit: 12 })).toEqual([...lines.slice(0, 12), '']);
    expect(await text({ after: stored[4]?.position ?? '' })).toEqual([...lines.slice(5), '']);
    expect(await text({ after: written.at(-1)?.position ?? '' })).toEqual(['']);
  });

  it('is whole as text when it is long', async () => {
    const before = await headPosition(store());
    const stored = await appended(store(), newStream(), NO_STREAM, LONG);
    const pieces = await all(store().readAllText({ after: before }));
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.every((piece) => piece.endsWith('\n'))).toBe(true);
    const lines = pieces.join('').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(stored);
  });

  it('ends at the head of the moment, though a writer goes on', async () => {
    const before = await headPosition(store());
    const stream = newStream();
    await appended(store(), stream, NO_STREAM, 10);
    let read = 0;
    for await (const { revision } of store().readAll({ after: before })) {
      read++;
      if (revision < 1_000) await appended(store(), stream, 8 + read, 1);
    }
    expect(read).toBeLessThan(200);
  });

  it('tells its last event', async () => {
    const { stored } = await ten();
    expect(await store().head()).toEqual(stored.at(-1));
  });
}

function listCases({ store }: Bench): void {
  it('names each stream once with its last revision and seal, in byte order', async () => {
    const suffix = newStream('');
    // Byte order differs from the order of UTF-16 for the last two, and from any dictionary's for the rest.
    const names = ['A', 'Z', 'a', 'b', 'z', '\u00e9', '\u0111', '\ufb01', '\u{10000}'].map(
      (name) => `${name}${suffix}`,
    );
    for (const name of [...names].reverse()) await appended(store(), name, NO_STREAM, 2);
    await appended(store(), names[3] ?? '', 1, 1);
    const listed = (await all(store().streams())).filter(({ stream }) => stream.endsWith(suffix));
    expect(listed).toEqual(
      names.map((stream, i) => {
        const revision = i === 3 ? 2 : 1;
        return { stream, revision, seal: `seal of ${stream} at ${revision}` };
      }),
    );
  });

  it('is whole when there are many', async () => {
    const prefix = newStream('many');
    const names = Array.from({ length: 300 }, (_, i) => `${prefix}-${String(i).padStart(3, '0')}`);
    await Promise.all(names.map((name) => appended(store(), name, NO_STREAM, 1)));
    const listed = (await all(store().streams())).map(({ stream }) => stream);
    expect(listed.filter((stream) => stream.startsWith(prefix))).toEqual(names);
  });
}
