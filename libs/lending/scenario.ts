import { addDays, type Instant, type LocalDate } from '../kernel/dates.js';
import type { Decision, Folded, NewEvent, ProcessEntry, Refusal, Step } from '../kernel/decider.js';
import { categoryOf, type Envelope } from '../kernel/envelope.js';
import { readFields } from '../kernel/fields.js';
import { invariant, type Result } from '../kernel/result.js';
import { lendingDomain } from './catalogue.js';

/*
 * For specs: given what was recorded, when a command is sent, it gives these events or is refused. Decisions, folds and
 * processes are the domain's own; what the engine adds (keys, locks, seals) is left out, and ids are the places.
 */

/** A command as a spec writes it: name, value date, data. */
export type Sent = readonly [command: string, valueDate: string, data: Readonly<Record<string, unknown>>];

/** An event that stands there without a command: for a history that only a crash or a race leaves. */
export interface Recorded extends NewEvent {
  readonly stream: string;
  readonly causationId?: string;
}

/** An event as a spec expects it; what `data` does not name is not looked at. */
export type Expected = readonly [type: string, data?: Readonly<Record<string, unknown>>, valueDate?: string];

export interface Outcome {
  readonly written: readonly Envelope[];
  readonly refusal: Refusal | null;
  readonly warnings: Decision['warnings'];
}

export interface History {
  readonly all: readonly Envelope[];
  fold<State>(stream: string): Folded<State>;
  /** What a command would lead to: all its appends, and those of the processes that it sets off. */
  decide(sent: Sent): Outcome;
  /** The history after a command, which is accepted. */
  after(sent: Sent | Recorded): History;
  /** The history after the first `count` events that a command leads to: a crash came then. */
  cutAfter(sent: Sent, count: number): History;
  when(command: string, valueDate: string, data: Sent[2]): Then;
}

export interface Then {
  readonly history: History;
  readonly outcome: Outcome;
  /** Accepted, with exactly these events, in order; each on the command's value date unless it says another. */
  gives(...events: readonly Expected[]): Then;
  writesNothing(): Then;
  refused(code: string, field?: string): Then;
  warned(...receipts: readonly string[]): Then;
}

const domain = lendingDomain();
const DAYS = domain.days.stream;

export const day = (text: string) => text as LocalDate;

/** What was recorded, in order. The ledger opens on the value date of the first. */
export const given = (...past: readonly (Sent | Recorded)[]): History =>
  past.reduce((history, one) => history.after(one), historyOf([]));

/** The close of a day, and of each open one before it. */
export const closed = (date: string): Sent => ['close-business-day', date, { date }];

function historyOf(all: readonly Envelope[]): History {
  const history: History = {
    all,
    fold: (stream) => fold(all, stream),
    decide: (sent) => decide(all, sent),
    after: (one) => ('type' in one ? historyOf(append(all, one, one)) : historyOf([...all, ...accepted(all, one)])),
    cutAfter: (sent, count) => historyOf([...all, ...accepted(all, sent).slice(0, count)]),
    when: (...sent) => thenOf(all, sent, decide(all, sent)),
  };
  return history;
}

function thenOf(all: readonly Envelope[], sent: Sent, outcome: Outcome): Then {
  const { written, refusal, warnings } = outcome;
  const then: Then = {
    history: historyOf([...all, ...written]),
    outcome,
    gives: (...events) => {
      expect(refusal).toBeNull();
      const own = written.filter(({ type }) => type !== 'LedgerOpened');
      const found = own.map(({ type, data, meta }) => ({ type, data, valueDate: meta.valueDate }));
      expect(found).toEqual(
        events.map(([type, data = {}, valueDate]) => ({
          type,
          data: expect.objectContaining(data),
          valueDate: valueDate ?? sent[1],
        })),
      );
      return then;
    },
    writesNothing: () => {
      expect({ refusal, written }).toEqual({ refusal: null, written: [] });
      return then;
    },
    refused: (code, field) => {
      expect(refusal).toMatchObject({ code, errors: field === undefined ? expect.anything() : [{ field, code }] });
      expect(refusal?.errors[0]?.accepted).not.toMatch(/\{\w+\}|^$/);
      return then;
    },
    warned: (...receipts) => {
      expect(warnings).toEqual(receipts.length === 0 ? [] : [{ code: 'PREPAID_BESIDE_OVERDUE', receipts }]);
      return then;
    },
  };
  return then;
}

function accepted(all: readonly Envelope[], sent: Sent): readonly Envelope[] {
  const { written, refusal } = decide(all, sent);
  invariant(refusal === null, `${JSON.stringify(sent)} is accepted: ${JSON.stringify(refusal)}`);
  return written;
}

// --------------------------------------------------------------------------------------- commands and transfers

function decide(all: readonly Envelope[], [name, valueDate, data]: Sent): Outcome {
  const read = readFields(entryOf(name).fields, data);
  if (!read.ok) return refusedBy({ code: read.error[0]?.code ?? '', errors: read.error, params: {} });
  const { dated } = entryOf(name);
  const days = () => domain.days.calendar(fold(all, DAYS).state);
  if (dated && days().first !== null) {
    const outside = domain.days.refuseValueDate(day(valueDate), days());
    if (outside !== null) return refusedBy(outside);
  }
  const opening: Recorded = { stream: DAYS, ...domain.days.opening(day(valueDate), true) };
  const opened = dated && days().first === null ? append(all, opening, opening) : all;
  const decided = ask(opened, name, day(valueDate), read.value);
  if (!decided.ok) return refusedBy(decided.error);
  const { step, warnings } = decided.value;
  if (step === null) return { written: [], refusal: null, warnings };
  const first = appendStep(opened, step, { causationId: `${step.stream} ${name}` });
  const finished = finish(first.all, first.made);
  const end = name === 'close-business-day' ? runClose(finished.all) : finished.all;
  return { written: end.slice(all.length), refusal: finished.refusal, warnings };
}

