import fc from 'fast-check';
import { WeighedMap } from './weighed-map.js';

const weighed = (max: number) => new WeighedMap<string>(max, ({ length }) => length);

describe('a weighed map', () => {
  it('holds what was set while it fits, and what was set last whatever it weighs', () => {
    const operation = fc.tuple(fc.nat(20), fc.oneof(fc.string({ maxLength: 12 }), fc.constant(null)));
    const check = (operations: readonly (readonly [number, string | null])[]) => {
      const [map, model] = [weighed(40), new Map<string, string>()];
      for (const [number, value] of operations) {
        const key = `${number}`;
        if (value === null) {
          map.delete(key);
          model.delete(key);
          expect(map.get(key)).toBeUndefined();
          continue;
        }
        map.set(key, value);
        model.set(key, value);
        expect(map.get(key)).toBe(value);
        const kept = [...model].filter(([known]) => map.get(known) !== undefined);
        for (const [known, last] of kept) expect(map.get(known)).toBe(last);
        expect(kept.length).toBe(map.size);
        const weight = kept.reduce((sum, [, { length }]) => sum + length, 0);
        expect(weight <= 40 || kept.length === 1).toBe(true);
        // What went is gone for good.
        for (const known of [...model.keys()]) if (map.get(known) === undefined) model.delete(known);
      }
    };
    fc.assert(fc.property(fc.array(operation, { maxLength: 120 }), check), { numRuns: 200 });
  });

  it('finds most of what fits when all is used in turn and not all fits', () => {
    const [keys, fits, rounds] = [1_000, 800, 10];
    const map = new WeighedMap<number>(fits, () => 1);
    let found = 0;
    for (let round = 0; round < rounds; round++) {
      for (let key = 0; key < keys; key++) {
        if (map.get(`${key}`) !== undefined) found++;
        else map.set(`${key}`, key);
      }
    }
    expect(map.size).toBe(fits);
    expect(found / (keys * (rounds - 1))).toBeGreaterThan(0.5);
  });

  it('keeps what is used between any two others', () => {
    const map = new WeighedMap<number>(100, () => 1);
    map.set('hot', 0);
    for (let key = 0; key < 5_000; key++) {
      expect(map.get('hot')).toBe(0);
      map.set(`${key}`, key);
    }
  });
});
