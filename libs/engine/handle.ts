import { setTimeout as wait } from 'node:timers/promises';
import { type EventStore, type SnapshotStore, StoreUnavailable } from '../event-store/port.js';
import type { Clock } from '../kernel/clock.js';
import { dayOf, type Instant, type LocalDate, laterOf } from '../kernel/dates.js';
import type { Calendar, CommandOf, Decision, Domain, Folded, Refusal } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { err, InvariantBroken, invariant, type Result } from '../kernel/result.js';
import { append, CONFLICT, type Stamp } from './append.js';
import { firstAnswer } from './first-answer.js';
import { DAY_LEASE_MS, DayLease, type SharedOptions } from './lease.js';
import { DayGate, Held, StreamLocks } from './locks.js';
import {
  accepted,
  type Begun,
  continues,
  type Decided,
  type Done,
  type Gathered,
  MOVED,
  type Moment,
  type Needed,
  needsOf,
  type Request,
  refusal,
  refusedWith,
  streamIn,
} from './steps.js';
import { type WarmStream, WarmStreams } from './streams.js';
import { Transfers } from './transfers.js';

/** How often a command is decided anew after another writer was first. */
export const CONFLICT_RETRIES_MAX = 50;
/** How long it waits at most before it does. */
const ANEW_MS_MAX = 100;

/**
 * The write path: lock and load the stream that the command is about, look its key up, load the facts, decide, append,
 * and let processes append what must follow. One line of a sheet may begin when the one before it was decided; both
 * become durable together.
 */
export class CommandHandler {
  readonly streams: WarmStreams;
  readonly #tools: Parameters<typeof append>[0];
  readonly locks = new StreamLocks();
  readonly gate = new DayGate();
  readonly transfers: Transfers;
  /** The day as other writers leave it; null where there are none. */
  readonly lease: DayLease | null;
  /** The clock never runs backwards behind what is recorded. Owned by #stamp. */
  #lastRecordedAt: Instant;

  constructor(
    private readonly store: EventStore,
    private readonly domain: Domain,
    private readonly clock: Clock,
    private readonly options: {
      readonly simulated: boolean;
      readonly lastRecordedAt: Instant | null;
      readonly warmBytesMax?: number | undefined;
      readonly snapshots?: SnapshotStore | undefined;
      /** Does what announced closes do, until none is under way. */
      readonly close: () => Promise<void>;
      /** How it gets on with other writers; null where there are none. */
      readonly shared: SharedOptions | null;
      /** The events that leave an append to do. */
      readonly unfinished: () => Promise<readonly Envelope[]>;
      /** Told of every append that became durable. */
      readonly appended: () => void;
    },
  ) {
    const { shared, appended } = options;
    const now = shared?.monotonic ?? (() => performance.now());
    const fresh = shared === null ? null : { now, freshMs: shared.leaseMs ?? DAY_LEASE_MS };
    this.streams = new WarmStreams(store, domain, options.warmBytesMax, options.snapshots, fresh);
    const lease = shared === null ? null : new DayLease(this.streams, domain.days, shared);
    this.lease = lease;
    const tools = { store, streams: this.streams, domain, appended, patience: shared?.patience };
    this.transfers = new Transfers(tools, shared === null ? null : options.unfinished);
    this.#tools = lease === null ? tools : { ...tools, mayRepeat: (stream, stamp) => lease.mayRepeat(stream, stamp) };
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

  /** Decided when it returns, or when that resolves; `done` when it is durable. */
  begin(request: Request, attempt = 0, held = new Held(this.locks, this.gate)): Begun | Promise<Begun> {
    if (attempt >= CONFLICT_RETRIES_MAX) {
      throw new InvariantBroken(`${request.about} is decided within ${CONFLICT_RETRIES_MAX} attempts`);
    }
    try {
      const gathered = attempt === 0 ? this.#gatherAtOnce(request, held) : null;
      if (gathered === null) return this.#beginWaiting(request, attempt, held);
      const decided = this.#decide(request, gathered, held);
      if (decided instanceof Promise) return decided.then((known) => this.#begun(known, request, attempt, held));
      return this.#begun(decided, request, attempt, held);
    } catch (error) {
      held.releaseAll();
      throw error;
    }
  }

  async #beginWaiting(request: Request, attempt: number, held: Held): Promise<Begun> {
    try {
      const gathered = await this.#gather(request, held);
      return this.#begun(await this.#decide(request, gathered, held), request, attempt, held);
    } catch (error) {
      held.releaseAll();
      throw error;
    }
  }

  /** What is decided anew keeps its locks: what waits for them comes after it, as the lines of a sheet do. */
  #begun(decided: Decided, request: Request, attempt: number, held: Held): Begun {
    if (decided.placed === null) return { done: decided.done.finally(() => held.releaseAll()) };
    const { placed, done } = decided;
    return {
      done: placed.then(
        (events) => {
          if (events === CONFLICT) return this.#anew(request, attempt + 1, held);
          const known = done(events);
          if (known instanceof Promise) return known.finally(() => held.releaseAll());
          held.releaseAll();
          return known;
        },
        (error: unknown) => {
          held.releaseAll();
          throw error;
        },
      ),
    };
  }

