import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { type BatchContext, decodeRecord, type RecordDecoder } from './record-decoder.js';
import { encodeRecord, type RecordEncoder, type RecordParts } from './record-encoder.js';

/*
 * kafkajs spends more on the headers of a record than a relay and a projector on all else that they do with it. Its
 * functions for one record are modules that it loads when it first produces or fetches: ours take their place before, if
 * they make the same of a sample. Where the inside of kafkajs is not as it was, it stays as it is. See docs/adr/0020.
 */

const RECORD = 'kafkajs/src/protocol/recordBatch/record/v0';
const DECODER = 'kafkajs/src/protocol/decoder.js';

const SAMPLE: RecordParts = {
  ...{ offsetDelta: 300, timestampDelta: 90_000_000_000, key: 'khoá', value: Buffer.from('{}') },
  headers: { one: 'một', two: [Buffer.from('2'), 'ii'], three: '' },
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

export const encoderPlace = (): Place<RecordEncoder> => placeOf(`${RECORD}/index.js`);
export const decoderPlace = (): Place<RecordDecoder> => placeOf(`${RECORD}/decoder.js`);

/** A record that has its length before it, as kafkajs gives it to who decodes it. */
export function behindLength(record: Buffer): Parameters<RecordDecoder>[0] {
  const Decoder = createRequire(import.meta.url)(DECODER) as new (bytes: Buffer) => { readVarIntBytes(): Buffer };
  return new Decoder(new Decoder(record).readVarIntBytes()) as unknown as Parameters<RecordDecoder>[0];
}

/** Makes kafkajs encode and decode records by our own functions. */
export function hastenKafkajs(): void {
  try {
    const [encoder, decoder] = [encoderPlace(), decoderPlace()];
    const { buffer } = encoder.now(SAMPLE);
    const decoded = decoder.now(behindLength(buffer), CONTEXT);
    if (buffer.equals(encodeRecord(SAMPLE).buffer)) encoder.put(encodeRecord);
    if (isDeepStrictEqual(decoded, decodeRecord(behindLength(buffer), CONTEXT))) decoder.put(decodeRecord);
  } catch {
    // Another kafkajs: it does as it does.
  }
}
