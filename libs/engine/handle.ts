import type { EventStore } from '../event-store/port.js';
import type { Clock } from '../kernel/clock.js';
import { dayOf, type Instant, type LocalDate, laterOf } from '../kernel/dates.js';
import type { Calendar, CommandOf, Continuation, Decision, Domain, Folded, Refusal } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { err, invariant, type Result } from '../kernel/result.js';
import type { Accepted, Answer, EventReference } from './answers.js';
import { append, CONFLICT, type Stamp } from './append.js';
import { DayGate, Held, StreamLocks } from './locks.js';
import type { Prepared } from './request.js';
import { type WarmStream, WarmStreams } from './streams.js';

/** How often a command is decided anew after another writer was first. */
export const CONFLICT_RETRIES_MAX = 50;

/** What a process says beside the request that it sends: it keeps the marks of what it continues. */
export interface Continued {
  readonly bookingDate: LocalDate;
  readonly recordedAt: Instant | null;
  readonly causationId: string;
  readonly correlationId: string;
  /** The command that is continued, whose key is known already; null: the request's own. */
  readonly command: { readonly id: string; readonly hash: string } | null;
}

export type Request = Prepared & { readonly continued?: Continued };

/** The days and the clock as a command saw them. */
interface Moment {
  readonly calendar: Calendar;
  readonly at: Instant;
}

/** What was written for a command, over all streams, in the order of the appends. */
export interface Done {
  readonly answer: Answer;
  readonly written: readonly Envelope[];
}

/**
 * The write path: lock and load the stream that the command is about, look its key up, load the facts, decide, append,
 * and let processes append what must follow. One line of a sheet may begin when the one before it was decided; both
 * become durable together.
 */
export class CommandHandler {
  readonly streams: WarmStreams;
  readonly locks = new StreamLocks();
  readonly gate = new DayGate();
  /** Events that leave an append to do, until it is done: a day does not close while there is one. */
  readonly #unfinished = new Map<string, Envelope>();
  /** The clock never runs backwards behind what is recorded. Owned by #stamp. */
  #lastRecordedAt: Instant;

  constructor(
    private readonly store: EventStore,
    private readonly domain: Domain,
    private readonly clock: Clock,
    private readonly options: {
      readonly simulated: boolean;
      readonly lastRecordedAt: Instant | null;
      /** Does what announced closes do, until none is under way. */
      readonly close: () => Promise<void>;
    },
  ) {
    this.streams = new WarmStreams(store, domain);
    this.#lastRecordedAt = options.lastRecordedAt ?? ('' as Instant);
  }

  get lastRecordedAt(): Instant | null {
    return this.#lastRecordedAt === '' ? null : this.#lastRecordedAt;
  }

  async calendar(): Promise<Calendar> {
    return this.domain.days.calendar((await this.streams.load(this.domain.days.stream)).state);
  }

