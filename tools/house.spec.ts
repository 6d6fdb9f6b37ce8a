import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/* What stands at the top of the house agrees with itself. */

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest: Manifest = JSON.parse(readFileSync('package.json', 'utf8'));

test('every dependency has its reason, and nothing else has one', () => {
  const [, runtime, development] = readFileSync('docs/dependencies.md', 'utf8').split(/^## .*$/m) as string[];
  const listed = (part = '') => [...part.matchAll(/^- `([^`]+)`: \S.{10,}$/gm)].map(([, name]) => name);
  expect(listed(runtime)).toEqual(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).sort());
  expect(listed(development)).toEqual(Object.keys(manifest.devDependencies).sort());
});

test('npm run help says what each script is for', () => {
  const { stdout } = spawnSync(process.execPath, ['tools/help.mjs'], { encoding: 'utf8' });
  const said = [...stdout.matchAll(/^npm run (\S+) +\S.{8,}$/gm)].map(([, name]) => name);
  expect(said.sort()).toEqual(Object.keys(manifest.scripts).sort());
});

test('the command and the run of CI can be executed', () => {
  const locked = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  expect(locked.packages['node_modules/socai']).toEqual({ resolved: 'apps/socai', link: true });
  for (const path of ['.ci/run', 'apps/socai/bin/socai.js']) expect(statSync(path).mode & 0o111).toBe(0o111);
});

test('the lock names what other platforms need', () => {
  // A registry that lacks one of them makes npm leave it out, and `npm ci` then refuses the lock (npm/cli#9846).
  interface Locked {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> };
  const missing = Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`${at}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
    ),
  );
  expect(missing).toEqual([]);
});

test('every record of a decision is linked, and is one page', () => {
  const page = readFileSync('docs/adr/README.md', 'utf8');
  const linked = [...page.matchAll(/\]\((\d{4}-[a-z-]+\.md)\)/g)].map(([, file]) => file as string);
  expect(linked.length).toBeGreaterThanOrEqual(7);
  for (const file of linked) {
    const text = readFileSync(`docs/adr/${file}`, 'utf8');
    expect(text.split('\n').length).toBeLessThanOrEqual(80);
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      'Question',
      expect.stringMatching(/^(Sketch|Measurement)$/),
      'Choice',
      'What would reopen it',
    ]);
  }
});

test('the counts of a run are written where CI reads them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'socai-counts-'));
  try {
    const Counts = createRequire(import.meta.url)('./counts.cjs') as new () => {
      onRunComplete(contexts: unknown, results: unknown): void;
    };
    const results = {
      numPassedTests: 5,
      numFailedTests: 1,
      numRuntimeErrorTestSuites: 1,
      numPendingTests: 2,
      numTodoTests: 1,
    };
    const before = process.env.TEST_COUNTS;
    process.env.TEST_COUNTS = join(folder, 'counts');
    new Counts().onRunComplete(new Set(), results);
    if (before === undefined) delete process.env.TEST_COUNTS;
    else process.env.TEST_COUNTS = before;
    expect(readFileSync(join(folder, 'counts'), 'utf8')).toBe('tests: 5 passed, 2 failed, 3 skipped\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
