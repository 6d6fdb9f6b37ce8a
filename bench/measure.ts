import { writeFileSync } from 'node:fs';
import { invariant } from '../libs/kernel/result.js';
import type { Place } from './measurement.js';
import { measurements } from './measurements.js';

/* One measurement in a process of its own, so that none pays for another's garbage: NAME PLACE OUT. */

// What it started ends with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const [name, place, out] = process.argv.slice(2);
const measurement = measurements.find((one) => one.name === name);
invariant(measurement !== undefined && place && out, 'a measurement is told its name and its place');
writeFileSync(out, JSON.stringify(await measurement.run(JSON.parse(place) as Place)));
process.exit(0);
