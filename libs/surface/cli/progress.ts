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

  at(count: number): void {
    const now = performance.now();
    const terminal = this.to.isTTY === true;
    if (now - this.#shown < (terminal ? TERMINAL_MS : LOG_MS)) return;
    this.#shown = now;
    const said = `${this.#bar()}${this.#said(count)}`;
    this.to.write(terminal ? `\r\u001b[K${said}` : `${said}\n`);
  }

  end(count: number): void {
    this.to.write(`${this.to.isTTY === true ? '\r\u001b[K' : ''}${this.#said(count)}\n`);
  }

  #bar(): string {
    if (this.bytesTotal === null || this.bytesTotal === 0) return '';
    const share = Math.min(1, this.#bytes / this.bytesTotal);
    const full = Math.round(share * BAR_CELLS);
    return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${Math.floor(share * 100)}% `;
  }

  #said(count: number): string {
    const seconds = (performance.now() - this.#began) / 1_000;
    const perSecond = Math.round(count / Math.max(seconds, 0.001));
    return `${wholeText(count)} ${this.what} in ${seconds.toFixed(1)} s, ${wholeText(perSecond)} ${this.what}/s`;
  }
}