  today(): LocalDate {
    return dayOf(laterOf(this.clock(), this.#lastRecordedAt));
  }

  /** Resolves when the command was decided; `done` when it is durable. */
  async begin(request: Request, attempt = 0): Promise<{ readonly done: Promise<Done> }> {
    invariant(attempt < CONFLICT_RETRIES_MAX, `${request.about} is decided within ${CONFLICT_RETRIES_MAX} attempts`);
    const held = new Held(this.locks);
    try {
      const begun = await this.#decide(request, held);
      const done = this.#finished(begun.done, request, attempt, held);
      done.catch(() => {});
      return { done };
    } catch (error) {
      held.releaseAll();
      throw error;
    }
  }

  /** Lets go of what is held before it decides anew: the next attempt takes the same locks. */
  async #finished(decided: Promise<Done | typeof CONFLICT>, request: Request, attempt: number, held: Held) {
    try {
      const done = await decided;
      if (done !== CONFLICT) return done;
    } finally {
      held.releaseAll();
    }
    return (await this.begin(request, attempt + 1)).done;
  }

  // It waits only where there is something to wait for: a promise that is settled already costs as much as a hash.
  async #decide(request: Request, held: Held): Promise<{ done: Promise<Done | typeof CONFLICT> }> {
    const { entry, data, continued } = request;
    // A process continues a command whose key is known, under the lock that the command or its recovery holds.
    if (continued?.command == null) {
      const locking = held.take(request.about, 'write');
      if (locking !== null) await locking;
    }
    const loading = this.streams.load(request.about);
    const about = loading instanceof Promise ? await loading : loading;
    if (continued?.command == null) {
      const again = await this.#again(about, request);
      if (again !== null) return { done: Promise.resolve(again) };
    }
    if (request.refusal !== null) return refused(request.refusal);
    if (request.ifMatch !== null && request.ifMatch !== about.revision) {
      return refused(refusal('REVISION_MOVED', 'ifMatch', `${about.revision}`, { revision: about.revision }));
    }
    const reads = entry.reads(data, about.state);
    const writes = entry.writes(data, about.state).filter((stream) => stream !== request.about);
    const loaded = new Map([[request.about, about]]);
    const others = [...Object.values(reads), ...writes];
    if (others.length > 0) await this.#take(others, writes, loaded, held);
    const facts: Record<string, Folded> = {};
    for (const name of Object.keys(reads)) facts[name] = loaded.get(reads[name] as string) as Folded;

    const calendar = this.#enterAtOnce(request, held) ?? (await this.#enter(request, held));
    const at = this.#clock(request, calendar);
    if (!at.ok) return refused(at.error);
    const decided = this.#ask(request, about, facts, { calendar, at: at.value });
    if (!decided.ok) return refused(decided.error);
    for (const stream of Object.values(reads)) if (!writes.includes(stream)) held.release(stream);
    if (decided.value.step === null) return { done: this.#quiet(decided.value.warnings) };
    const opens = calendar.first === null && request.entry.dated;
    const moment = { calendar: opens ? await this.#open(request, at.value) : calendar, at: at.value };
    return this.#write(request, decided.value, moment, loaded, held);
  }

  /** Locks and loads the streams beside the one that the command is about, in order of their names. */
  async #take(
    streams: readonly string[],
    writes: readonly string[],
    loaded: Map<string, WarmStream>,
    held: Held,
  ): Promise<void> {
    for (const stream of [...new Set(streams)].sort()) {
      await held.take(stream, writes.includes(stream) ? 'write' : 'read');
    }
    for (const stream of streams) loaded.set(stream, await this.streams.load(stream));
  }

  /** The usual case of `#enter`, without waiting: nobody is or waits to be alone in the day, and it is open. */
  #enterAtOnce(request: Request, held: Held): Calendar | null {
    if (request.about === this.domain.days.stream) return null;
    const days = this.streams.load(this.domain.days.stream);
    if (days instanceof Promise) return null;
    const calendar = this.domain.days.calendar(days.state);
    if (calendar.first === null && request.entry.dated) return null;
    const leave = this.gate.enterAtOnce();
    if (leave === null) return null;
    held.keep(leave);
    return calendar;
  }