  async #anew(request: Request, attempt: number, held: Held): Promise<Done> {
    // Of a day that closes somebody else's close may have to be done first, which takes locks of its own.
    if (request.about === this.domain.days.stream) held.releaseAll();
    // Who lost twice gives the other writers a turn.
    if (this.lease !== null && attempt > 1) await wait(Math.random() * Math.min(2 ** attempt, ANEW_MS_MAX));
    return (await this.begin(request, attempt, held)).done;
  }

  /**
   * The usual case of `#gather`, without waiting, as a promise that is settled already costs as much as a hash: what is
   * needed is warm and nobody holds it. null where there is something to wait for; what was taken stays taken.
   */
  #gatherAtOnce(request: Request, held: Held): Gathered | null {
    if (!continues(request) && !held.takeAtOnce(request.about, 'write')) return null;
    const about = this.streams.warm(request.about);
    if (about === undefined || !this.streams.decidable(about)) return null;
    if (!continues(request) && this.streams.mayKnow(about, request.key)) return null;
    const needs = needsOf(request, about);
    if ('answer' in needs) return this.lease === null ? needs : null;
    const loaded = [about];
    for (const stream of needs.others) {
      if (!held.takeAtOnce(stream, needs.writes.includes(stream) ? 'write' : 'read')) return null;
      const warm = this.streams.warm(stream);
      if (warm === undefined || !this.streams.fresh(warm) || !this.streams.decidable(warm)) return null;
      loaded.push(warm);
    }
    const calendar = this.#enterAtOnce(request, held);
    return calendar === null ? null : { ...needs, loaded, calendar };
  }

  /** Locks and loads the stream that the command is about, looks its key up, and locks and loads the others. */
  async #gather(request: Request, held: Held): Promise<Gathered> {
    // A process continues a command whose key is known, under the lock that the command or its recovery holds.
    if (!continues(request)) await held.take(request.about, 'write');
    if (request.about === this.domain.days.stream && !request.continued) await this.#helpClose(held);
    let about = await this.streams.known(request.about);
    const again = continues(request) ? null : await firstAnswer(this.#tools, about, request);
    if (again !== null) return again;
    let needs = needsOf(request, about);
    if ('answer' in needs && this.lease !== null && request.refusal === null) {
      // Another writer may have taken the stream to where the caller means it to be.
      about = await this.streams.current(request.about);
      needs = needsOf(request, about);
    }
    if ('answer' in needs) return needs;
    const { writes } = needs;
    const modeOf = (stream: string) => (writes.includes(stream) ? 'write' : 'read');
    held.keepOrder(request.about, needs.others, modeOf);
    for (const stream of needs.others) await held.take(stream, modeOf(stream));
    const loaded = [about];
    for (const stream of needs.others) {
      const warm = await this.streams.known(stream);
      loaded.push(this.streams.fresh(warm) ? warm : await this.streams.current(stream));
    }
    const calendar = this.#enterAtOnce(request, held) ?? (await this.#enter(request, held));
    if (request.abandoned?.()) throw new StoreUnavailable('UNREACHABLE', 'what comes before it was not taken');
    return { ...needs, loaded, calendar };
  }

  #decide(request: Request, gathered: Gathered, held: Held): Decided | Promise<Decided> {
    if ('answer' in gathered) return { placed: null, done: Promise.resolve(gathered) };
    const { reads, writes, loaded, calendar } = gathered;
    const facts: Record<string, Folded> = {};
    for (const name in reads) facts[name] = streamIn(loaded, reads[name] as string);
    const at = this.#clock(request, calendar, loaded);
    if (!at.ok) return this.#unlessMoved(request, gathered, () => refusedWith(at.error));
    const about = streamIn(loaded, request.about);
    const decided = this.#ask(request, about, facts, { calendar, at: at.value });
    if (!decided.ok) return this.#unlessMoved(request, gathered, () => refusedWith(decided.error));
    // Beside other writers it may have to be decided anew.
    const early = this.lease === null || request.about === this.domain.days.stream;
    for (const name in reads) if (early && !writes.includes(reads[name] as string)) held.release(reads[name] as string);
    if (decided.value.step === null)
      return this.#unlessMoved(request, gathered, () => this.#quiet(decided.value.warnings));
    if (this.lease?.held() === false && !request.continued) return MOVED;
    if (calendar.first !== null || !request.entry.dated) {
      return this.#write(request, decided.value, { calendar, at: at.value }, loaded, held);
    }
    return this.#open(request, at.value).then((opened) =>
      opened === null ? MOVED : this.#write(request, decided.value, { calendar: opened, at: at.value }, loaded, held),
    );
  }

  /** The usual case of `#enter`, without waiting: nobody is or waits to be alone in the day, and it is open. */
  #enterAtOnce(request: Request, held: Held): Calendar | null {
    if (request.about === this.domain.days.stream || this.lease?.held() === false) return null;
    const days = this.streams.warm(this.domain.days.stream);
    if (days === undefined) return null;
    const calendar = this.domain.days.calendar(days.state);
    if (calendar.first === null && request.entry.dated) return null;
    return held.enterAtOnce() ? calendar : null;
  }

  /** Enters the day: alone for what opens or closes days, beside others for everything else. */
  async #enter(request: Request, held: Held): Promise<Calendar> {
    if (request.about !== this.domain.days.stream) {
      await held.enter();
      if (this.lease?.held() === false) await this.lease.renew();
      const calendar = await this.calendar();
      if (calendar.first !== null || !request.entry.dated) return calendar;
      held.leaveDay();
    }
    await held.enterAlone();
    await this.transfers.finish();
    if (this.lease !== null && request.about !== this.domain.days.stream) await this.lease.look();
    return this.calendar();
  }

  /** Does what another writer announced: one close at a time. The lock on the days' stream is held. */
  async #helpClose(held: Held): Promise<void> {
    if (this.lease === null) return;
    await this.lease.look();
    while (this.domain.close.isUnderWay((await this.streams.load(this.domain.days.stream)).state, null)) {
      held.leaveDay();
      await this.options.close();
    }
  }

  /** An answer that writes nothing is given on streams as they stand: what another writer moved is decided anew. */
  #unlessMoved(request: Request, { loaded, writes }: Needed, answer: () => Done | Promise<Done>): Decided {
    if (this.lease === null) return { placed: null, done: Promise.resolve(answer()) };
    const names = [this.domain.days.stream, ...loaded.map(({ stream }) => stream)];
    const moved = async () => {
      const each = await Promise.all(names.map((name) => this.streams.refresh(name)));
      return (
        each.includes(true) || (writes.length > 0 && (await this.transfers.finishOf(`${request.about} ${request.key}`)))
      );
    };
    return { placed: moved().then((known) => (known ? CONFLICT : [])), done: answer };
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

  #clock(request: Request, calendar: Calendar, loaded: readonly WarmStream[]): Result<Instant, Refusal> {
    // Beside other writers a command that is decided anew may come behind one that was posted after it: an instant that
    // is given, as in a simulation, is held against what was loaded, and not against what this one wrote elsewhere.
    let last = this.lease !== null && request.recordedAt !== null ? ('' as Instant) : this.#lastRecordedAt;
    for (const { recordedAt } of loaded) last = laterOf(last, recordedAt);
    if (request.continued !== undefined) {
      const { recordedAt } = request.continued;
      return { ok: true, value: laterOf(recordedAt ?? this.clock(), last) };
    }
    const given = request.recordedAt;
    if (given === null) return { ok: true, value: laterOf(this.clock(), last) };
    const simulated = calendar.first === null ? this.options.simulated : calendar.simulated;
    if (!simulated) return err(refusal('RECORDED_AT_NOT_ALLOWED', 'recordedAt', 'no recordedAt', {}));
    if (given < last)
      return err(refusal('RECORDED_AT_TOO_EARLY', 'recordedAt', `an instant from ${last} on`, { last }));
    return { ok: true, value: given };
  }

  // Not async: from the stamp to the append nothing comes between, so recordedAt rises with the global order.
  #write(
    request: Request,
    { step, warnings }: Decision,
    moment: Moment,
    loaded: readonly WarmStream[],
    held: Held,
  ): Decided {
    invariant(step !== null, 'there is something to write');
    const folded = streamIn(loaded, step.stream);
    const announces = step.events.some(({ type }) => type === this.domain.close.startsOn) && !request.continued;
    const placed = append(this.#tools, folded, step, this.#stamp(request, moment));
    // What follows on this stream decides on what is on its way, unless another writer may take its place.
    if (this.lease === null && !announces && (step.stream !== request.about || !this.transfers.opens(step.events)))
      held.release(step.stream);
    const done = (events: readonly Envelope[]): Done | Promise<Done> => {
      if (announces) return this.#close(request, held);
      if (this.transfers.opens(events)) return this.#transfer(request, events, warnings);
      return { answer: accepted(request.about, events, warnings), written: events };
    };
    return { placed, done };
  }

  async #transfer(request: Request, placed: readonly Envelope[], warnings: Decision['warnings']): Promise<Done> {
    const { written, refusal } = await this.transfers.follow(placed);
    if (this.lease !== null && !written.some(({ stream }) => stream === request.about)) {
      // Another writer may have carried out the same command.
      const first = await firstAnswer(this.#tools, await this.streams.current(request.about), request);
      if (first !== null) return first;
    }
    if (refusal !== null) return { answer: { accepted: false, refusal }, written };
    return { answer: accepted(request.about, written, warnings), written };
  }

  /** An announced close is answered when its entries and control totals are written. Keeps the lock, not the gate. */
  async #close(request: Request, held: Held): Promise<Done> {
    held.leaveDay();
    await this.options.close();
    const about = await this.streams.load(request.about);
    const done = await firstAnswer(this.#tools, about, request);
    invariant(done !== null, 'the announcement holds the key');
    return done.answer.accepted ? { ...done, answer: { ...done.answer, duplicate: false } } : done;
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
      recordedAt: at,
    };
  }

  /** Opens the ledger for its first command, on the command's own value date; null if another writer did. */
  async #open(request: Request, at: Instant): Promise<Calendar | null> {
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
    invariant(opened !== CONFLICT || this.lease !== null, 'one writer opens the ledger');
    return opened === CONFLICT ? null : this.calendar();
  }

  async #quiet(warnings: Decision['warnings']): Promise<Done> {
    const token = (await this.store.head())?.position ?? '';
    return { answer: { accepted: true, duplicate: false, events: [], token, warnings }, written: [] };
  }
}
