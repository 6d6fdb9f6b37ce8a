/** Builds an instance of its own in a directory of the parent's thread, and says how far it is. */
import { parentPort, workerData } from 'node:worker_threads';

const { adapter, path, model, batches } = workerData;
const { openSqliteReadStore } = await import(adapter);

const store = openSqliteReadStore({ path });
const instance = `${model.name}.${model.version}.thread`;
await store.open(instance, model, { building: true });
let from = { sequence: 0, position: '' };
for (let n = 1; n <= batches; n++) {
  const to = { sequence: n, position: String(n).padStart(8, '0') };
  const changes = [];
  for (let i = 0; i < 200; i++) {
    changes.push({ op: 'put', collection: 'loans', key: { loan: `L${i}`, part: n }, fields: { days: n } });
  }
  const { outcome } = await store.apply({ model: instance, partition: 0, from, to, changes });
  if (outcome !== 'applied') throw new Error(`batch ${n} was ${outcome}`);
  from = to;
  parentPort.postMessage(n);
}
await store.finish(instance);
await store.switchTo(model.name, instance);
await store.close();
