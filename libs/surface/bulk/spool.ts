import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { CHUNK_CHARACTERS, SPOOL_MEMORY_BYTES_MAX } from '../config.js';

/**
 * Between a writer that never waits and a reader that may be slow: a bounded queue in memory, and behind it a file in
 * the system's temporary folder, without a name there, so that nothing of it outlives the process. Order is kept.
 */
export class Spool {
  readonly #memory: Buffer[] = [];
  #memoryBytes = 0;
  /** What is in the file comes after what is in memory, and before what is written next. */
  #file: number | null = null;
  #written = 0;
  #read = 0;
  #pumping = false;
  #ended = false;
  #gone = false;
  readonly #done: Promise<void>;
  #finish: () => void = () => {};

  constructor(
    private readonly target: Writable,
    private readonly memoryBytesMax = SPOOL_MEMORY_BYTES_MAX,
  ) {
    this.#done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    // A reader that is gone takes nothing any more: what would come is dropped.
    const gone = () => this.abandon();
    target.once('close', gone);
    target.once('error', gone);
  }

  /** Bytes that wait in the file. */
  get spooledBytes(): number {
    return this.#written - this.#read;
  }

  write(text: string): void {
    if (this.#gone || text === '') return;
    const bytes = Buffer.from(text, 'utf8');
    if (this.spooledBytes > 0 || this.#memoryBytes + bytes.length > this.memoryBytesMax) this.#toFile(bytes);
    else {
      this.#memory.push(bytes);
      this.#memoryBytes += bytes.length;
    }
    void this.#pump();
  }

  /** Resolves when the reader has taken everything, or is gone. Does not end the target. */
  async end(): Promise<void> {
    this.#ended = true;
    void this.#pump();
    await this.#done;
  }

  abandon(): void {
    this.#gone = true;
    this.#release();
    this.#finish();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let bytes = this.#next(); bytes !== null && !this.#gone; bytes = this.#next()) {
      if (!this.target.write(bytes)) await drained(this.target);
    }
    this.#pumping = false;
    if (this.#ended && !this.#gone) {
      this.#release();
      this.#finish();
    }
  }

  #next(): Buffer | null {
    const first = this.#memory.shift();
    if (first !== undefined) {
      this.#memoryBytes -= first.length;
      return first;
    }
    if (this.#file === null || this.spooledBytes === 0) return null;
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK_CHARACTERS, this.spooledBytes));
    this.#read += readSync(this.#file, bytes, 0, bytes.length, this.#read);
    if (this.spooledBytes === 0) {
      ftruncateSync(this.#file);
      this.#written = 0;
      this.#read = 0;
    }
    return bytes;
  }

  #toFile(bytes: Buffer): void {
    this.#file ??= unnamedFile();
    for (let at = 0; at < bytes.length; ) {
      const count = writeSync(this.#file, bytes, at, bytes.length - at, this.#written);
      at += count;
      this.#written += count;
    }
  }

  #release(): void {
    this.#memory.length = 0;
    this.#memoryBytes = 0;
    this.#written = 0;
    this.#read = 0;
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

/** A file that the system removes with the last handle on it. */
function unnamedFile(): number {
  const folder = mkdtempSync(join(tmpdir(), 'socai-results-'));
  try {
    return openSync(join(folder, 'results'), 'wx+', 0o600);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function drained(target: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      target.off('drain', done);
      target.off('close', done);
      target.off('error', done);
      resolve();
    };
    if (target.destroyed || target.writableNeedDrain === false) {
      resolve();
      return;
    }
    target.on('drain', done);
    target.on('close', done);
    target.on('error', done);
  });
}
