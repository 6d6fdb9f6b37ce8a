import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { EventEntry } from '../libs/kernel/decider.js';
import { commands, events } from '../libs/lending/catalogue.js';
import { refusals } from '../libs/lending/refusals.js';
import { readOutcomes } from './decided.js';
import { isVersioned, PUBLISHED, REFERENCE, reference } from './reference.js';

const files = reference(process.cwd());
const committed = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null);
const schemas = [...files.keys()].filter(isVersioned);

describe('published schemas', () => {
  test.each(schemas)('%s is what is stored', (path) => {
    // A change of what is stored is a next version with an upcaster; a published file is never written again.
    expect({ path, schema: committed(path) }).toEqual({ path, schema: files.get(path) });
  });

  test('one of an older version has a way to the next', () => {
    const found = readdirSync(PUBLISHED).filter((name) => isVersioned(`${PUBLISHED}/${name}`));
    const lost = found.filter((name) => {
      const [, type, version] = /^(\w+)\.v(\d+)\.json$/.exec(name) as unknown as [string, string, string];
      const entry: EventEntry | undefined = events[type as keyof typeof events];
      return !files.has(`${PUBLISHED}/${name}`) && entry?.upcast?.[Number(version)] === undefined;
    });
    expect(lost).toEqual([]);
  });

  test('no field of an event may be left out: null says that there is none', () => {
    const optional = Object.entries(events).flatMap(([type, { fields }]) =>
      Object.entries(fields).flatMap(([name, kind]) => (kind.optional ? [`${type}.${name}`] : [])),
    );
    expect(optional).toEqual([]);
  });
});

describe('the reference', () => {
  test('is that of the catalogue (npm run generate)', () => {
    const stale = [...files].filter(([path, text]) => committed(path) !== text).map(([path]) => path);
    expect(stale).toEqual([]);
  });

  test('holds nothing else', () => {
    const found = readdirSync(REFERENCE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = found.map(({ parentPath, name }) => `${parentPath}/${name}`);
    expect(paths.filter((path) => !files.has(path) && !isVersioned(path))).toEqual([]);
  });
});

describe('what decisions lead to, read from their code', () => {
  const outcomes = readOutcomes(process.cwd(), new Set(Object.keys(events)));
  test('every command makes an event', () => {
    const made = (name: string) => outcomes.commands.get(name)?.events ?? [];
    expect(commands.map(({ name }) => name).filter((name) => made(name).length === 0)).toEqual([]);
  });
  test('every event is made by a command, by a process, or opens the ledger', () => {
    const made = new Set([...outcomes.commands.values(), ...outcomes.transfers.values()].flatMap((of) => of.events));
    expect(Object.keys(events).filter((type) => !made.has(type))).toEqual(['LedgerOpened']);
  });
  test('every refusal of it is in the table', () => {
    const all = new Set([...outcomes.commands.values(), ...outcomes.transfers.values()].flatMap((of) => of.refusals));
    expect([...all].filter((code) => !(code in refusals))).toEqual([]);
    expect([...all].length).toBeGreaterThan(20);
  });
  test('a decision in another file is followed, and a choice of two codes is two', () => {
    expect(outcomes.commands.get('record-payment')).toMatchObject({
      events: ['InstallmentPaid', 'LoanSettled'],
      refusals: expect.arrayContaining(['ALLOCATION_SUM', 'RECEIPT_ALREADY_USED', 'GROUP_LEADER_PRINCIPAL']),
    });
  });
});
