import { setImmediate as yieldTurn } from 'node:timers/promises';
import type { EventStore } from '../event-store/port.js';
import { type Instant, type LocalDate, laterOf } from '../kernel/dates.js';
import type { Domain, FollowUp } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { invariant } from '../kernel/result.js';
import { ledgerDigest } from '../proof/seal.js';
import type { ReadView } from '../read-store/port.js';
import type { Answer, CommandRequest, FollowerStatus, RequestContext } from './answers.js';
import { ReadModels } from './follow.js';
import { CommandHandler, type Request } from './handle.js';
import type { Begun, Ledger, LedgerOptions, RebuildReport } from './ledger.js';
import { ProcessFollower, runCloses } from './processes.js';
import { firstDifference } from './rebuild.js';
import { prepare } from './request.js';

/** How many of the last events are looked at for the latest recordedAt: more than one command's appends ever overlap. */
const LAST_EVENTS = 2_000;
/** How long a follower that has nothing to do waits at most before it looks again. */
const IDLE_MS_MAX = 250;
/** How long it lets appends gather between two batches. */
const BREATH_MS = 10;
/** How long it waits after a fault of a store. */
const FAULT_MS = 1_000;

/** Opens the ledger over its stores: finishes what a crash left, and follows. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const ledger = new EmbeddedLedger(options, await lastRecordedAt(options.store));
  await ledger.start();
  return ledger;
}

class EmbeddedLedger implements Ledger {
  readonly store: EventStore;
  readonly #handler: CommandHandler;
  readonly #models: ReadModels;
  readonly #transfers: ProcessFollower;
  readonly #closes: ProcessFollower;
  readonly #domain: Domain;
  readonly #wakers = new Set<() => void>();
  readonly #stopping = new AbortController();
  /** Ends the breath that the follower takes between two batches. */
  #hurry: () => void = () => {};
  #loop: Promise<void> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();
  #recovering: Promise<void> = Promise.resolve();
  /** What a dry run waits for before its first command. */
  #ready: Promise<void> | null = null;

  constructor(
    private readonly options: LedgerOptions,
    recordedAt: Instant | null,
  ) {
    const { domain, readStore, clock, simulated } = options;
    const now = () => Date.parse(clock());
    this.#domain = domain;
    this.store = waking(options.store, () => this.#wake());
    this.#handler = new CommandHandler(this.store, domain, clock, {
      ...{ simulated, lastRecordedAt: recordedAt },
      close: () => this.#runCloses(),
    });
    this.#models = new ReadModels(this.store, readStore, domain, now);
    this.#transfers = new ProcessFollower(domain.transfers, this.store, readStore, domain, null, now);
    this.#closes = new ProcessFollower(domain.close, this.store, readStore, domain, domain.close.startsOn, now);
  }

  async start(): Promise<void> {
    await this.#models.open(this.options.followed);
    if (this.options.writable) {
      await this.#transfers.open();
      await this.#closes.open();
      await this.#recover();
    }
    if (this.options.follow) this.#loop = this.#follow();
  }

  async handle(request: CommandRequest, context?: RequestContext): Promise<Answer> {
    return (await this.begin(request, context)).answer;
  }

  async begin(request: CommandRequest, context?: RequestContext): Promise<Begun> {
    if (this.#ready !== null) await this.#ready;
    const prepared = prepare(this.#domain, request, context);
    if (!prepared.ok) return { answer: Promise.resolve({ accepted: false, refusal: prepared.error }) };
    const { done } = await this.#handler.begin(prepared.value);
    const answer = done.then((done) => done.answer);
    answer.catch(() => {});
    // What writes the days is seen by every command after it: the next line waits until it is done.
    if (prepared.value.about === this.#domain.days.stream) await answer;
    return { answer };
  }

  dryRun(): Ledger {
    const { overlay, store, readStore } = this.options;
    const dry = new EmbeddedLedger(
      {
        ...this.options,
        store: overlay.store(store),
        readStore: overlay.readStore(readStore),
        followed: [],
        follow: false,
      },
      this.#handler.lastRecordedAt,
    );
    // It recovers nothing: what is not its own is left alone.
    dry.#ready = dry.#transfers.open().then(() => dry.#closes.open());
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
    const position = after ?? (await this.store.head())?.position ?? '';
    if (!this.options.follow) await this.catchUp();
    else this.#hurry();
    return this.#models.read(model, position, (instance) => this.options.readStore.read(instance, work));
  }

  followers(): readonly FollowerStatus[] {
    return [
      ...this.#models.status(),
      ...(this.options.writable ? [this.#transfers.status(), this.#closes.status()] : []),
    ];
  }

  retry(name: string): boolean {
    const found = this.#models.retry(name);
    this.#wake();
    return found;
  }

  async rebuild(name: string, progress: (events: number) => void = () => {}): Promise<RebuildReport> {
    invariant(this.#models.has(name), `${name} is a read model`);
    const began = performance.now();
    const { live, instance } = await this.#models.beside(name);
    this.#wake();
    const done = (difference: RebuildReport['difference'], switched: boolean, events: number): RebuildReport => ({
      ...{ name, instance, events, difference, switched },
      seconds: (performance.now() - began) / 1_000,
    });
    try {
      for (;;) {
        const rebuilt = this.#models.checkpointOf(instance);
        progress(rebuilt.sequence);
        const report = await this.#alone(async () => {
          const [old, own] = [this.#models.checkpointOf(live), this.#models.checkpointOf(instance)];
          if (own.position < old.position) return null;
          const { model } = this.#followed(name);
          const sameVersion = live.startsWith(`${name}.${model.version}`);
          const difference =
            sameVersion && own.position === old.position
              ? await firstDifference(this.options.readStore, model, live, instance)
              : null;
          await this.#models.switchTo(name, instance);
          await this.#models.drop(live);
          return done(difference, true, own.sequence);
        });
        if (report !== null) return report;
        if (!this.options.follow) await this.#oneTurn();
        else await yieldTurn();
      }
    } catch (error) {
      await this.#alone(() => this.#models.drop(instance));
      throw error;
    }
  }

  async catchUp(progress: (events: number) => void = () => {}): Promise<void> {
    while (await this.#oneTurn()) progress(Math.max(0, ...this.#models.status().map(({ sequence }) => sequence)));
  }

  digest(): Promise<string> {
    return ledgerDigest(this.store.streams());
  }

  async close(): Promise<void> {
    await this.#recovering.catch(() => {});
    // Whoever is in the day leaves it when what it wrote is durable.
    (await this.#handler.gate.alone())();
    this.#stopping.abort();
    this.#wake();
    this.#hurry();
    await this.#loop;
    await this.#turn;
  }

  // ---------------------------------------------------------------------------------------------------- processes

  async #recover(): Promise<void> {
    while (await this.#transfers.turn());
    const open: Envelope[] = [];
    await this.#transfers.entries(null, async (entries) => {
      for await (const { value } of entries) open.push(value as Envelope);
    });
    await this.#handler.finish(open);
    const state = (await this.#handler.streams.load(this.#domain.days.stream)).state;
    if (!this.#domain.close.isUnderWay(state, null)) return;
    // A close that a crash interrupted goes on while commands are taken; the next close waits for it.
    this.#recovering = this.#handler.locks
      .acquire(this.#domain.days.stream, 'write')
      .then((release) => this.#runCloses().finally(release));
    this.#recovering.catch(this.options.onFault);
  }

  #runCloses(): Promise<void> {
    return runCloses(
      this.#domain.close,
      this.#closes,
      (announced) => this.#isUnderWay(announced),
      (announced, followUp, ends) => this.#send(announced, followUp, ends),
    );
  }

  async #isUnderWay(announced: Envelope): Promise<boolean> {
    const { state } = await this.#handler.streams.load(this.#domain.days.stream);
    return this.#domain.close.isUnderWay(state, announced);
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
      ...{ hash: meta.commandHash, ifMatch: null, recordedAt: null, correlationId: null },
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

  // ---------------------------------------------------------------------------------------------------- following

  async #follow(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        if (!(await this.#oneTurn())) await this.#idle(IDLE_MS_MAX);
        else await this.#breath();
      } catch (error) {
        this.options.onFault(error);
        await this.#idle(FAULT_MS);
      }
    }
  }

  /** Appends that come close together are folded into one batch, unless somebody waits to read them. */
  async #breath(): Promise<void> {
    await yieldTurn();
    if (this.#models.awaited) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, BREATH_MS);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One batch for everyone who follows; nothing else changes a follower meanwhile. */
  #oneTurn(): Promise<boolean> {
    return this.#alone(async () => {
      const moved = await this.#models.turn();
      if (!this.options.writable || !this.options.follow) return moved;
      const transferred = await this.#transfers.turn();
      const closed = await this.#closes.turn(async () => {
        const announced = (await this.#closes.get(this.#domain.close.underWay)) as Envelope | undefined;
        return announced !== undefined && (await this.#isUnderWay(announced));
      });
      return moved || transferred || closed;
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #followed(name: string) {
    const followed = this.options.followed.find(({ model }) => model.name === name);
    invariant(followed !== undefined, `${name} is a read model`);
    return followed;
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
  }

  #idle(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakers.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** The latest recordedAt: the second append of a command may stand behind a later one with an earlier clock. */
async function lastRecordedAt(store: EventStore): Promise<Instant | null> {
  let last: Instant | null = null;
  for await (const { meta } of store.readAll({ direction: 'backwards', limit: LAST_EVENTS })) {
    last = last === null ? meta.recordedAt : laterOf(last, meta.recordedAt);
  }
  return last;
}

/** The same store, and whoever follows is woken when something was appended. */
function waking(store: EventStore, wake: () => void): EventStore {
  return {
    append: async (stream, expectedRevision, events) => {
      const outcome = await store.append(stream, expectedRevision, events);
      if (outcome.outcome === 'committed') wake();
      return outcome;
    },
    readStream: (stream, options) => store.readStream(stream, options),
    readAll: (options) => store.readAll(options),
    readAllText: (options) => store.readAllText(options),
    head: () => store.head(),
    streams: () => store.streams(),
    subscribe: (options) => store.subscribe(options),
    close: () => store.close(),
  };
}
