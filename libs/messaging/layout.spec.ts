import { Partitioners } from 'kafkajs';
import { layoutOf } from './layout.js';

const layout = layoutOf([
  { category: 'businessDay', partitions: 1 },
  { category: 'fund', partitions: 2 },
  { category: 'loan', partitions: 16 },
]);

describe('the layout of partitions', () => {
  it('numbers the partitions of all categories densely, in the order given', () => {
    expect(layout.count).toBe(19);
    expect(layout.categories.map(({ category, first }) => [category, first])).toEqual([
      ['businessDay', 0],
      ['fund', 1],
      ['loan', 3],
    ]);
    const places = Array.from({ length: 19 }, (_, partition) => layout.placeOf(partition));
    expect(places.slice(0, 5)).toEqual([
      { category: 'businessDay', index: 0 },
      { category: 'fund', index: 0 },
      { category: 'fund', index: 1 },
      { category: 'loan', index: 0 },
      { category: 'loan', index: 1 },
    ]);
    expect(places.at(-1)).toEqual({ category: 'loan', index: 15 });
  });

  // Stored format: a stream that moved to another partition would be read in two orders.
  it.each([
    ['businessDay', 0],
    ['fund-1', 2],
    ['loan-L1', 17],
    ['loan-L2', 8],
    ['loan-Đắk Lắk', 13],
    ['loan-0000042', 3],
  ])('puts %s in partition %i for ever', (stream, partition) => {
    expect(layout.of(stream)).toBe(partition);
  });

  it('chooses as Kafka clients do for the same key', () => {
    const theirs = Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: 16 }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 1,
      replicas: [1],
      isr: [1],
    }));
    for (let i = 0; i < 500; i++) {
      const key = `loan-${'x'.repeat(i % 9)}${i % 7 === 0 ? 'ệ' : ''}${i}`;
      expect(layout.of(key) - 3).toBe(theirs({ topic: 't', partitionMetadata, message: { key, value: null } }));
    }
  });

  it('refuses a stream of no category, a partition of no category, and a category that stands twice', () => {
    expect(() => layout.of('proposal-1')).toThrow('no category for the stream proposal-1');
    expect(() => layout.placeOf(19)).toThrow('no partition 19');
    expect(() => layoutOf([{ category: 'loan', partitions: 0 }])).toThrow('loan has at least one partition');
    const twice = { category: 'loan', partitions: 1 };
    expect(() => layoutOf([twice, twice])).toThrow('loan stands once in a layout');
  });
});
