import { FOLLOW_WAIT_MS, FollowerBehind } from './ledger.js';

interface Waiter {
  readonly model: string;
  readonly position: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Reads that wait until a read model has passed a position: `FOLLOW_WAIT_MS` at most, then `FollowerBehind`. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  get any(): boolean {
    return this.#waiters.size > 0;
  }

  wait(model: string, position: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => waiter.reject(new FollowerBehind(model)), FOLLOW_WAIT_MS);
      const leave = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        ...{ model, position },
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** `look` says of each whether it has been passed, what it fails with, or null while it has to wait. */
  wake(look: (model: string, position: string) => 'passed' | Error | null): void {
    for (const waiter of [...this.#waiters]) {
      const found = look(waiter.model, waiter.position);
      if (found === 'passed') waiter.resolve();
      else if (found !== null) waiter.reject(found);
    }
  }
}
