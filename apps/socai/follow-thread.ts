import { Worker } from 'node:worker_threads';
import { FollowingElsewhere } from '../../libs/engine/follow-elsewhere.js';
import type { Following } from '../../libs/engine/following.js';

/*
 * The thread that follows: read models and processes leave the thread of the commands alone.
 */

/** The heap of a thread beside the main one. `--max-old-space-size`, where it is given, holds for each thread instead. */
export const THREAD_HEAP_MB = 512;

/** Follows a data directory in a thread of its own. */
export function followingInThread(data: string, onFault: (error: unknown) => void): Following {
  return new FollowingElsewhere({
    onFault,
    now: () => Date.now(),
    connect: (heard, gone) => {
      const worker = new Worker(new URL('./follow-worker.js', import.meta.url), {
        workerData: { data },
        resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
      });
      let fault: Error | null = null;
      worker.on('message', heard);
      worker.on('error', (error) => {
        fault = error;
      });
      worker.on('exit', (code) => gone(fault ?? new Error(`it ended with ${code}`)));
      return {
        post: (message) => worker.postMessage(message),
        end: async () => void (await worker.terminate()),
        keep: (alive) => (alive ? worker.ref() : worker.unref()),
      };
    },
  });
}
