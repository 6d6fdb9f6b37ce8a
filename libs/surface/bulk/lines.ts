import { isUtf8 } from 'node:buffer';
import type { RefusalCode } from '../../lending/refusals.js';
import { LINE_BYTES_MAX } from '../config.js';
import { parseJson } from '../formats/json.js';

/** One line of a sheet, counted from 1 with the blank ones: its value, or why it is none. */
export type Line =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly code: Extract<RefusalCode, `LINE_${string}`> };

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Cuts bytes into lines in constant memory: of a line that is too large nothing is kept, and it ends at its newline.
 * Any bytes are taken; what is not JSON in UTF-8 is refused by itself and disturbs no other line.
 */
export class LineReader {
  #number = 0;
  /** The beginning of a line whose end has not come. */
  #carried: Uint8Array[] = [];
  #carriedBytes = 0;

  /** The lines that end in this piece. */
  push(piece: Uint8Array): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      this.#carry(piece.subarray(from, end));
      this.#end(lines, 'LINE_NOT_JSON');
      from = end + 1;
    }
    this.#carry(piece.subarray(from));
    return lines;
  }

  /** The last line, when no newline ends it. */
  end(): Line[] {
    const lines: Line[] = [];
    if (this.#carriedBytes > 0) this.#end(lines, 'LINE_INCOMPLETE');
    return lines;
  }

  #carry(bytes: Uint8Array): void {
    this.#carriedBytes += bytes.length;
    // One byte more than a line may hold: the carriage return before its newline.
    if (this.#carriedBytes > LINE_BYTES_MAX + 1) this.#carried = [];
    else if (bytes.length > 0) this.#carried.push(bytes);
  }

  #end(lines: Line[], otherwise: 'LINE_NOT_JSON' | 'LINE_INCOMPLETE'): void {
    const [size, bytes] = [this.#carriedBytes, this.#take()];
    const number = ++this.#number;
    const whole = bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
    if (size > LINE_BYTES_MAX + 1 || whole.length > LINE_BYTES_MAX) {
      lines.push({ number, code: 'LINE_TOO_LARGE' });
      return;
    }
    const text = isUtf8(whole) ? whole.toString('utf8') : null;
    const bare = number === 1 && text?.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    if (bare !== null && bare.trim() === '') return;
    const parsed = bare === null ? null : parseJson(bare);
    lines.push(parsed === null ? { number, code: otherwise } : { number, value: parsed.value });
  }

  #take(): Buffer {
    const [first, ...more] = this.#carried;
    this.#carried = [];
    this.#carriedBytes = 0;
    if (first === undefined) return Buffer.alloc(0);
    if (more.length > 0) return Buffer.concat([first, ...more]);
    return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  }
}
