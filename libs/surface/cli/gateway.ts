import type { CommandRequest } from '../../engine/answers.js';
import type { Reply } from '../formats/answer.js';
import type { Language } from '../formats/negotiate.js';

export interface SheetRequest {
  readonly input: AsyncIterable<Uint8Array>;
  readonly dryRun: boolean;
  /** Takes results as NDJSON in pieces that may end anywhere. Never waits. */
  readonly results: (text: string) => void;
}

/** The ledger as the command line speaks to it: through a server, or opened here. The answers are the same. */
export interface Gateway {
  readonly language: Language;
  command(request: CommandRequest, dryRun: boolean): Promise<Reply>;
  sheet(request: SheetRequest): Promise<void>;
  query(name: string, parameters: Readonly<Record<string, string>>): Promise<Reply>;
  businessDay(): Promise<Reply>;
  projections(): Promise<Reply>;
  retry(name: string): Promise<Reply>;
  /** Answers `{reports}`, one a name. */
  rebuild(names: readonly string[], progress: (events: number, of: number) => void): Promise<Reply>;
  close(): Promise<void>;
}

/** Events and the digest: what needs no read model. */
export interface EventsGateway {
  /** NDJSON in pieces, or the refusal. */
  events(parameters: Readonly<Record<string, string>>): Promise<AsyncIterable<string> | Reply>;
  digest(): Promise<Reply>;
  /** Every event hashed again and held against its seal. */
  audit(): Promise<Reply>;
  close(): Promise<void>;
}
