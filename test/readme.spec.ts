import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, type Server, serve } from './server.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const MINUTES = 60_000;

// What the documents tell people to paste is pasted here: in order, in one shell, on a directory of its own.
describe('the documents', () => {
  let place: string;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'socai-readme-'));
  });
  afterAll(() => rm(place, { recursive: true, force: true }));

  it(
    'README: every command of the three users works when pasted',
    async () => {
      const data = join(place, 'tour');
      const commands = (await shellOf('README.md')).replaceAll('/tmp/socai-tour', data).replace(/^npm ci.*$/gm, '');
      const { stdout } = await bash(commands);
      expect(stdout).toContain('BL-0001');
      expect(stdout).toMatch(/^[0-9a-f]{64}$/m);
    },
    4 * MINUTES,
  );

  it(
    'guides: every command works beside a running server',
    async () => {
      const data = join(place, 'guides');
      await bash(`npx socai command --file docs/guides/tour.ndjson --data ${data}`);
      const receipt = { loan: 'L1', amount: 1000, receipt: 'BL-0009', method: 'CASH' };
      const sheet = join(place, 'receipts.ndjson');
      const line = { command: 'record-payment', id: 'sheet-1', valueDate: '2021-08-16', data: receipt };
      await writeFile(sheet, `${JSON.stringify(line)}\n`);
      const server = await serve(data);
      try {
        for (const guide of ['operations', 'audit', 'analysis']) {
          const commands = (await shellOf(`docs/guides/${guide}.md`))
            .replaceAll('http://127.0.0.1:3000', server.url)
            .replaceAll('receipts.ndjson', sheet);
          await bash(`export SOCAI_DATA=${data}\n${commands}`);
        }
      } finally {
        await server.stop();
      }
    },
    4 * MINUTES,
  );

  it(
    'npm start: simulates a small programme, serves, and what it says to try works',
    async () => {
      const port = await freePort();
      const server = await started(port, join(place, 'start'));
      try {
        const suggested = server.said.match(/^ {2}curl (?:.*\\\n)?.*$/gm) ?? [];
        expect(suggested).toHaveLength(5);
        for (const command of suggested) {
          const { stdout } = await bash(command.replace('curl', 'curl --fail-with-body -sS'));
          expect(stdout.length).toBeGreaterThan(20);
        }
        const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
        expect(page).toContain('<html lang="vi">');
      } finally {
        await server.stop();
      }
    },
    4 * MINUTES,
  );
});

/** The text of all shell blocks of a document. */
async function shellOf(document: string): Promise<string> {
  const text = await readFile(join(ROOT, document), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join('\n');
}

function bash(commands: string) {
  const env = { ...process.env, NODE_OPTIONS: '' };
  return run('bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: ROOT, env, maxBuffer: 64 * 1024 * 1024 });
}

async function started(port: number, data: string): Promise<Pick<Server, 'stop'> & { readonly said: string }> {
  const env = { ...process.env, NODE_OPTIONS: '', PORT: String(port), SOCAI_DATA: data };
  // A group of its own: npm and what it starts are ended together.
  const child = spawn('npm', ['start'], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
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
