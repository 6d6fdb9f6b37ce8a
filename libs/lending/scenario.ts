import { addDays, type Instant, type LocalDate } from '../kernel/dates.js';
import type {
  Continuation,
  Decision,
  Folded,
  FollowUp,
  NewEvent,
  ProcessEntry,
  Refusal,
  Step,
} from '../kernel/decider.js';
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

/** What is recorded, and what follows from it: folded streams and the entries of the day's close. */
export interface World {
  readonly all: readonly Envelope[];
  readonly streams: ReadonlyMap<string, Folded>;
  readonly entries: ReadonlyMap<string, ProcessEntry>;
}

export interface History {
  readonly world: World;
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
const NOTHING: World = { all: [], streams: new Map(), entries: new Map() };

export const given = (...past: readonly (Sent | Recorded)[]): History =>
  past.reduce((history, one) => history.after(one), historyOf(NOTHING));

/** The close of a day, and of each open one before it. */
export const closed = (date: string): Sent => ['close-business-day', date, { date }];

function historyOf(world: World): History {
  return {
    world,
    fold: (stream) => fold(world, stream),
    decide: (sent) => decide(world, sent).outcome,
    after: (one) => historyOf('type' in one ? append(world, one, one) : accepted(world, one).after),
    cutAfter: (sent, count) => historyOf(accepted(world, sent).outcome.written.slice(0, count).reduce(place, world)),
    when: (...sent) => thenOf(sent, decide(world, sent)),
  };
}

/** What a command led to, and the world after it. */
interface Decided {
  readonly outcome: Outcome;
  readonly after: World;
}

function thenOf(sent: Sent, { outcome, after }: Decided): Then {
  const { written, refusal, warnings } = outcome;
  const then: Then = {
    history: historyOf(after),
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

function accepted(world: World, sent: Sent): Decided {
  const decided = decide(world, sent);
  const { refusal } = decided.outcome;
  invariant(refusal === null, `${JSON.stringify(sent)} is accepted: ${JSON.stringify(refusal)}`);
  return decided;
}

// --------------------------------------------------------------------------------------- commands and transfers

function decide(world: World, [name, valueDate, data]: Sent): Decided {
  const refusedBy = (refusal: Refusal): Decided => ({
    outcome: { written: [], refusal, warnings: [] },
    after: world,
  });
  const read = readFields(entryOf(name).fields, data);
  if (!read.ok) return refusedBy({ code: read.error[0]?.code ?? '', errors: read.error, params: {} });
  const opens = entryOf(name).dated && calendarOf(world).first === null;
  if (entryOf(name).dated && !opens) {
    const outside = domain.days.refuseValueDate(day(valueDate), calendarOf(world));
    if (outside !== null) return refusedBy(outside);
  }
  const opening: Recorded = { stream: DAYS, ...domain.days.opening(day(valueDate), true) };
  const opened = opens ? append(world, opening, opening) : world;
  const decided = ask(opened, name, day(valueDate), read.value);
  if (!decided.ok) return refusedBy(decided.error);
  const { step, warnings } = decided.value;
  if (step === null) return { outcome: { written: [], refusal: null, warnings }, after: world };
  const first = appendStep(opened, step, { causationId: `${step.stream} ${name}` });
  const finished = finish(first.world, first.made);
  const after = name === 'close-business-day' ? runClose(finished.world) : finished.world;
  return { outcome: { written: after.all.slice(world.all.length), refusal: finished.refusal, warnings }, after };
}

function ask(world: World, name: string, valueDate: LocalDate, data: unknown): Result<Decision, Refusal> {
  const entry = entryOf(name);
  const about = fold(world, entry.about(data));
  // The close has no value date of its own: here its place says the clock's day.
  const command = { name, data, valueDate, commandId: `${about.stream} spec`, today: valueDate };
  const facts = factsOf(world, entry.reads(data, about.state));
  return entry.decide(about, command, { ...facts, calendar: calendarOf(world) });
}

/** Appends what must follow events, until nothing is left to do: what the handler and a recovery both do. */
export function finish(
  begun: World,
  events: readonly Envelope[],
): { readonly world: World; readonly refusal: Refusal | null } {
  let [world, refusal]: [World, Refusal | null] = [begun, null];
  const queue = [...events];
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
    if (!domain.transfers.opensOn.includes(event.type)) continue;
    for (let next = nextOf(world, event); next !== null; next = nextOf(world, event)) {
      const step = appendStep(world, next, { causationId: event.id, booked: event.meta.bookingDate });
      [world, refusal] = [step.world, next.refusal ?? refusal];
      queue.push(...step.made);
    }
  }
  return { world, refusal };
}

/** The append that must follow an event by what is recorded. */
export const nextOf = (world: World, event: Envelope): Continuation | null =>
  domain.transfers.next(event, factsOf(world, domain.transfers.reads(event)), false);

// ------------------------------------------------------------------------------------------------- the day's close

function runClose(announcedIn: World): World {
  let world = announcedIn;
  for (let announced = world.all.at(-1); announced?.type === domain.close.startsOn; announced = world.all.at(-1)) {
    // The process has seen every event before the announcement and none after it.
    const { entries } = world;
    const closing = domain.close.day(announced);
    const marks = { causationId: announced.id, booked: closing };
    const written: NewEvent[] = [];
    const send = ({ command, valueDate, data }: FollowUp): void => {
      const decided = ask(world, command, valueDate, data);
      invariant(decided.ok, `${command} of a process is accepted`);
      const { step } = decided.value;
      if (step === null) return;
      world = appendStep(world, step, marks).world;
      written.push(...step.events);
    };
    for (const entry of [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
      if (entry.due === null || entry.due > closing) continue;
      const followUp = domain.close.react(announced, entry);
      if (followUp !== null) send(followUp);
    }
    send(domain.close.finish(announced, new Map([...entries].map(([key, { value }]) => [key, value])), written));
  }
  return world;
}

// -------------------------------------------------------------------------------------------------------- helpers

const entryOf = (name: string) => {
  const entry = domain.commands.get(name);
  invariant(entry !== undefined, `${name} is in the catalogue`);
  return entry;
};

const calendarOf = (world: World) => domain.days.calendar(fold(world, DAYS).state);

const factsOf = (world: World, reads: Readonly<Record<string, string>>): Readonly<Record<string, Folded>> =>
  Object.fromEntries(Object.entries(reads).map(([name, stream]) => [name, fold(world, stream)]));

const aggregateOf = (stream: string) => {
  const aggregate = domain.aggregates.get(categoryOf(stream));
  invariant(aggregate !== undefined, `${stream} is of a known category`);
  return aggregate;
};

// The state of a stream is of its own aggregate's type: whoever asks names the stream.
function fold<State>({ streams }: World, stream: string): Folded<State> {
  const initial = { stream, revision: -1, state: aggregateOf(stream).initial };
  return (streams.get(stream) ?? initial) as Folded<State>;
}

interface Marks {
  readonly causationId?: string;
  readonly booked?: LocalDate;
}

function appendStep(before: World, { stream, events, state }: Step, marks: Marks) {
  const world = events.reduce((known, event) => append(known, { ...event, stream }, marks), before);
  // What a decision folded by itself is what the stored events make.
  if (state !== undefined) expect(fold(world, stream).state).toEqual(state);
  return { world, made: world.all.slice(before.all.length) };
}

function append(world: World, event: Recorded, marks: Marks): World {
  const { stream, type, data, valueDate } = event;
  const version = domain.versions.get(type);
  invariant(version !== undefined, `${type} is an event of the catalogue`);
  const revision = fold(world, stream).revision + 1;
  const bookingDate = marks.booked ?? calendarOf(world).open ?? valueDate;
  const causationId = marks.causationId ?? `${stream} spec`;
  const meta = {
    ...{ valueDate, bookingDate, recordedAt: '2026-01-01T00:00:00.000Z' as Instant, actor: 'spec', seal: '' },
    ...{ commandId: `${stream} spec`, commandHash: '', correlationId: '', causationId },
  };
  const position = String(world.all.length).padStart(8, '0');
  return place(world, { id: `${stream}@${revision}`, type, version, stream, revision, position, data, meta });
}

/** The world with one more event. */
function place({ all, streams, entries }: World, event: Envelope): World {
  const { stream, revision } = event;
  const before = streams.get(stream)?.state ?? aggregateOf(stream).initial;
  const folded: Folded = { stream, revision, state: aggregateOf(stream).evolve(before, event) };
  return { all: [...all, event], streams: new Map([...streams, [stream, folded]]), entries: follow(entries, event) };
}

function follow(entries: World['entries'], event: Envelope): World['entries'] {
  if (domain.close.keys(event).length === 0) return entries;
  const values = new Map([...entries].map(([key, { value }]) => [key, value]));
  const after = new Map(entries);
  for (const entry of domain.close.evolve(values, event)) {
    if (entry.value === null) after.delete(entry.key);
    else after.set(entry.key, entry);
  }
  return after;
}

/** The day before: what is closed so that `date` is the open one. */
export const openUntil = (date: string): Sent => closed(addDays(day(date), -1));
