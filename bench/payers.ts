import type { LocalDate } from '../libs/kernel/dates.js';
import { invariant } from '../libs/kernel/result.js';
import { Connection } from './http-client.js';
import { loansOf } from './query-times.js';

export const CONNECTIONS = 64;
/** The most loans that are paid on: with no close beside them once each, which nobody has touched, then once again. */
const LOANS_MAX = 5_000;
/** Of the keys: a ledger that was kept from an earlier run has paid on the same loans before. */
export const RUN = Date.now().toString(36);
/** Loans still active at the end of the five years are among those paid out since. */
const SINCE = '2024-06-01';

/** Pays once on each of the loans that `closeDays` pays on. */
export async function payOnce(port: number): Promise<void> {
  const { payers, loans } = await payersOn(port);
  await payers.pay(loans.length);
  payers.end();
}

export async function payersOn(port: number) {
  const base = `http://127.0.0.1:${port}/v1/`;
  const open = await openDay(base);
  const loans = await loansOf(base, LOANS_MAX, SINCE);
  return { base, open, loans, payers: await Payers.open(port, loans, open) };
}

async function openDay(base: string): Promise<LocalDate> {
  const answer = await fetch(`${base}portfolio-quality`);
  return ((await answer.json()) as { asOf: LocalDate }).asOf;
}

/** Tellers that pay on loans, each over a connection of its own. What is refused (a loan that is settled) is an answer. */
export class Payers {
  static #paid = 0;
  #next = 0;
  #going = true;

  private constructor(
    private readonly connections: readonly Connection[],
    private readonly loans: readonly string[],
    private readonly day: LocalDate,
  ) {}

  static async open(port: number, loans: readonly string[], day: LocalDate): Promise<Payers> {
    const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(port)));
    return new Payers(connections, loans, day);
  }

  async pay(count: number): Promise<{ readonly rate: number; readonly times: readonly number[] }> {
    const began = performance.now();
    const last = this.#next + count;
    const times = await this.#while(() => this.#next < last);
    return { rate: (times.length * 1_000) / (performance.now() - began), times };
  }

  /** Payments go on from before `work` begins until after it has ended; of all connections, or of some. */
  async beside<T>(work: () => Promise<T>, connections = this.connections.length) {
    this.#going = true;
    const paying = this.#while(() => this.#going, connections);
    const began = performance.now();
    const result = await work();
    const seconds = (performance.now() - began) / 1_000;
    this.#going = false;
    return { result, seconds, times: await paying };
  }

  end(): void {
    for (const connection of this.connections) connection.close();
  }

  async #while(goesOn: () => boolean, connections = this.connections.length): Promise<number[]> {
    const times: number[] = [];
    await Promise.all(
      this.connections.slice(0, connections).map(async (connection) => {
        while (goesOn()) times.push(await this.#one(connection));
      }),
    );
    return times;
  }

  async #one(connection: Connection): Promise<number> {
    const loan = this.loans[this.#next++ % this.loans.length] as string;
    const key = `${RUN}-${Payers.#paid++}`;
    const body = JSON.stringify({ loan, amount: 1, receipt: key, method: 'CASH', valueDate: this.day });
    const began = performance.now();
    const status = await connection.post('/v1/commands/record-payment', `idempotency-key: ${key}\r\n`, body);
    invariant(status === 200 || status === 409, `a payment is accepted or refused by a rule, not ${status}`);
    return performance.now() - began;
  }
}
