import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { openEventStoreDb } from '../libs/event-store/eventstoredb/store.js';
import { openSqliteEventStore } from '../libs/event-store/sqlite/store.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import { invariant } from '../libs/kernel/result.js';
import { startStandIn } from '../tools/drill/cluster.js';
import { eventsFile } from './lending.js';
import { type Line, type Place, ROUNDS } from './measurement.js';

/** Who writes alone, and many: each waits for its answer before it writes again, to a stream of its own. */
const WRITERS = [1, 64];
const ROUND_MS = 2_000;
/** A category of its own, so that a server that holds a ledger shows it nothing of this. */
const CATEGORY = 'bench';

/** Appends of one event, by the adapter and by the client that is below it. */
export async function measureAppend({ base }: Place): Promise<readonly Line[]> {
  const closers: (() => Promise<unknown>)[] = [];
  const named = process.env.EVENTSTOREDB_URL;
  const connectionString = named || (await startStandIn(closers)).url;
  const server = named ? 'the event store of EVENTSTOREDB_URL' : 'the stand-in for EventStoreDB';
  // One connection each, for good: in this client the end of one rejects what another has under way.
  const client = EventStoreDBClient.connectionString(connectionString);
  const store = await openEventStoreDb({ connectionString, categories: [CATEGORY] });
  try {
    const event = await lastEvent(base);
    const raw: Append = (stream, revision) =>
      client.appendToStream(stream, jsonEvent({ ...rawOf(event), id: randomUUID() }), {
        expectedRevision: revision < 0 ? NO_STREAM : BigInt(revision),
      });
    const ours: Append = async (stream, revision) => {
      const events = [{ ...event, id: randomUUID(), stream, revision: revision + 1 }];
      // As the engine does: what nobody knows is sent again.
      let { outcome } = await store.append(stream, revision, events);
      while (outcome === 'unknown') ({ outcome } = await store.append(stream, revision, events));
      invariant(outcome === 'committed', `an append of the benchmark is committed, not ${outcome}`);
    };
    const lines: Line[] = [];
    for (const writers of WRITERS) {
      let [beside, value] = [0, 0];
      // By turns: what else the machine does from one minute to the next then meets both.
      for (let round = 0; round < ROUNDS; round++) {
        beside = Math.max(beside, await rateBy(raw, writers));
        value = Math.max(value, await rateBy(ours, writers));
      }
      lines.push({
        what: `events appended to ${server}, one each, ${writers} at once`,
        ...{ value, unit: '/s', beside: { what: '@eventstore/db-client alone', value: beside } },
        goal: { value: beside / 2, bound: 'at least' },
      });
    }
    return lines;
  } finally {
    await store.close();
    for (const close of closers.reverse()) await close();
  }
}

/** Writes one event behind `revision`, -1 for a stream that is to begin. */
type Append = (stream: string, revision: number) => Promise<unknown>;

async function rateBy(append: Append, writers: number): Promise<number> {
  let appended = 0;
  const began = performance.now();
  const write = async () => {
    const stream = `${CATEGORY}-${randomUUID()}`;
    for (let revision = -1; performance.now() - began < ROUND_MS; revision++, appended++) {
      await append(stream, revision);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return (appended * 1_000) / (performance.now() - began);
}

const rawOf = ({ type, data, version, meta }: Envelope) => ({
  ...{ type, data: data as Record<string, unknown>, metadata: { ...meta, version: String(version) } },
});

/** One of the usual size. */
async function lastEvent(base: string): Promise<Envelope> {
  const store = await openSqliteEventStore({ path: eventsFile(base), readOnly: true });
  try {
    for await (const event of store.readAll({ direction: 'backwards' })) {
      if (event.type === 'LoanDisbursed') return event;
    }
    throw new Error('the ledger that is measured on has disbursed loans');
  } finally {
    await store.close();
  }
}
