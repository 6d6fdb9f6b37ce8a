/** The order that every adapter keeps: null, then numbers, then text byte by byte in UTF-8. */

export type Scalar = string | number | null;

/** The order of every adapter: null, then numbers, then text by its UTF-8 bytes. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return rank(a) - rank(b);
}

/**
 * Byte order of UTF-8, which is the order of code points. JavaScript compares UTF-16 units, which puts U+E000 to U+FFFF
 * after everything beyond: the two differ only where the first differing units are one of each.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

const rank = (value: Scalar): number => (value === null ? 0 : typeof value === 'number' ? 1 : 2);
