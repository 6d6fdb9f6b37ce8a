import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { canonicalJson } from '../libs/kernel/canonical-json.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { type Fields, readFields } from '../libs/kernel/fields.js';
import { type EventType, events, upcast } from '../libs/lending/catalogue.js';
import { idOf, sealOf } from '../libs/proof/seal.js';
import { fixedHistory } from './fixed-history.js';

/*
 * What is stored is never changed in place. `libs/proof/golden/events.ndjson` has one stored event of each type and
 * version, `digest.txt` the digest of the history that they come from. A new type or version adds a line:
 * `GOLDEN=write npm run jest -- test/golden`; a line that is there already never changes.
 */

const FOLDER = 'libs/proof/golden';
const EVENTS = `${FOLDER}/events.ndjson`;
const DIGEST = `${FOLDER}/digest.txt`;
const WRITE = process.env.GOLDEN === 'write';

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
