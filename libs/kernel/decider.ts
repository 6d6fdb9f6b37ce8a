import type { Instant, LocalDate } from './dates.js';
import type { Envelope } from './envelope.js';
import type { DataOf, Fields, Problem } from './fields.js';
import type { Result } from './result.js';

/** An event that a decision makes. The engine adds the envelope. */
export interface NewEvent {
  readonly type: string;
  readonly data: unknown;
  readonly valueDate: LocalDate;
  /** Where it is not the day that the command is booked on: a close announces the next day's in the same append. */
  readonly bookingDate?: LocalDate;
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
  /**
   * The stream's state after the events, where the decision has folded them already: the same as `evolve` makes of what
   * is stored. Left out where only the stored events say it.
   */
  readonly state?: unknown;
}

/** What a command leads to: its first append. What follows is made by processes (see `TransferProcess`). */
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
  /** About how much memory a state takes. Left out where it is small, or grows with nothing. */
  bytes?(state: State): number;
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
 * One document of a process's own state. `due` is the day on which it has something to do, null when it has nothing;
 * a null value removes it.
 */
export interface ProcessEntry {
  readonly key: string;
  readonly due: LocalDate | null;
  readonly value: unknown;
}

/**
 * A process follows the global order with a state and a checkpoint of its own, and never asks a read model. Pure: the
 * engine hands it the entries that an event concerns and keeps those that it gives back.
 */
export interface Process {
  readonly name: string;
  /** Another version is folded anew from the first event. */
  readonly version: number;
  /** The keys of the entries that an event concerns; none when it is of no interest. */
  keys(event: Envelope): readonly string[];
  evolve(entries: ReadonlyMap<string, unknown>, event: Envelope): readonly ProcessEntry[];
}

/** The append that must follow an event, and the refusal that it stands for when it only takes the first one back. */
export interface Continuation extends Step {
  readonly refusal: Refusal | null;
}

/**
 * What finishes a command that takes more than one append. The handler and the recovery after a crash call the same
 * function, so whoever finishes writes the same bytes: actor, recordedAt, bookingDate and commandId are those of the
 * event that began it, and causationId is its id. The entries are the events that are not finished, by id.
 */
export interface TransferProcess extends Process {
  /** The types of the events that leave something to do. */
  readonly opensOn: readonly string[];
  /** The streams that `next` reads, by name. */
  reads(event: Envelope): Readonly<Record<string, string>>;
  /**
   * The append that must follow, or null when it is there already. Asked again about what that append wrote. `carriedOut`:
   * another writer began the same command as well and has carried it out, so that this beginning is to be taken back.
   */
  next(event: Envelope, facts: Readonly<Record<string, Folded>>, carriedOut: boolean): Continuation | null;
}

/** A command that a process sends: its key begins with `~`, which no caller's may. */
export interface FollowUp {
  readonly command: string;
  readonly key: string;
  readonly data: unknown;
  readonly valueDate: LocalDate;
}

/**
 * What an announced close does, from a state that has seen every event before the announcement and none after it.
 * Safe to do again after a crash: the follow-ups have the same keys and bodies.
 */
export interface CloseProcess extends Process {
  /** The type of the event that announces a close. */
  readonly startsOn: string;
  /** The entry that holds the announcement while its close is under way. */
  readonly underWay: string;
  /** Whether the days' stream stands at an announced close (null: any) whose totals are not written. */
  isUnderWay(days: unknown, announced: Envelope | null): boolean;
  /** The day that is closed: entries due up to it are handed to `react`. */
  day(announced: Envelope): LocalDate;
  react(announced: Envelope, entry: ProcessEntry): FollowUp | null;
  /** The entries that `finish` reads. */
  readonly finishReads: readonly string[];
  /** The command that ends the close, given the events that the follow-ups led to. It keeps the announcement's id. */
  finish(announced: Envelope, entries: ReadonlyMap<string, unknown>, written: readonly NewEvent[]): FollowUp;
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
  readonly transfers: TransferProcess;
  readonly close: CloseProcess;
  readonly versions: ReadonlyMap<string, number>;
  /** Of each type of event: its version, and the canonical JSON of its data. */
  readonly formats: ReadonlyMap<string, { readonly version: number; canonical(data: unknown): string }>;
  /** Old versions become today's; the stored envelope is never changed. */
  upcast(event: Envelope): Envelope;
  readonly days: {
    readonly stream: string;
    calendar(state: unknown): Calendar;
    /** The first event of a ledger. */
    opening(firstBusinessDay: LocalDate, simulated: boolean): NewEvent;
    /** Whether a dated command's value date lies in the days that are open to it. */
    refuseValueDate(valueDate: LocalDate, calendar: Calendar): Refusal | null;
  };
}

export type { Instant };

// ------------------------------------------------------------------------------------------------- event tables

/** The storage format of one type of event: never changed in place, only followed by a next version. */
export interface EventEntry {
  readonly version: number;
  readonly summary: string;
  readonly fields: Fields;
  /** From the version of the index to the next one: pure, and kept for ever. */
  readonly upcast?: Readonly<Record<number, (data: Readonly<Record<string, unknown>>) => Record<string, unknown>>>;
}

export type EventTable = Readonly<Record<string, EventEntry>>;

/** The stored events of a table, told apart by `type`. */
export type StoredOf<Table extends EventTable> = {
  [Type in keyof Table & string]: Envelope<Type, DataOf<Table[Type]['fields']>>;
}[keyof Table & string];

/** The events of a table as decisions make them. */
export type NewOf<Table extends EventTable> = {
  [Type in keyof Table & string]: {
    readonly type: Type;
    readonly data: DataOf<Table[Type]['fields']>;
    readonly valueDate: LocalDate;
  };
}[keyof Table & string];

/** A command's entry with its types inferred from its table; what the catalogue holds forgets them again. */
export function command<F extends Fields, State, Facts>(
  entry: Omit<CommandEntry<DataOf<F>, State, Facts>, 'fields'> & { readonly fields: F },
): CommandEntry {
  // The engine hands each entry only what was read by its own table and folded by its own aggregates.
  return entry as unknown as CommandEntry;
}

export const decided = (stream: string, ...events: readonly NewEvent[]): { ok: true; value: Decision } => ({
  ok: true,
  value: { step: events.length === 0 ? null : { stream, events }, warnings: [] },
});
