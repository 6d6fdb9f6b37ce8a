import { Command, CommanderError } from 'commander';
import { addCommandVerbs } from './command-verbs.js';
import type { Host } from './host.js';
import { addImportVerb } from './import-verb.js';
import { addLedgerVerbs } from './ledger-verbs.js';
import { addQueryVerbs } from './query-verbs.js';
import { addServeVerbs } from './serve-verbs.js';
import { EXIT, Session } from './session.js';
import { addSimulateVerb } from './simulate-verb.js';

/** Adds a verb whose work is told of its session, and whose exit code is the program's. */
export type Run = (command: Command, work: (session: Session) => Promise<void>) => Promise<void>;

/** Runs the command line and resolves with its exit code. `argv` is what follows the program's name. */
export async function runCommandLine(host: Host, argv: readonly string[]): Promise<number> {
  let exit: number = EXIT.accepted;
  const run: Run = async (command, work) => {
    const session = Session.of(host, command);
    try {
      await work(session);
    } catch (error) {
      await session.failed(error);
    }
    exit = session.exit;
  };
  const program = makeProgram(host, run);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version were asked for; anything else is a line that cannot be understood.
    return error.exitCode === 0 ? EXIT.accepted : EXIT.failed;
  }
  return exit;
}

export function makeProgram(host: Host, run: Run): Command {
  const program = new Command('socai')
    .description('Sổ Cái: an event-sourced lending ledger.')
    .option('--data <dir>', 'data directory (default: $SOCAI_DATA, or ./data)')
    .option('--server <url>', 'go through this server, such as a command-api or query-api (default: $SOCAI_SERVER)')
    .option('--json', 'standard output is nothing but JSON')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
    })
    .showHelpAfterError('(see --help)')
    .exitOverride();
  program.addHelpText(
    'after',
    `
Exit codes: 0 all accepted, 1 any refused, 2 the run itself failed.
A verb goes through the server that holds the data directory, and otherwise opens it itself; or through --server. Those
that serve or simulate work on a directory.

Examples:
  socai serve --data ./data
  socai command --file sheet.ndjson
  socai query portfolio-quality --by district --asOf 2021-12-31
  socai close-day
  socai command --file sheet.ndjson --server http://127.0.0.1:3001`,
  );
  addServeVerbs(program, run);
  addSimulateVerb(program, run);
  addCommandVerbs(program, host, run);
  addQueryVerbs(program, host, run);
  addLedgerVerbs(program, host, run);
  addImportVerb(program, run);
  return program;
}
