import { collect } from '../contract/model.js';
import type { Change, MeasureValue, ReadModel } from '../port.js';
import { openSqliteReadStore } from './store.js';

/** More patterns of what is 0 than have statements of their own, and more measures than a pattern has bits. */
it.each([5, 31, 40])('cells of %i measures come to their sums, whichever of them are 0', async (count) => {
  const names = [...Array(count).keys()].map((n) => `m${n.toString().padStart(2, '0')}`);
  const model: ReadModel = {
    name: 'patterns',
    version: 1,
    collections: [{ name: 'cells', key: { cell: 'integer' }, measures: names }],
  };
  const store = openSqliteReadStore({ path: ':memory:' });
  await store.open('patterns.1', model);
  const sums = new Map<number, MeasureValue[]>();
  for (let round = 0; round < 3; round++) {
    const changes: Change[] = [];
    for (let n = 0; n < 320; n++) {
      const cell = n % 40;
      const measures = names.map((_, i) => ((n >> (i % 5)) % 2 === 1 ? n - 100 * i : 0));
      changes.push({
        ...{ op: 'add', collection: 'cells', key: { cell } },
        measures: Object.fromEntries(names.map((name, i) => [name, measures[i] ?? 0])),
      });
      sums.set(
        cell,
        measures.map((value, i) => value + Number(sums.get(cell)?.[i] ?? 0)),
      );
    }
    const at = (sequence: number) => ({ sequence, position: sequence === 0 ? '' : `${sequence}` });
    await store.apply({ model: 'patterns.1', partition: 0, from: at(round), to: at(round + 1), changes });
  }
  const found = await store.read('patterns.1', (view) => collect(view.find('cells')));
  expect(new Map(found.map((row) => [row.cell, names.map((name) => row[name])]))).toEqual(sums);
  await store.close();
});
