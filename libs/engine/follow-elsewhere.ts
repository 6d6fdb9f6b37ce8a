import { invariant } from '../kernel/result.js';
import type { FollowerStatus } from './answers.js';
import { errorOf, type FromFollower, type ToFollower } from './follow-messages.js';
import { type Following, type Progress, Readings } from './following.js';
import { FOLLOW_WAIT_MS, FollowerBehind, type RebuildReport } from './ledger.js';

/** The ledger's end of a link to whoever follows. */
export interface FollowerLink {
  post(message: ToFollower): void;
  /** Resolves when the other end, which was asked to stop, is gone; ends it when that takes too long. */
  end(): Promise<void>;
  /** Whether the process is kept alive for the answer that it waits for. */
  keep(alive: boolean): void;
}

/** Begins somebody who follows. `gone` is called once, with the reason, when nothing more is to be heard. */
export type Connect = (heard: (message: FromFollower) => void, gone: (reason: Error) => void) => FollowerLink;

export interface ElsewhereOptions {
  readonly connect: Connect;
  readonly now: () => number;
  /** Told of faults in the background: they are retried. */
  readonly onFault: (error: unknown) => void;
}

/** How long after an end the follower is begun again, doubling with each one that follows soon. */
const AGAIN_FIRST_MS = 100;
const AGAIN_MS_MAX = 10_000;
/** Who lives so long has mended what ended the ones before. */
const LIVED_MS = 30_000;
/** Who follows says so four times a second: silence of this length is said in the status. */
const SILENT_MS = 5_000;

type Ask = Extract<ToFollower, { readonly ask: string }>;
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

interface Asked {
  readonly message: Ask;
  /** Whether it is asked again of the next one when this one ends. */
  readonly again: boolean;
  readonly progress: Progress;
  readonly resolve: (said: FromFollower) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Follows through somebody else: this end keeps what that one said last, and asks. When the other end dies it is begun
 * again, and what still waits is asked again; nothing is lost with it, as all that it knows stands in its stores.
 */
export class FollowingElsewhere implements Following {
  readonly #readings = new Readings();
  readonly #asked = new Map<number, Asked>();
  #followers: readonly FollowerStatus[] = [];
  #link: FollowerLink | null = null;
  #ids = 0;
  #idle = false;
  /** Something was appended since the follower was last woken. */
  #dirty = false;
  #heardAt = 0;
  #beganAt = 0;
  #ends = 0;
  #fault: string | null = null;
  #started = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ElsewhereOptions) {}

  async start(): Promise<void> {
    await this.#begin();
    this.#started = true;
  }

  wake(): void {
    this.#dirty = true;
    if (!this.#idle) return;
    this.#idle = false;
    this.#dirty = false;
    this.#link?.post({ tell: 'wake' });
  }

  async read<T>(model: string, position: string, work: (instance: string) => Promise<T>): Promise<T> {
    const live = this.#followers.find(({ name, kind }) => name === model && kind === 'projection');
    if (live !== undefined && live.position >= position) return this.#readings.of(live.instance, work);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#forget(id);
        reject(new FollowerBehind(model));
      }, FOLLOW_WAIT_MS);
      const id = this.#send({ ask: 'passed', model, position }, true, {
        progress: () => {},
        // At once, before the next message is heard: it may be that the instance leaves.
        resolve: (said) => {
          clearTimeout(timer);
          invariant(said.is === 'passed', 'a question is answered');
          this.#readings.of(said.instance, work).then(resolve, reject);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  async settle(process: string): Promise<void> {
    await this.#ask({ ask: 'settle', process }, true);
  }

