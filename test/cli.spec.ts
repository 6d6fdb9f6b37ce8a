import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { standInProcess } from '../libs/event-store/eventstoredb/testing/server.js';
import { type RefusalCode, refusals } from '../libs/lending/refusals.js';
import type { CLI_CODES } from './refusals/cases.js';
import { FIRST, fixture, programme, tranche } from './refusals/fixture.js';
import { SOCAI, serve } from './server.js';

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const place = mkdtempSync(join(tmpdir(), 'socai-cli-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

let count = 0;
/** A data directory that is not there yet. */
const fresh = () => join(place, `data-${++count}`);

function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const env = { ...process.env, LANG: 'C', NODE_OPTIONS: '', ...environment };
  return spawn(process.execPath, [SOCAI, ...args], { env });
}

async function socai(args: readonly string[], input = '', environment: NodeJS.ProcessEnv = {}): Promise<Run> {
  const child = start(args, environment);
  const said = { out: '', err: '' };
  child.stdout?.on('data', (piece: Buffer) => {
    said.out += piece.toString('utf8');
  });
  child.stderr?.on('data', (piece: Buffer) => {
    said.err += piece.toString('utf8');
  });
  child.stdin?.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

const json = ({ out }: Run) => JSON.parse(out) as Record<string, unknown>;
const ndjson = ({ out }: Run) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const flags = (data: object) =>
  Object.entries(data).flatMap(([name, value]) => [
    `--${name}`,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
const fund = (data: string, id: string, amount: number, ...more: readonly string[]) =>
  socai([
    'command',
    'fund-tranche',
    '--data',
    data,
    '--id',
    id,
    '--valueDate',
    FIRST,
    ...flags(tranche('S', amount)),
    ...more,
  ]);

/** The fixture as a file, each line recorded on its own day. */
const sheet = fixture
  .map((line, index) => ({ id: `f-${index}`, recordedAt: '2021-02-09T09:00:00.000Z', ...line }))
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');

describe('socai', () => {
  let filled: string;
  beforeAll(async () => {
    filled = fresh();
    writeFileSync(join(place, 'sheet.ndjson'), sheet);
    const run = await socai(['command', '--file', join(place, 'sheet.ndjson'), '--data', filled, '--simulated']);
    expect([run.code, run.err]).toEqual([0, expect.stringMatching(/lines\/s/)]);
    expect(run.out).toMatch(/lines\s+accepted/);
  }, 30_000);

  it('executes a command from its flags, and answers the same again for the same key', async () => {
    const data = fresh();
    const opened = await socai([
      ...['command', 'open-programme', '--data', data, '--simulated', '--json', '--id', 'p', '--valueDate', FIRST],
      ...flags(programme),
    ]);
    expect([opened.code, json(opened)]).toEqual([0, expect.objectContaining({ status: 200, duplicate: false })]);
    expect(json(await fund(data, 'k', 5, '--json'))).toMatchObject({ duplicate: false });
    expect(json(await fund(data, 'k', 5, '--json'))).toMatchObject({ duplicate: true });
    const dry = await fund(data, 'dry', 5, '--dry-run');
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('would be accepted')]);
    const refused = await fund(data, 'k', 6);
    expect([refused.code, refused.out, refused.err]).toEqual([1, '', expect.stringContaining('KEY_REUSED')]);
    const moved = await fund(data, 'm', 6, '--ifMatch', '-1', '--json');
    expect([moved.code, json(moved).code]).toEqual([1, 'REVISION_MOVED']);
  }, 30_000);

  it('takes a sheet from standard input, with a result a line, and says by its exit code that one was refused', async () => {
    const data = fresh();
    const run = await socai(
      ['command', '--file', '-', '--data', data, '--simulated', '--json'],
      `${sheet.split('\n').slice(0, 4).join('\n')}\nx\n{"command"`,
    );
    expect(ndjson(run).map(({ line, status, code }) => [line, code ?? status])).toEqual([
      ...[1, 2, 3, 4].map((line) => [line, 200]),
      [5, 'LINE_NOT_JSON'],
      [6, 'LINE_INCOMPLETE'],
    ]);
    expect(run.code).toBe(1);
    const again = await socai(['command', '--file', '-', '--data', data], sheet.split('\n').slice(0, 4).join('\n'));
    expect([again.code, again.out]).toEqual([0, expect.stringMatching(/4\s+4\s+4\s+0\s+0/)]);
    const one = JSON.parse(sheet.split('\n')[0] ?? '') as { readonly data: object };
    const extra = JSON.stringify({ ...one, id: 'extra', data: { ...one.data, extra: 1 } });
    const refused = await socai(['command', '--file', '-', '--data', data], extra);
    expect([refused.code, refused.out]).toEqual([
      1,
      expect.stringMatching(/1\s+400\s+FIELD_UNKNOWN\s+extra\s+.*only /),
    ]);
    for (const file of [join(place, 'nothing'), place]) {
      const run = await socai(['command', '--file', file, '--data', data, '--json']);
      expect([run.code, JSON.parse(run.out)]).toEqual([
        2,
        expect.objectContaining({ code: 'FILE_UNREADABLE', detail: expect.stringContaining(file) }),
      ]);
    }
  }, 30_000);

  it('asks, with the same JSON as HTTP, and through the server that holds the directory', async () => {
    const verbs = [
      ['query', 'portfolio-quality', '--by', 'district', '--asOf', '2021-02-09', '--knownOn', '2021-02-09'],
      ['query', 'loan', '--loan', 'ACTIVE', '--knownOn', '2021-02-09'],
      ['query', 'loan', '--loan', 'NOBODY'],
      ['query', 'capital-plan', '--colour', 'red'],
      ['query', 'loan', '--loan', 'ACTIVE', '--asOf', '2021-02-30'],
      ['events', '--stream', 'loan-ACTIVE', '--limit', '3'],
      ['query', 'events', '--limit', '2'],
      ['digest'],
      ['audit'],
      ['command', 'approve-loan', '--id', 'x', '--loan', 'no spaces', '--amount', '5', '--decision', 'D'],
      ['close-day', '--date', '2199-01-01'],
      ['projections', 'retry', 'nothing'],
    ];
    const run = (args: readonly string[]) => socai([...args, '--data', filled, '--json']);
    const alone = [];
    for (const verb of verbs) alone.push(await run(verb));
    const server = await serve(filled);
    const through = [];
    for (const verb of verbs) through.push(await run(verb));
    const table = await socai(['query', 'district-balances', '--data', filled]);
    expect(table.out).toMatch(/300\.000\.000\s₫/);
    expect(await server.stop()).toBe(0);
    expect(alone.map(({ code }) => code)).toEqual([0, 0, 1, 2, 1, 0, 0, 0, 0, 1, 1, 1]);
    expect(through.map(({ code, out }) => [code, out])).toEqual(alone.map(({ code, out }) => [code, out]));
  }, 60_000);

  it('goes through a server that is named, and touches no directory then', async () => {
    const here = fresh();
    const server = await serve(fresh(), ['--simulated']);
    const [lines, alone] = [sheet.split('\n').slice(0, 3).join('\n'), { SOCAI_DATA: here }];
    const posted = await socai(['command', '--file', '-', '--json', '--server', `${server.url}/`], lines, alone);
    expect(ndjson(posted).map(({ status }) => status)).toEqual([200, 200, 200]);
    const asked = await socai(['digest', '--json'], '', { ...alone, SOCAI_SERVER: server.url });
    expect(json(asked)).toEqual(await (await fetch(`${server.url}/v1/digest`)).json());
    // A directory that is named goes before the environment's server.
    const own = await socai(['digest', '--json', '--data', here], '', { ...alone, SOCAI_SERVER: server.url });
    expect(json(own)).not.toEqual(json(asked));
    await server.stop();
    const gone = await socai(['query', 'capital-plan', '--json', '--server', server.url], '', alone);
    expect([gone.code, json(gone)]).toMatchObject([2, { code: 'STORE_UNREACHABLE' }]);
    expect(json(gone).detail).toContain('ECONNREFUSED');
    expect(existsSync(here)).toBe(false);
  }, 60_000);

  it.each([
    [['digest', '--server', 'ledger:3001'], 'http://127.0.0.1:3001'],
    [['digest', '--server', 'http://127.0.0.1:1', '--data', 'x'], '--server'],
    [['serve', '--server', 'http://127.0.0.1:1'], 'data directory'],
    [['simulate', '--scale', '0.001', '--server', 'http://127.0.0.1:1'], 'data directory'],
  ])('refuses %j, and says what would do', async (args, said) => {
    const run = await socai(args);
    expect(run.code).toBe(2);
    expect(run.err).toContain(said);
  });

  it('shows projections and rebuilds them', async () => {
    const shown = json(await socai(['projections', '--data', filled, '--json']));
    expect(shown.projections).toContainEqual(
      expect.objectContaining({ name: 'loan', state: 'running', caughtUp: true }),
    );
    const rebuilt = await socai(['rebuild', '--all', '--data', filled]);
    expect([rebuilt.code, rebuilt.out]).toEqual([0, expect.stringMatching(/^loan: .* no difference, switched$/m)]);
    expect((await socai(['rebuild', 'nothing', '--data', filled])).code).toBe(1);
  }, 30_000);

  it('answers about a ledger that is not there without making one', async () => {
    const data = fresh();
    const plan = await socai(['query', 'capital-plan', '--data', data, '--json']);
    expect([plan.code, json(plan).rows]).toEqual([0, []]);
    expect((await socai(['events', '--data', data])).out).toBe('');
    expect(existsSync(data)).toBe(false);
  });

  it('has help on every verb, with examples', async () => {
    const { out } = await socai(['--help']);
    const verbs = [...out.matchAll(/^ {2}([a-z][a-z-]*) .*/gm)]
      .map((match) => match[1] ?? '')
      .filter((verb) => verb !== 'help');
    expect(verbs).toEqual(
      expect.arrayContaining([
        'serve',
        'simulate',
        'command',
        'query',
        'close-day',
        'events',
        'projections',
        'rebuild',
        'digest',
        'audit',
        'bench',
      ]),
    );
    for (const verb of verbs) {
      const help = await socai([verb, '--help']);
      expect([verb, help.code, help.out]).toEqual([verb, 0, expect.stringContaining('Examples:')]);
      expect(help.out).toContain('--data');
    }
    expect((await socai(['nonsense'])).code).toBe(2);
  }, 30_000);
});

/** Where the header of an SQLite file says what program it is of. */
const APPLICATION_ID_AT = 68;

/** One ledger after another into the same event store. */
async function importOther(): Promise<Run> {
  const server = await standInProcess();
  const [one, other] = [fresh(), fresh()];
  for (const data of [one, other]) {
    await socai(['command', '--file', '-', '--data', data, '--simulated'], sheet.replaceAll('f-1', `f-1${data}`));
  }
  const into = (data: string) => socai(['import', '--data', data, '--json'], '', { EVENTSTOREDB_URL: server.url });
  expect((await into(one)).code).toBe(0);
  const refused = await into(other);
  await server.close();
  return refused;
}

/** What the command line refuses before it does anything: by name, exit code 2, and the files as they were. */
describe('one writer for a directory, and files that are not ours', () => {
  const query = (data: string) => socai(['query', 'capital-plan', '--data', data, '--json']);
  const cases: Readonly<Record<(typeof CLI_CODES)[number], () => Promise<Run>>> = {
    LEDGER_HELD: async () => {
      const data = fresh();
      const holder = start(['command', '--file', '-', '--data', data, '--simulated', '--json']);
      holder.stdin?.write(`${sheet.split('\n')[0]}\n`);
      await once(holder.stdout as NodeJS.ReadableStream, 'data');
      const second = await fund(data, 'k', 1, '--json');
      holder.stdin?.end();
      await once(holder, 'close');
      expect(json(second).detail).toMatch(/socai command \(process \d+\)/);
      // The holder is gone: its hold is taken over.
      expect((await fund(data, 'k', 1)).code).toBe(0);
      return second;
    },
    LEDGER_SIMULATED: async () => {
      const data = fresh();
      const command = [
        'command',
        'open-programme',
        '--data',
        data,
        '--id',
        'p',
        '--valueDate',
        FIRST,
        ...flags(programme),
      ];
      expect((await socai(command)).code).toBe(0);
      return socai([...command, '--simulated', '--json']);
    },
    SIMULATION_OTHER: async () => {
      const data = fresh();
      const simulate = ['simulate', '--scale', '0.001', '--to', '2021-01-05', '--data', data];
      expect((await socai(simulate)).code).toBe(0);
      return socai([...simulate, '--seed', '7', '--json']);
    },
    FILE_UNREADABLE: () => socai(['command', '--file', fresh(), '--data', fresh(), '--json']),
    LEDGER_READ_ONLY: async () => {
      const file = fresh();
      writeFileSync(file, 'a file, and no directory');
      return fund(join(file, 'data'), 'k', 1, '--json');
    },
    DATA_DAMAGED: () => withEvents((bytes) => bytes.fill(0xff, 4_096, 8_192)),
    IMPORT_TARGET_DIFFERS: importOther,
    DATA_FOREIGN: () => withEvents((bytes) => bytes.fill(0, APPLICATION_ID_AT, APPLICATION_ID_AT + 4)),
  };

  async function withEvents(change: (bytes: Buffer) => Buffer): Promise<Run> {
    const data = fresh();
    mkdirSync(data);
    await socai(['command', '--file', '-', '--data', data, '--simulated'], sheet);
    const file = join(data, 'events.db');
    const bytes = change(readFileSync(file));
    writeFileSync(file, bytes);
    const refused = await fund(data, 'k', 1, '--json');
    expect(json(await query(data)).code).toBe(json(refused).code);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    return refused;
  }

  it.each(Object.entries(cases))(
    '%s',
    async (code, run) => {
      const refused = await run();
      expect([refused.code, json(refused)]).toMatchObject([2, { code }]);
      expect(json(refused).detail).not.toMatch(/\{\w+\}/);
      expect(refusals[code as RefusalCode]).toBeDefined();
    },
    30_000,
  );

  it('takes over from a holder that was killed', async () => {
    const data = fresh();
    const server = await serve(data, ['--simulated']);
    expect(readdirSync(data)).toContain('holder.json');
    expect((await socai(['serve', '--data', data])).err).toContain(`socai serve at ${server.url}`);
    await server.kill();
    expect(readdirSync(data)).toContain('holder.json');
    const run = await socai(['command', '--file', '-', '--data', data, '--simulated'], sheet.split('\n')[0]);
    expect(run.code).toBe(0);
  }, 30_000);

  it('stops on a signal: what is in flight is finished, and the exit code is 0', async () => {
    const data = fresh();
    const server = await serve(data, ['--simulated']);
    const answer = fetch(`${server.url}/v1/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: sheet,
    }).then((response) => response.text());
    const text = await answer;
    expect(await server.stop()).toBe(0);
    expect(text.trimEnd().split('\n')).toHaveLength(fixture.length);
    // One file, closed in order: a copy of it is the whole ledger.
    const copy = fresh();
    cpSync(join(data, 'events.db'), join(copy, 'events.db'), { recursive: true });
    expect((await socai(['digest', '--data', copy])).out).toBe((await socai(['digest', '--data', data])).out);
  }, 30_000);
});
