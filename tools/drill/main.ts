import { parseArgs } from 'node:util';
import { LAST_DAY, type Parameters } from '../../apps/socai/simulate/programme.js';
import type { LocalDate } from '../../libs/kernel/dates.js';
import { EXIT_MISSING, Missing } from '../services/missing.js';
import { DRILLS } from './drills.js';
import { runDrill } from './run.js';

/* `npm run drill -- <name>`: a programme is posted to a distributed ledger on this machine while something goes wrong. */

const { values, positionals } = argumentsOf();
const [name = ''] = positionals;
const drill = DRILLS[name];
if (drill === undefined || values.help) {
  console.log('npm run drill -- <name> [--to 2021-01-05] [--scale 20000, in millionths] [--seed 159]');
  for (const [one, { says }] of Object.entries(DRILLS)) console.log(`  ${one.padEnd(28)} ${says}`);
  process.exit(name === '' || values.help ? 0 : 2);
}
const from = values.from as LocalDate;
const parameters: Parameters = { scale: Number(values.scale), seed: Number(values.seed), from, to: LAST_DAY };
try {
  const report = await runDrill(drill, { parameters, atLeast: values.to as LocalDate });
  console.log(JSON.stringify({ drill: name, ...report }, null, 2));
  process.exit(report.wrong.length === 0 ? 0 : 1);
} catch (error) {
  console.error(error instanceof Missing ? `drill: ${error.message}` : error);
  process.exit(error instanceof Missing ? EXIT_MISSING : 1);
}

function argumentsOf() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        scale: { type: 'string', default: '20000' },
        seed: { type: 'string', default: '159' },
        from: { type: 'string', default: '2021-01-01' },
        to: { type: 'string', default: '2021-01-05' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    console.error(`drill: ${(error as Error).message}`);
    process.exit(2);
  }
}
