import type { Refusal } from '../../kernel/decider.js';
import type { Query } from '../../projections/projection.js';
import { auditHistory } from '../../proof/audit.js';
import { runSheet } from '../bulk/sheet.js';
import { accepted, type Reply, refusedReply, replyOf } from '../formats/answer.js';
import type { Language } from '../formats/negotiate.js';
import { problemOf, problemOfError, refusalOfError } from '../formats/problem.js';
import { dryRun, send } from '../verbs/command.js';
import { eventLines } from '../verbs/events.js';
import { listFollowers, rebuild, retry } from '../verbs/projections.js';
import { ask } from '../verbs/query.js';
import type { EventsGateway, Gateway } from './gateway.js';
import type { OpenedEvents, OpenedLedger } from './host.js';

/** The ledger opened by this process. `failed` is told of mistakes of ours, which answer as such. */
export function localGateway(
  { ledger, close }: OpenedLedger,
  queries: readonly Query[],
  language: Language,
  failed: (error: unknown) => void,
): Gateway {
  const reply = (refusal: Refusal) => refusedReply(problemOf(refusal, language));
  const answering = (work: () => Promise<Reply>) => answered(work, language, failed);
  return {
    language,
    close,
    command: (request, dry) => answering(async () => replyOf(await send(ledger, request, { dryRun: dry }), language)),
    sheet: async ({ input, dryRun: dry, results }) => {
      const run = (of: typeof ledger) => runSheet(of, input, results, { language, failed });
      await (dry ? dryRun(ledger, run) : run(ledger));
    },
    query: (name, parameters) =>
      answering(async () => {
        const query = queries.find((query) => query.name === name);
        if (query === undefined) return reply({ code: 'ROUTE_UNKNOWN', errors: [], params: {} });
        const answer = await ask(ledger, query, parameters);
        return answer.ok ? accepted(answer.value) : reply(answer.error);
      }),
    businessDay: () =>
      answering(async () => {
        const { open, first, simulated } = await ledger.calendar();
        return accepted({ open, first, simulated, today: ledger.today() });
      }),
    projections: () =>
      answering(async () => {
        await ledger.catchUp();
        return accepted(listFollowers(ledger));
      }),
    retry: (name) =>
      answering(async () => {
        const retried = retry(ledger, name);
        await ledger.catchUp();
        return accepted(retried);
      }),
    rebuild: (names, progress) => answering(async () => accepted({ reports: await rebuild(ledger, names, progress) })),
  };
}

export function localEvents({ source, close }: OpenedEvents, language: Language): EventsGateway {
  return {
    close,
    events: async (parameters) => {
      const lines = eventLines(source, parameters);
      return lines.ok ? lines.value : refusedReply(problemOf(lines.error, language));
    },
    digest: async () => accepted({ digest: await source.digest() }),
    audit: async () => accepted(await auditHistory(source.store.readAll())),
  };
}

async function answered(
  work: () => Promise<Reply>,
  language: Language,
  failed: (error: unknown) => void,
): Promise<Reply> {
  try {
    return await work();
  } catch (error) {
    if (refusalOfError(error) === null) failed(error);
    return refusedReply(problemOfError(error, language));
  }
}
