import { addDays, type LocalDate } from '../libs/kernel/dates.js';
import { invariant } from '../libs/kernel/result.js';
import type { Row } from './measurement.js';
import { CONNECTIONS, payersOn, RUN } from './payers.js';
import { percentiles } from './percentiles.js';

/** Days that are closed with nobody paying: every instalment that falls due in them becomes overdue. */
const IDLE_DAYS = 31;

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
