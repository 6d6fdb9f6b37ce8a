import { invariant } from '../../libs/kernel/result.js';
import { followed, openReadModels } from '../distributed/parts.js';
import { rebuildIn } from '../distributed/rebuild.js';
import { runService } from '../distributed/service.js';
import { settingsOf } from '../distributed/settings.js';
import { startProjector } from './projector.js';

/* `projector`, or `projector rebuild <name>…`: builds read models anew beside the live ones, in a process of its own. */

async function rebuild(names: readonly string[]): Promise<void> {
  const settings = settingsOf(process.env);
  const readStore = await openReadModels(settings);
  try {
    for (const name of names) {
      const one = followed.find(({ model }) => model.name === name);
      invariant(one !== undefined, `${name} is a read model`);
      const progress = (events: number, of: number) => process.stderr.write(`\r${name} ${events} of ${of}`);
      const report = await rebuildIn(settings, readStore, one, progress, new AbortController().signal);
      process.stdout.write(`${JSON.stringify(report)}\n`);
    }
  } finally {
    await readStore.close();
  }
}

if (process.argv[2] === 'rebuild') await rebuild(process.argv.slice(3));
else await runService('projector', startProjector);
