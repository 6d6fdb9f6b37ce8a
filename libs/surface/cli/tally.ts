/** What a sheet came to, told from its results as they pass by. */
export interface Tally {
  readonly lines: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly refused: number;
  /** Lines that the service could not do anything with: their outcome is no refusal of what they say. */
  readonly failed: number;
}

const SERVER_FAULT = 500;
const RESULT = /^\{"line":(\d+),"status":(\d+)(?:,"duplicate":(true|false))?/;

/** Counts results that come as NDJSON in pieces that may end anywhere. */
export class ResultTally {
  readonly #counts = { lines: 0, accepted: 0, duplicates: 0, refused: 0, failed: 0 };
  #rest = '';

  /** `refused` is told of each line that was not accepted, as it stands. */
  constructor(private readonly refused: (line: string) => void = () => {}) {}

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#count(line);
  }

  get counts(): Tally {
    return { ...this.#counts };
  }

  #count(line: string): void {
    const found = RESULT.exec(line);
    if (found === null) return;
    this.#counts.lines++;
    const status = Number(found[2]);
    if (status === 200) {
      this.#counts.accepted++;
      if (found[3] === 'true') this.#counts.duplicates++;
      return;
    }
    if (status >= SERVER_FAULT) this.#counts.failed++;
    else this.#counts.refused++;
    this.refused(line);
  }
}
