export type Mode = 'read' | 'write';

/** One lock: readers share, a writer is alone, and who asked first is served first. */
class Lock {
  #readers = 0;
  #writing = false;
  #queue: { readonly mode: Mode; readonly grant: () => void }[] | null = null;

  get idle(): boolean {
    return this.#readers === 0 && !this.#writing && this.#queue === null;
  }

  /** False where somebody has to be waited for: nothing is asked for then. */
  takeAtOnce(mode: Mode): boolean {
    if (this.#queue !== null || !this.#free(mode)) return false;
    this.#take(mode);
    return true;
  }

  /** Resolves when it is taken. */
  take(mode: Mode): Promise<void> {
    if (this.takeAtOnce(mode)) return Promise.resolve();
    this.#queue ??= [];
    const queue = this.#queue;
    return new Promise((grant) => queue.push({ mode, grant }));
  }

  giveBack(mode: Mode): void {
    if (mode === 'read') this.#readers--;
    else this.#writing = false;
    const queue = this.#queue;
    if (queue === null) return;
    for (let next = queue[0]; next !== undefined && this.#free(next.mode); next = queue[0]) {
      queue.shift();
      this.#take(next.mode);
      next.grant();
    }
    if (queue.length === 0) this.#queue = null;
  }

  #free(mode: Mode): boolean {
    return mode === 'read' ? !this.#writing : !this.#writing && this.#readers === 0;
  }

  #take(mode: Mode): void {
    if (mode === 'read') this.#readers++;
    else this.#writing = true;
  }
}

/**
 * Locks on streams within one process. They spare conflicts and keep the lines of a sheet in order; what is durable is
 * guarded by the store's expected revision. No cycle: a command takes the stream that it is about first, and then the
 * others in order of their names.
 */
export class StreamLocks {
  readonly #locks = new Map<string, Lock>();

  /** Resolves with what gives the lock back; giving it back twice is harmless. */
  async acquire(stream: string, mode: Mode): Promise<() => void> {
    await this.take(stream, mode);
    let held = true;
    return () => {
      if (held) this.giveBack(stream, mode);
      held = false;
    };
  }

  /** False where somebody has to be waited for: nothing is asked for then. */
  takeAtOnce(stream: string, mode: Mode): boolean {
    return this.#lock(stream).takeAtOnce(mode);
  }

  /** Resolves when it is taken. */
  take(stream: string, mode: Mode): Promise<void> {
    return this.#lock(stream).take(mode);
  }

  /** Of what was taken, once. */
  giveBack(stream: string, mode: Mode): void {
    const lock = this.#lock(stream);
    lock.giveBack(mode);
    if (lock.idle) this.#locks.delete(stream);
  }

  #lock(stream: string): Lock {
    let lock = this.#locks.get(stream);
    if (lock === undefined) {
      lock = new Lock();
      this.#locks.set(stream, lock);
    }
    return lock;
  }
}

/**
 * Who stamps an entry with the open business day holds the gate, shared, until all its appends are durable; a close
 * holds it alone while it announces itself. So no entry lands in a day that has begun to close.
 */
export class DayGate {
  readonly #lock = new Lock();

  /** False where somebody is alone in the day, or waits to be. */
  enterAtOnce(): boolean {
    return this.#lock.takeAtOnce('read');
  }

  enter(): Promise<void> {
    return this.#lock.take('read');
  }

  alone(): Promise<void> {
    return this.#lock.take('write');
  }

  leave(mode: Mode): void {
    this.#lock.giveBack(mode);
  }
}

/** What a command holds: locks on streams, and its place in the day. Giving back what is not held is harmless. */
export class Held {
  readonly #streams: { readonly stream: string; readonly mode: Mode }[] = [];
  #day: Mode | null = null;

  constructor(
    private readonly locks: StreamLocks,
    private readonly gate: DayGate,
  ) {}

  /** False where somebody has to be waited for: nothing is asked for then. */
  takeAtOnce(stream: string, mode: Mode): boolean {
    if (this.#holds(stream, 'read')) return true;
    if (!this.locks.takeAtOnce(stream, mode)) return false;
    this.#streams.push({ stream, mode });
    return true;
  }

  async take(stream: string, mode: Mode): Promise<void> {
    if (this.takeAtOnce(stream, mode)) return;
    await this.locks.take(stream, mode);
    this.#streams.push({ stream, mode });
  }

  /**
   * Before the others are waited for, which are given in order of their names: lets go of what would be held out of
   * that order, which is all behind the first that is not held yet, and of the day, which comes after them.
   */
  keepOrder(about: string, others: readonly string[], modeOf: (stream: string) => Mode): void {
    const missing = others.findIndex((stream) => !this.#holds(stream, modeOf(stream)));
    if (missing < 0) return;
    const kept = [about, ...others.slice(0, missing)];
    for (const { stream } of [...this.#streams]) if (!kept.includes(stream)) this.release(stream);
    this.leaveDay();
  }

  release(stream: string): void {
    const at = this.#streams.findIndex((held) => held.stream === stream);
    if (at < 0) return;
    const [{ mode } = { mode: 'read' as const }] = this.#streams.splice(at, 1);
    this.locks.giveBack(stream, mode);
  }

  /** False where somebody is alone in the day, or waits to be. */
  enterAtOnce(): boolean {
    if (this.#day === 'read') return true;
    if (this.#day === 'write' || !this.gate.enterAtOnce()) return false;
    this.#day = 'read';
    return true;
  }

  async enter(): Promise<void> {
    if (this.#day === 'read') return;
    this.leaveDay();
    await this.gate.enter();
    this.#day = 'read';
  }

  async enterAlone(): Promise<void> {
    this.leaveDay();
    await this.gate.alone();
    this.#day = 'write';
  }

  leaveDay(): void {
    const mode = this.#day;
    this.#day = null;
    if (mode !== null) this.gate.leave(mode);
  }

  releaseAll(): void {
    for (let last = this.#streams.pop(); last !== undefined; last = this.#streams.pop()) {
      this.locks.giveBack(last.stream, last.mode);
    }
    this.leaveDay();
  }

  #holds(stream: string, mode: Mode): boolean {
    for (const held of this.#streams) if (held.stream === stream) return mode === 'read' || held.mode === 'write';
    return false;
  }
}
