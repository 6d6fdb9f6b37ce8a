import type { Command } from 'commander';
import type { Accepted, CommandRequest } from '../../engine/answers.js';
import type { CommandEntry } from '../../kernel/decider.js';
import { Spool } from '../bulk/spool.js';
import { isObject, parseJson } from '../formats/json.js';
import { examples } from './examples.js';
import type { Gateway } from './gateway.js';
import type { Host } from './host.js';
import { inputOf } from './input.js';
import { tableText } from './output.js';
import type { Run } from './program.js';
import { Progress } from './progress.js';
import { EXIT, type Session } from './session.js';
import { ResultTally } from './tally.js';

interface CommandOptions {
  readonly id?: string;
  readonly actor?: string;
  readonly valueDate?: string;
  readonly ifMatch?: string;
  readonly recordedAt?: string;
  readonly dryRun?: boolean;
  readonly simulated?: boolean;
  readonly file?: string;
}

/** How many refused lines are shown to people; --json shows all. */
const REFUSED_SHOWN_MAX = 20;

/** `command <name>`, `command --file` and `close-day`. */
export function addCommandVerbs(program: Command, host: Host, run: Run): void {
  const verb = program
    .command('command')
    .description('execute one command of the catalogue, or a file of them')
    .usage('<name> [options] | --file <file>')
    .option('--file <file>', 'a sheet: one command a line, as JSON; - is standard input')
    .option('--dry-run', 'say what would happen, and write nothing')
    .option('--simulated', 'a ledger that is made now is a simulation')
    .addHelpText(
      'after',
      examples(
        'socai command --file sheet.ndjson --json > results.ndjson',
        'socai command record-payment --id k-17 --valueDate 2021-07-15 --loan L1 --amount 2000000 --receipt BL-17 --method CASH',
      ),
    );
  verb.action(async (_: unknown, command: Command) => {
    const options = command.opts<CommandOptions>();
    const { file } = options;
    if (file === undefined) command.help({ error: true });
    else await run(command, (session) => executeFile(session, file, options));
  });
  for (const entry of host.commands.filter((entry) => entry.public)) addCommand(verb, entry, run);
  addCloseDay(program, run);
}

function addCommand(verb: Command, entry: CommandEntry, run: Run): void {
  const command = verb.command(entry.name).description(entry.summary);
  for (const [field, kind] of Object.entries(entry.fields)) {
    command.option(`--${field} <value>`, `${kind.accepted}${kind.optional ? ' (may be left out)' : ''}`);
  }
  withMarks(command)
    .option('--valueDate <date>', 'the day on which it counts, YYYY-MM-DD')
    .option('--ifMatch <revision>', 'the revision of the stream that it is about, as last seen; -1 where there is none')
    .option('--recordedAt <instant>', 'RFC 3339; only a simulated ledger takes one')
    .option('--dry-run', 'say what would happen, and write nothing')
    .option('--simulated', 'a ledger that is made now is a simulation')
    .addHelpText('after', examples(exampleOf(entry)));
  command.action((_: unknown, made: Command) =>
    run(made, async (session) => {
      const options = made.optsWithGlobals<CommandOptions>();
      const { valueDate, ifMatch, recordedAt } = options;
      const request: CommandRequest = {
        ...marksOf(entry.name, options),
        data: dataOf(entry, made.opts<Readonly<Record<string, string | undefined>>>()),
        ...(valueDate === undefined ? {} : { valueDate }),
        ...(ifMatch === undefined ? {} : { ifMatch }),
        ...(recordedAt === undefined ? {} : { recordedAt }),
      };
      await session.with('write', async (gateway) => execute(session, gateway, request, options.dryRun === true), {
        simulated: options.simulated === true,
      });
    }),
  );
}

const withMarks = (command: Command): Command =>
  command
    .option('--id <key>', 'idempotency key: the same key with the same body gives the first answer again')
    .option('--actor <actor>', 'who acts (default: anonymous)');

function marksOf(command: string, { id, actor }: CommandOptions): CommandRequest {
  return { command, ...(id === undefined ? {} : { id }), ...(actor === undefined ? {} : { actor }) };
}

function dataOf(entry: CommandEntry, options: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const [field, kind] of Object.entries(entry.fields)) {
    const text = options[field];
    if (text !== undefined) data[field] = kind.fromText(text);
  }
  return data;
}

