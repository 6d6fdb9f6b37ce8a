/**
 * Applies batches for as long as it lives, and says each one's sequence when it was acknowledged. Batch n adds n to
 * the cells, puts document n and removes document n - KEPT. Arguments: the built adapter's URL and the file.
 */
import { writeSync } from 'node:fs';

const [, , adapter, path] = process.argv;
const { openSqliteReadStore } = await import(adapter);

const INSTANCE = 'crash.1';
const KEPT = 40;
const CELLS_AT_ONCE = 300;
const MODEL = {
  name: 'crash',
  version: 1,
  collections: [
    { name: 'cells', key: { cell: 'integer' }, measures: ['amount'] },
    { name: 'documents', key: { number: 'integer' }, fields: { text: 'text' }, indexes: [['text']] },
  ],
};

const store = openSqliteReadStore({ path });
await store.open(INSTANCE, MODEL);
let from = await store.checkpoint(INSTANCE, 0);
for (;;) {
  const sequence = from.sequence + 1;
  const to = { sequence, position: String(sequence).padStart(12, '0') };
  const { outcome } = await store.apply({ model: INSTANCE, partition: 0, from, to, changes: changesOf(sequence) });
  if (outcome !== 'applied') throw new Error(`batch ${sequence} was ${outcome}`);
  // At once and whole: a line that the parent reads was acknowledged.
  writeSync(1, `${sequence}\n`);
  from = to;
}

function changesOf(n) {
  const changes = [];
  for (let cell = 0; cell < CELLS_AT_ONCE; cell++) {
    changes.push({ op: 'add', collection: 'cells', key: { cell: (n * 7 + cell) % 1_000 }, measures: { amount: n } });
  }
  changes.push({ op: 'put', collection: 'documents', key: { number: n }, fields: { text: 'x'.repeat(n % 3_000) } });
  changes.push({ op: 'remove', collection: 'documents', key: { number: n - KEPT } });
  return changes;
}
