import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/*
 * Every rule of who may import whom catches what it is for: a small tree of files in which each import is either
 * allowed or breaks the one rule that it names.
 */

const CONFIG = resolve('.dependency-cruiser.cjs');
const CRUISE = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

/** A file, what it imports (`type` and a space before it: only its type), and the rules that it breaks thereby. */
type Case = readonly [file: string, imported: string, ...broken: string[]];

const CASES: readonly Case[] = [
  // ---- allowed
  ['libs/lending/loan/a.ts', 'libs/kernel/money'],
  ['libs/lending/loan/b.ts', 'libs/lending/fund/state'],
  ['libs/lending/loan/c.ts', 'libs/lending/codes'],
  ['libs/projections/loan/a.ts', 'type libs/read-store/port'],
  ['libs/projections/loan/b.ts', 'libs/lending/catalogue'],
  ['libs/projections/loan/loan.spec.ts', 'libs/read-store/memory/overlay'],
  ['libs/proof/a.ts', 'node:crypto'],
  ['libs/event-store/sqlite/a.ts', 'libsql'],
  ['libs/event-store/sqlite/b.ts', 'node:fs'],
  ['libs/event-store/sqlite/c.ts', 'libs/event-store/port'],
  ['libs/event-store/sqlite/store.spec.ts', 'libs/event-store/contract'],
  ['libs/engine/a.ts', 'libs/event-store/port'],
  ['libs/engine/b.ts', 'libs/read-store/fold'],
  ['libs/engine/c.ts', 'libs/proof/seal'],
  ['libs/surface/http/a.ts', 'libs/engine/handle'],
  ['libs/surface/http/b.ts', 'libsql'],
  ['apps/socai/a.ts', 'libs/event-store/sqlite/store'],
  ['test/a.ts', 'libs/event-store/sqlite/store'],
  ['bench/a.ts', 'fast-check'],
  ['libs/kernel/money.spec.ts', 'fast-check'],
  // ---- the left column
  ['libs/kernel/broken.ts', 'libs/lending/codes', 'kernel-stands-alone'],
  ['libs/kernel/broken-type.ts', 'type libs/lending/codes', 'kernel-stands-alone'],
  ['libs/lending/group/broken.ts', 'libs/engine/handle', 'lending-on-kernel'],
  ['libs/lending/business-day/order.ts', 'libs/lending/programme/state', 'lending-order-business-day'],
  ['libs/lending/programme/order.ts', 'libs/lending/policy/state', 'lending-order-programme'],
  ['libs/lending/policy/order.ts', 'libs/lending/loan/state', 'lending-order-policy'],
  ['libs/lending/group/order.ts', 'libs/lending/borrower/state', 'lending-order-group'],
  ['libs/lending/borrower/order.ts', 'libs/lending/fund/state', 'lending-order-borrower'],
  ['libs/lending/fund/order.ts', 'libs/lending/district-fund/state', 'lending-order-fund'],
  ['libs/lending/district-fund/order.ts', 'type libs/lending/loan/state', 'lending-order-district-fund'],
  ['libs/lending/loan/order.ts', 'libs/lending/processes/day-close/day-close', 'lending-order-loan'],
  ['libs/lending/shared.ts', 'libs/lending/fund/state', 'lending-shared-first'],
  ['libs/lending/loan/last.ts', 'libs/lending/catalogue', 'lending-catalogue-last'],
  ['libs/projections/loan/broken.ts', 'type libs/event-store/port', 'projections-on-lending'],
  ['libs/projections/loan/store.ts', 'libs/read-store/port', 'projections-take-types-of-the-port'],
  ['libs/kernel/io.ts', 'node:fs', 'left-column-without-io'],
  ['libs/lending/fund/io.ts', 'node:crypto', 'left-column-without-io'],
  ['libs/projections/io.ts', 'node:http', 'left-column-without-io'],
  ['libs/lending/fund/package.ts', '@nestjs/common', 'left-column-without-packages'],
  ['libs/proof/package.ts', 'libsql', 'left-column-without-packages'],
  // ---- the right column
  ['libs/proof/broken.ts', 'libs/event-store/port', 'proof-on-kernel'],
  ['libs/proof/io.ts', 'node:fs', 'proof-hashes-only'],
  ['libs/event-store/broken.ts', 'libs/read-store/port', 'event-store-on-kernel'],
  ['libs/read-store/broken.ts', 'libs/lending/codes', 'read-store-on-kernel'],
  ['libs/messaging/broken.ts', 'libs/event-store/port', 'messaging-on-kernel'],
  ['libs/messaging/port.ts', 'libs/messaging/kafka/topic', 'port-without-adapters'],
  ['libs/engine/broken.ts', 'libs/lending/codes', 'engine-on-ports'],
  ['libs/engine/adapter.ts', 'libs/event-store/sqlite/store', 'engine-on-ports', 'only-apps-name-adapters'],
  ['libs/engine/io.ts', 'node:fs', 'engine-without-io'],
  ['libs/engine/package.ts', 'libsql', 'engine-without-packages'],
  // ---- where they meet, and everywhere
  ['libs/surface/http/app.ts', 'apps/socai/main', 'surface-below-apps'],
  ['libs/surface/web/browser/types.ts', 'type libs/kernel/money'],
  ['libs/surface/web/browser/broken.ts', 'libs/kernel/money', 'browser-modules-are-few'],
  ['libs/surface/http/adapter.ts', 'libs/read-store/memory/overlay', 'only-apps-name-adapters'],
  ['apps/socai/tool.ts', 'tools/generate', 'apps-without-tools'],
  ['libs/surface/cycle-a.ts', 'libs/surface/cycle-b', 'no-cycle-at-run-time'],
  // A cycle is named once, at its first file.
  ['libs/surface/cycle-b.ts', 'libs/surface/cycle-a'],
  ['libs/surface/types-a.ts', 'libs/surface/types-b'],
  ['libs/surface/types-b.ts', 'type libs/surface/types-a'],
  ['libs/engine/suite.ts', 'libs/event-store/contract', 'engine-on-ports', 'product-without-tests'],
  ['libs/read-store/sqlite/suite.ts', 'libs/read-store/contract', 'product-without-tests'],
  ['test/spec.ts', 'libs/kernel/money.spec', 'nothing-imports-a-spec'],
  ['apps/socai/dev.ts', 'fast-check', 'product-without-dev-dependencies'],
  ['apps/socai/brought.ts', 'undeclared', 'packages-are-declared'],
  ['libs/surface/unreached.ts', 'libs/kernel/money', 'product-is-reachable'],
  ['libs/surface/lost.ts', 'libs/surface/nowhere-at-all', 'imports-resolve'],
];

