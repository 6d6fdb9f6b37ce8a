import fc from 'fast-check';
import { behindLength, decoderPlace, encoderPlace, hastenKafkajs } from './hasten.js';
import { type BatchContext, decodeRecord } from './record-decoder.js';
import { encodeRecord, type RecordParts } from './record-encoder.js';

const [encoder, decoder] = [encoderPlace(), decoderPlace()];
const [encodeByKafkajs, decodeByKafkajs] = [encoder.now, decoder.now];
afterEach(() => {
  encoder.put(encodeByKafkajs);
  decoder.put(decodeByKafkajs);
});

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);
/** kafkajs mixes a header with what every object has by that name. */
const name = fc.string({ unit: 'binary' }).filter((one) => !(one in {}));
const record: fc.Arbitrary<RecordParts> = fc.record(
  {
    offsetDelta: fc.nat(),
    timestampDelta: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
    key: fc.option(text),
    value: fc.option(text),
    headers: fc.dictionary(name, fc.oneof(text, fc.array(text)), { noNullPrototype: true }),
  },
  { requiredKeys: [] },
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

describe('a record of Kafka', () => {
  it('has the bytes that kafkajs gives it, whatever it holds', () => {
    fc.assert(
      fc.property(record, (parts) => {
        expect(encodeRecord(parts).buffer.toString('hex')).toBe(encodeByKafkajs(parts).buffer.toString('hex'));
      }),
      { numRuns: 200 },
    );
  });

  it('is read as kafkajs reads it, whatever it holds', () => {
    fc.assert(
      fc.property(record, context, (parts, batch) => {
        const { buffer } = encodeByKafkajs(parts);
        expect(decodeRecord(behindLength(buffer), batch)).toEqual(decodeByKafkajs(behindLength(buffer), batch));
      }),
      { numRuns: 200 },
    );
  });

  it('may be longer than all before it', () => {
    const parts = { key: 'k', value: 'ợ'.repeat(40_000) };
    expect(encodeRecord(parts).buffer.equals(encodeByKafkajs(parts).buffer)).toBe(true);
  });

  it('is made and read by us where kafkajs does as we know it, and by kafkajs where it does not', () => {
    hastenKafkajs();
    expect([encoderPlace().now, decoderPlace().now]).toEqual([encodeRecord, decodeRecord]);
    const [otherBytes, other] = [
      encodeByKafkajs({ key: 'other' }),
      decodeByKafkajs(behindLength(encodeByKafkajs({}).buffer), { firstOffset: '7', firstTimestamp: '0' }),
    ];
    const [otherEncoder, otherDecoder] = [() => otherBytes, () => other];
    encoder.put(otherEncoder);
    decoder.put(otherDecoder);
    hastenKafkajs();
    expect([encoderPlace().now, decoderPlace().now]).toEqual([otherEncoder, otherDecoder]);
  });
});
