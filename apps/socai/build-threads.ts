import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Build, BuildProgress, Part } from '../../libs/engine/build.js';
import { THREAD_HEAP_MB } from './heap.js';

/** Builds instances over as many threads as there are cores: each reads the events once, for its share of them. */
export function buildInThreads(data: string): Build {
  return async (parts, progress, signal) => {
    const threads = Math.min(availableParallelism(), parts.length);
    const shares = Array.from({ length: threads }, (_, thread) => dealt(parts, threads, thread));
    const built = await Promise.allSettled(shares.map((share) => buildShare(data, share, progress, signal)));
    for (const outcome of built) if (outcome.status === 'rejected') throw outcome.reason;
  };
}

/** Dealt there and back: whoever has the heaviest has the lightest of the next round. */
const dealt = (parts: readonly Part[], threads: number, thread: number): readonly Part[] =>
  parts.filter((_, index) => {
    const place = index % (2 * threads);
    return (place < threads ? place : 2 * threads - 1 - place) === thread;
  });

function buildShare(data: string, parts: readonly Part[], progress: BuildProgress, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./build-worker.js', import.meta.url), {
      workerData: { data, parts },
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
    });
    // It ends by itself: see follow-thread.
    const stop = () => worker.postMessage('stop');
    signal.addEventListener('abort', stop, { once: true });
    let fault: Error | null = null;
    worker.on('message', ({ instance, checkpoint }) => progress(instance, checkpoint));
    worker.on('error', (error) => {
      fault = error;
    });
    worker.on('exit', (code) => {
      signal.removeEventListener('abort', stop);
      if (fault === null && code === 0) resolve();
      else reject(fault ?? new Error(`a thread that builds ended with ${code}`));
    });
  });
}
