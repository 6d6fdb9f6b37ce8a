import { Worker } from 'node:worker_threads';
import { FollowingElsewhere } from '../../libs/engine/follow-elsewhere.js';
import type { Following } from '../../libs/engine/following.js';
import { THREAD_HEAP_MB } from './heap.js';

/*
 * The thread that follows: read models and processes leave the thread of the commands alone.
 */

/** How long a thread that was asked to stop may take. */
const END_MS_MAX = 10_000;

/** What a thread is told to follow: the processes of a data directory, and its read models or none of them. */
export interface FollowedInThread {
  readonly data: string;
  readonly readModels: boolean;
}

/** Follows a data directory in a thread of its own. */
export function followingInThread(followed: FollowedInThread, onFault: (error: unknown) => void): Following {
  return new FollowingElsewhere({
    onFault,
    now: () => Date.now(),
    connect: (heard, gone) => {
      const worker = new Worker(new URL('./follow-worker.js', import.meta.url), {
        workerData: followed,
        resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
      });
      let fault: Error | null = null;
      worker.on('message', heard);
      worker.on('error', (error) => {
        fault = error;
      });
      const exited = new Promise<void>((resolve) => {
        worker.on('exit', (code) => {
          resolve();
          gone(fault ?? new Error(`it ended with ${code}`));
        });
      });
      return {
        post: (message) => worker.postMessage(message),
        // Asked to stop it ends by itself. The driver of SQLite takes the whole process with it when its thread is
        // terminated in one of its calls, so that is for a thread that does not answer.
        end: async () => {
          worker.ref();
          const late = setTimeout(() => void worker.terminate(), END_MS_MAX);
          await exited;
          clearTimeout(late);
        },
        keep: (alive) => (alive ? worker.ref() : worker.unref()),
      };
    },
  });
}