/** Files that are imported and import nothing. */
const LEAVES = [
  ...['kernel/money', 'lending/codes', 'lending/catalogue', 'lending/processes/day-close/day-close'],
  ...['programme', 'policy', 'borrower', 'fund', 'district-fund', 'loan'].map((folder) => `lending/${folder}/state`),
  ...['proof/seal', 'event-store/port', 'event-store/contract', 'event-store/sqlite/store', 'engine/handle'],
  ...['read-store/port', 'read-store/fold', 'read-store/contract', 'read-store/memory/overlay'],
  ...['messaging/kafka/topic'],
].map((leaf) => `libs/${leaf}.ts`);

const PACKAGES = { libsql: 'dependencies', '@nestjs/common': 'dependencies', 'fast-check': 'devDependencies' } as const;

describe('who may import whom', () => {
  const tree = mkdtempSync(join(tmpdir(), 'socai-layers-'));
  let broken: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    plant(tree);
    broken = cruise(tree);
  });
  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  test.each(CASES.map(([file, imported, ...rules]) => ({ file, imported, rules })))(
    '$file importing $imported breaks $rules',
    ({ file, rules }) => {
      expect([...(broken.get(file) ?? [])].sort()).toEqual([...rules].sort());
    },
  );

  test('every rule has a case', () => {
    const { forbidden } = createRequire(CONFIG)(CONFIG) as { forbidden: { name: string; comment: string }[] };
    const shown = new Set(CASES.flatMap(([, , ...rules]) => rules));
    expect(forbidden.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
    expect(forbidden.filter(({ comment }) => comment.length < 20)).toEqual([]);
  });

  test('a type beside a value of the same module does not hide the value', () => {
    expect(broken.get('libs/projections/loan/both.ts')).toEqual(['projections-take-types-of-the-port']);
  });
});

function plant(tree: string): void {
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), text);
  };
  const declared: Record<string, Record<string, string>> = { dependencies: {}, devDependencies: {} };
  for (const [name, kind] of Object.entries(PACKAGES)) (declared[kind] as Record<string, string>)[name] = '1.0.0';
  write('package.json', JSON.stringify({ name: 'tree', type: 'module', ...declared }));
  write('tsconfig.json', JSON.stringify({ compilerOptions: { module: 'NodeNext', target: 'ES2023' } }));
  for (const name of [...Object.keys(PACKAGES), 'undeclared']) {
    const manifest = { name, version: '1.0.0', type: 'module', main: 'index.js', exports: './index.js' };
    write(`node_modules/${name}/package.json`, JSON.stringify(manifest));
    write(`node_modules/${name}/index.js`, 'export const it = 1;\n');
  }
  for (const file of [...LEAVES, 'apps/socai/main.ts', 'tools/generate.ts']) write(file, 'export const it = 1;\n');
  const port = "'../../read-store/port.js'";
  write('libs/projections/loan/both.ts', `import type { it } from ${port};\nimport { it as is } from ${port};\n`);
  const reached = CASES.filter(
    ([file, , ...rules]) => file.startsWith('libs/') && !rules.includes('product-is-reachable'),
  );
  const files = [...reached.map(([file]) => file), 'libs/projections/loan/both.ts'].filter(
    (file) => !/\.spec\./.test(file),
  );
  write('apps/whole/main.ts', files.map((file) => `import '../../${file.replace(/\.ts$/, '.js')}';\n`).join(''));
  for (const [file, imported] of CASES) {
    const [, type, module] = /^(type )?(.*)$/.exec(imported) as unknown as [string, string | undefined, string];
    const up = '../'.repeat(file.split('/').length - 1);
    const from = module.includes('/') && !module.startsWith('@') ? `${up}${module}.js` : module;
    write(file, `import ${type ?? ''}{ it } from '${from}';\nexport const other: typeof it | null = null;\n`);
  }
}

/** The rules that each file breaks. */
function cruise(tree: string): ReadonlyMap<string, readonly string[]> {
  const args = [CRUISE, '--config', CONFIG, '--output-type', 'json', 'apps', 'libs', 'bench', 'tools', 'test'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (stdout === '') throw new Error(stderr);
  const found = new Map<string, string[]>();
  const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  for (const { from, rule } of summary.violations) {
    const rules = found.get(from) ?? [];
    if (!rules.includes(rule.name)) rules.push(rule.name);
    found.set(from, rules);
  }
  return found;
}
