import { encodeProduce } from './produce-encoder.js';

/** As large as what requests are put together in is at first: nothing else here has made it larger. */
const ROOM = 1_048_576;
/** What such a request has beside the bytes of its first value. */
const BESIDE = 176;

test('the partitions of a request go on where the first one has filled the room for it to its last byte', () => {
  const messages = [
    { value: Buffer.alloc(ROOM - BESIDE), timestamp: '1' },
    { headers: { last: 'x'.repeat(63) }, timestamp: '1' },
  ];
  const request = (...partitions: object[]) =>
    ({ acks: -1, timeout: 1, topicData: [{ topic: 't', partitions }] }) as Parameters<typeof encodeProduce>[0];
  const first = { partition: 0, messages };
  expect(encodeProduce(request(first)).buf).toHaveLength(ROOM);
  const both = encodeProduce(request(first, { partition: 1, messages: [{ value: 'v', timestamp: '1' }] }));
  expect(both.buf.readInt32BE(ROOM)).toBe(1);
});