const refusedBy = (refusal: Refusal): Outcome => ({ written: [], refusal, warnings: [] });

function ask(all: readonly Envelope[], name: string, valueDate: LocalDate, data: unknown): Result<Decision, Refusal> {
  const entry = entryOf(name);
  const about = fold(all, entry.about(data));
  const reads = Object.entries(entry.reads(data, about.state)).map(([key, stream]) => [key, fold(all, stream)]);
  const calendar = domain.days.calendar(fold(all, DAYS).state);
  // The close has no value date of its own: here its place says the clock's day.
  const today = valueDate;
  const command = { name, data, valueDate, commandId: `${about.stream} spec`, today };
  return entry.decide(about, command, { ...Object.fromEntries(reads), calendar });
}

/** Appends what must follow events, until nothing is left to do: what the handler and a recovery both do. */
export function finish(
  all: readonly Envelope[],
  events: readonly Envelope[],
): { readonly all: readonly Envelope[]; readonly refusal: Refusal | null } {
  let [known, refusal]: [readonly Envelope[], Refusal | null] = [all, null];
  const queue = [...events];
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
    if (!domain.transfers.opensOn.includes(event.type)) continue;
    for (let next = nextOf(known, event); next !== null; next = nextOf(known, event)) {
      const { all: longer, made } = appendStep(known, next, { causationId: event.id, booked: event.meta.bookingDate });
      [known, refusal] = [longer, next.refusal ?? refusal];
      queue.push(...made);
    }
  }
  return { all: known, refusal };
}

/** The append that must follow an event by what is recorded. */
export function nextOf(all: readonly Envelope[], event: Envelope) {
  const reads = Object.entries(domain.transfers.reads(event)).map(([key, stream]) => [key, fold(all, stream)]);
  return domain.transfers.next(event, Object.fromEntries(reads));
}

// ------------------------------------------------------------------------------------------------- the day's close

/** The process's own entries by what is recorded up to the last announcement, in order of their keys. */
export function closeEntries(all: readonly Envelope[]): readonly ProcessEntry[] {
  const entries = new Map<string, ProcessEntry>();
  for (const event of all) {
    if (domain.close.keys(event).length === 0) continue;
    const values = new Map([...entries].map(([key, { value }]) => [key, value]));
    for (const entry of domain.close.evolve(values, event)) {
      if (entry.value === null) entries.delete(entry.key);
      else entries.set(entry.key, entry);
    }
  }
  return [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function runClose(announcedIn: readonly Envelope[]): readonly Envelope[] {
  let all = announcedIn;
  for (let announced = all.at(-1); announced?.type === domain.close.startsOn; announced = all.at(-1)) {
    const entries = closeEntries(all);
    const closing = domain.close.day(announced);
    const booked = { causationId: announced.id, booked: closing };
    const written: NewEvent[] = [];
    const send = (name: string, valueDate: LocalDate, data: unknown): void => {
      const decided = ask(all, name, valueDate, data);
      invariant(decided.ok, `${name} of a process is accepted`);
      const { step } = decided.value;
      if (step === null) return;
      all = appendStep(all, step, booked).all;
      written.push(...step.events);
    };
    for (const entry of entries) {
      if (entry.due === null || entry.due > closing) continue;
      const followUp = domain.close.react(announced, entry);
      if (followUp !== null) send(followUp.command, followUp.valueDate, followUp.data);
    }
    const totals = entries.find(({ key }) => key === domain.close.totals)?.value;
    const last = domain.close.finish(announced, totals, written);
    send(last.command, last.valueDate, last.data);
  }
  return all;
}

// -------------------------------------------------------------------------------------------------------- helpers

const entryOf = (name: string) => {
  const entry = domain.commands.get(name);
  invariant(entry !== undefined, `${name} is in the catalogue`);
  return entry;
};

function fold<State>(all: readonly Envelope[], stream: string): Folded<State> {
  const aggregate = domain.aggregates.get(categoryOf(stream));
  invariant(aggregate !== undefined, `${stream} is of a known category`);
  const own = all.filter((event) => event.stream === stream);
  const state = own.reduce((before, event) => aggregate.evolve(before, event), aggregate.initial);
  return { stream, revision: own.length - 1, state: state as State };
}

interface Marks {
  readonly causationId?: string;
  readonly booked?: LocalDate;
}

function appendStep(all: readonly Envelope[], { stream, events }: Step, marks: Marks) {
  const longer = events.reduce((known, event) => append(known, { ...event, stream }, marks), all);
  return { all: longer, made: longer.slice(all.length) };
}

function append(all: readonly Envelope[], event: Recorded, marks: Marks): readonly Envelope[] {
  const { stream, type, data, valueDate } = event;
  const entry = domain.versions.get(type);
  invariant(entry !== undefined, `${type} is an event of the catalogue`);
  const revision = fold(all, stream).revision + 1;
  const { open } = domain.days.calendar(fold(all, DAYS).state);
  const causationId = marks.causationId ?? `${stream} spec`;
  const meta = {
    ...{ valueDate, bookingDate: marks.booked ?? open ?? valueDate, recordedAt: '2026-01-01T00:00:00.000Z' as Instant },
    ...{ actor: 'spec', commandId: `${stream} spec`, commandHash: '', correlationId: '', causationId, seal: '' },
  };
  const position = String(all.length).padStart(8, '0');
  return [...all, { id: `${stream}@${revision}`, type, version: entry, stream, revision, position, data, meta }];
}

/** The day before: what is closed so that `date` is the open one. */
export const openUntil = (date: string): Sent => closed(addDays(day(date), -1));
