import type { Command } from 'commander';
import type { FollowerStatus } from '../../engine/answers.js';
import type { RebuildReport } from '../../engine/ledger.js';
import type { AuditReport } from '../../proof/audit.js';
import { wholeText } from '../formats/vietnamese.js';
import { examples } from './examples.js';
import type { Host } from './host.js';
import { tableText } from './output.js';
import type { Run } from './program.js';
import { Progress } from './progress.js';
import { EXIT, type Session } from './session.js';

/** What is done to the ledger as a whole: projections, rebuild, digest, audit, bench. */
export function addLedgerVerbs(program: Command, host: Host, run: Run): void {
  addProjections(program, run);
  addRebuild(program, run);
  program
    .command('digest')
    .description("the ledger's digest: the same history has the same one on every store")
    .addHelpText('after', examples('socai digest'))
    .action((_: unknown, command: Command) =>
      run(command, (session) =>
        session.withEvents(async (gateway) =>
          session.show(await gateway.digest(), (body) => `${(body as { readonly digest: string }).digest}\n`),
        ),
      ),
    );
  program
    .command('audit')
    .description('hash every event again and hold it against its seal; names the first that fails, and how')
    .addHelpText('after', examples('socai audit', 'socai audit --json'))
    .action((_: unknown, command: Command) =>
      run(command, (session) =>
        session.withEvents(async (gateway) => {
          const reply = await gateway.audit();
          await session.show(reply, auditText);
          if (reply.ok && !(reply.body as AuditReport).holds) session.worse(EXIT.refused);
        }),
      ),
    );
  const { bench } = host;
  if (bench === null) return;
  program
    .command('bench')
    .description('measure this machine: the table of measurements')
    .allowUnknownOption()
    .argument('[arguments...]', 'handed on')
    .addHelpText('after', examples('socai bench', 'socai bench --json'))
    .action((args: readonly string[], _: unknown, command: Command) =>
      run(command, async (session) => {
        const code = await bench([...args, ...(session.json ? ['--json'] : [])]);
        if (code !== 0) session.worse(EXIT.failed);
      }),
    );
}

function addProjections(program: Command, run: Run): void {
  const verb = program
    .command('projections')
    .description('how far each follower has come; retry one that stopped at an event')
    .addHelpText('after', examples('socai projections', 'socai projections retry loan'));
  const list = (command: Command) =>
    run(command, (session) =>
      session.with('read', async (gateway) => session.show(await gateway.projections(), followersText)),
    );
  verb.action((_: unknown, command: Command) => list(command));
  verb
    .command('list')
    .description('how far each follower has come')
    .addHelpText('after', examples('socai projections list'))
    .action((_: unknown, command: Command) => list(command));
  for (const name of ['retry', 'resume']) {
    verb
      .command(name)
      .description('a projection that stopped tries its event again, and goes on')
      .argument('<name>', 'of the projection')
      .addHelpText('after', examples(`socai projections ${name} loan`))
      .action((projection: string, _: unknown, command: Command) =>
        run(command, (session) =>
          session.with('write', async (gateway) => session.show(await gateway.retry(projection))),
        ),
      );
  }
}

function addRebuild(program: Command, run: Run): void {
  program
    .command('rebuild')
    .description('build read models anew beside the live ones, several on as many cores; compare, and switch')
    .argument('[names...]', 'of the read models')
    .option('--all', 'every read model')
    .addHelpText('after', examples('socai rebuild portfolio-quality', 'socai rebuild --all'))
    .action((names: readonly string[], options: { readonly all?: boolean }, command: Command) => {
      if ((names.length === 0) !== (options.all === true)) command.error('name read models, or say --all');
      return run(command, (session) => rebuild(session, names));
    });
}

/** No names: all of them. */
async function rebuild(session: Session, names: readonly string[]): Promise<void> {
  await session.with('write', async (gateway) => {
    const listed = await gateway.projections();
    if (!listed.ok) return session.show(listed);
    const { projections } = listed.body as { readonly projections: readonly FollowerStatus[] };
    const all = projections.filter(({ kind }) => kind === 'projection').map((status) => status.name);
    const progress = new Progress(session.host.stderr, 'events');
    const reply = await gateway.rebuild(names.length === 0 ? all : names, (events, of) => progress.at(events, of));
    if (!reply.ok) return session.show(reply);
    const { reports } = reply.body as { readonly reports: readonly RebuildReport[] };
    progress.end(Math.max(...reports.map(({ events }) => events)));
    for (const report of reports) await session.show({ ...reply, body: report }, reportText);
  });
}

function auditText(body: unknown): string {
  const { events, streams, failure } = body as AuditReport;
  if (failure === null) return `${wholeText(events)} events in ${wholeText(streams)} streams: nothing was changed\n`;
  return `${failure.stream} ${failure.revision} at ${failure.position}: ${failure.what}\n`;
}

function followersText(body: unknown): string {
  const { projections } = body as { readonly projections: readonly FollowerStatus[] };
  const rows = projections.map(({ name, kind, state, sequence, caughtUp, lagSeconds, halted, fault }) => ({
    ...{ name, kind, state, sequence, caughtUp, lag: `${lagSeconds} s` },
    halted: halted === null ? (fault ?? '') : `${halted.type} ${halted.stream} ${halted.position}: ${halted.error}`,
  }));
  return `${tableText(rows, 'en')}\n`;
}

function reportText(body: unknown): string {
  const { name, events, seconds, difference, switched } = body as RebuildReport;
  const said = difference === null ? 'no difference' : `a difference in ${difference.collection}`;
  return `${name}: ${wholeText(events)} events in ${seconds.toFixed(1)} s, ${said}${switched ? ', switched' : ''}\n`;
}
