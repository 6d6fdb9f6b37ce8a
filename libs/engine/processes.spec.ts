import { setImmediate as yieldTurn } from 'node:timers/promises';
import type { LocalDate } from '../kernel/dates.js';
import type { CloseProcess, ProcessEntry } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { type ProcessState, runCloses } from './processes.js';

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
