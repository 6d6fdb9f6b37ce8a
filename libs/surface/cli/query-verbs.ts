import type { Command } from 'commander';
import type { Fields } from '../../kernel/fields.js';
import { toCsv } from '../formats/csv.js';
import { EVENTS_PARAMETERS } from '../verbs/events.js';
import { COMMON_PARAMETERS, columnsOf, rowsOf } from '../verbs/query.js';
import { examples } from './examples.js';
import type { Host } from './host.js';
import type { Run } from './program.js';
import type { Session } from './session.js';

/** `query <name>` for each query, and `events`, which is one too. */
export function addQueryVerbs(program: Command, host: Host, run: Run): void {
  const verb = program
    .command('query')
    .description('ask a read model')
    .usage('<name> [options]')
    .addHelpText(
      'after',
      examples(
        'socai query portfolio-quality --by district --asOf 2021-12-31',
        'socai query loan --loan L1 --knownOn 2021-07-15 --json',
      ),
    );
  verb.action((_: unknown, command: Command) => command.help({ error: true }));
  for (const query of host.queries) {
    const command = verb.command(query.name).description(query.summary);
    addParameters(command, { ...query.parameters, ...COMMON_PARAMETERS });
    command.option('--csv', 'the rows as CSV');
    command.addHelpText('after', examples(`socai query ${query.name} ${exampleOf(query.parameters)}`.trim()));
    command.action((_: unknown, made: Command) =>
      run(made, async (session) => {
        const { csv, ...given } = made.opts<Readonly<Record<string, string>> & { readonly csv?: boolean }>();
        // Those of the program stand beside, not among the query's own.
        const parameters = given as Readonly<Record<string, string>>;
        await session.with('read', async (gateway) => {
          const reply = await gateway.query(query.name, parameters);
          if (!csv || !reply.ok) return session.show(reply);
          await session.out(toCsv(rowsOf(query, reply.body), columnsOf(reply.body, parameters)));
        });
      }),
    );
  }
  addEvents(verb, run);
  addEvents(program, run);
}

function addEvents(parent: Command, run: Run): void {
  const verb = parent
    .command('events')
    .description('events as stored, one JSON object a line: a stream, or the global order')
    .addHelpText('after', examples('socai events --stream loan-L1', 'socai events --limit 10 --knownOn 2021-07-15'));
  addParameters(verb, EVENTS_PARAMETERS);
  verb.action((_: unknown, command: Command) =>
    run(command, (session) => showEvents(session, command.opts<Readonly<Record<string, string>>>())),
  );
}

async function showEvents(session: Session, parameters: Readonly<Record<string, string>>): Promise<void> {
  await session.withEvents(async (gateway) => {
    const lines = await gateway.events(parameters);
    if ('ok' in lines) return session.show(lines);
    for await (const piece of lines) await session.out(piece);
  });
}

function addParameters(command: Command, parameters: Fields): void {
  for (const [name, kind] of Object.entries(parameters)) {
    command.option(`--${name} <value>`, `${kind.accepted}${kind.optional ? '' : ' (needed)'}`);
  }
}

const exampleOf = (parameters: Fields): string =>
  Object.entries(parameters)
    .filter(([, kind]) => !kind.optional)
    .map(([name]) => `--${name} L1`)
    .join(' ');
