import type { Instant, LocalDate } from './dates.js';
import type { Envelope } from './envelope.js';
import type { Fields, Problem } from './fields.js';
import type { Result } from './result.js';

/** An event that a decision makes. The engine adds the envelope. */
export interface NewEvent {
  readonly type: string;
  readonly data: unknown;
  readonly valueDate: LocalDate;
}

/** Why a command is refused: a value, not an exception. The texts of a code stand in one table. */
export interface Refusal {
  readonly code: string;
  readonly errors: readonly Problem[];
  /** What the text of the code is filled with. */
  readonly params: Readonly<Record<string, string | number>>;
}

/** A thing that the caller should look at although the command was accepted. */
export interface Warning {
  readonly code: string;
  readonly receipts: readonly string[];
}

/** Events for one stream: one append. */
export interface Step {
  readonly stream: string;
  readonly events: readonly NewEvent[];
}

/** What a command leads to: the appends, in order. What follows the first is made by processes (see `Process`). */
export interface Decision {
  readonly step: Step | null;
  readonly warnings: readonly Warning[];
}

/** A command that passed its table of fields, as a decision sees it. */
export interface CommandOf<Data> {
  readonly name: string;
  readonly data: Data;
  readonly valueDate: LocalDate;
  readonly commandId: string;
  /** The day, in Asia/Ho_Chi_Minh, of the ledger's clock. */
  readonly today: LocalDate;
}

/** A folded stream. */
export interface Folded<State = unknown> {
  readonly stream: string;
  /** -1 when there is no such stream. */
  readonly revision: number;
  readonly state: State;
}

/** How the state of one kind of stream follows from its events. Pure. */
export interface Aggregate<State = unknown> {
  /** The part of the stream's name before the hyphen. */
  readonly category: string;
  readonly initial: State;
  evolve(state: State, event: Envelope): State;
}

/** One command of the catalogue. Everything else about it (route, DTO, flags, reference) is derived from this. */
export interface CommandEntry<Data = unknown, State = unknown, Facts = unknown> {
  /** `disburse-loan`. */
  readonly name: string;
  readonly summary: string;
  readonly fields: Fields;
  /** False for those that only processes send. */
  readonly public: boolean;
  /** The stream that the command is about: idempotency, If-Match and the expected revision speak of it. */
  about(data: Data): string;
  /**
   * The streams that it reads beside, by the name under which `decide` finds them. Not guarded by the expected
   * revision: each entry says in its documentation what a stale one may cost.
   */
  reads(data: Data, state: State): Readonly<Record<string, string>>;
  /** The streams that the appends after the first go to, or the first one when it is not the one that it is about. */
  writes(data: Data, state: State): readonly string[];
  /** Whether `valueDate` must lie between the ledger's first day and the open one. All but the close. */
  readonly dated: boolean;
  decide(about: Folded<State>, command: CommandOf<Data>, facts: Facts): Result<Decision, Refusal>;
}

/**
 * What finishes a command that takes more than one append. The handler and the recovery after a crash call the same
 * function, so whoever finishes writes the same bytes: actor, recordedAt, bookingDate and commandId are those of the
 * event that began it.
 */
export interface Process {
  readonly name: string;
  /** The types of the events that leave something to do. */
  readonly opensOn: readonly string[];
  /** The streams that `next` reads, by name. */
  reads(event: Envelope): Readonly<Record<string, string>>;
  /** The append that must follow, or null when it is there already. Called again on what that append wrote. */
  next(event: Envelope, facts: Readonly<Record<string, Folded>>): Step | null;
}

/** The business day as the engine needs it. */
export interface Calendar {
  readonly open: LocalDate | null;
  readonly first: LocalDate | null;
  readonly simulated: boolean;
}

/** All that the engine is told of the domain. */
export interface Domain {
  readonly commands: ReadonlyMap<string, CommandEntry>;
  readonly aggregates: ReadonlyMap<string, Aggregate>;
  readonly processes: readonly Process[];
  readonly versions: ReadonlyMap<string, number>;
  /** Old versions become today's; the stored envelope is never changed. */
  upcast(event: Envelope): Envelope;
  readonly days: {
    readonly stream: string;
    calendar(state: unknown): Calendar;
    /** The first event of a ledger. */
    opening(firstBusinessDay: LocalDate, simulated: boolean): NewEvent;
  };
}

export type { Instant };
