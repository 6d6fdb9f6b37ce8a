import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { type Encoded, encodeProduce, type ProduceParts } from './produce-encoder.js';
import { type BatchContext, decodeRecord, type RecordDecoder } from './record-decoder.js';

/*
 * kafkajs spends more on the bytes of a record than a relay and a projector on all else that they do with it. Its functions
 * for a request to produce and for one record that is read are modules that it loads when it first produces or fetches:
 * ours take their place before, if they make the same of a sample. Where the inside of kafkajs is not as it was, it stays
 * as it is. See docs/adr/0020.
 */

const REQUEST = 'kafkajs/src/protocol/requests/produce/v3/request.js';
const RECORD = 'kafkajs/src/protocol/recordBatch/record/v0';
const DECODER = 'kafkajs/src/protocol/decoder.js';

/** What kafkajs sends: `encode` gives its bytes. */
export interface Request {
  readonly apiVersion: number;
  encode(): Promise<Encoded>;
}

export type RequestMaker = (parts: ProduceParts) => Request;

const SAMPLE: ProduceParts = {
  ...{ acks: -1, timeout: 30_000, transactionalId: 'một', producerId: '4000000000', producerEpoch: 3 },
  topicData: [
    {
      topic: 'chủ đề',
      partitions: [
        {
          ...{ partition: 7, firstSequence: 300 },
          messages: [
            { key: 'khoá', value: Buffer.from('{}'), headers: { one: 'một', three: '' }, timestamp: '1700000000000' },
            { value: 'v'.repeat(9_000), headers: { two: [Buffer.from('2'), 'ii'] }, timestamp: '1790000000000' },
          ],
        },
      ],
    },
  ],
};
/** The last record of the sample, as a batch holds it. */
const RECORD_PARTS = {
  offsetDelta: 300,
  timestampDelta: 90_000_000_000,
  ...SAMPLE.topicData[0]?.partitions[0]?.messages[1],
};
const CONTEXT: BatchContext = { firstOffset: '4000000000', firstTimestamp: '1700000000000', magicByte: 2 };

/** A module of kafkajs's inside that is one function, and how to put another in its place. Throws where there is none. */
export interface Place<Of> {
  readonly now: Of;
  put(other: Of): void;
}

function placeOf<Of>(path: string): Place<Of> {
  const require = createRequire(import.meta.url);
  return {
    now: require(path) as Of,
    put(other) {
      const module = require.cache[require.resolve(path)];
      if (module !== undefined) module.exports = other;
    },
  };
}

export const producePlace = (): Place<RequestMaker> => placeOf(REQUEST);
export const decoderPlace = (): Place<RecordDecoder> => placeOf(`${RECORD}/decoder.js`);
/** kafkajs's encoder of one record, which it has no use for where requests are ours. */
export const recordPlace = (): Place<(parts: object) => Encoded> => placeOf(`${RECORD}/index.js`);

/** A record that has its length before it, as kafkajs gives it to who decodes it. */
export function behindLength(record: Buffer): Parameters<RecordDecoder>[0] {
  const Decoder = createRequire(import.meta.url)(DECODER) as new (bytes: Buffer) => { readVarIntBytes(): Buffer };
  return new Decoder(new Decoder(record).readVarIntBytes()) as unknown as Parameters<RecordDecoder>[0];
}

/** Makes kafkajs encode what it produces and decode records by our own functions. */
export function hastenKafkajs(): void {
  try {
    const [produce, decoder] = [producePlace(), decoderPlace()];
    if (!OURS.has(produce.now)) produce.put(hastened(produce.now));
    const record = recordPlace().now(RECORD_PARTS).buffer;
    const decoded = decoder.now(behindLength(record), CONTEXT);
    if (isDeepStrictEqual(decoded, decodeRecord(behindLength(record), CONTEXT))) decoder.put(decodeRecord);
  } catch {
    // Another kafkajs: it does as it does.
  }
}

/** What we made, which is not made again for the next client. */
const OURS = new WeakSet<RequestMaker>();

/** The same requests, with the bytes of ours once they were seen to be the same. */
function hastened(theirs: RequestMaker): RequestMaker {
  let same: Promise<boolean> | undefined;
  const ours: RequestMaker = (parts) => {
    const request = theirs(parts);
    const encode = async () => {
      same ??= isSame(theirs);
      return !parts.compression && (await same) ? encodeProduce(parts) : request.encode();
    };
    return { ...request, encode };
  };
  OURS.add(ours);
  return ours;
}

async function isSame(theirs: RequestMaker): Promise<boolean> {
  const { buffer } = await theirs(SAMPLE).encode();
  return buffer.equals(encodeProduce(SAMPLE).buffer);
}
