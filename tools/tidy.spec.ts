import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_LINES_MAX, FUNCTION_LINES_MAX, RULE_NAMES, type SourceFile, tidy } from './tidy.js';

/** What is made on the machine that it is used on, and is not in the repository. */
const NOT_OURS = new Set(['node_modules', '.git', 'dist', 'data', 'coverage']);
/** Written by programs: by `npm install`, by `npm run generate`, or by others for everyone to compare with. */
const WRITTEN = /^(package-lock\.json|LICENSE|docs\/reference\/)|(^|\/)golden\//;
const TEXT = /\.([cm]?[jt]s|json|md|yml|yaml|css|html|ndjson|sh)$|(^|\/)(Dockerfile|run|\.[a-z]+)$/;

const files = [...textFiles('')];

describe('the repository is tidy', () => {
  const findings = files.flatMap(tidy);
  test.each(RULE_NAMES)('%s', (name) => {
    expect(findings.filter(({ rule }) => rule === name).map(({ at, what }) => `${at}: ${what}`)).toEqual([]);
  });

  test('nothing that is built lies beside what it is built from', () => {
    const sources = new Set(files.map(({ path }) => path).filter((path) => path.endsWith('.ts')));
    const built = files.filter(({ path }) => /\.(js|d\.ts|js\.map)$/.test(path));
    const beside = built.filter(({ path }) => sources.has(path.replace(/\.(js|d\.ts|js\.map)$/, '.ts')));
    expect(beside.filter(({ path }) => !path.endsWith('.d.ts')).map(({ path }) => path)).toEqual([]);
  });
});

describe('each rule catches what it is for', () => {
  const lines = (count: number) => '  0;\n'.repeat(count);
  const word = (...pieces: string[]) => pieces.join('');
  const cases: readonly (readonly [rule: string, path: string, text: string])[] = [
    ['names', 'libs/kernel/utils/text.ts', ''],
    ['names', 'libs/kernel/money-helpers.ts', ''],
    ['file-length', 'libs/kernel/a.ts', '\n'.repeat(FILE_LINES_MAX + 1)],
    ['unfinished', 'docs/a.md', `${word('TO', 'DO')}: say it`],
    ['workplace', 'docs/a.md', `see ${word('/ho', 'me/')}someone/project`],
    ['function-length', 'apps/a.ts', `function a() {\n${lines(FUNCTION_LINES_MAX)}}`],
    ['function-length', 'apps/a.spec.ts', `test('', () => {\n${lines(FUNCTION_LINES_MAX)}});`],
    ['no-enum', 'apps/a.ts', 'enum A { B }'],
    ['no-default-export', 'apps/a.ts', 'export default 1;'],
    ['no-default-export', 'apps/a.ts', 'export default function a() {}'],
    ['no-barrel', 'libs/lending/a.ts', "export * from './b.js';"],
    ['no-barrel', 'libs/lending/index.ts', ''],
    ['no-any', 'apps/a.ts', 'let a: any;'],
    ['no-narrowed-tests', 'apps/a.spec.ts', `test.${word('on', 'ly')}('', () => {});`],
    ['no-narrowed-tests', 'apps/a.spec.ts', `describe.${word('sk', 'ip')}('', () => {});`],
    ['pure-rooms', 'libs/lending/loan/a.ts', 'export const today = () => new Date();'],
    ['pure-rooms', 'libs/projections/a.ts', 'export const chance = () => Math.random();'],
    ['exports-documented', 'libs/engine/a.ts', 'export function a() {}'],
    ['exports-documented', 'libs/kernel/a.ts', 'export class A {}'],
    ['no-inheritance', 'libs/engine/a.ts', '/** A. */\nexport class A extends B {}'],
  ];
  test.each(cases)('%s: %s', (rule, path, text) => {
    expect(tidy({ path, text }).map((finding) => finding.rule)).toEqual([rule]);
  });
  test('every rule has a case', () => {
    const shown = new Set(cases.map(([rule]) => rule));
    expect(RULE_NAMES.filter((rule) => !shown.has(rule))).toEqual([]);
  });

  const allowed: readonly (readonly [path: string, text: string])[] = [
    ['apps/a.spec.ts', `describe('', () => {\n${"test('', () => {\n0;\n});\n".repeat(FUNCTION_LINES_MAX)}});`],
    ['apps/a.spec.ts', `const where = process.env.X ? describe : describe.${word('sk', 'ip')};`],
    ['libs/lending/loan/a.ts', 'export const a = { process: 1 }.process;'],
    ['libs/kernel/a.ts', '/** A promise that is broken. */\nexport class Broken extends Error {}'],
    ['libs/kernel/database.ts', '// as many as there are'],
    ['docs/a.md', 'curl http://127.0.0.1:3000/v1/work/a and https://example.org/home/a'],
  ];
  test.each(allowed.map(([path, text]) => ({ path, text })))('nothing is said of $path', ({ path, text }) => {
    expect(tidy({ path, text })).toEqual([]);
  });
});

function* textFiles(folder: string): Generator<SourceFile> {
  for (const entry of readdirSync(join('.', folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (NOT_OURS.has(entry.name) || WRITTEN.test(path)) continue;
    if (entry.isDirectory()) yield* textFiles(path);
    else if (entry.isFile() && TEXT.test(path)) yield { path, text: readFileSync(path, 'utf8') };
  }
}
