import { Gate } from './gate.js';
import { Together } from './together.js';

/** A promise, and what settles it. */
function held() {
  let [release, fail] = [() => {}, (_: Error) => {}];
  const until = new Promise<void>((resolve, reject) => {
    [release, fail] = [resolve, reject];
  });
  return { until, release, fail };
}

test('what is asked for in one turn is one call, and what while it is under way the next one', async () => {
  const calls: (readonly number[])[] = [];
  const [begun, first] = [held(), held()];
  const doubled = new Together(10, async (numbers: readonly number[]) => {
    calls.push(numbers);
    begun.release();
    if (calls.length === 1) await first.until;
    return numbers.map((number) => number * 2);
  });
  const early = [doubled.ask(1), doubled.ask(2)];
  await begun.until;
  const late = [doubled.ask(3), doubled.ask(4)];
  first.release();
  expect(await Promise.all([...early, ...late])).toEqual([2, 4, 6, 8]);
  expect(calls).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('no call has more than is told; one that fails fails for all of it, and not for the next', async () => {
  const some = new Together(2, async (names: readonly string[]) => {
    if (names.includes('a')) throw new Error(names.join());
    return names;
  });
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((name) => some.ask(name)));
  expect(outcomes.map((it) => (it.status === 'fulfilled' ? it.value : it.reason.message))).toEqual(['a,b', 'a,b', 'c']);
  expect(await some.ask('d')).toBe('d');
});

test('a gate lets so many in, the others in order, and one more for each that leaves, also by an error', async () => {
  const gate = new Gate(1);
  const begun: number[] = [];
  const inside = [held(), held(), held()];
  const all = inside.map(({ until }, index) =>
    gate.through(() => {
      begun.push(index);
      return until;
    }),
  );
  expect(begun).toEqual([0]);
  inside[0]?.fail(new Error('it failed'));
  await expect(all[0]).rejects.toThrow('it failed');
  expect(begun).toEqual([0, 1]);
  inside[1]?.release();
  await all[1];
  inside[2]?.release();
  await all[2];
  expect(begun).toEqual([0, 1, 2]);
});
