import { join } from 'node:path';
import { BSON } from 'mongodb';
import { layoutFor } from '../apps/distributed/layout.js';
import { projected, written } from '../libs/engine/project.js';
import { openSqliteEventStore } from '../libs/event-store/sqlite/store.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { lendingDomain } from '../libs/lending/catalogue.js';
import { headersFor } from '../libs/messaging/record.js';
import { foldBatch } from '../libs/read-store/mongodb/fold.js';
import { emptyServer, MemoryShelf } from '../libs/read-store/mongodb/testing/memory-shelf.js';
import { applyFolded } from '../libs/read-store/mongodb/write.js';
import { AT_START, type Checkpoint } from '../libs/read-store/port.js';
import { shapesOf } from '../libs/read-store/shape.js';
import { eventsFile, everyReadModel } from './lending.js';
import type { Line, Place, Row } from './measurement.js';
import { simulateSample } from './run-socai.js';

/** As a projector that is behind takes them. */
const EVENTS_A_BATCH = 2_000;
/** A record's length, time, offset and count of headers, and the length of each part of it, in Kafka's format 2. */
const RECORD_BYTES = 12;
const HEADER_BYTES = 2;

/**
 * What an event of the five years of the first start takes in each store of the distributed profile, in bytes that were counted:
 * JSON, records and BSON as they are handed over. What a server makes of them on its disk is its own.
 */
export async function measureSizes({ directory }: Place): Promise<readonly Line[]> {
  const data = join(directory, 'sample');
  await simulateSample(data);
  const store = await openSqliteEventStore({ path: eventsFile(data), readOnly: true });
  const layout = layoutFor('');
  const headersOf = headersFor('socai');
  const domain = lendingDomain();
  const server = emptyServer();
  const shelf = new MemoryShelf(server, () => Promise.resolve());
  const models = everyReadModel.map((followed) => ({ followed, shapes: shapesOf(followed.model), known: new Map() }));
  const ends = new Map<number, Checkpoint>();
  let [events, stored, published] = [0, 0, 0];

  const apply = async (partition: number, batch: readonly Envelope[]): Promise<void> => {
    const from = ends.get(partition) ?? AT_START;
    const to = { sequence: from.sequence + batch.length, position: batch.at(-1)?.position ?? '' };
    ends.set(partition, to);
    const upcast = batch.map((event) => domain.upcast(event));
    for (const { followed, shapes, known } of models) {
      const { name } = followed.model;
      const changes = written(followed, projected(followed, upcast).folded);
      const owner = { of: name, collectionOf: (shape: { readonly name: string }) => `${name}.${shape.name}` };
      await applyFolded(shelf, owner, foldBatch({ model: name, partition, from, to, changes }, shapes), known);
    }
  };

  const waiting = new Map<number, Envelope[]>();
  for await (const event of store.readAll()) {
    events++;
    stored += bytesOf(event.data) + bytesOf(event.meta);
    published += recordBytes(event, headersOf({ partition: 0, sequence: events, event }));
    const partition = layout.of(event.stream);
    const batch = waiting.get(partition) ?? [];
    waiting.set(partition, batch);
    if (batch.push(event) === EVENTS_A_BATCH) await apply(partition, batch.splice(0));
  }
  for (const [partition, batch] of waiting) if (batch.length > 0) await apply(partition, batch);
  await store.close();

  const rows: Row[] = [
    { what: 'an event in the event store: data and metadata as JSON', value: stored / events, unit: 'bytes' },
    { what: 'its record in Kafka: key, headers and value', value: published / events, unit: 'bytes' },
  ];
  for (const { followed } of models) {
    const { name } = followed.model;
    const documents = [...server.collections]
      .filter(([collection]) => collection.startsWith(`${name}.`))
      .flatMap(([, own]) => [...own.values()]);
    const bson = documents.reduce((sum, document) => sum + BSON.calculateObjectSize(document), 0);
    rows.push(
      { what: `documents of ${name} that 1,000 events make`, value: (documents.length / events) * 1_000, unit: '' },
      { what: `a document of ${name} as BSON`, value: bson / documents.length, unit: 'bytes' },
    );
  }
  return rows;
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

function recordBytes(event: Envelope, headers: Readonly<Record<string, string>>): number {
  const parts = Object.entries(headers).flat();
  const texts = [event.stream, JSON.stringify(event), ...parts].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return RECORD_BYTES + texts + parts.length * (HEADER_BYTES / 2);
}
