/** The heap of a thread beside the main one. `--max-old-space-size`, where it is given, holds for each thread instead. */
export const THREAD_HEAP_MB = 512;
