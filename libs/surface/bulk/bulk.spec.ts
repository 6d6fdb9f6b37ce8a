import { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import type { Answer, CommandRequest } from '../../engine/answers.js';
import type { Begun, Ledger } from '../../engine/ledger.js';
import { StoreUnavailable } from '../../event-store/port.js';
import { refuse } from '../../lending/refusals.js';
import { LINE_BYTES_MAX, LINES_UNDER_WAY_MAX } from '../config.js';
import { type Line, LineReader } from './lines.js';
import { runSheet } from './sheet.js';
import { Spool } from './spool.js';

const utf8 = (text: string) => Buffer.from(text, 'utf8');

/** The lines of bytes that come in pieces cut at `cuts`. */
function linesOf(bytes: Uint8Array, cuts: readonly number[] = []): Line[] {
  const reader = new LineReader();
  const edges = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const pieces = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

describe('the reader of sheets', () => {
  const tables = [
    [
      'a line a newline',
      '{"a":1}\n[2]\n',
      [
        { number: 1, value: { a: 1 } },
        { number: 2, value: [2] },
      ],
    ],
    [
      'CRLF',
      '1\r\n2\r\n',
      [
        { number: 1, value: 1 },
        { number: 2, value: 2 },
      ],
    ],
    ['blank lines, which count but say nothing', '\n \t\r\n1\n\n', [{ number: 3, value: 1 }]],
    [
      'a last line without newline, when it is whole',
      '1\n{"a":2}',
      [
        { number: 1, value: 1 },
        { number: 2, value: { a: 2 } },
      ],
    ],
    [
      'a last line that breaks off',
      '1\n{"a":',
      [
        { number: 1, value: 1 },
        { number: 2, code: 'LINE_INCOMPLETE' },
      ],
    ],
    [
      'what is not JSON, alone',
      'x\n1\n',
      [
        { number: 1, code: 'LINE_NOT_JSON' },
        { number: 2, value: 1 },
      ],
    ],
    ['a byte order mark at the beginning', '\ufeff1\n', [{ number: 1, value: 1 }]],
    ['nothing', '', []],
    ['null, which is JSON', 'null\n', [{ number: 1, value: null }]],
  ] as const;
  it.each(tables)('takes %s', (_, text, lines) => expect(linesOf(utf8(text))).toEqual(lines));

  it('refuses bytes that are not UTF-8', () => {
    expect(linesOf(Buffer.from([0x22, 0xff, 0x22, 0x0a, 0x31, 0x0a]))).toEqual([
      { number: 1, code: 'LINE_NOT_JSON' },
      { number: 2, value: 1 },
    ]);
  });

  it('takes a line at the bound, with either line end, and no longer one', () => {
    const at = JSON.stringify('x'.repeat(LINE_BYTES_MAX - 2));
    expect(
      linesOf(utf8(`${at}\r\n${at}\n${at} \n1\n${at}`)).map((line) => ('code' in line ? line.code : 'ok')),
    ).toEqual(['ok', 'ok', 'LINE_TOO_LARGE', 'ok', 'ok']);
  });

  it('keeps nothing of a line without end', () => {
    const reader = new LineReader();
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 512; count++) expect(reader.push(piece)).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    expect(reader.end()).toEqual([{ number: 1, code: 'LINE_TOO_LARGE' }]);
  });

  it('never fails on any bytes, and gives a line for each that is not blank, however they are cut', () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.json().map(utf8),
      fc.constantFrom('\n', '\r\n', ' ', '{').map(utf8),
    );
    const bytes = fc.array(text, { maxLength: 30 }).map((parts) => Buffer.concat(parts));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 8 }), (sheet, cuts) => {
        const lines = linesOf(sheet, cuts);
        expect(lines).toEqual(linesOf(sheet));
        const written = sheet
          .toString('latin1')
          .split('\n')
          .map((line) => line.replace(/^\xef\xbb\xbf/, ''));
        const said = written.filter((line) => !/^[ \t\r\v\f]*$/.test(line));
        expect(lines.length).toBeLessThanOrEqual(written.length);
        // Blank by Unicode is blank too: no more than those may be missing.
        expect(lines.length).toBeLessThanOrEqual(said.length);
        expect(new Set(lines.map(({ number }) => number)).size).toBe(lines.length);
      }),
    );
  });
});

/** A ledger that answers when it is told to. Only what a sheet uses is there. */
function answering(begin: (request: CommandRequest) => Promise<Begun>): Ledger {
  return { begin } as unknown as Ledger;
}

const acceptedOf = (id: unknown): Answer => ({
  ...{ accepted: true, duplicate: false, token: String(id), warnings: [] },
  events: [],
});

