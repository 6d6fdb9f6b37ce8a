import { createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { refused } from '../formats/problem.js';
import type { Host } from './host.js';

/** What is read of a file at once: as many lines as may be under way, so that they share their durable writes. */
const PIECE_BYTES = 1024 * 1024;

export interface Input {
  /** In bytes; null where it is not known before its end. */
  readonly size: number | null;
  open(): AsyncIterable<Uint8Array | string>;
}

/** A file by its name, or standard input for `-`. One that cannot be read is refused (FILE_UNREADABLE), nothing opened. */
export async function inputOf({ stdin }: Host, file: string): Promise<Input> {
  if (file === '-') return { size: null, open: () => stdin };
  try {
    await access(file, constants.R_OK);
    const found = await stat(file);
    if (found.isDirectory()) throw refused('FILE_UNREADABLE', 'file', { detail: `${file} is a directory` });
    return {
      size: found.isFile() ? found.size : null,
      open: () => createReadStream(file, { highWaterMark: PIECE_BYTES }),
    };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw refused('FILE_UNREADABLE', 'file', { detail: error.message });
  }
}
