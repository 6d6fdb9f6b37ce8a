import type { Writable } from 'node:stream';
import { wholeText } from '../formats/vietnamese.js';

const TERMINAL_MS = 200;
const LOG_MS = 10_000;
const BAR_CELLS = 24;

/** Progress on standard error: a bar that is written over on a terminal, otherwise a line now and then. */
export class Progress {
  readonly #began = performance.now();
  #bytes = 0;
  #shown = performance.now();
  #brokeOff: unknown = null;

  constructor(
    private readonly to: Writable & { readonly isTTY?: boolean },
    private readonly what: string,
    /** Of the input, where it is known. */
    private readonly bytesTotal: number | null = null,
  ) {}

  /** The same input, counted as it is read. */
  async *through(input: AsyncIterable<Uint8Array | string>): AsyncIterable<Uint8Array> {
    try {
      for await (const piece of input) {
        const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
        this.#bytes += bytes.length;
        yield bytes;
      }
    } catch (error) {
      this.#brokeOff = error;
      throw error;
    }
  }

  /** What ended the input before its end, or null. */
  get brokeOff(): unknown {
    return this.#brokeOff;
  }

  /** `of` is how many there are in all, where that is known and the bytes of the input are not. */
  at(count: number, of = 0): void {
    const now = performance.now();
    const terminal = this.to.isTTY === true;
    if (now - this.#shown < (terminal ? TERMINAL_MS : LOG_MS)) return;
    this.#shown = now;
    const share = of > 0 ? count / of : this.bytesTotal ? this.#bytes / this.bytesTotal : 0;
    const said = `${barOf(share)}${this.#said(count)}${this.#left(share)}`;
    this.to.write(terminal ? `\r\u001b[K${said}` : `${said}\n`);
  }

  end(count: number): void {
    this.to.write(`${this.to.isTTY === true ? '\r\u001b[K' : ''}${this.#said(count)}\n`);
  }

  #left(share: number): string {
    if (share <= 0) return '';
    const seconds = (performance.now() - this.#began) / 1_000;
    return `, ${Math.ceil((seconds * Math.max(0, 1 - share)) / share)} s left`;
  }

  #said(count: number): string {
    const seconds = (performance.now() - this.#began) / 1_000;
    const perSecond = Math.round(count / Math.max(seconds, 0.001));
    return `${wholeText(count)} ${this.what} in ${seconds.toFixed(1)} s, ${wholeText(perSecond)} ${this.what}/s`;
  }
}

function barOf(share: number): string {
  if (share <= 0) return '';
  const full = Math.round(Math.min(1, share) * BAR_CELLS);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${Math.floor(Math.min(1, share) * 100)}% `;
}
