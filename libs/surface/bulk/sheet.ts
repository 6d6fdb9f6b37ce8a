import type { Answer, CommandRequest } from '../../engine/answers.js';
import type { Ledger } from '../../engine/ledger.js';
import type { Refusal } from '../../kernel/decider.js';
import { invariant } from '../../kernel/result.js';
import { type RefusalCode, refuse } from '../../lending/refusals.js';
import { CHUNK_CHARACTERS, LINE_BYTES_MAX, LINES_UNDER_WAY_MAX } from '../config.js';
import { problemLine, resultLine } from '../formats/answer.js';
import { isObject } from '../formats/json.js';
import type { Language } from '../formats/negotiate.js';
import { problemOf, problemOfError, refusalOfError } from '../formats/problem.js';
import { type Line, LineReader } from './lines.js';

export interface SheetOptions {
  readonly language: Language;
  readonly correlationId?: string;
  /** Aborted when nobody takes the results any more: nothing further is read, what has begun is finished. */
  readonly signal?: AbortSignal;
  /** While it says so, lines are refused as `SHUTTING_DOWN` and no longer executed. */
  readonly stopping?: () => boolean;
  /** Told of errors that are no refusals. */
  readonly failed?: (error: unknown) => void;
  readonly progress?: (counts: SheetCounts) => void;
  /** Told of each answer, for counting. */
  readonly answered?: (command: string, outcome: string) => void;
}

export interface SheetCounts {
  readonly lines: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly refused: number;
  /** Lines whose outcome is a mistake of ours and no refusal. */
  readonly failed: number;
}

/**
 * Executes a sheet: the lines in order, as if one after another, their answers awaited together and written in the
 * order of the input. `write` never waits, so input never waits for output; at most `LINES_UNDER_WAY_MAX` lines wait
 * for their answers. A line that a store was not there for ends it: those after it get the same answer, or they would be
 * carried out without what they build on. Posted again, each has its place.
 */
export async function runSheet(
  ledger: Ledger,
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
  options: SheetOptions,
): Promise<SheetCounts> {
  const sheet = new Sheet(ledger, write, options);
  const reader = new LineReader();
  try {
    for await (const piece of input) {
      if (options.signal?.aborted) break;
      await sheet.begin(reader.push(piece));
    }
    if (!options.signal?.aborted) await sheet.begin(reader.end());
  } catch (error) {
    // The input broke off: a line whose end was not sent is not taken. What was begun is answered to whoever listens.
    sheet.brokeOff(error);
  }
  return sheet.finished();
}

/** What a line is refused with that was not carried out, or perhaps not, as a store was away. */
const AWAY: readonly string[] = ['STORE_UNREACHABLE', 'OUTCOME_UNKNOWN'] satisfies RefusalCode[];

/** A line that waits for its turn to be written. */
interface Waiting {
  readonly number: number;
  readonly command: string;
  result: string | null;
}

class Sheet {
  /** In the order of the input; the head is the next to be written. Written entries go when there are enough of them. */
  readonly #waiting: Waiting[] = [];
  #head = 0;
  #advanced: (() => void) | null = null;
  #text = '';
  #flushing = false;
  /** The first line that the store did not take, as it was away: those after it are not executed as if it had been. */
  #away: { readonly number: number; readonly refusal: Refusal } | null = null;
  readonly #counts = { lines: 0, accepted: 0, duplicates: 0, refused: 0, failed: 0 };

  constructor(
    private readonly ledger: Ledger,
    private readonly write: (text: string) => void,
    private readonly options: SheetOptions,
  ) {}

