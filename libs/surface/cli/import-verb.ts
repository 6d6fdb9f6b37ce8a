import type { Command } from 'commander';
import type { ImportReport } from '../../engine/import-history.js';
import { accepted } from '../formats/answer.js';
import { eventsIn } from '../formats/events.js';
import { wholeText } from '../formats/vietnamese.js';
import { examples } from './examples.js';
import { inputOf } from './input.js';
import type { Run } from './program.js';
import { Progress } from './progress.js';
import type { Session } from './session.js';

export function addImportVerb(program: Command, run: Run): void {
  program
    .command('import')
    .description(
      'move this ledger into the event store of the distributed profile; goes on where a run was interrupted',
    )
    .option('--file <file>', 'its events as `socai events` exports them; - is standard input')
    .addHelpText(
      'after',
      `
EVENTSTOREDB_URL says where, EVENTSTOREDB_CLIENT by which library (eventstore, kurrent). The store is empty, or holds the
beginning of this ledger; otherwise it is refused, and nothing is written. The digest at the end is the one before.
${examples(
  'EVENTSTOREDB_URL=esdb://127.0.0.1:2113?tls=false socai import --data ./data',
  'socai events --data ./data | EVENTSTOREDB_URL=… socai import --file -',
)}`,
    )
    .action((options: { readonly file?: string }, command: Command) =>
      run(command, async (session) => {
        const { file } = options;
        if (file !== undefined) return importFile(session, file);
        await session.withEvents(async (gateway) => {
          const events = await gateway.events({});
          if ('ok' in events) await session.show(events);
          else await importFrom(session, events, null);
        });
      }),
    );
}

async function importFile(session: Session, file: string): Promise<void> {
  // A file that is not there is said before anything is opened.
  const input = await inputOf(session.host, file);
  await importFrom(session, input.open(), input.size);
}

async function importFrom(
  session: Session,
  pieces: AsyncIterable<string | Uint8Array>,
  size: number | null,
): Promise<void> {
  const { stderr } = session.host;
  const importing = new Progress(stderr, 'events', size);
  let checking: Progress | null = null;
  const report = await session.host.importHistory({
    source: eventsIn(importing.through(pieces)),
    progress: (doing, events) => {
      if (doing === 'import') return importing.at(events);
      checking ??= new Progress(stderr, 'events read back');
      checking.at(events);
    },
  });
  importing.end(report.events);
  await session.show(accepted(report), (body) => reportText(body as ImportReport));
}

function reportText({ events, imported, streams, digest }: ImportReport): string {
  const there = imported === events ? '' : `, ${wholeText(events - imported)} of them there before`;
  return `${wholeText(events)} events in ${wholeText(streams)} streams${there}\ndigest ${digest}\n`;
}
