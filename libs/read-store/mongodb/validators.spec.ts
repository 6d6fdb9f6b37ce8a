import { randomBytes } from 'node:crypto';
import { Ajv } from 'ajv';
import { BSON, MongoClient } from 'mongodb';
import { describeWith, server } from '../../../test/services.js';
import { add, batch, INSTANCE, MODEL, put, remove } from '../contract/model.js';
import { shapesOf } from '../shape.js';
import { schemaOf } from './catalogue.js';
import { openMongoReadStore } from './store.js';

const mongodb = await server('MONGODB_URL');

/** What BSON calls a value that was read without being turned into one of JavaScript. */
function bsonTypeOf(value: unknown): string {
  if (value === null) return 'null';
  const { _bsontype } = value as { readonly _bsontype?: string };
  return _bsontype === undefined ? typeof value : _bsontype.toLowerCase().replace(/^int32$/, 'int');
}

const ajv = new Ajv({ strict: false });
ajv.addKeyword({
  keyword: 'bsonType',
  validate: (types: string | readonly string[], value: unknown) => [types].flat().includes(bsonTypeOf(value)),
});

describeWith(mongodb, `validators of documents, which not every server checks: ${mongodb.what}`, () => {
  const database = `socai-test-${randomBytes(6).toString('hex')}`;
  let client: MongoClient;
  beforeAll(async () => {
    client = await MongoClient.connect(mongodb.url);
  });
  afterAll(async () => {
    await client.db(database).dropDatabase();
    await client.close();
  });

  it('let through every document that batches leave, whatever their amounts and fields', async () => {
    const store = await openMongoReadStore({ url: mongodb.url, database });
    await store.open(INSTANCE, MODEL);
    const whole = { district: '001', days: 2 ** 40, terms: { rate: '0.0066', parts: [1, 2 ** 40] } };
    const first = [add('001', '2021-07-01', 5, 1), add('002', '2021-07-01', 2n ** 62n, 1, 2 ** 40), put('L1', whole)];
    await store.apply(
      batch(0, 1, [...first, put('L2', { district: null, days: null, terms: null }), put('L3', whole)]),
    );
    const second = [add('001', '2021-07-01', -(2 ** 40), 3), put('L1', { ...whole, days: 3 }), remove('L3')];
    await store.apply(batch(1, 2, [...second, remove('L9')]));
    await store.close();
    const found: string[] = [];
    for (const shape of shapesOf(MODEL).values()) {
      const allows = ajv.compile(schemaOf(shape));
      const listed = await client.db(database).listCollections({}, { nameOnly: true }).toArray();
      const { name = '' } = listed.find((collection) => collection.name.endsWith(`.${shape.name}`)) ?? {};
      const documents = client.db(database).collection(name).find({}, { raw: true });
      for await (const raw of documents) {
        const document = BSON.deserialize(raw as unknown as Uint8Array, { promoteValues: false });
        expect([document, allows(document), allows.errors]).toEqual([document, true, null]);
        found.push(shape.name);
      }
      const spoiled = { _id: 'x', _partition: new BSON.Double(0.5), _batch: 1 };
      expect(allows(spoiled)).toBe(false);
    }
    expect(found.sort()).toEqual(['cells', 'cells', ...found.filter((name) => name === 'loans')]);
    expect(found.length).toBeGreaterThanOrEqual(5);
  });
});