async function results(ledger: Ledger, text: string): Promise<Record<string, unknown>[]> {
  let written = '';
  const write = (piece: string) => {
    written += piece;
  };
  await runSheet(ledger, Readable.from([utf8(text)]), write, { language: 'en' });
  return written
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a sheet', () => {
  it('has a result a line in the order of the input, whatever the order of the answers', async () => {
    const ledger = answering(async ({ id }) => ({ answer: wait(id === 'a' ? 30 : 0).then(() => acceptedOf(id)) }));
    const found = await results(ledger, '{"id":"a"}\nx\n\n{"id":"b"}\n3\n{"id"');
    expect(found.map(({ line, status, code, token }) => [line, status, code ?? token])).toEqual([
      [1, 200, 'a'],
      [2, 400, 'LINE_NOT_JSON'],
      [4, 200, 'b'],
      [5, 400, 'OBJECT_INVALID'],
      [6, 400, 'LINE_INCOMPLETE'],
    ]);
  });

  it('begins one line after another, and lets no more than the bound wait', async () => {
    let [open, most, beginning] = [0, 0, 0];
    const ledger = answering(async ({ id }) => {
      expect(beginning++).toBe(0);
      await Promise.resolve();
      beginning--;
      most = Math.max(most, ++open);
      const answered = () => {
        open--;
        return acceptedOf(id);
      };
      return { answer: wait(1).then(answered) };
    });
    const lines = LINES_UNDER_WAY_MAX * 3;
    const found = await results(ledger, Array.from({ length: lines }, (_, id) => `{"id":${id}}`).join('\n'));
    expect(found.map(({ token }) => token)).toEqual(Array.from({ length: lines }, (_, id) => String(id)));
    expect(most).toBeLessThanOrEqual(LINES_UNDER_WAY_MAX);
  });

  it('answers each line by itself when the store is away, or something breaks', async () => {
    const ledger = answering(async ({ id }) => {
      if (id === 1) throw new StoreUnavailable('DISK_FULL', 'full');
      return { answer: id === 2 ? Promise.reject(new Error('broken')) : Promise.resolve(acceptedOf(id)) };
    });
    const found = await results(ledger, '{"id":1}\n{"id":2}\n{"id":3}\n');
    expect(found.map(({ status, code }) => [status, code])).toEqual([
      [503, 'DISK_FULL'],
      [500, 'INTERNAL_ERROR'],
      [200, undefined],
    ]);
  });

  it('ends at a line that the store was not there for: what builds on it is not refused for the lack of it', async () => {
    const begun: unknown[] = [];
    const ledger = answering(async ({ id }) => {
      begun.push(id);
      if (id === 1) return { answer: wait(5).then(() => Promise.reject(new StoreUnavailable('UNREACHABLE', 'away'))) };
      if (id === 2) await wait(10);
      return { answer: Promise.resolve({ accepted: false, refusal: refuse('LOAN_UNKNOWN', 'loan').error }) };
    });
    const found = await results(ledger, '{"id":1}\n{"id":2}\n{"id":3}\n');
    expect(begun).toEqual([1, 2]);
    expect(found.map(({ status, code }) => [status, code])).toEqual(Array(3).fill([503, 'STORE_UNREACHABLE']));
  });

  it('stops when its input breaks off: the line that was cut is not taken', async () => {
    const begun: unknown[] = [];
    const ledger = answering(async ({ id }) => {
      begun.push(id);
      return { answer: Promise.resolve(acceptedOf(id)) };
    });
    async function* input() {
      yield utf8('{"id":1}\n{"id":2}');
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    }
    const failed: unknown[] = [];
    const counts = await runSheet(ledger, input(), () => {}, { language: 'en', failed: (error) => failed.push(error) });
    expect([begun, counts.lines, failed]).toEqual([[1], 1, []]);
  });
});

describe('the spool', () => {
  it('takes everything at once from a writer and gives it in order to a reader that is slow', async () => {
    const taken: Buffer[] = [];
    const slow = new Writable({
      highWaterMark: 1_024,
      write: (chunk: Buffer, _, done) => {
        taken.push(Buffer.from(chunk));
        setImmediate(done);
      },
    });
    const spool = new Spool(slow, 4_096);
    const pieces = Array.from({ length: 3_000 }, (_, index) => `${index}:${'đ'.repeat(index % 50)}\n`);
    for (const piece of pieces) spool.write(piece);
    expect(spool.spooledBytes).toBeGreaterThan(10_000);
    await spool.end();
    expect(Buffer.concat(taken).toString('utf8')).toBe(pieces.join(''));
    expect(spool.spooledBytes).toBe(0);
  });

  it('drops what nobody takes any more', async () => {
    const gone = new Writable({ write: () => {} });
    const spool = new Spool(gone, 16);
    spool.write('x'.repeat(100));
    gone.destroy();
    spool.write('y');
    await spool.end();
    expect(spool.spooledBytes).toBe(0);
  });
});