  status(): readonly FollowerStatus[] {
    const silent = this.options.now() - this.#heardAt;
    const fault = this.#fault ?? (silent > SILENT_MS ? 'nothing is heard of the thread that follows' : null);
    if (fault === null) return this.#followers;
    return this.#followers.map((status) => ({
      ...{ ...status, fault, caughtUp: false, lagSeconds: status.lagSeconds + silent / 1_000 },
    }));
  }

  retry(name: string): boolean {
    this.#link?.post({ tell: 'retry', name });
    return this.#followers.some((status) => status.name === name && status.kind !== 'process');
  }

  async rebuild(names: readonly string[], progress: Progress): Promise<readonly RebuildReport[]> {
    const said = await this.#ask({ ask: 'rebuild', names }, false, progress);
    return said.is === 'done' ? (said.value ?? []) : [];
  }

  async catchUp(progress: Progress): Promise<void> {
    await this.#ask({ ask: 'catchUp' }, true, progress);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    const link = this.#link;
    if (link !== null) {
      const stopped = this.#ask({ ask: 'stop' }, false).catch(() => {});
      await link.end();
      await stopped;
    }
    this.#refuse(new Error('the ledger is closed'), () => true);
  }

  // --------------------------------------------------------------------------------------------------- the other end

  /** Begins the other end, and asks it again what the one before did not answer. */
  async #begin(): Promise<void> {
    this.#beganAt = this.#heardAt = this.options.now();
    this.#idle = false;
    const link: FollowerLink = this.options.connect(
      (message) => {
        if (this.#link === link) this.#heard(message);
      },
      (reason) => {
        if (this.#link === link) this.#gone(reason);
      },
    );
    this.#link = link;
    const waiting = [...this.#asked.values()];
    const began = this.#ask({ ask: 'start' }, false);
    for (const { message } of waiting) link.post(message);
    await began;
  }

  /** What can be asked again waits for the next one; the rest fails with the reason. */
  #gone(reason: Error): void {
    this.#link = null;
    const ends = this.#stopped || !this.#started;
    this.#refuse(reason, ({ again }) => !again || ends);
    if (ends) return;
    this.#ends = this.options.now() - this.#beganAt > LIVED_MS ? 1 : this.#ends + 1;
    const wait = Math.min(AGAIN_FIRST_MS * 2 ** (this.#ends - 1), AGAIN_MS_MAX);
    this.#fault = `the thread that follows ended (${reason.message}); it is begun again`;
    this.options.onFault(reason);
    this.#timer = setTimeout(() => void this.#begin().catch(() => {}), wait);
    if (this.#asked.size === 0) this.#timer.unref();
  }

  #heard(message: FromFollower): void {
    this.#heardAt = this.options.now();
    switch (message.is) {
      case 'status':
        this.#told(message.followers, message.idle);
        break;
      case 'fault':
        this.options.onFault(errorOf(message.error));
        break;
      case 'leaving':
        void this.#readings.letGo(message.instance).then(() => {
          this.#link?.post({ tell: 'letGone', instance: message.instance });
        });
        break;
      case 'progress':
        this.#asked.get(message.id)?.progress(message.events, message.of);
        break;
      default:
        this.#answered(message);
    }
  }

  #answered(message: Extract<FromFollower, { readonly is: 'done' | 'passed' | 'failed' }>): void {
    const asked = this.#forget(message.id);
    if (asked === undefined) return;
    if (message.is !== 'failed') {
      asked.resolve(message);
      return;
    }
    const error = errorOf(message.error);
    asked.reject(error);
    if (asked.message.ask !== 'start') return;
    // It could not open its stores: it goes, and what else it says is not heard.
    this.#link?.post({ ask: 'stop', id: ++this.#ids });
    void this.#link?.end();
    this.#gone(error);
  }

  #forget(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    this.#link?.keep(this.#asked.size > 0);
    return asked;
  }

  #told(followers: readonly FollowerStatus[], idle: boolean): void {
    this.#followers = followers;
    this.#fault = null;
    this.#idle = idle;
    // It was idle when it said so: what was appended since may not have been seen.
    if (idle && this.#dirty) this.wake();
  }

  #ask(message: WithoutId<Ask>, again: boolean, progress: Progress = () => {}): Promise<FromFollower> {
    return new Promise((resolve, reject) => this.#send(message, again, { progress, resolve, reject }));
  }

  #send(message: WithoutId<Ask>, again: boolean, asked: Pick<Asked, 'progress' | 'resolve' | 'reject'>): number {
    const id = ++this.#ids;
    const whole = { ...message, id } as Ask;
    this.#asked.set(id, { ...asked, message: whole, again });
    if (this.#link === null && (!again || this.#stopped)) {
      this.#refuse(new Error('the thread that follows is not there'), (one) => one.message.id === id);
    }
    this.#timer?.ref();
    this.#link?.keep(true);
    this.#link?.post(whole);
    return id;
  }

  #refuse(reason: Error, which: (asked: Asked) => boolean): void {
    for (const [id, asked] of [...this.#asked]) {
      if (!which(asked)) continue;
      this.#asked.delete(id);
      asked.reject(reason);
    }
  }
}
