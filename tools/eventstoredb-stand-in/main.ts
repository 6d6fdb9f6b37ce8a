import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Fault } from './faults.js';
import { startStandIn } from './server.js';

/*
 * The stand-in as a process of its own: `node dist/tools/eventstoredb-stand-in/main.js --port P --data DIR`. It prints
 * its connection string when it answers, and takes faults by line (`append-answer-lost 3`), each
 * answered by a line as soon as it is set.
 */
const { values } = parseArgs({
  options: { port: { type: 'string' }, data: { type: 'string' }, 'not-ready-ms': { type: 'string' } },
});
const standIn = await startStandIn({
  port: Number(values.port ?? 0),
  ...(values.data === undefined ? {} : { data: values.data }),
  notReadyMs: Number(values['not-ready-ms'] ?? 0),
});
console.log(standIn.url);

createInterface({ input: process.stdin }).on('line', (line) => {
  const [fault = '', amount = '1'] = line.trim().split(/\s+/);
  try {
    standIn.fault(fault as Fault, Number(amount));
    console.log(`${fault} is set`);
  } catch (error) {
    console.error((error as Error).message);
  }
});
process.on('SIGTERM', () => void standIn.close().then(() => process.exit(0)));
