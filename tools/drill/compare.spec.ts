import { type Published, wrongInLog } from './compare.js';

const record = (sequence: number, id: string): Published => ({ sequence, event: { id } });
const expected = new Map([[3, ['a', 'b', 'c']]]);

describe('what a drill says of a log', () => {
  it('is nothing where it holds every event once and in order', () => {
    const read = new Map([[3, [record(1, 'a'), record(2, 'b'), record(3, 'c')]]]);
    expect(wrongInLog(expected, read)).toEqual([]);
  });

  it.each<[string, readonly Published[], readonly string[]]>([
    ['lost at the end', [record(1, 'a'), record(2, 'b')], ['partition 3 holds 2 of 3']],
    [
      'lost in the middle',
      [record(1, 'a'), record(3, 'c')],
      ['partition 3 has 3 at 2', 'partition 3 holds another event at 2', 'partition 3 holds 2 of 3'],
    ],
    [
      'published twice',
      [record(1, 'a'), record(2, 'b'), record(2, 'b'), record(3, 'c')],
      ['partition 3 has 2 at 3', 'partition 3 holds another event at 3', 'partition 3 holds 4 of 3'],
    ],
    [
      'published twice under two numbers',
      [record(1, 'a'), record(2, 'b'), record(3, 'c'), record(4, 'c')],
      ['partition 3 holds another event at 4', 'partition 3 holds 4 of 3'],
    ],
    ['out of order', [record(1, 'a'), record(2, 'c'), record(3, 'b')], ['partition 3 holds another event at 2']],
  ])('names what is %s', (_, found, wrong) => {
    expect(wrongInLog(expected, new Map([[3, found]]))).toEqual(wrong);
  });

  it('names what is in a partition where nothing belongs', () => {
    const read = new Map([
      [3, [record(1, 'a'), record(2, 'b'), record(3, 'c')]],
      [4, [record(1, 'a')]],
    ]);
    expect(wrongInLog(expected, read)).toEqual(['partition 4 holds another event at 1', 'partition 4 holds 1 of 0']);
  });
});
