import { setImmediate as yieldTurn } from 'node:timers/promises';
import type { LocalDate } from '../kernel/dates.js';
import type { CloseProcess, Process, ProcessEntry } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { memoryReadStore } from '../read-store/memory/overlay.js';
import type { ReadStore } from '../read-store/port.js';
import { ProcessFollower, type ProcessState, type ProcessTools, runCloses } from './processes.js';
import { losingReadStore } from './testing/chain.js';

const DAY = '2021-07-15' as LocalDate;
const FOLLOW_UPS = 20;
const ANNOUNCED = { id: 'announced', data: { date: DAY } } as unknown as Envelope;

/** Whatever it is given is sent on. */
const PASSING = {
  underWay: 'under way',
  finishReads: [],
  day: () => DAY,
  react: (_, { key }) => ({ command: 'one', key, data: {}, valueDate: DAY }),
  finish: () => ({ command: 'last', key: 'last', data: {}, valueDate: DAY }),
} satisfies Partial<CloseProcess> as unknown as CloseProcess;

/** The state of a process with so many entries that are due. */
const stateOf = (count: number) =>
  ({
    get: async () => ANNOUNCED,
    folded: async () => new Map(),
    entries: async (_: unknown, work: (entries: AsyncIterable<ProcessEntry>) => Promise<void>) =>
      work(
        (async function* () {
          for (let n = 0; n < count; n++) yield { key: `${n}`, due: DAY, value: {} };
        })(),
      ),
  }) as unknown as ProcessState;

test('a close whose streams have to be read gives others their turn in between', async () => {
  let open = true;
  let sent = 0;
  const turns: number[] = [];
  const watch = async () => {
    for (; open; turns.push(sent)) await yieldTurn();
  };
  const watching = watch();
  await runCloses(PASSING, stateOf(FOLLOW_UPS), {
    ...{ shared: false, isUnderWay: async () => open, drained: async () => {}, settle: async () => {} },
    landed: async () => [],
    send: async (_, { command }) => {
      if (command === 'last') open = false;
      else {
        // As some streams take that lie in pages of the disk: nobody has a turn meanwhile.
        for (const began = performance.now(); performance.now() - began < 25; );
        sent++;
      }
      return [];
    },
  });
  await watching;
  expect(sent).toBe(FOLLOW_UPS);
  const between = new Set(turns.filter((count) => count > 0 && count < FOLLOW_UPS));
  expect(between.size).toBeGreaterThan(2);
});

/** Counts events. */
const COUNTING = {
  name: 'counting',
  version: 1,
  keys: () => ['events'],
  evolve: (entries) => [{ key: 'events', due: null, value: Number(entries.get('events') ?? 0) + 1 }],
} satisfies Process;

/** A follower over so many events as there are at the moment. */
function followerOver(events: readonly Envelope[], readStore: ReadStore): ProcessFollower {
  const store = {
    async *readAll({ after = '', limit = 0 }: { after?: string; limit?: number }) {
      yield* events.filter(({ position }) => position > after).slice(0, Math.min(limit, 3));
    },
  };
  const domain = { upcast: (event: Envelope) => event };
  const tools = { store, readStore, domain, now: () => 1, shared: true } as unknown as ProcessTools;
  return new ProcessFollower(COUNTING, tools, null, async () => false);
}

const eventsTo = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ position: `${n + 1}`.padStart(4, '0') }) as unknown as Envelope);

describe('the state of a process that others fold as well', () => {
  const toEnd = async (follower: ProcessFollower) => {
    while (await follower.turn());
  };

  it('is whole where a follower comes to the end, though it was lost and another has begun it anew', async () => {
    const { readStore, lose } = losingReadStore();
    const events = eventsTo(10);
    const [one, other] = [followerOver(events, readStore), followerOver(events, readStore)];
    for (const follower of [one, other]) await follower.open();
    for (const follower of [one, other]) await toEnd(follower);
    lose();
    await expect(one.turn()).rejects.toThrow();
    expect(await one.turn()).toBe(true);
    // The other one has taken everything before, and is asked to come to the end.
    await toEnd(other);
    expect(await other.state.get('events')).toBe(10);
    expect(other.status()).toMatchObject({ sequence: 10, caughtUp: true });
  });

  it('is folded from what others have folded', async () => {
    const readStore = memoryReadStore();
    const events = eventsTo(4);
    const [one, other] = [followerOver(events, readStore), followerOver(events, readStore)];
    for (const follower of [one, other]) await follower.open();
    await toEnd(one);
    events.push(...eventsTo(9).slice(4));
    await toEnd(other);
    await toEnd(one);
    expect(await one.state.get('events')).toBe(9);
    expect(one.status()).toMatchObject({ sequence: 9, caughtUp: true });
  });
});
