import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { Relay } from '../libs/engine/relay.js';
import type { EventStore } from '../libs/event-store/port.js';
import { events } from '../libs/lending/catalogue.js';
import { BUSINESS_DAY_STREAM } from '../libs/lending/vocabulary.js';
import { type Layout, layoutOf } from '../libs/messaging/layout.js';
import { headersFor, topicOf } from '../libs/messaging/record.js';
import { ASYNCAPI } from '../tools/reference.js';
import { type PublishedRecord, readContract } from './contract-reader.js';
import { fixedHistory } from './fixed-history.js';
import { TestLog, until } from './log.js';

/* What is published is what the AsyncAPI document says, read by somebody who has nothing else. */

const LEDGER = 'branch-01';
const contract = readContract(ASYNCAPI, LEDGER);
/** Stored format: whoever reads these topics finds them for ever. */
const TOPICS = ['businessDay', 'programme', 'policy', 'group', 'borrower', 'fund', 'districtFund', 'loan'];
const layout = layoutOf(TOPICS.map((category) => ({ category, partitions: 2 })));

describe('the AsyncAPI document', () => {
  it('is one, by the schema of AsyncAPI 3', () => {
    const ajv = new Ajv({ allErrors: true, strict: false });
    addFormats.default(ajv);
    const check = ajv.compile(specs.schemasWithoutId['3.0.0'] as object);
    check(contract.document);
    expect(check.errors).toBeNull();
    expect(check({ ...contract.document, channels: { loan: { adress: 'x' } } })).toBe(false);
  });

  it('has the topics that it always had', () => {
    const { channels } = contract.document as { readonly channels: Record<string, { readonly address: string }> };
    const addresses = Object.values(channels).map(({ address }) => address);
    expect(addresses).toEqual(TOPICS.map((category) => `{ledger}.${category}`));
  });
});

describe('what the relay publishes', () => {
  let records: readonly PublishedRecord[] = [];
  beforeAll(async () => {
    const { store } = await fixedHistory();
    records = await relayed(store, layout);
  });

  it('is of every type of event, and each record is a message of its topic', () => {
    const seen = new Set<string>();
    for (const record of records) {
      const read = contract.read(record);
      expect(read).toEqual({ message: expect.any(String) });
      if ('message' in read) seen.add(read.message);
    }
    expect([...seen].sort()).toEqual(
      Object.entries(events)
        .map(([type, { version }]) => `${type}.v${version}`)
        .sort(),
    );
  });

  it('carries the trace of whoever sent the command', () => {
    const record = records.find(({ headers }) => headers.traceparent === undefined);
    const event = JSON.parse(record?.value ?? 'null');
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const traced = { ...event, meta: { ...event.meta, correlationId: trace } };
    const headers = headersFor(LEDGER)({ partition: 0, sequence: 1, event: traced });
    expect(headers.traceparent).toBe(`00-${trace}-${event.id.replaceAll('-', '').slice(0, 16)}-01`);
    const sent = { topic: record?.topic ?? '', key: event.stream, headers, value: JSON.stringify(traced) };
    expect(contract.read(sent)).toEqual({ message: `${event.type}.v1` });
  });

  const changed = (record: PublishedRecord, change: (event: { data: Record<string, unknown> }) => unknown) => {
    const event = JSON.parse(record.value);
    change(event);
    return { ...record, value: JSON.stringify(event) };
  };
  const without = (record: PublishedRecord, name: string) => {
    const { [name]: _, ...headers } = record.headers;
    return { ...record, headers };
  };
  const header = (record: PublishedRecord, name: string, value: string) => ({
    ...record,
    headers: { ...record.headers, [name]: value },
  });
  it.each<readonly [string, (record: PublishedRecord) => PublishedRecord]>([
    ['an amount as text', (of) => changed(of, ({ data }) => Object.assign(data, { amount: '5' }))],
    ['a field that is missing', (of) => changed(of, ({ data }) => delete data.voucher)],
    ['a field more', (of) => changed(of, ({ data }) => Object.assign(data, { note: 'x' }))],
    ['another topic', (of) => ({ ...of, topic: topicOf(LEDGER, 'fund') })],
    ['a topic of another ledger', (of) => ({ ...of, topic: topicOf('branch-02', 'loan') })],
    ['another key', (of) => ({ ...of, key: 'L' })],
    ['no sequence', (of) => without(of, 'ce_sequence')],
    ['a sequence of 0', (of) => header(of, 'ce_sequence', '0')],
    ['the type of another event', (of) => header(of, 'ce_type', 'LoanSettled')],
    ['the schema of a version that is none', (of) => header(of, 'ce_dataschema', 'urn:socai:event:LoanDisbursed:9')],
    ['a header more', (of) => header(of, 'ce_note', 'x')],
  ])('would not be one with %s', (_, broken) => {
    const record = records.find(({ headers }) => headers.ce_type === 'LoanDisbursed');
    if (record === undefined) throw new Error('there is a disbursement');
    expect(contract.read(record)).toEqual({ message: 'LoanDisbursed.v1' });
    expect(contract.read(broken(record))).toEqual({ problems: expect.arrayContaining([expect.any(String)]) });
  });
});

async function relayed(store: EventStore, layout: Layout): Promise<PublishedRecord[]> {
  const log = new TestLog();
  const stop = new AbortController();
  const onFault = (fault: unknown) => {
    throw fault;
  };
  const relay = new Relay({
    ...{ store, log: log.publisher(), partitions: layout, toAll: BUSINESS_DAY_STREAM, now: Date.now, onFault },
  });
  const running = relay.run(stop.signal);
  const head = (await store.head())?.position;
  await until(() => log.checkpoint.position === head);
  stop.abort();
  await running;
  const headersOf = headersFor(LEDGER);
  return Array.from({ length: layout.count }, (_, partition) => log.messages(partition))
    .flat()
    .map((message) => ({
      topic: topicOf(LEDGER, layout.placeOf(message.partition).category),
      key: message.event.stream,
      headers: headersOf(message),
      value: JSON.stringify(message.event),
    }));
}