async function execute(session: Session, gateway: Gateway, request: CommandRequest, dryRun: boolean): Promise<void> {
  const reply = await gateway.command(request, dryRun);
  await session.show(reply, (body) => acceptanceText(body as Accepted, dryRun));
}

function acceptanceText({ duplicate, events, token, warnings }: Accepted, dryRun: boolean): string {
  const said = dryRun ? 'would be accepted' : duplicate ? 'accepted before' : 'accepted';
  const rows = events.map(({ type, stream, revision, position }) => ({ type, stream, revision, position }));
  const warned = (warnings ?? []).map(({ code, receipts }) => `warning ${code}: ${receipts.join(', ')}`);
  return `${[said, ...(rows.length === 0 ? [] : [tableText(rows, 'en')]), `token ${token}`, ...warned].join('\n')}\n`;
}

// --------------------------------------------------------------------------------------------------------- a file

async function executeFile(session: Session, file: string, options: CommandOptions): Promise<void> {
  // A file that is not there is said before anything is opened.
  const input = await inputOf(session.host, file);
  const refused: string[] = [];
  const tally = new ResultTally((line) => {
    if (refused.length < REFUSED_SHOWN_MAX) refused.push(line);
  });
  const progress = new Progress(session.host.stderr, 'lines', input.size);
  await session.with(
    'write',
    async (gateway) => {
      const spool = session.json ? new Spool(session.host.stdout) : null;
      await gateway.sheet({
        input: progress.through(input.open()),
        dryRun: options.dryRun === true,
        results: (text) => {
          tally.push(text);
          spool?.write(text);
          progress.at(tally.counts.lines);
        },
      });
      await spool?.end();
    },
    { simulated: options.simulated === true },
  );
  progress.end(tally.counts.lines);
  const { counts } = tally;
  if (progress.brokeOff !== null) await session.failed(progress.brokeOff);
  session.worse(counts.failed > 0 ? EXIT.failed : counts.refused > 0 ? EXIT.refused : EXIT.accepted);
  if (session.json) return;
  await session.out(`${tableText([{ ...counts }], session.language)}\n`);
  if (refused.length > 0) await session.out(`\n${tableText(refused.map(refusedRow), session.language)}\n`);
  const more = counts.refused + counts.failed - refused.length;
  if (more > 0) await session.out(`and ${more} more: --json shows all\n`);
}

function refusedRow(line: string): Record<string, unknown> {
  const value = parseJson(line)?.value;
  const { line: number, status, code, detail, errors } = isObject(value) ? value : {};
  const all = Array.isArray(errors) ? errors.filter(isObject) : [];
  const told = (member: string) => all.map((error) => error[member]).join('; ');
  return { line: number, status, code, field: told('field'), detail, accepted: told('accepted') };
}

// ------------------------------------------------------------------------------------------------------- close-day

function addCloseDay(program: Command, run: Run): void {
  const verb = withMarks(
    program
      .command('close-day')
      .description('close the open business day, or each day up to a later one')
      .option('--date <date>', 'the last day to close (default: the open day)')
      .option('--recordedAt <instant>', 'RFC 3339; only a simulated ledger takes one')
      .option('--dry-run', 'say what would happen, and write nothing')
      .addHelpText('after', examples('socai close-day', 'socai close-day --date 2021-07-15 --actor an.nguyen')),
  );
  verb.action((_: unknown, command: Command) =>
    run(command, async (session) => {
      const options = command.opts<CommandOptions & { readonly date?: string }>();
      await session.with('write', async (gateway) => {
        const day = options.date === undefined ? await gateway.businessDay() : null;
        if (day !== null && !day.ok) return session.show(day);
        const open = day === null ? null : (day.body as { readonly open: string | null; readonly today: string });
        const date = options.date ?? open?.open ?? open?.today ?? '';
        const { recordedAt } = options;
        // The key is the day: closing it again answers as the first time.
        const request: CommandRequest = {
          ...marksOf('close-business-day', { id: `close-day-${date}`, ...options }),
          data: { date },
          ...(recordedAt === undefined ? {} : { recordedAt }),
        };
        await execute(session, gateway, request, options.dryRun === true);
      });
    }),
  );
}

function exampleOf(entry: CommandEntry): string {
  const flags = Object.entries(entry.fields)
    .filter(([, kind]) => !kind.optional)
    .map(([field]) => `--${field} …`);
  return `socai command ${entry.name} --id k-1 --valueDate 2021-07-15 ${flags.join(' ')}`;
}
