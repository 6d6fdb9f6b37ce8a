import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Build, BuildProgress, Part } from '../../libs/engine/build.js';
import { THREAD_HEAP_MB } from './heap.js';

/** What one thread builds. `beside`: while its events are still written. */
export interface Share {
  readonly data: string;
  readonly parts: readonly Part[];
  readonly beside: boolean;
}

/** What such a thread is told; the last two are for one that builds beside a writer. */
export type BuildTold = 'stop' | 'more' | 'whole';

/** Builds instances over as many threads as there are cores: each reads the events once, for its share of them. */
export function buildInThreads(data: string): Build {
  return (parts, progress, signal) => {
    const threads = startThreads(data, parts, false, progress);
    // They end by themselves: see follow-thread.
    const stop = () => threads.tell('stop');
    signal.addEventListener('abort', stop, { once: true });
    return threads.ended.finally(() => signal.removeEventListener('abort', stop));
  };
}

/** Threads that build instances of read models. */
export interface BuildThreads {
  tell(word: BuildTold): void;
  /** Resolves when all have ended by themselves; rejects with the first fault. */
  readonly ended: Promise<void>;
}

/** `beside`: they build while the events are still written, whenever they are told of `more`, until told that it is the `whole`. */
export function startThreads(
  data: string,
  parts: readonly Part[],
  beside: boolean,
  progress: BuildProgress,
): BuildThreads {
  const threads = Math.min(availableParallelism(), parts.length);
  const started = Array.from({ length: threads }, (_, thread) => {
    const share: Share = { data, parts: dealt(parts, threads, thread), beside };
    return startThread(share, progress);
  });
  return {
    tell: (word) => {
      for (const { worker } of started) worker.postMessage(word);
    },
    ended: Promise.allSettled(started.map(({ ended }) => ended)).then((outcomes) => {
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    }),
  };
}

/** Dealt there and back: whoever has the heaviest has the lightest of the next round. */
const dealt = (parts: readonly Part[], threads: number, thread: number): readonly Part[] =>
  parts.filter((_, index) => {
    const place = index % (2 * threads);
    return (place < threads ? place : 2 * threads - 1 - place) === thread;
  });

function startThread(
  share: Share,
  progress: BuildProgress,
): { readonly worker: Worker; readonly ended: Promise<void> } {
  const worker = new Worker(new URL('./build-worker.js', import.meta.url), {
    workerData: share,
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
  });
  const ended = new Promise<void>((resolve, reject) => {
    let fault: Error | null = null;
    worker.on('message', ({ instance, checkpoint }) => progress(instance, checkpoint));
    worker.on('error', (error) => {
      fault = error;
    });
    worker.on('exit', (code) => {
      if (fault === null && code === 0) resolve();
      else reject(fault ?? new Error(`a thread that builds ended with ${code}`));
    });
  });
  return { worker, ended };
}
