// Appends without end and tells of each event that was acknowledged, one a line: stream, revision, id, position.
// Started by kill.spec.ts, which ends it with SIGKILL. It runs the built store, as a compiler under test would hide
// nothing but would start too slowly to be killed ten times.
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';

const [built, path, writers] = process.argv.slice(2);
const { openSqliteEventStore } = await import(built);
const store = await openSqliteEventStore({ path });

await Promise.all(Array.from({ length: Number(writers) }, () => write(`loan-${randomUUID()}`)));

async function write(stream) {
  for (let revision = 0; ; ) {
    const events = Array.from({ length: 1 + Math.floor(Math.random() * 3) }, (_, i) => event(stream, revision + i));
    const { outcome, positions } = await store.append(stream, revision - 1, events);
    if (outcome !== 'committed') throw new Error(outcome);
    const lines = events.map(({ id }, i) => `${stream} ${revision + i} ${id} ${positions[i]}\n`).join('');
    // Written before the next append is asked for: what the parent has read was acknowledged.
    writeSync(1, lines);
    revision += events.length;
  }
}

function event(stream, revision) {
  const data = { text: 'trả nợ '.repeat(1 + (revision % 40)) };
  return {
    id: randomUUID(),
    type: 'InstallmentPaid',
    version: 1,
    stream,
    revision,
    data,
    meta: { seal: `${revision}` },
  };
}
