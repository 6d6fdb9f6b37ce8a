import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { settingsOf } from '../apps/distributed/settings.js';
import { events } from '../libs/lending/catalogue.js';
import { refusals } from '../libs/lending/refusals.js';
import { projections, queries } from '../libs/projections/catalogue.js';
import { INTERNAL_ERROR } from '../libs/surface/formats/problem.js';
import { readCompose } from '../tools/compose.js';

/* What docs/operating.md names is there, and what it computes is so. */

const PAGE = 'docs/operating.md';
const text = readFileSync(PAGE, 'utf8');
const sources = [...sourcesOf('apps'), ...sourcesOf('libs')].join('\n');

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
}

const allOf = (pattern: RegExp, within = text): string[] => [
  ...new Set([...within.matchAll(pattern)].map(([whole, group]) => group ?? whole)),
];

describe('docs/operating.md', () => {
  it('names every metric of ours that there is, and no other', () => {
    const named = allOf(/\bsocai_[a-z_]+/g).map((name) => name.replace(/_(bucket|sum|count)$/, ''));
    expect([...new Set(named)].sort()).toEqual(
      allOf(/'(socai_[a-z_]+)'/g, sources)
        .filter(isMetric)
        .sort(),
    );
  });

  it('names every variable of the environment that the apps read, with its default', () => {
    const rows = allOf(/^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|.*\|.*\|$/gm).flatMap((cell) => allOf(/[A-Z_]+/g, cell));
    expect(rows.sort()).toEqual([...environmentRead(), 'LOG_LEVEL'].sort());
    const { ledger, client, replicationFactor, sessionMs, dayLeaseMs, simulated, place } = settingsOf({});
    const defaults = allOf(
      /^\| `(?:SOCAI_LEDGER|EVENTSTOREDB_CLIENT|KAFKA_REPLICATION|KAFKA_SESSION_MS|SOCAI_DAY_LEASE_MS|SOCAI_SIMULATED)` \|.*\| `(.*)` \|$/gm,
    );
    expect(defaults).toEqual([
      ledger,
      client,
      String(replicationFactor),
      String(sessionMs),
      String(dayLeaseMs),
      String(simulated),
    ]);
    expect(text).toContain(`| \`${place.port}\`, \`${place.host}\` |`);
  });

  it('gives commands that there are', () => {
    const commands = [...text.matchAll(/^node .*$/gm)].map(([line]) => line.replace(/ +#.*/, ''));
    expect(commands.length).toBeGreaterThan(5);
    for (const command of commands) {
      const [, main = '', verb, ...names] = command.split(' ');
      const source = readFileSync(main.replace(/^dist\/(.*)\.js$/, '$1.ts'), 'utf8');
      if (verb !== undefined) expect(source).toContain(`=== '${verb}'`);
      for (const name of names) expect(projections.map((one) => one.name)).toContain(name);
    }
  });

  it('gives verbs and services that there are', () => {
    const verbs = allOf(/(?:npx socai|bin\/socai\.js) ([a-z-]+)/g);
    const known = allOf(/\.command\('([a-z-]+)'\)/g, sources);
    expect(verbs.length).toBeGreaterThan(2);
    expect(verbs.filter((verb) => !known.includes(verb))).toEqual([]);
    const services = allOf(/docker compose (?:up|run) (?:--\S+ (?:(?:"|[A-Z_]+=)\S+ )?)*([a-z]+)/g);
    expect(services).toEqual(['eventstoredb', 'socai']);
    for (const service of services) expect(readCompose().services).toHaveProperty(service);
  });

  it('speaks of parts, read models, codes, events and paths that there are', () => {
    const words = allOf(/`([^`\n]+)`/g);
    const parts = allOf(/^\| `([a-z-]+)` \|/gm, text.split('## Start')[0]);
    expect(parts).toEqual(['command-api', 'relay', 'projector', 'query-api']);
    expect(Object.keys(readCompose().services)).toEqual(expect.arrayContaining(parts));
    const codes = words.filter((word) => /^[A-Z]+_[A-Z_]+$/.test(word) && word in refusals);
    expect(codes).toEqual(expect.arrayContaining(['STORE_UNREACHABLE', 'READ_MODEL_BEHIND']));
    const known = new Set([...Object.keys(refusals), INTERNAL_ERROR, ...environmentRead(), 'LOG_LEVEL']);
    expect(words.filter((word) => /^[A-Z]+_[A-Z_]+$/.test(word) && !known.has(word))).toEqual([]);
    const types = words.filter((word) => /^[A-Z][a-z]+([A-Z][a-z]+)+$/.test(word));
    expect(types.filter((type) => !(type in events) && !sources.includes(`class ${type} `))).toEqual([]);
    const paths = words.flatMap((word) => allOf(/\/v1\/([a-z-]+)/g, word));
    const served = new Set([...queries.map(({ name }) => name), 'digest', 'events', 'projections']);
    expect(paths.length).toBeGreaterThan(2);
    expect(paths.filter((path) => !served.has(path))).toEqual([]);
  });

  it('links to what is there', () => {
    const headings = allOf(/^#+ (.*)$/gm).map((heading) => heading.toLowerCase().replaceAll(' ', '-'));
    for (const target of allOf(/\]\(([^)]+)\)/g)) {
      const [path = '', anchor] = target.split('#');
      if (path !== '') expect([target, existsSync(join(dirname(PAGE), path))]).toEqual([target, true]);
      else expect(headings).toContain(anchor);
    }
  });

  it.each(
    [...text.matchAll(/^([^:`|\n]+?) *: ([\d(][^=\n]*?) += ([\d,.]+)(?: (\w+))?$/gm)].map(([, ...parts]) => parts),
  )('computes %s', (_, expression = '', result = '', unit) => {
    const value = computed(expression) / (UNITS[unit ?? ''] ?? 1);
    const said = computed(result);
    // As it is written: rounded to a whole number, or to its last decimal.
    const decimals = /\.(\d+)$/.exec(result)?.[1]?.length ?? 0;
    expect(value).toBeGreaterThanOrEqual(said - 0.51 * 10 ** -decimals);
    expect(value).toBeLessThanOrEqual(said + 0.51 * 10 ** -decimals);
  });
});

/** What the parts look up in their environment. */
function environmentRead(): readonly string[] {
  const read = new Set<string>();
  settingsOf(new Proxy({}, { get: (_, name) => void read.add(String(name)) }));
  return [...read];
}

/** Names in code that are no metric. */
const isMetric = (name: string): boolean => !['socai_instances', 'socai_live'].includes(name);

const UNITS: Readonly<Record<string, number>> = { GB: 1e9, h: 3_600 };

/** Sums, products and quotients of numbers, with their units left out but for GB. */
function computed(expression: string): number {
  let at = 0;
  const tokens = expression.match(/[\d,]+(?:\.\d+)?|GB|[×÷+()]/g) ?? [];
  const atom = (): number => {
    const token = tokens[at++] ?? '';
    if (token !== '(') {
      const value = Number(token.replaceAll(',', ''));
      return tokens[at] === 'GB' ? value * (UNITS[tokens[at++] ?? ''] ?? 1) : value;
    }
    const inner = sum();
    at++;
    return inner;
  };
  const product = (): number => {
    let value = atom();
    while (tokens[at] === '×' || tokens[at] === '÷') value = tokens[at++] === '×' ? value * atom() : value / atom();
    return value;
  };
  const sum = (): number => {
    let value = product();
    for (; tokens[at] === '+'; value += product()) at++;
    return value;
  };
  return sum();
}
