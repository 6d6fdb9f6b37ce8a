import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, type Server } from './server.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const MINUTES = 60_000;

// What the documents tell people to paste is pasted here: in order, in one shell, beside what `npm start` started.
describe('the documents', () => {
  let place: string;
  let data: string;
  let url: string;
  let server: Awaited<ReturnType<typeof started>>;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'socai-readme-'));
    data = join(place, 'data');
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = await started(await copied(join(place, 'copy')), port, data);
  }, 4 * MINUTES);
  afterAll(async () => {
    await server.stop();
    await rm(place, { recursive: true, force: true });
  });

  it(
    'npm start: simulates a small programme, serves, and what it says to try works',
    async () => {
      const suggested = server.said.match(/^ {2}curl (?:.*\\\n)?.*$/gm) ?? [];
      expect(suggested).toHaveLength(5);
      for (const command of suggested) {
        const { stdout } = await bash(command.replace('curl', 'curl --fail-with-body -sS'));
        expect(stdout.length).toBeGreaterThan(20);
      }
      const page = await (await fetch(`${url}/`)).text();
      expect(page).toContain('<html lang="vi">');
    },
    MINUTES,
  );

  it(
    'README: every command of the three users works when pasted',
    async () => {
      const commands = (await shellOf('README.md'))
        .replaceAll('/tmp/socai-tour', join(place, 'tour'))
        .replaceAll('SOCAI_DATA=./data', `SOCAI_DATA=${data}`)
        .replace(/^npm ci.*$/gm, '');
      const { stdout } = await bash(commands);
      expect(stdout).toContain('BL-L000070-52');
      expect(stdout).toContain('PaymentReversed');
      expect(stdout).toMatch(/^[0-9a-f]{64}$/m);
    },
    4 * MINUTES,
  );

  it.each(['operations', 'audit', 'analysis', 'simulation'])(
    '%s: every command of the guide works beside the server',
    async (guide) => {
      const receipt = { loan: 'L000435', amount: 1000, receipt: 'BL-0009', method: 'CASH' };
      const sheet = join(place, 'receipts.ndjson');
      const line = { command: 'record-payment', id: 'sheet-1', valueDate: '2026-01-01', data: receipt };
      await writeFile(sheet, `${JSON.stringify(line)}\n`);
      const commands = (await shellOf(`docs/guides/${guide}.md`))
        .replaceAll('http://127.0.0.1:3000', url)
        .replaceAll('receipts.ndjson', sheet)
        .replaceAll('/tmp/socai-simulated', join(place, 'simulated'));
      await bash(`export SOCAI_DATA=${data}\n${commands}`);
    },
    4 * MINUTES,
  );

  it('what the documents say of the simulated programme is so', async () => {
    const get = async (path: string) => (await fetch(`${url}/v1/${path}`)).json();
    const missing = async (year: number) => {
      const { rows } = (await get(`portfolio-quality?by=district&asOf=${year}-12-31`)) as {
        readonly rows: readonly Quality[];
      };
      const of = (bound: 'meetsCollectionRate' | 'meetsOverdueRatio') =>
        rows.filter((row) => row[bound] === false).map(({ district }) => district);
      return { collection: of('meetsCollectionRate'), overdue: of('meetsOverdueRatio') };
    };
    expect(await missing(2025)).toEqual({ collection: ['003'], overdue: ['003', '277'] });
    expect(await missing(2024)).toEqual({ collection: ['282'], overdue: ['282'] });
    const { rows } = (await get('audit-trail?loan=L000070&limit=1000')) as { readonly rows: readonly Entry[] };
    const told = ['LoanSettled', 'LoanReopened'];
    expect(rows.map(({ type }) => type).filter((type) => told.includes(type))).toEqual([
      ...['LoanSettled', 'LoanReopened', 'LoanSettled'],
    ]);
    expect(await get('loan?loan=L000435&asOf=2025-12-31')).toMatchObject({ overdue: 1_890_000, daysPastDue: 46 });
  });
});

interface Quality {
  readonly district: string;
  readonly meetsCollectionRate: boolean | null;
  readonly meetsOverdueRatio: boolean | null;
}

interface Entry {
  readonly type: string;
}

/** The text of all shell blocks of a document. */
async function shellOf(document: string): Promise<string> {
  const text = await readFile(join(ROOT, document), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join('\n');
}

function bash(commands: string) {
  const env = { ...process.env, NODE_OPTIONS: '' };
  return run('bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: ROOT, env, maxBuffer: 64 * 1024 * 1024 });
}

/** What `npm start` builds is built in a copy: other specs run what is built here. */
async function copied(to: string): Promise<string> {
  const left = ['node_modules', 'dist', 'data', '.git'].map((name) => join(ROOT, name));
  await cp(ROOT, to, { recursive: true, filter: (from) => !left.includes(from) });
  await symlink(join(ROOT, 'node_modules'), join(to, 'node_modules'));
  return to;
}

async function started(
  root: string,
  port: number,
  data: string,
): Promise<Pick<Server, 'stop'> & { readonly said: string }> {
  const env = { ...process.env, NODE_OPTIONS: '', PORT: String(port), SOCAI_DATA: data };
  // A group of its own: npm and what it starts are ended together.
  const child = spawn('npm', ['start'], { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    const heard = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Ctrl+C')) resolve();
    };
    child.stdout.on('data', heard);
    child.stderr.on('data', heard);
    void gone.then((code) => reject(new Error(`npm start ended with ${code}: ${said}`)));
  });
  await ready;
  return {
    said,
    stop: async () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      return gone;
    },
  };
}