  /** Enters the day: alone for what opens or closes days, beside others for everything else. */
  async #enter(request: Request, held: Held): Promise<Calendar> {
    if (request.about !== this.domain.days.stream) {
      held.keep(await this.gate.enter());
      const calendar = await this.calendar();
      if (calendar.first !== null || !request.entry.dated) return calendar;
      held.leaveDay();
    }
    held.keep(await this.gate.alone());
    await this.finish();
    return this.calendar();
  }

  #ask(request: Request, about: WarmStream, facts: Readonly<Record<string, Folded>>, { calendar, at }: Moment) {
    const { entry, data, valueDate, continued } = request;
    const today = dayOf(at);
    const asked = this.#days(request, calendar, today);
    if (!asked.ok) return asked;
    const day = valueDate ?? continued?.bookingDate ?? asked.value.open ?? today;
    const commandId = `${request.about} ${request.key}`;
    const command: CommandOf<unknown> = { name: entry.name, data, valueDate: day, commandId, today };
    return entry.decide(about, command, { ...facts, calendar: asked.value });
  }

  /** The days as the command sees them: a ledger's first command opens its own day. */
  #days(request: Request, calendar: Calendar, today: LocalDate): Result<Calendar, Refusal> {
    const { valueDate } = request;
    if (!request.entry.dated || valueDate === null) return { ok: true, value: calendar };
    if (calendar.first === null) {
      if (valueDate > today)
        return err(refusal('VALUE_DATE_AFTER_CLOCK', 'valueDate', `a day up to ${today}`, { today }));
      return { ok: true, value: { first: valueDate, open: valueDate, simulated: this.options.simulated } };
    }
    const outside = this.domain.days.refuseValueDate(valueDate, calendar);
    return outside === null ? { ok: true, value: calendar } : err(outside);
  }

  #clock(request: Request, calendar: Calendar): Result<Instant, Refusal> {
    if (request.continued !== undefined) {
      const { recordedAt } = request.continued;
      return { ok: true, value: laterOf(recordedAt ?? this.clock(), this.#lastRecordedAt) };
    }
    const given = request.recordedAt;
    if (given === null) return { ok: true, value: laterOf(this.clock(), this.#lastRecordedAt) };
    const simulated = calendar.first === null ? this.options.simulated : calendar.simulated;
    if (!simulated) return err(refusal('RECORDED_AT_NOT_ALLOWED', 'recordedAt', 'no recordedAt', {}));
    const last = this.#lastRecordedAt;
    if (given < last)
      return err(refusal('RECORDED_AT_TOO_EARLY', 'recordedAt', `an instant from ${last} on`, { last }));
    return { ok: true, value: given };
  }

  // Not async: from the stamp to the append nothing comes between, so recordedAt rises with the global order.
  #write(
    request: Request,
    { step, warnings }: Decision,
    moment: Moment,
    loaded: ReadonlyMap<string, WarmStream>,
    held: Held,
  ): { done: Promise<Done | typeof CONFLICT> } {
    const folded = step === null ? undefined : loaded.get(step.stream);
    invariant(step !== null && folded !== undefined, `${request.entry.name} names the streams that it writes`);
    const announces = step.events.some(({ type }) => type === this.domain.close.startsOn) && !request.continued;
    const first = append(this.#tools, folded, step, this.#stamp(request, moment));
    // What follows on this stream decides on what is on its way; the store keeps the order.
    if (!announces && (step.stream !== request.about || !this.#opens(step.events))) held.release(step.stream);
    const done = first.then(async (placed): Promise<Done | typeof CONFLICT> => {
      if (placed === CONFLICT) return CONFLICT;
      if (announces) return this.#close(request, held);
      const { written, refusal } = this.#opens(placed)
        ? await this.#follow(placed)
        : { written: placed, refusal: null };
      if (refusal !== null) return { answer: { accepted: false, refusal }, written };
      return { answer: accepted(request.about, written, warnings), written };
    });
    return { done };
  }

  /** An announced close is answered when its entries and control totals are written. Keeps the lock, not the gate. */
  async #close(request: Request, held: Held): Promise<Done> {
    held.leaveDay();
    await this.options.close();
    const about = await this.streams.load(request.about);
    const done = await this.#again(about, request);
    invariant(done !== null, 'the announcement holds the key');
    return done.answer.accepted ? { ...done, answer: { ...done.answer, duplicate: false } } : done;
  }

  get #tools() {
    return { store: this.store, streams: this.streams, domain: this.domain };
  }

  /** The marks of what is about to be written, in order of their names. */
  #stamp(request: Request, { calendar, at }: Moment): Stamp {
    const { continued, actor, key, about } = request;
    invariant(calendar.open !== null, 'the calendar was asked before');
    this.#lastRecordedAt = laterOf(at, this.#lastRecordedAt);
    const commandId = continued?.command?.id ?? `${about} ${key}`;
    return {
      actor,
      bookingDate: continued?.bookingDate ?? calendar.open,
      causationId: continued?.causationId ?? commandId,
      commandHash: continued?.command?.hash ?? request.hash,
      commandId,
      correlationId: continued?.correlationId ?? request.correlationId ?? commandId,
      recordedAt: this.#lastRecordedAt,
    };
  }

  /** Opens the ledger for its first command, which was accepted, on the command's own value date. */
  async #open(request: Request, at: Instant): Promise<Calendar> {
    const { stream, opening } = this.domain.days;
    const day = request.valueDate as LocalDate;
    const first = { open: day, first: day, simulated: this.options.simulated };
    const own = `${stream} ~open`;
    const marks = {
      ...this.#stamp(request, { calendar: first, at }),
      commandId: own,
      correlationId: own,
      causationId: own,
    };
    const events = [opening(day, this.options.simulated)];
    const opened = await append(this.#tools, await this.streams.load(stream), { events }, marks);
    invariant(opened !== CONFLICT, 'one writer opens the ledger');
    return this.calendar();
  }

  #opens(events: readonly { readonly type: string }[]): boolean {
    return events.some(({ type }) => this.domain.transfers.opensOn.includes(type));
  }

  /**
   * Appends what processes make of events until nothing is left to do. The streams that it writes are locked by the
   * command, or by nobody where a recovery runs before the first command; another process's writes show as conflicts.
   */
  async #follow(placed: readonly Envelope[]): Promise<{ written: Envelope[]; refusal: Refusal | null }> {
    const written = [...placed];
    let refusal: Refusal | null = null;
    for (const event of placed) if (this.#opens([event])) this.#unfinished.set(event.id, event);
    for (let index = 0; index < written.length; index++) {
      const event = written[index] as Envelope;
      if (!this.domain.transfers.opensOn.includes(event.type)) continue;
      for (let next = await this.#next(event); next !== null; next = await this.#next(event)) {
        const folded = await this.streams.load(next.stream);
        const outcome = await append(this.#tools, folded, next, { ...marksOf(event), causationId: event.id });
        if (outcome === CONFLICT) continue;
        for (const made of outcome) if (this.#opens([made])) this.#unfinished.set(made.id, made);
        written.push(...outcome);
        refusal = next.refusal ?? refusal;
      }
      this.#unfinished.delete(event.id);
    }
    return { written, refusal };
  }

  async #next(event: Envelope): Promise<Continuation | null> {
    const facts: Record<string, Folded> = {};
    for (const [name, stream] of Object.entries(this.domain.transfers.reads(event))) {
      facts[name] = await this.streams.load(stream);
    }
    return this.domain.transfers.next(event, facts);
  }

  /** Finishes what a crash, or a store that was away, left between two appends. */
  async finish(events: Iterable<Envelope> = [...this.#unfinished.values()]): Promise<void> {
    for (const event of events) await this.#follow([event]);
  }

  /**
   * The first answer again: the events that the key wrote on this stream, and a token that covers all of them. null for
   * a key that is new.
   */
  async #again(about: WarmStream, request: Request): Promise<Done | null> {
    const commandId = `${about.stream} ${request.key}`;
    for (const revision of this.streams.mayKnow(about, request.key)) {
      await about.durable;
      const written: Envelope[] = [];
      for await (const event of this.store.readStream(about.stream, { from: revision })) {
        if (event.meta.commandId !== commandId) break;
        written.push(event);
      }
      const [first] = written;
      if (first === undefined) continue;
      if (first.meta.commandHash !== request.hash) {
        const accepted = 'the same command, value date and data as the first time, or another key';
        const reused = refusal('KEY_REUSED', 'id', accepted, { key: request.key });
        return { answer: { accepted: false, refusal: reused }, written: [] };
      }
      const token = (await this.store.head())?.position ?? '';
      return { answer: { ...accepted(about.stream, written, []), duplicate: true, token }, written };
    }
    return null;
  }

  async #quiet(warnings: Decision['warnings']): Promise<Done> {
    const token = (await this.store.head())?.position ?? '';
    return { answer: { accepted: true, duplicate: false, events: [], token, warnings }, written: [] };
  }
}

function accepted(about: string, written: readonly Envelope[], warnings: Decision['warnings']): Accepted {
  const events: EventReference[] = [];
  let token = '';
  for (const { type, stream, revision, position } of written) {
    if (stream === about) events.push({ type, stream, revision, position });
    token = laterOf(token, position);
  }
  return { accepted: true, duplicate: false, events, token, warnings };
}

function marksOf({ meta }: Envelope): Stamp {
  const { valueDate: _, seal: __, ...stamp } = meta;
  return stamp;
}

const refused = (refusal: Refusal) => ({
  done: Promise.resolve<Done>({ answer: { accepted: false, refusal }, written: [] }),
});

const refusal = (code: string, field: string, accepted: string, params: Refusal['params']): Refusal => ({
  code,
  errors: [{ field, code, accepted }],
  params,
});
