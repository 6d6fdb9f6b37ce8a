import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { describeWith, server } from '../../../test/services.js';
import { add, at, MODEL } from '../contract/model.js';
import { AT_START, type Change } from '../port.js';
import { shapesOf } from '../shape.js';
import { DatabaseShelf } from './database.js';
import { foldBatch } from './fold.js';
import type { Stored, Write } from './shelf.js';
import { applyFolded, type Known } from './write.js';

const mongodb = await server('MONGODB_URL');
const SHAPES = shapesOf(MODEL);
const MUCH = 2n ** 40n;
const adding = (batch: number, ids: readonly number[]) =>
  ids.map((id): Write => ({ kind: 'add', id: `c${id}`, batch, add: { count: id, paid: MUCH }, made: {} }));
/** Id, last batch, count and amount of each cell, and what that batch added to the count. */
const CELLS = [
  ['c1', 4, 2n, MUCH * 2n, 1n],
  ['c2', 2, 4n, MUCH * 2n, 2n],
  ['c3', 2, 3n, MUCH, 3n],
  ['c4', 2, 4n, MUCH, 4n],
  ['c5', 2, 10n, MUCH * 2n, 5n],
  ['c6', 3, 12n, MUCH * 2n, 6n],
  ['c7', 1, 7n, MUCH, 7n],
  ['d', 5, 8n, 0n, 8n],
];
/** As many as an event that stands in all partitions is written to. */
const [INSTANCES, PARTITIONS] = [6, 26];
const CASE_MS_MAX = 60_000;

describeWith(mongodb, `calls of ${mongodb.what}, a server of MongoDB's protocol`, () => {
  let client: MongoClient;
  let calls: string[] = [];
  beforeAll(async () => {
    client = await MongoClient.connect(mongodb.url, { useBigInt64: true, monitorCommands: true });
    client.on('commandStarted', ({ commandName }) => void calls.push(commandName));
  });
  afterAll(() => client.close());

  const one = async (): Promise<void> => {
    const db = client.db(`socai-test-${randomBytes(6).toString('hex')}`);
    const shelf = new DatabaseShelf(db);
    await shelf.prepare();
    await Promise.all(Array.from({ length: INSTANCES }, (_, index) => shelf.enter(`quality.${index}`)));
    const known: Known = new Map();
    /** One event in each partition of each instance, of which one changes something. */
    const event = async (sequence: number, changes: readonly Change[]): Promise<readonly string[]> => {
      calls = [];
      const work = Array.from({ length: INSTANCES * PARTITIONS }, (_, index) => {
        const [of, partition] = [`quality.${index % INSTANCES}`, Math.floor(index / INSTANCES)];
        const from = sequence === 1 ? AT_START : at(sequence - 1);
        const batch = { model: of, partition, from, to: at(sequence), changes: index === 0 ? changes : [] };
        const owner = { of, collectionOf: ({ name }: { readonly name: string }) => `${of}.${name}` };
        return applyFolded(shelf, owner, foldBatch(batch, SHAPES), known);
      });
      for (const { outcome } of await Promise.all(work)) expect(outcome).toBe('applied');
      return calls;
    };
    expect(await event(1, [])).toEqual(['find', 'insert', 'find']);
    expect(await event(2, [])).toEqual(['insert', 'find']);
    const cell = add('D1', '2026-01-05', 100, 1);
    const made = (await isFerretDb()) ? 'insert' : 'update';
    expect(await event(3, [cell])).toEqual(['insert', 'find', made, 'update']);
    expect(await event(4, [cell])).toEqual(['insert', 'find', 'update', 'update']);
    await db.dropDatabase();
  };

  test('an event of all partitions claims, looks and ends by one call each, however many batches', one, CASE_MS_MAX);

  const isFerretDb = async () => (await client.db().admin().command({ buildInfo: 1 })).ferretdbVersion !== undefined;

  const cells = async (): Promise<void> => {
    const db = client.db(`socai-test-${randomBytes(6).toString('hex')}`);
    const shelf = async () => {
      const one = new DatabaseShelf(db);
      await one.prepare();
      return one;
    };
    const [first, second] = [await shelf(), await shelf()];
    await first.write('cells', adding(1, [2, 5]));
    // It knows of none of them, and of some that are there only when it meets them.
    await second.write('cells', adding(2, [1, 2, 3, 4, 5, 6]));
    await first.write('cells', adding(2, [1, 2, 3, 4, 5, 6]));
    await second.write('cells', adding(3, [6]));
    await first.write('cells', adding(1, [2, 7]));
    // What else stands among adds is written as well.
    const document = { _id: 'd', _batch: 4, count: 8n, paid: 0n, _last: { count: 8n } } as unknown as Stored;
    await first.write('cells', [{ kind: 'insert', document }]);
    await first.write('cells', [...adding(4, [1]), { kind: 'replace', seen: 4, document: { ...document, _batch: 5 } }]);
    const found = await db.collection('cells').find().sort({ _id: 1 }).toArray();
    const seen = found.map(({ _id, _batch, count, paid, _last }) => [String(_id), _batch, count, paid, _last.count]);
    expect(seen).toEqual(CELLS);
    await db.dropDatabase();
  };

  test('a batch is added to each of its cells once, whoever made them and whoever writes it again', cells, CASE_MS_MAX);
});
