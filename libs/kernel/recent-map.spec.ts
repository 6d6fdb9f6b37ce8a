import { RecentMap } from './recent-map.js';

const filled = (max: number, keys: readonly string[]) => {
  const map = new RecentMap<string>(max);
  for (const key of keys) map.set(key, key.toUpperCase());
  return map;
};

describe('a map of what was used last', () => {
  it('keeps what was set, up to half of its bound for certain', () => {
    const map = filled(4, ['a', 'b', 'c']);
    expect(['b', 'c'].map((key) => map.get(key))).toEqual(['B', 'C']);
  });

  it('drops what was not used for longest', () => {
    const map = filled(4, ['a', 'b', 'c', 'd', 'e']);
    expect([map.get('a'), map.get('e')]).toEqual([undefined, 'E']);
  });

  it('keeps what is used, however much comes after', () => {
    const map = filled(4, ['a']);
    for (const key of 'bcdefghij') {
      map.set(key, key);
      expect(map.get('a')).toBe('A');
    }
  });

  it('gives the last value that was set, wherever the key stood', () => {
    const map = filled(4, ['a', 'b', 'c']);
    map.set('a', 'again');
    expect(map.get('a')).toBe('again');
  });

  it('forgets', () => {
    const map = filled(4, ['a', 'b', 'c']);
    map.get('a');
    map.delete('a');
    expect([map.get('a'), map.get('c')]).toEqual([undefined, 'C']);
    map.clear();
    expect(map.get('c')).toBeUndefined();
  });
});
