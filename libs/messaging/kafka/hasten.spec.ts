import fc from 'fast-check';
import { crc32c } from './crc32c.js';
import { behindLength, decoderPlace, hastenKafkajs, producePlace, type RequestMaker, recordPlace } from './hasten.js';
import { encodeProduce, type ProduceParts } from './produce-encoder.js';
import { type BatchContext, decodeRecord } from './record-decoder.js';

const [produce, decoder] = [producePlace(), decoderPlace()];
const [requestOfKafkajs, decodeByKafkajs] = [produce.now, decoder.now];
const recordOfKafkajs = recordPlace().now;
afterEach(() => {
  produce.put(requestOfKafkajs);
  decoder.put(decodeByKafkajs);
});

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);
/** kafkajs mixes a header with what every object has by that name. */
const name = fc.string({ unit: 'binary' }).filter((one) => !(one in {}));
const content = {
  key: fc.option(text),
  value: fc.option(text),
  headers: fc.dictionary(name, fc.oneof(text, fc.array(text)), { noNullPrototype: true }),
};
const record = fc.record(
  { ...content, offsetDelta: fc.nat(), timestampDelta: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }) },
  { requiredKeys: [] },
);
/** kafkajs orders times as texts: they have one length. */
const timestamp = fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 }).map(String);
const message = fc.record({ ...content, timestamp }, { requiredKeys: ['timestamp'] });
const request: fc.Arbitrary<ProduceParts> = fc.record(
  {
    acks: fc.constantFrom(-1, 0, 1),
    timeout: fc.nat(),
    transactionalId: fc.option(fc.string({ minLength: 1, unit: 'binary' })),
    producerId: fc.nat({ max: 2 ** 50 }).map(String),
    producerEpoch: fc.nat({ max: 32_767 }),
    topicData: fc.array(
      fc.record({
        topic: fc.string({ unit: 'binary' }),
        partitions: fc.array(
          fc.record({
            partition: fc.nat(),
            firstSequence: fc.nat(),
            messages: fc.array(message, { minLength: 1, maxLength: 20 }),
          }),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ['acks', 'timeout', 'topicData'] },
);
const context: fc.Arbitrary<BatchContext> = fc.record(
  {
    firstOffset: fc.nat({ max: 2 ** 50 }).map(String),
    firstTimestamp: fc.nat({ max: 2 ** 45 }).map(String),
    maxTimestamp: fc.nat({ max: 2 ** 45 }).map(String),
    magicByte: fc.constant(2),
    isControlBatch: fc.boolean(),
    timestampType: fc.constantFrom(0, 1),
  },
  { requiredKeys: ['firstOffset', 'firstTimestamp'] },
);

describe('what goes to Kafka', () => {
  it('has the bytes that kafkajs gives it, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (parts) => {
        const { buffer } = await requestOfKafkajs(parts).encode();
        expect(encodeProduce(parts).buffer.toString('hex')).toBe(buffer.toString('hex'));
      }),
      { numRuns: 200 },
    );
  });

  it.each([1, 50, 60, 70, 8_100, 8_200, 40_000, 1_100_000])('may hold a record of some %i bytes', async (bytes) => {
    const messages = [1, 2].map((time) => ({ key: 'k', value: 'x'.repeat(bytes), timestamp: String(time) }));
    const topicData = [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages }] }];
    const parts: ProduceParts = { acks: -1, timeout: 1, topicData };
    expect(encodeProduce(parts).buffer.equals((await requestOfKafkajs(parts).encode()).buffer)).toBe(true);
  });

  it('has the checksum of its published examples, from any place on', () => {
    // RFC 3720, B.4.
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    const rising = Buffer.from(Array.from({ length: 32 }, (_, byte) => byte));
    expect(crc32c(rising)).toBe(0x46dd794e);
    expect(crc32c(Buffer.concat([Buffer.from('abc'), rising, Buffer.from('d')]), 3, 35)).toBe(0x46dd794e);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('is made by us where kafkajs makes the same, and by kafkajs where it does not', async () => {
    const topicData = [{ topic: 't', partitions: [{ partition: 0, messages: [{ value: 'v', timestamp: '1' }] }] }];
    const parts: ProduceParts = { acks: -1, timeout: 1, topicData };
    const other = encodeProduce({ ...parts, timeout: 2 });
    const otherKafkajs: RequestMaker = (of) => ({ ...requestOfKafkajs(of), encode: async () => other });
    produce.put(otherKafkajs);
    hastenKafkajs();
    expect(await producePlace().now(parts).encode()).toBe(other);
    let made = 0;
    produce.put((of) => {
      const encode = () => {
        made++;
        return requestOfKafkajs(of).encode();
      };
      return { ...requestOfKafkajs(of), encode };
    });
    hastenKafkajs();
    hastenKafkajs();
    expect((await producePlace().now(parts).encode()).buffer).toEqual(encodeProduce(parts).buffer);
    await producePlace().now(parts).encode();
    // Of the sample.
    expect(made).toBe(1);
  });
});

describe('a record of Kafka', () => {
  it('is read as kafkajs reads it, whatever it holds', () => {
    fc.assert(
      fc.property(record, context, (parts, batch) => {
        const { buffer } = recordOfKafkajs(parts);
        expect(decodeRecord(behindLength(buffer), batch)).toEqual(decodeByKafkajs(behindLength(buffer), batch));
      }),
      { numRuns: 200 },
    );
  });

  it('is read by us where kafkajs does as we know it, and by kafkajs where it does not', () => {
    hastenKafkajs();
    expect(decoderPlace().now).toBe(decodeRecord);
    const other = decodeByKafkajs(behindLength(recordOfKafkajs({}).buffer), { firstOffset: '7', firstTimestamp: '0' });
    const otherDecoder = () => other;
    decoder.put(otherDecoder);
    hastenKafkajs();
    expect(decoderPlace().now).toBe(otherDecoder);
  });
});
