import { writeFileSync } from 'node:fs';
import { invariant } from '../libs/kernel/result.js';
import { measurements } from './measurements.js';

/* One measurement in a process of its own, so that none pays for another's garbage: NAME BASE DIRECTORY OUT. */

// What it started ends with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const [name, base, directory, out] = process.argv.slice(2);
const measurement = measurements.find((one) => one.name === name);
invariant(measurement !== undefined && base && directory && out, 'a measurement is told its name and its places');
writeFileSync(out, JSON.stringify(await measurement.run({ base, directory })));
process.exit(0);
