import { join } from 'node:path';
import { type AnyBulkWriteOperation, type Document, MongoClient } from 'mongodb';
import type { Followed } from '../libs/engine/ledger.js';
import { projected, written } from '../libs/engine/project.js';
import { openSqliteEventStore } from '../libs/event-store/sqlite/store.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { invariant } from '../libs/kernel/result.js';
import { lendingDomain } from '../libs/lending/catalogue.js';
import { openMongoReadStore } from '../libs/read-store/mongodb/store.js';
import { AT_START, type Batch, type Change, type Checkpoint } from '../libs/read-store/port.js';
import { startFerretdb } from '../tools/services/ferretdb.js';
import { Missing } from '../tools/services/missing.js';
import { eventsFile, everyReadModel } from './lending.js';
import { atOnce, bestRate, type Line, type Place, rateOf } from './measurement.js';
import { simulateSample } from './run-socai.js';

/** The last events of the five years of the first start: payments of principal and interest, disbursements, closes. */
const EVENTS = 6_000;
/** As a projector folds them. */
const EVENTS_A_BATCH = 2_000;
/** As the store sends them: see libs/read-store/mongodb/write.ts, and database.ts of what FerretDB takes at once. */
const [WRITES_AT_ONCE, FERRETDB_AT_ONCE, CALLS_AT_ONCE] = [1_000, 20, 4];
/** Most of all read models: cells that are added to, and rows that are made once. */
const MODELS = ['portfolio-quality', 'audit-trail'];
const DATABASE = 'socai-bench';

/** The read models' own batches through the MongoDB read store, beside the driver's `bulkWrite` of the same documents. */
export async function measureMongodb(place: Place): Promise<readonly Line[]> {
  const named = process.env.MONGODB_URL;
  try {
    const started = named ? undefined : await startFerretdb();
    try {
      return await measureOn(
        named ?? started?.url ?? '',
        named ? 'the server of MONGODB_URL' : 'FerretDB 1.24.2',
        place,
      );
    } finally {
      await started?.close();
    }
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return [{ what: 'read models on a server of MongoDB’s protocol', skipped: error.message }];
  }
}

async function measureOn(url: string, server: string, { directory }: Place): Promise<Line[]> {
  const all = await batchesOf(join(directory, 'sample'));
  const client = new MongoClient(url, { useBigInt64: true, writeConcern: { w: 'majority' } });
  const { ferretdbVersion } = await client.db('admin').command({ buildInfo: 1 });
  const width = ferretdbVersion === undefined ? WRITES_AT_ONCE : FERRETDB_AT_ONCE;
  const lines: Line[] = [];
  for (const followed of everyReadModel.filter(({ model }) => MODELS.includes(model.name))) {
    const { name } = followed.model;
    const batches = all.get(name) ?? [];
    const documents = batches.reduce((sum, { changes }) => sum + changes.length, 0);
    invariant(documents > 0, `${name} has something to write`);
    const value = await bestRate((round) => through(url, followed, batches, documents, round), 2);
    const raw = await bestRate((round) => alone(client, batches, documents, { round, width }), 2);
    lines.push({
      what: `documents of ${name} written to ${server}, ${EVENTS_A_BATCH} events a batch`,
      ...{ value, unit: '/s', beside: { what: "the driver's bulkWrite alone", value: raw } },
      goal: { value: raw / 2, bound: 'at least' },
    });
  }
  await client.db(DATABASE).dropDatabase();
  await client.close();
  return lines;
}

async function batchesOf(data: string): Promise<ReadonlyMap<string, readonly Batch[]>> {
  await simulateSample(data);
  const store = await openSqliteEventStore({ path: eventsFile(data), readOnly: true });
  const last: Envelope[] = [];
  for await (const event of store.readAll({ direction: 'backwards', limit: EVENTS })) last.unshift(event);
  await store.close();
  const domain = lendingDomain();
  const batches = new Map<string, Batch[]>();
  let from: Checkpoint = AT_START;
  for (let at = 0; at < last.length; at += EVENTS_A_BATCH) {
    const events = last.slice(at, at + EVENTS_A_BATCH).map((event) => domain.upcast(event));
    const to = { sequence: at + events.length, position: events.at(-1)?.position ?? '' };
    for (const followed of everyReadModel) {
      const { name, version } = followed.model;
      const changes: readonly Change[] = written(followed, projected(followed, events).folded);
      const batch: Batch = { model: `${name}.${version}`, partition: 0, from, to, changes };
      batches.set(name, [...(batches.get(name) ?? []), batch]);
    }
    from = to;
  }
  return batches;
}

async function through(
  url: string,
  { model }: Followed,
  batches: readonly Batch[],
  documents: number,
  round: number,
): Promise<number> {
  const store = await openMongoReadStore({ url, database: DATABASE });
  const instance = `${model.name}.${model.version}.${round}`;
  await store.open(instance, model);
  const rate = await rateOf(documents, async () => {
    for (const batch of batches) {
      const { outcome } = await store.apply({ ...batch, model: instance });
      invariant(outcome === 'applied', 'nobody else writes the instance');
    }
  });
  await store.drop(instance);
  await store.close();
  return rate;
}

/** The same documents by the same number of calls: no checkpoint, no guard, no earlier values, no further index. */
async function alone(
  client: MongoClient,
  batches: readonly Batch[],
  documents: number,
  { round, width }: { readonly round: number; readonly width: number },
): Promise<number> {
  const collection = (name: string) => client.db(DATABASE).collection<{ _id: string }>(`raw.${round}.${name}`);
  for (const name of new Set(batches.flatMap(({ changes }) => changes.map((it) => it.collection)))) {
    await collection(name).drop();
  }
  return rateOf(documents, async () => {
    for (const { changes } of batches) {
      const calls: { readonly name: string; readonly operations: AnyBulkWriteOperation<{ _id: string }>[] }[] = [];
      for (const [name, own] of grouped(changes)) {
        const together = own[0]?.op === 'put' ? WRITES_AT_ONCE : width;
        for (let at = 0; at < own.length; at += together) {
          calls.push({ name, operations: own.slice(at, at + together).map(operationOf) });
        }
      }
      await atOnce(CALLS_AT_ONCE, calls.length, async (index) => {
        const { name = '', operations = [] } = calls[index] ?? {};
        await collection(name).bulkWrite(operations, { ordered: false });
      });
    }
  });
}

function grouped(changes: readonly Change[]): ReadonlyMap<string, Change[]> {
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const known = groups.get(change.collection);
    if (known === undefined) groups.set(change.collection, [change]);
    else known.push(change);
  }
  return groups;
}

function operationOf(change: Change): AnyBulkWriteOperation<{ _id: string }> {
  const _id = Object.values(change.key).join('/');
  invariant(change.op !== 'remove', 'these read models remove nothing');
  if (change.op === 'put') {
    const document: Document = { ...change.key, ...change.fields };
    return { insertOne: { document: { ...document, _id } } };
  }
  const $inc: Document = change.measures;
  return { updateOne: { filter: { _id }, update: { $inc, $setOnInsert: { ...change.key } }, upsert: true } };
}
