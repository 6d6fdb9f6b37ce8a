/**
 * Locks on streams within one process: readers share, a writer is alone, and who asked first is served first. They
 * spare conflicts and keep the lines of a sheet in order; what is durable is guarded by the store's expected revision.
 * No cycle: a command takes the stream that it is about first, and then the others in order of their names.
 */
export class StreamLocks {
  readonly #locks = new Map<string, Lock>();

  /** Resolves with what gives the lock back; giving it back twice is harmless. */
  async acquire(stream: string, mode: 'read' | 'write'): Promise<() => void> {
    const release = this.acquireAtOnce(stream, mode);
    if (release !== null) return release;
    const lock = this.#lock(stream);
    await new Promise<void>((resolve) => lock.queue.push({ mode, grant: resolve }));
    return this.#release(stream, lock, mode);
  }

  /** null where somebody has to be waited for: nothing is asked for then. */
  acquireAtOnce(stream: string, mode: 'read' | 'write'): (() => void) | null {
    const lock = this.#lock(stream);
    if (lock.queue.length > 0 || !free(lock, mode)) return null;
    take(lock, mode);
    return this.#release(stream, lock, mode);
  }

  #lock(stream: string): Lock {
    const known = this.#locks.get(stream);
    if (known !== undefined) return known;
    const lock: Lock = { readers: 0, writing: false, queue: [] };
    this.#locks.set(stream, lock);
    return lock;
  }

  #release(stream: string, lock: Lock, mode: 'read' | 'write'): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#giveBack(stream, lock, mode);
    };
  }

  #giveBack(stream: string, lock: Lock, mode: 'read' | 'write'): void {
    if (mode === 'read') lock.readers--;
    else lock.writing = false;
    for (let next = lock.queue[0]; next !== undefined && free(lock, next.mode); next = lock.queue[0]) {
      lock.queue.shift();
      take(lock, next.mode);
      next.grant();
    }
    if (lock.readers === 0 && !lock.writing && lock.queue.length === 0) this.#locks.delete(stream);
  }
}

interface Lock {
  readers: number;
  writing: boolean;
  readonly queue: { readonly mode: 'read' | 'write'; readonly grant: () => void }[];
}

const free = (lock: Lock, mode: 'read' | 'write'): boolean =>
  mode === 'read' ? !lock.writing : !lock.writing && lock.readers === 0;

function take(lock: Lock, mode: 'read' | 'write'): void {
  if (mode === 'read') lock.readers++;
  else lock.writing = true;
}

/**
 * Who stamps an entry with the open business day holds the gate, shared, until all its appends are durable; a close
 * holds it alone while it announces itself. So no entry lands in a day that has begun to close.
 */
export class DayGate {
  readonly #locks = new StreamLocks();

  enter(): Promise<() => void> {
    return this.#locks.acquire('day', 'read');
  }

  /** null where somebody is alone in the day, or waits to be. */
  enterAtOnce(): (() => void) | null {
    return this.#locks.acquireAtOnce('day', 'read');
  }

  alone(): Promise<() => void> {
    return this.#locks.acquire('day', 'write');
  }
}

/** What a command holds: locks on streams, and its place in the day. */
export class Held {
  readonly #streams = new Map<string, () => void>();
  #day: (() => void) | null = null;

  constructor(private readonly locks: StreamLocks) {}

  /** null when the lock was free. */
  take(stream: string, mode: 'read' | 'write'): Promise<void> | null {
    const release = this.locks.acquireAtOnce(stream, mode);
    if (release === null) return this.#wait(stream, mode);
    this.#streams.set(stream, release);
    return null;
  }

  /** Its place in the day, and how to leave it. */
  keep(leave: () => void): void {
    this.#day = leave;
  }

  release(stream: string): void {
    this.#streams.get(stream)?.();
  }

  leaveDay(): void {
    this.#day?.();
    this.#day = null;
  }

  releaseAll(): void {
    for (const release of this.#streams.values()) release();
    this.leaveDay();
  }

  async #wait(stream: string, mode: 'read' | 'write'): Promise<void> {
    this.#streams.set(stream, await this.locks.acquire(stream, mode));
  }
}