  async begin(lines: readonly Line[]): Promise<void> {
    for (const line of lines) {
      if (this.options.signal?.aborted) return;
      while (this.#underWay >= LINES_UNDER_WAY_MAX) await this.#advance();
      await this.#beginLine(line);
    }
  }

  brokeOff(error: unknown): void {
    if (!isDisconnect(error)) this.options.failed?.(error);
  }

  async finished(): Promise<SheetCounts> {
    while (this.#underWay > 0) await this.#advance();
    this.#flush();
    return { ...this.#counts };
  }

  get #underWay(): number {
    return this.#waiting.length - this.#head;
  }

  async #beginLine(line: Line): Promise<void> {
    const value = 'value' in line && isObject(line.value) ? line.value : null;
    const waiting: Waiting = { number: line.number, command: commandOf(value), result: null };
    this.#waiting.push(waiting);
    this.#counts.lines++;
    try {
      if ('code' in line) this.#settle(waiting, refuse(line.code, '', { max: LINE_BYTES_MAX }));
      else if (value === null) this.#settle(waiting, refuse('OBJECT_INVALID', ''));
      else if (this.#away !== null) this.#answer(waiting, { accepted: false, refusal: this.#away.refusal });
      else if (this.options.stopping?.()) this.#settle(waiting, refuse('SHUTTING_DOWN', ''));
      else {
        const { correlationId } = this.options;
        const begun = await this.ledger.begin(value as CommandRequest, {
          ...(correlationId === undefined ? {} : { correlationId }),
          abandoned: this.#abandoned,
        });
        begun.answer.then(
          (answer) => this.#answer(waiting, answer),
          (error: unknown) => this.#fail(waiting, error),
        );
      }
    } catch (error) {
      this.#fail(waiting, error);
    }
  }

  #settle(waiting: Waiting, refusal: ReturnType<typeof refuse>): void {
    this.#answer(waiting, { accepted: false, refusal: refusal.error });
  }

  readonly #abandoned = (): boolean => this.#away !== null;

  #answer(waiting: Waiting, given: Answer): void {
    // What is refused behind a line that was not taken may lack nothing but that line.
    const isLacking = this.#away !== null && waiting.number > this.#away.number && !given.accepted;
    const answer: Answer = isLacking && this.#away ? { accepted: false, refusal: this.#away.refusal } : given;
    if (!answer.accepted) this.#counts.refused++;
    else if (answer.duplicate) this.#counts.duplicates++;
    if (answer.accepted) this.#counts.accepted++;
    const outcome = answer.accepted ? (answer.duplicate ? 'duplicate' : 'accepted') : answer.refusal.code;
    this.options.answered?.(waiting.command, outcome);
    this.#place(waiting, resultLine(waiting.number, answer, this.options.language));
  }

  #fail(waiting: Waiting, error: unknown): void {
    const refusal = refusalOfError(error);
    if (refusal === null) {
      this.#counts.failed++;
      this.options.failed?.(error);
      this.#place(waiting, problemLine(waiting.number, problemOfError(error, this.options.language)));
      return;
    }
    if (AWAY.includes(refusal.code)) this.#away ??= { number: waiting.number, refusal };
    this.#counts.refused++;
    this.options.answered?.(waiting.command, refusal.code);
    this.#place(waiting, problemLine(waiting.number, problemOf(refusal, this.options.language)));
  }

  /** Writes every result that no earlier line keeps waiting, in pieces rather than line by line. */
  #place(waiting: Waiting, result: string): void {
    waiting.result = result;
    let next = this.#waiting[this.#head];
    if (next !== waiting) return;
    for (; next !== undefined && next.result !== null; next = this.#waiting[++this.#head]) this.#text += next.result;
    if (this.#head >= LINES_UNDER_WAY_MAX) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    this.#advanced?.();
    this.#advanced = null;
    if (this.#text.length >= CHUNK_CHARACTERS) this.#flush();
    else this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#text === '') return;
    this.write(this.#text);
    this.#text = '';
    this.options.progress?.({ ...this.#counts });
  }

  #advance(): Promise<void> {
    invariant(this.#advanced === null, 'one reader waits for the head');
    return new Promise((resolve) => {
      this.#advanced = resolve;
    });
  }
}

const commandOf = (value: Readonly<Record<string, unknown>> | null): string =>
  typeof value?.command === 'string' ? value.command : '';

/** The client is gone: nothing to tell anyone. */
function isDisconnect(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR';
}
