import { addDays, type LocalDate } from '../libs/kernel/dates.js';
import { invariant } from '../libs/kernel/result.js';
import { Connection } from './http-client.js';
import type { Row } from './measurement.js';
import { percentiles } from './percentiles.js';
import { loansOf } from './query-times.js';

const CONNECTIONS = 64;
/** The most loans that are paid on: with no close beside them once each, which nobody has touched, then once again. */
const LOANS_MAX = 5_000;
/** Days that are closed with nobody paying: every instalment that falls due in them becomes overdue. */
const IDLE_DAYS = 31;
/** Of the keys: a ledger that was kept from an earlier run has paid on the same loans before. */
const RUN = Date.now().toString(36);
/** Loans still active at the end of the five years are among those paid out since. */
const SINCE = '2024-06-01';

/** Pays once on each of the loans that `closeDays` pays on. */
export async function payOnce(port: number): Promise<void> {
  const { payers, loans } = await payersOn(port);
  await payers.pay(loans.length);
  payers.end();
}

async function payersOn(port: number) {
  const base = `http://127.0.0.1:${port}/v1/`;
  const open = await openDay(base);
  const loans = await loansOf(base, LOANS_MAX, SINCE);
  return { base, open, loans, payers: await Payers.open(port, loans, open) };
}

/** Payments over HTTP on a ledger of this size; then closes of days with payments going on beside them. */
export async function closeDays(port: number): Promise<readonly Row[]> {
  const { base, open, loans, payers } = await payersOn(port);
  const cold = await payers.pay(loans.length);
  const before = await payers.pay(loans.length);
  const one = await payers.beside(() => close(base, open));
  const many = await payers.beside(() => close(base, addDays(open, IDLE_DAYS)));
  payers.end();
  return [
    {
      what: `durable commands over HTTP on it, ${CONNECTIONS} connections, each on a loan untouched since the start`,
      ...{ value: cold.rate, unit: '/s' },
    },
    { what: 'such a command, p99', value: percentiles(cold.times).p99, unit: 'ms' },
    { what: 'the same on loans that were paid on before', value: before.rate, unit: '/s' },
    { what: 'such a command on them, p99', value: percentiles(before.times).p99, unit: 'ms' },
    {
      ...{ what: 'close of a day, commands going on beside', value: one.seconds, unit: 's' },
      goal: { value: 30, bound: 'at most' },
    },
    {
      what: `close of ${IDLE_DAYS} days in which nobody pays, commands going on beside`,
      ...{ value: many.seconds, unit: 's' },
    },
    { what: 'portions that those found overdue', value: many.result, unit: 'portions' },
    { what: 'a command beside those closes, p50', value: percentiles(many.times).p50, unit: 'ms' },
    { what: 'a command beside those closes, p99', value: percentiles(many.times).p99, unit: 'ms' },
  ];
}

async function openDay(base: string): Promise<LocalDate> {
  const answer = await fetch(`${base}portfolio-quality`);
  return ((await answer.json()) as { asOf: LocalDate }).asOf;
}

/** Answers how many portions the closes found overdue, by their own record. */
async function close(base: string, date: LocalDate): Promise<number> {
  const before = await overdueFound(base);
  const answer = await fetch(`${base}commands/close-business-day`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': `${RUN}-${date}` },
    body: JSON.stringify({ date }),
  });
  const text = await answer.text();
  invariant(answer.ok, `the close of ${date} is accepted: ${text.slice(0, 300)}`);
  return (await overdueFound(base)) - before;
}

async function overdueFound(base: string): Promise<number> {
  const answer = await fetch(`${base}events?stream=businessDay&limit=100000`);
  const events = (await answer.text()).trim().split('\n');
  return events.reduce((sum, line) => {
    const { type, data } = JSON.parse(line) as { type: string; data: { totals: { overdue: { count: number } } } };
    return type === 'BusinessDayClosed' ? sum + data.totals.overdue.count : sum;
  }, 0);
}

/** Tellers that pay on loans, each over a connection of its own. What is refused (a loan that is settled) is an answer. */
class Payers {
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

  /** Payments go on from before `work` begins until after it has ended. */
  async beside<T>(work: () => Promise<T>) {
    this.#going = true;
    const paying = this.#while(() => this.#going);
    const began = performance.now();
    const result = await work();
    const seconds = (performance.now() - began) / 1_000;
    this.#going = false;
    return { result, seconds, times: await paying };
  }

  end(): void {
    for (const connection of this.connections) connection.close();
  }

  async #while(goesOn: () => boolean): Promise<number[]> {
    const times: number[] = [];
    await Promise.all(
      this.connections.map(async (connection) => {
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
