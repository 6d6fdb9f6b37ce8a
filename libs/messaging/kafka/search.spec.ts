import fc from 'fast-check';
import { type Seen, searchFor } from './search.js';

/** A partition: the gap before each record is what markers and transactions that were given up take. */
function partition(gaps: readonly number[]): Seen[] {
  let offset = -1;
  return gaps.map((gap, i) => {
    offset += gap + 1;
    return { sequence: i + 1, offset };
  });
}

/** Reads as a broker does, `width` records at most, and answers what was found and how many reads it took. */
function run(log: readonly Seen[], wanted: number, from: number, width: number, end = log.at(-1)) {
  const search = searchFor(wanted, end);
  for (let reads = 1, offset = from; ; reads++) {
    const start = log.findIndex((seen) => seen.offset >= offset);
    if (start < 0) return { at: undefined, reads };
    const step = search.saw(log.slice(start, start + width));
    if ('at' in step) return { at: step.at, reads };
    offset = step.seek;
    if (reads > 100) throw new Error('no end');
  }
}

const GAPS = fc.array(fc.oneof({ weight: 9, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(500) }), {
  minLength: 1,
  maxLength: 400,
});

describe('the search for a sequence', () => {
  it('finds it wherever it stands, in few reads', () => {
    fc.assert(
      fc.property(GAPS, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 20 }), (gaps, place, from, width) => {
        const log = partition(gaps);
        const wanted = (place % log.length) + 1;
        const begin = from % ((log.at(-1)?.offset ?? 0) + 1);
        const found = run(log, wanted, begin, width);
        expect(found.at).toBe(log[wanted - 1]?.offset);
        expect(found.reads).toBeLessThanOrEqual(5 + Math.ceil(Math.log2((log.at(-1)?.offset ?? 0) + 2)));
      }),
    );
  });

  it('goes to the end at once where everything was read', () => {
    const log = partition([0, 1, 1, 1, 0, 1]);
    expect(run(log, 7, 0, 2)).toEqual({ at: undefined, reads: 2 });
    const more = partition([0, 1, 1, 1, 0, 1, 3, 0]);
    expect(run(more, 7, 0, 2, log.at(-1))).toEqual({ at: more[6]?.offset, reads: 2 });
  });

  it('finds what came after the end that it knew, or without any', () => {
    const log = partition(Array.from({ length: 300 }, (_, i) => i % 3));
    for (const end of [log[100], undefined]) {
      expect(run(log, 250, 0, 10, end).at).toBe(log[249]?.offset);
    }
  });

  it('gives what stands in the place of a record that is missing', () => {
    fc.assert(
      fc.property(GAPS, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 20 }), (gaps, place, from, width) => {
        const whole = partition([...gaps, 0]);
        const missing = (place % (whole.length - 1)) + 1;
        const log = whole.filter(({ sequence }) => sequence !== missing);
        const begin = from % ((log.at(-1)?.offset ?? 0) + 1);
        expect(run(log, missing, begin, width).at).toBe(log[missing - 1]?.offset);
      }),
    );
  });

  it('takes about two reads of millions of records of even batches', () => {
    const offsetOf = (sequence: number) => sequence + Math.floor(sequence / 50) * 2;
    const search = searchFor(3_456_789, { sequence: 5_000_000, offset: offsetOf(5_000_000) });
    let [reads, offset] = [0, 0];
    for (;;) {
      reads++;
      let sequence = Math.max(1, Math.floor(offset / 1.04) - 4);
      while (offsetOf(sequence) < offset) sequence++;
      const step = search.saw(
        Array.from({ length: 800 }, (_, i) => ({ sequence: sequence + i, offset: offsetOf(sequence + i) })),
      );
      if ('at' in step) break;
      offset = step.seek;
    }
    expect(reads).toBeLessThanOrEqual(3);
  });
});
