import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore } from '../event-store/port.js';
import { type Instant, type LocalDate, laterOf } from '../kernel/dates.js';
import type { Domain, FollowUp } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { ledgerDigest } from '../proof/seal.js';
import type { ReadView } from '../read-store/port.js';
import type { Answer, CommandRequest, FollowerStatus, RequestContext } from './answers.js';
import { FollowingHere } from './follow-here.js';
import type { Following, Progress } from './following.js';
import { CommandHandler } from './handle.js';
import { type SharedOptions, SWEEP_MS } from './lease.js';
import { type Begun, type Ledger, type LedgerOptions, type RebuildReport, TokenUnknown } from './ledger.js';
import { ofEveryPartition, positionsIn } from './partitions.js';
import { ProcessState, runCloses } from './processes.js';
import { prepare } from './request.js';
import type { Done, Request } from './steps.js';
import { PartitionedTokens } from './tokens.js';

/** How many of the last events are looked at for the latest recordedAt: more than one command's appends ever overlap. */
const LAST_EVENTS = 2_000;
/** Opens the ledger over its stores: finishes what a crash left, and follows. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const ledger = new EmbeddedLedger(options, await lastRecordedAt(options.store));
  await ledger.start();
  return ledger;
}

class EmbeddedLedger implements Ledger {
  readonly store: EventStore;
  readonly #handler: CommandHandler;
  readonly #following: Following;
  readonly #transfers: ProcessState;
  readonly #closes: ProcessState;
  readonly #domain: Domain;
  readonly #tokens: PartitionedTokens | null;
  #recovering: Promise<void> = Promise.resolve();
  /** Looks for what other writers left. */
  #sweeping: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();
  /** What a dry run waits for before its first command. */
  #ready: Promise<void> | null = null;

  constructor(
    private readonly options: LedgerOptions,
    recordedAt: Instant | null,
  ) {
    const { domain, readStore, clock, simulated, followed, writable, follow, onFault } = options;
    this.#domain = domain;
    this.store = options.store;
    this.#handler = new CommandHandler(this.store, domain, clock, {
      ...{ simulated, lastRecordedAt: recordedAt, warmBytesMax: options.warmBytesMax },
      snapshots: options.snapshots,
      close: () => this.#runCloses(),
      unfinished: () => this.#unfinished(null),
      shared: options.shared ?? null,
      appended: () => this.#following.wake(),
    });
    this.#following =
      options.following ??
      new FollowingHere({
        ...{ store: this.store, readStore, domain, followed, onFault },
        ...{ now: () => Date.parse(clock()), processes: writable, background: follow },
        shared: options.shared !== undefined,
      });
    this.#tokens = options.partitions ? new PartitionedTokens(this.store, domain, options.partitions) : null;
    this.#transfers = new ProcessState(domain.transfers, readStore);
    this.#closes = new ProcessState(domain.close, readStore);
  }

  async start(): Promise<void> {
    try {
      await this.#following.start();
      if (this.options.writable) await this.#recover();
      if (this.options.writable && this.options.shared) this.#besideOthers(this.options.shared);
    } catch (error) {
      await this.#following.stop();
      throw error;
    }
  }

  // Not async, and nor is what is below: a promise more is a microsecond more of the collector's time.
  handle(request: CommandRequest, context?: RequestContext): Promise<Answer> {
    try {
      const begun = this.begin(request, context);
      return begun instanceof Promise ? begun.then(({ answer }) => answer) : begun.answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  begin(request: CommandRequest, context?: RequestContext): Begun | Promise<Begun> {
    if (this.#ready !== null) return this.#ready.then(() => this.#begin(request, context));
    return this.#begin(request, context);
  }

  #begin(request: CommandRequest, context?: RequestContext): Begun | Promise<Begun> {
    const prepared = prepare(this.#domain, request, context);
    if (!prepared.ok) return { answer: Promise.resolve({ accepted: false, refusal: prepared.error }) };
    const begun = this.#handler.begin(prepared.value);
    const { about } = prepared.value;
    return begun instanceof Promise
      ? begun.then(({ done }) => this.#begun(about, done))
      : this.#begun(about, begun.done);
  }

  #begun(about: string, done: Promise<Done>): Begun | Promise<Begun> {
    const tokens = this.#tokens;
    const answer = tokens === null ? done.then(answerOf) : done.then((it) => tokens.answer(about, it));
    answer.catch(ignored);
    // What writes the days is seen by every command after it: the next line waits until it is done.
    return about === this.#domain.days.stream ? answer.then(() => ({ answer })) : { answer };
  }

  dryRun(): Ledger {
    const { overlay, store, readStore, snapshots } = this.options;
    const dry = new EmbeddedLedger(
      {
        ...this.options,
        store: overlay.store(store),
        readStore: overlay.readStore(readStore),
        ...{ followed: [], follow: false, following: undefined, partitions: undefined, shared: undefined },
        // What it folds beyond the ledger's own is nobody else's.
        ...(snapshots && { snapshots: { get: (stream) => snapshots.get(stream), put() {}, close() {} } }),
      },
      this.#handler.lastRecordedAt,
    );
    // It recovers nothing: what is not its own is left alone.
    dry.#ready = dry.#following.start();
    dry.#ready.catch(() => {});
    return dry;
  }

  calendar() {
    return this.#handler.calendar();
  }

  today(): LocalDate {
    return this.#handler.today();
  }

  async read<T>(model: string, after: string | null, work: (view: ReadView) => Promise<T>): Promise<T> {
    const { partitions } = this.options;
    const position = after ?? (partitions ? '' : ((await this.store.head())?.position ?? ''));
    const fits = partitions ? positionsIn(position, partitions) !== null : !position.includes(':');
    if (!fits) throw new TokenUnknown(position);
    return this.#following.read(model, position, (instance) =>
      this.options.readStore.read(instance, (view) => work(partitions ? ofEveryPartition(view, partitions) : view)),
    );
  }

  followers(): readonly FollowerStatus[] {
    return this.#following.status();
  }

  retry(name: string): boolean {
    return this.#following.retry(name);
  }

  rebuild(names: readonly string[], progress: Progress = () => {}): Promise<readonly RebuildReport[]> {
    return this.#following.rebuild(names, progress);
  }

  catchUp(progress: Progress = () => {}): Promise<void> {
    return this.#following.catchUp(progress);
  }

  digest(): Promise<string> {
    return ledgerDigest(this.store.streams());
  }

  async close(): Promise<void> {
    await this.#recovering.catch(() => {});
    this.#stopping.abort();
    await this.#sweeping;
    await this.#handler.lease?.stop();
    // Whoever is in the day leaves it when what it wrote is durable.
    await this.#handler.gate.alone();
    this.#handler.gate.leave('write');
    await this.#following.stop();
  }

  // ---------------------------------------------------------------------------------------------------- processes

  async #recover(): Promise<void> {
    const open = await this.#unfinished(null);
    await this.#handler.transfers.finish(open);
    if (!(await this.#isUnderWay(null))) return;
    // A close that a crash interrupted goes on while commands are taken; the next close waits for it.
    this.#recovering = this.#handler.locks
      .acquire(this.#domain.days.stream, 'write')
      .then((release) => this.#runCloses().finally(release));
    this.#recovering.catch(this.options.onFault);
  }

  /** What waits for a second append: all, or what is booked up to a day. */
  async #unfinished(upTo: LocalDate | null): Promise<readonly Envelope[]> {
    await this.#following.settle(this.#transfers.name);
    const open: Envelope[] = [];
    await this.#transfers.entries(upTo, async (entries) => {
      for await (const { value } of entries) open.push(value as Envelope);
    });
    return open;
  }

  async #isUnderWay(announced: Envelope | null): Promise<boolean> {
    const { state } = await this.#handler.streams.current(this.#domain.days.stream);
    return this.#domain.close.isUnderWay(state, announced);
  }

  /** Keeps the day's lease, and finishes what stands unfinished for longer than a writer that lives would leave it. */
  #besideOthers(shared: SharedOptions): void {
    this.#handler.lease?.start(this.options.onFault);
    const { signal } = this.#stopping;
    let before: ReadonlySet<string> = new Set();
    const sweep = async () => {
      const open = await this.#unfinished(null);
      await this.#handler.transfers.finish(open.filter(({ id }) => before.has(id)));
      before = new Set(open.map(({ id }) => id));
    };
    const keep = async () => {
      for (;;) {
        await wait(shared.sweepMs ?? SWEEP_MS, undefined, { signal, ref: false }).catch(() => {});
        if (signal.aborted) return;
        await sweep().catch(this.options.onFault);
      }
    };
    this.#sweeping = keep();
  }

  /** Waits until no other writer stamps the day that closes, and finishes what of it waits for a second append. */
  async #drained(): Promise<void> {
    const { lease, transfers } = this.#handler;
    if (lease === null) return;
    await lease.waitedOut();
    const { open } = await this.calendar();
    invariant(open !== null, 'a day that closes was opened');
    const left = await this.#unfinished(open);
    await transfers.finish(left.filter(({ meta }) => meta.bookingDate < open));
  }

  /**
   * What other writers booked on the day that closes between its announcement and the first of the close's own entries,
   * or the head. Whoever takes the close over from another takes in as much, or more.
   */
  async #landed(announced: Envelope): Promise<readonly Envelope[]> {
    const events: Envelope[] = [];
    if (this.#handler.lease === null) return events;
    const day = this.#domain.close.day(announced);
    for await (const event of this.store.readAll({ after: announced.position })) {
      if (event.meta.causationId === announced.id) break;
      if (event.meta.bookingDate <= day) events.push(this.#domain.upcast(event));
    }
    return events;
  }

  #runCloses(): Promise<void> {
    return runCloses(this.#domain.close, this.#closes, {
      shared: this.#handler.lease !== null,
      isUnderWay: (announced) => this.#isUnderWay(announced),
      drained: () => this.#drained(),
      landed: (announced) => this.#landed(announced),
      settle: () => this.#following.settle(this.#closes.name),
      send: (announced, followUp, ends) => this.#send(announced, followUp, ends),
    });
  }

  /** A process's own command, with the marks of the command that it continues. */
  async #send(announced: Envelope, followUp: FollowUp, ends: boolean): Promise<readonly Envelope[]> {
    const { command, key, data, valueDate } = followUp;
    const entry = this.#domain.commands.get(command);
    invariant(entry !== undefined, `${command} is in the catalogue`);
    const { meta } = announced;
    const { simulated } = await this.calendar();
    const request: Request = {
      ...{ entry, about: entry.about(data), key, data, valueDate, actor: meta.actor, refusal: null },
      ...{ hash: meta.commandHash, ifMatch: null, recordedAt: null, correlationId: null, abandoned: null },
      continued: {
        bookingDate: this.#domain.close.day(announced),
        recordedAt: simulated ? meta.recordedAt : null,
        causationId: announced.id,
        correlationId: meta.correlationId,
        command: ends ? { id: meta.commandId, hash: meta.commandHash } : null,
      },
    };
    const { answer, written } = await (await this.#handler.begin(request)).done;
    invariant(answer.accepted, `${command} of a process is accepted`);
    return written;
  }
}

const answerOf = ({ answer }: Done): Answer => answer;
/** Whoever waits for the answer hears of it. */
const ignored = (): void => {};

/** The latest recordedAt: the second append of a command may stand behind a later one with an earlier clock. */
async function lastRecordedAt(store: EventStore): Promise<Instant | null> {
  let last: Instant | null = null;
  for await (const { meta } of store.readAll({ direction: 'backwards', limit: LAST_EVENTS })) {
    last = last === null ? meta.recordedAt : laterOf(last, meta.recordedAt);
  }
  return last;
}
