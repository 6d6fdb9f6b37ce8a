import type { Answer, CommandRequest } from '../../engine/answers.js';
import type { Ledger } from '../../engine/ledger.js';

export interface SendOptions {
  readonly correlationId?: string;
  /** Answers what would happen, and writes nothing. */
  readonly dryRun: boolean;
}

/** One command, or what would come of it. */
export async function send(ledger: Ledger, request: CommandRequest, options: SendOptions): Promise<Answer> {
  const { correlationId } = options;
  const context = correlationId === undefined ? {} : { correlationId };
  return options.dryRun ? dryRun(ledger, (dry) => dry.handle(request, context)) : ledger.handle(request, context);
}

/** Work on a ledger that sees this one and writes nothing of it. */
export async function dryRun<T>(ledger: Ledger, work: (dry: Ledger) => Promise<T>): Promise<T> {
  const dry = ledger.dryRun();
  try {
    return await work(dry);
  } finally {
    await dry.close();
  }
}
