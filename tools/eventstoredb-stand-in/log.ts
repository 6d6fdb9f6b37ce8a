import { closeSync, fdatasync, ftruncateSync, mkdirSync, openSync, readFileSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

/*
 * The log on the disk: one frame an append (length, checksum, events), so that after a kill an append is there as a
 * whole or not at all. An event's position is its place in the file: rising, not dense, for ever the same.
 */

/** No event stands at nought, as in the real log. */
const BEGIN = 64;
const FRAME_HEAD = 8;

export interface Log {
  /** Where the next frame begins. */
  readonly end: number;
  /** What was there at the start. */
  read(): Iterable<{ readonly position: number; readonly wire: Buffer }>;
  /** Writes events as one; `durable` is called when they are on the disk, in the order of the calls. */
  append(events: readonly ((position: number) => Buffer)[], durable: () => void): Promise<void>;
  /** While it is held nothing reaches the disk: what is in flight stays in flight. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

/** A log in `folder`, or in memory without one. */
export function openLog(folder: string | undefined): Log {
  if (folder === undefined) return new GroupedLog(undefined, Buffer.alloc(0));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'log');
  const file = openSync(path, 'a+');
  const bytes = readFileSync(path);
  const whole = wholeFrames(bytes);
  if (whole < bytes.length) ftruncateSync(file, whole);
  return new GroupedLog(file, bytes.subarray(0, whole));
}

function wholeFrames(bytes: Buffer): number {
  let at = 0;
  while (at + FRAME_HEAD <= bytes.length) {
    const end = at + FRAME_HEAD + bytes.readUInt32LE(at);
    if (end > bytes.length || crc32(bytes.subarray(at + FRAME_HEAD, end)) !== bytes.readUInt32LE(at + 4)) break;
    at = end;
  }
  return at;
}

interface Waiting {
  readonly frame: Buffer;
  readonly durable: () => void;
}

class GroupedLog implements Log {
  readonly #file: number | undefined;
  readonly #found: Buffer;
  #size: number;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #held = false;

  constructor(file: number | undefined, found: Buffer) {
    this.#file = file;
    this.#found = found;
    this.#size = found.length;
  }

  get end(): number {
    return BEGIN + this.#size;
  }

  *read(): Iterable<{ readonly position: number; readonly wire: Buffer }> {
    let at = 0;
    while (at < this.#found.length) {
      const end = at + FRAME_HEAD + this.#found.readUInt32LE(at);
      at += FRAME_HEAD;
      while (at < end) {
        const length = this.#found.readUInt32LE(at);
        yield { position: BEGIN + at, wire: this.#found.subarray(at + 4, at + 4 + length) };
        at += 4 + length;
      }
    }
  }

  append(events: readonly ((position: number) => Buffer)[], durable: () => void): Promise<void> {
    const parts: Buffer[] = [];
    let size = FRAME_HEAD;
    for (const made of events) {
      const wire = made(this.end + size);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(wire.length);
      parts.push(length, wire);
      size += 4 + wire.length;
    }
    const body = Buffer.concat(parts);
    const head = Buffer.alloc(FRAME_HEAD);
    head.writeUInt32LE(body.length);
    head.writeUInt32LE(crc32(body), 4);
    this.#size += size;
    return new Promise((resolve) => {
      const done = () => {
        durable();
        resolve();
      };
      this.#queue.push({ frame: Buffer.concat([head, body]), durable: done });
      this.#start();
    });
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#start();
  }

  async close(): Promise<void> {
    this.release();
    await this.#writing;
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #start(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#queue.length > 0 && !this.#held) this.#start();
    });
  }

  /** What came while the disk was busy is written as one: appends of many writers share one wait. */
  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0 && !this.#held) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#held) return;
      const group = this.#queue;
      this.#queue = [];
      if (this.#file !== undefined) await writeWhole(this.#file, Buffer.concat(group.map(({ frame }) => frame)));
      for (const { durable } of group) durable();
    }
  }
}

async function writeWhole(file: number, bytes: Buffer): Promise<void> {
  let at = 0;
  while (at < bytes.length) at += (await promisify(write)(file, bytes, at)).bytesWritten;
  await promisify(fdatasync)(file);
}
