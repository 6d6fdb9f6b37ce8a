import type { Command } from 'commander';
import { DATA_DEFAULT } from '../config.js';
import type { Reply } from '../formats/answer.js';
import { toJson } from '../formats/json.js';
import { type Language, languageOf } from '../formats/negotiate.js';
import { type ProblemDetails, problemOfError, refusalOfError, refused } from '../formats/problem.js';
import type { EventsGateway, Gateway } from './gateway.js';
import type { Host, Purpose, Reached } from './host.js';
import { localEvents, localGateway } from './local.js';
import { answerText, problemText, writeText } from './output.js';
import { remoteEvents, remoteGateway } from './remote.js';

/** All accepted; any refused; the run itself failed. */
export const EXIT = { accepted: 0, refused: 1, failed: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const SERVER_FAULT = 500;

interface GlobalOptions {
  readonly data?: string;
  readonly server?: string;
  readonly json?: boolean;
}

type ByServer = Extract<Reached, { readonly by: 'server' }>;

/** One run of the command line: its options, its streams, and the exit code that it comes to. */
export class Session {
  exit: ExitCode = EXIT.accepted;
  readonly language: Language;

  constructor(
    readonly host: Host,
    private readonly data: string,
    readonly json: boolean,
    /** The server that verbs go through, wherever its ledger is; null: whichever holds the data directory. */
    private readonly server: string | null,
  ) {
    // `vi_VN.UTF-8` as `vi`.
    this.language = languageOf((host.environment.LC_ALL ?? host.environment.LANG ?? '').split(/[_.]/, 1)[0]);
  }

  static of(host: Host, command: Command): Session {
    const { data, server, json } = command.optsWithGlobals<GlobalOptions>();
    if (data !== undefined && server !== undefined) command.error('a verb goes to --server or works on --data');
    const { SOCAI_DATA, SOCAI_SERVER } = host.environment;
    const named = server ?? (data === undefined && SOCAI_SERVER ? SOCAI_SERVER : undefined);
    const address = named === undefined ? null : addressOf(named);
    if (named !== undefined && address === null)
      command.error(`a server is named as http://127.0.0.1:3001, not ${named}`);
    return new Session(host, data ?? SOCAI_DATA ?? DATA_DEFAULT, json === true, address);
  }

  /** For verbs that work on a data directory whatever serves it. */
  get directory(): string {
    if (this.server !== null) throw new Error('this verb works on a data directory: name one by --data, and no server');
    return this.data;
  }

  /** Work on the ledger, through its server or opened here. */
  async with(
    purpose: Purpose,
    work: (gateway: Gateway) => Promise<void>,
    options: { readonly simulated?: boolean } = {},
  ): Promise<void> {
    const reached = await this.#reach(() =>
      this.host.reach(this.data, purpose, { simulated: options.simulated === true }),
    );
    const gateway =
      reached.by === 'server'
        ? remoteGateway(reached.address, this.language)
        : localGateway(reached.opened, this.host.queries, this.language, (error) => this.log(describe(error)));
    try {
      if (options.simulated === true && reached.by === 'server') await refuseOther(gateway);
      await work(gateway);
    } finally {
      await gateway.close();
    }
  }

  async withEvents(work: (gateway: EventsGateway) => Promise<void>): Promise<void> {
    const reached = await this.#reach(() => this.host.reachEvents(this.data));
    const gateway =
      reached.by === 'server'
        ? remoteEvents(reached.address, this.language)
        : localEvents(reached.opened, this.language);
    try {
      await work(gateway);
    } finally {
      await gateway.close();
    }
  }

  #reach<Opening>(directory: () => Promise<Opening>): Promise<Opening | ByServer> | ByServer {
    return this.server === null ? directory() : { by: 'server', address: this.server };
  }

  /** Shows a reply and takes its exit code; a refusal goes to standard error where people read. */
  async show(reply: Reply, text: (body: unknown) => string = (body) => answerText(body, this.language)): Promise<void> {
    if (!reply.ok) {
      await this.problem(reply.body);
      return;
    }
    await this.out(this.json ? `${toJson(reply.body)}\n` : text(reply.body));
  }

  async problem(problem: ProblemDetails): Promise<void> {
    this.worse(problem.status >= SERVER_FAULT ? EXIT.failed : EXIT.refused);
    if (this.json) await this.out(`${toJson(problem)}\n`);
    else this.log(problemText(problem).trimEnd());
  }

  /** The run itself failed: with a refusal of the table where there is one. */
  async failed(error: unknown): Promise<void> {
    if (refusalOfError(error) !== null) await this.problem(problemOfError(error, this.language));
    else {
      this.log(describe(error));
      if (this.json) await this.out(`${toJson(problemOfError(error, this.language))}\n`);
    }
    this.worse(EXIT.failed);
  }

  worse(exit: ExitCode): void {
    if (exit > this.exit) this.exit = exit;
  }

  out(text: string): Promise<void> {
    return writeText(this.host.stdout, text);
  }

  log(text: string): void {
    this.host.stderr.write(`${text}\n`);
  }
}

/** Of HTTP or HTTPS, without a slash at its end. */
function addressOf(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url.href.replace(/\/+$/, '') : null;
}

/** A server's ledger that is no simulation is not written to as if it were one. */
async function refuseOther(gateway: Gateway): Promise<void> {
  const day = await gateway.businessDay();
  const { first, simulated } = day.body as { readonly first?: string | null; readonly simulated?: boolean };
  if (day.ok && first !== null && simulated !== true) throw refused('LEDGER_SIMULATED', 'simulated');
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What the system refuses (a port, a file) says enough by itself.
  return 'code' in error && typeof error.code === 'string'
    ? `${error.code}: ${error.message}`
    : (error.stack ?? error.message);
}
