import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { memoryEventStore } from '../libs/event-store/memory/overlay.js';
import type { EventStore } from '../libs/event-store/port.js';
import { canonicalJson } from '../libs/kernel/canonical-json.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { type Fields, readFields } from '../libs/kernel/fields.js';
import { type EventType, events, upcast } from '../libs/lending/catalogue.js';
import {
  applied,
  approved,
  disbursed,
  lent,
  MONEY,
  PLACE,
  paid,
  registered,
  reversed,
} from '../libs/lending/examples.js';
import { closed, openUntil, type Sent } from '../libs/lending/scenario.js';
import { idOf, sealOf } from '../libs/proof/seal.js';
import { memoryLedger } from './harness.js';
import { accept, lineOf, sheetOf, stored } from './sheet.js';

/*
 * What is stored is never changed in place. `libs/proof/golden/events.ndjson` has one stored event of each type and
 * version, `digest.txt` the digest of the history that they come from. A new type or version adds a line:
 * `GOLDEN=write npm run jest -- test/golden`; a line that is there already never changes.
 */

const FOLDER = 'libs/proof/golden';
const EVENTS = `${FOLDER}/events.ndjson`;
const DIGEST = `${FOLDER}/digest.txt`;
const WRITE = process.env.GOLDEN === 'write';

const ON = '2021-07-15';
const DUE = '2021-08-15';
const LOAN = { amount: 3_000, termMonths: 3, installmentEveryMonths: 1 };
const HISTORY: readonly Sent[] = [
  ['register-group', ON, { group: 'G', ...PLACE, massOrganisation: 'WOMEN' }],
  registered(ON, { borrower: 'C', group: 'G' }),
  ['reclassify-borrower', ON, { borrower: 'C', borrowerClass: 'NEAR_POOR', decision: 'QĐ-5' }],
  ...lent(ON, LOAN),
  applied(ON, { ...LOAN, loan: 'M', borrower: 'C' }),
  ['reject-loan', ON, { loan: 'M', reason: 'thiếu hồ sơ', decision: 'QĐ-2' }],
  ['reallocate-capital', ON, { ...MONEY, fromDistrict: '001', toDistrict: '250', amount: 7 }],
  paid(ON, 3_000),
  reversed(ON),
  openUntil(DUE),
  paid(DUE, 100, { receipt: 'R-2', allocation: { principalDue: 100 } }),
  closed('2021-08-16'),
  applied('2021-08-17', { ...LOAN, loan: 'N' }),
  approved('2021-08-17', { loan: 'N', amount: 3_000 }),
];

/** A part that another writer's part overtakes between its two appends: its capital is released. */
async function lostRace(store: EventStore): Promise<void> {
  const rival = await memoryLedger({ store, now: NOW });
  let raced = false;
  const slow: EventStore = {
    ...store,
    append: async (...[stream, revision, made]: Parameters<EventStore['append']>) => {
      if (!raced && made[0]?.type === 'LoanDisbursed') {
        raced = true;
        await accept(rival.ledger, [lineOf(disbursed('2021-08-17', { loan: 'N', amount: 2_000 }), 'rival')]);
      }
      return store.append(stream, revision, made);
    },
  };
  const { ledger } = await memoryLedger({ store: slow, now: NOW });
  const lost = disbursed('2021-08-17', { loan: 'N', amount: 2_500, voucher: 'V-2' });
  expect(await ledger.handle(lineOf(lost, 'lost'))).toMatchObject({ accepted: false });
}

const NOW = '2026-01-01T00:00:00.000Z';

async function fixedHistory() {
  const store = memoryEventStore();
  const { ledger } = await memoryLedger({ store, now: NOW });
  await accept(ledger, sheetOf(HISTORY));
  await lostRace(store);
  return { all: await stored(store), digest: await (await memoryLedger({ store, now: NOW })).ledger.digest() };
}

const keyOf = ({ type, version }: Pick<Envelope, 'type' | 'version'>) => `${type}@${version}`;
/** Positions are a store's own: no part of what is published. */
const bytesOf = ({ position: _, ...envelope }: Envelope) => canonicalJson(envelope);
const linesOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []);

describe('published events', () => {
  let made = new Map<string, string>();
  let all: readonly Envelope[] = [];
  let digest = '';
  beforeAll(async () => {
    ({ all, digest } = await fixedHistory());
    made = new Map([...all].reverse().map((event) => [keyOf(event), bytesOf(event)]));
    if (!WRITE) return;
    const kept = linesOf(EVENTS);
    const known = new Set(kept.map((line) => keyOf(JSON.parse(line))));
    const added = [...made].filter(([key]) => !known.has(key)).map(([, line]) => line);
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(EVENTS, [...kept, ...added].map((line) => `${line}\n`).join(''));
    writeFileSync(DIGEST, `${digest}\n`);
  });

  it.each(Object.keys(events))('%s has a golden line of its present version', (type) => {
    const { version } = events[type as EventType];
    const golden = linesOf(EVENTS).find((line) => keyOf(JSON.parse(line)) === keyOf({ type, version }));
    expect(golden).toBe(made.get(keyOf({ type, version })));
  });

  it('can be read today, whatever their version', () => {
    for (const line of linesOf(EVENTS)) {
      const today = upcast(JSON.parse(line));
      const fields: Fields = events[today.type as EventType].fields;
      expect([today.type, readFields(fields, today.data)]).toEqual([today.type, { ok: true, value: today.data }]);
    }
  });

  it('are of types that the catalogue still has', () => {
    const types = linesOf(EVENTS).map((line) => (JSON.parse(line) as Envelope).type);
    expect(types.filter((type) => !(type in events))).toEqual([]);
  });

  it('carry the ids and seals that their chains give', () => {
    const seals = new Map<string, string>();
    for (const event of all) {
      const previous = seals.get(event.stream) ?? null;
      expect([event.id, event.meta.seal]).toEqual([idOf(event, previous), sealOf(event, previous)]);
      seals.set(event.stream, event.meta.seal);
    }
  });

  it('lead to the digest that was published with them', () => {
    expect(`${digest}\n`).toBe(readFileSync(DIGEST, 'utf8'));
  });
});
