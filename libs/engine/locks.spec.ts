import { DayGate, Held, StreamLocks } from './locks.js';

/** What a command about L holds, and another one that asks for nothing that it would have to wait for. */
function two() {
  const [locks, gate] = [new StreamLocks(), new DayGate()];
  return { held: new Held(locks, gate), other: new Held(locks, gate) };
}

const reading = () => 'read' as const;

describe('what a command holds when it has to wait for another stream', () => {
  it('is kept as far as it comes before that one in the order of names: nobody overtakes it there', () => {
    const { held, other } = two();
    held.takeAtOnce('L', 'write');
    held.takeAtOnce('A', 'read');
    other.takeAtOnce('B', 'write');
    expect(held.takeAtOnce('B', 'read')).toBe(false);
    held.keepOrder('L', ['A', 'B'], reading);
    expect(other.takeAtOnce('L', 'read')).toBe(false);
    expect(other.takeAtOnce('A', 'write')).toBe(false);
  });

  it('is let go of behind it, with the day, so that no two wait for one another', () => {
    const { held, other } = two();
    for (const [stream, mode] of [
      ['L', 'write'],
      ['B', 'read'],
    ] as const)
      held.takeAtOnce(stream, mode);
    held.enterAtOnce();
    held.keepOrder('L', ['A', 'B'], reading);
    expect(other.takeAtOnce('L', 'read')).toBe(false);
    expect(other.takeAtOnce('B', 'write')).toBe(true);
    let alone = false;
    void other.enterAlone().then(() => {
      alone = true;
    });
    return new Promise(setImmediate).then(() => expect(alone).toBe(true));
  });

  it('is let go of where it was taken to be read and is to be written now', async () => {
    const { held, other } = two();
    held.takeAtOnce('L', 'write');
    held.takeAtOnce('A', 'read');
    held.keepOrder('L', ['A'], () => 'write');
    await held.take('A', 'write');
    expect(other.takeAtOnce('A', 'read')).toBe(false);
  });

  it('is all kept where nothing is missing', () => {
    const { held, other } = two();
    for (const [stream, mode] of [
      ['L', 'write'],
      ['A', 'write'],
      ['B', 'read'],
    ] as const)
      held.takeAtOnce(stream, mode);
    held.keepOrder('L', ['A', 'B'], reading);
    for (const stream of ['L', 'A', 'B']) expect(other.takeAtOnce(stream, 'write')).toBe(false);
  });
});
