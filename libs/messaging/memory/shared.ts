import type { LogCheckpoint, Message } from '../port.js';
import type { Group } from './feed.js';

/** What all publishers and feeds of one transport share. */
export interface Shared {
  /** By partition, as JSON: no reader can change what another reads. */
  readonly kept: string[][];
  checkpoint: LogCheckpoint | undefined;
  /** Whoever recovered last is the one that may publish. */
  epoch: number;
  fates: ('written' | 'not written')[];
  readonly groups: Map<string, Group>;
  /** How often anything has changed. */
  changes(): number;
  /** Wakes everyone that waits for something to change. */
  ring(): void;
  /** Settles when there were more changes than `seen`. */
  changed(seen: number, signal: AbortSignal): Promise<void>;
}

/** A kept message. */
export const parse = (text: string): Message => JSON.parse(text);

/** What wakes those that wait. */
export function bell(): Pick<Shared, 'changes' | 'ring' | 'changed'> {
  let changes = 0;
  let waiting: (() => void)[] = [];
  return {
    changes: () => changes,
    ring() {
      changes++;
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    changed: (seen, signal) =>
      new Promise((resolve) => {
        if (signal.aborted || changes > seen) return resolve();
        const wake = () => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        waiting.push(wake);
        signal.addEventListener('abort', wake, { once: true });
      }),
  };
}
