import { invariant } from '../libs/kernel/result.js';
import type { Row } from './measurement.js';
import { percentiles } from './percentiles.js';

const CALLS = 200;
const PROGRAMME = 'GQVL';
/** Whatever is asked is asked of days of the five years. */
const [FIRST_DAY, DAYS] = [Date.parse('2021-02-01'), 1_750];
const [FIRST_YEAR, LAST_YEAR] = ['2021', '2025'];
const DAY_MS = 86_400_000;

/** One kind of question; `number` varies its days. */
interface Asked {
  readonly what: string;
  readonly path: (number: number) => string;
  readonly goal?: number;
}

/** Spread over the five years, and the same in every run. */
const dayOf = (number: number): string =>
  new Date(FIRST_DAY + ((number * 7_919) % DAYS) * DAY_MS).toISOString().slice(0, 10);

function questions(loans: readonly string[]): readonly Asked[] {
  const loan = (number: number) => loans[(number * 31) % loans.length] as string;
  return [
    { what: 'whole portfolio, as of a past day', path: (n) => `portfolio-quality?asOf=${dayOf(n)}`, goal: 50 },
    {
      what: 'whole portfolio, as of a day, as known on another',
      path: (n) => `portfolio-quality?asOf=${dayOf(n)}&knownOn=${dayOf(n + 1)}`,
      goal: 50,
    },
    { what: 'by district, as of a past day', path: (n) => `portfolio-quality?by=district&asOf=${dayOf(n)}` },
    {
      what: 'by district, as of a day, as known on another',
      path: (n) => `portfolio-quality?by=district&asOf=${dayOf(n)}&knownOn=${dayOf(n + 1)}`,
    },
    {
      what: 'by district, organisation and class, as of a past day',
      path: (n) => `portfolio-quality?by=district,massOrganisation,borrowerClass&asOf=${dayOf(n)}`,
    },
    {
      what: 'by organisation and class, as of a day, as known on another',
      path: (n) => `portfolio-quality?by=massOrganisation,borrowerClass&asOf=${dayOf(n)}&knownOn=${dayOf(n + 1)}`,
    },
    {
      what: 'by district, organisation and class, as of a day, as known on another',
      path: (n) =>
        `portfolio-quality?by=district,massOrganisation,borrowerClass&asOf=${dayOf(n)}&knownOn=${dayOf(n + 1)}`,
    },
    {
      what: 'district balances, as of a day, as known on another',
      path: (n) => `district-balances?asOf=${dayOf(n)}&knownOn=${dayOf(n + 1)}`,
    },
    { what: 'quality of sixty months', path: (n) => `portfolio-quality-by-month?from=2021-01-01&knownOn=${dayOf(n)}` },
    { what: 'capital identity of sixty months', path: (n) => `capital-identity?from=2021-01-01&knownOn=${dayOf(n)}` },
    { what: 'the plan by year', path: (n) => `capital-plan?programme=${PROGRAMME}&asOf=${dayOf(n)}` },
    { what: 'one loan, as of its last day', path: (n) => `loan?loan=${loan(n)}` },
    { what: 'the statement of a loan', path: (n) => `statement?loan=${loan(n)}` },
    {
      what: 'fifty entries of the audit trail of a district',
      path: (n) => `audit-trail?district=268&limit=50&from=${dayOf(n)}`,
    },
  ];
}

/** How long answers take over HTTP, one at a time. */
export async function queryTimes(port: number): Promise<readonly Row[]> {
  const base = `http://127.0.0.1:${port}/v1/`;
  const loans = await loansOf(base);
  const rows: Row[] = [];
  for (const { what, path, goal } of questions(loans)) {
    const times: number[] = [];
    for (let number = 0; number < CALLS; number++) times.push(await timed(base + path(number)));
    const { p50, p99 } = percentiles(times);
    const name = `query: ${what}`;
    // The same question with five years of history behind it and with one.
    const ofYear = (year: string) => percentiles(times.filter((_, n) => path(n).includes(`asOf=${year}`))).p50;
    rows.push(
      { what: `${name}, p50`, value: p50, unit: 'ms' },
      {
        ...{ what: `${name}, p99`, value: p99, unit: 'ms' },
        ...(goal === undefined ? {} : { goal: { value: goal, bound: 'at most' } as const }),
      },
    );
    // Of two days the distance between them says more than the year.
    if (!path(0).includes('asOf=') || path(0).includes('knownOn=')) continue;
    const beside = { what: `of days of ${FIRST_YEAR}`, value: ofYear(FIRST_YEAR) };
    rows.push({ what: `${name}, p50 of days of ${LAST_YEAR}`, value: ofYear(LAST_YEAR), unit: 'ms', beside });
  }
  return rows;
}

/** Some loans that were paid out, of all years. */
export async function loansOf(base: string, limit = 500, from = '2021-01-01'): Promise<readonly string[]> {
  const loans: string[] = [];
  let cursor = '';
  while (loans.length < limit) {
    const answer = await fetch(`${base}audit-trail?type=LoanDisbursed&from=${from}&limit=500${cursor}`);
    const { rows, next } = (await answer.json()) as { rows: { stream: string }[]; next?: string | null };
    for (const { stream } of rows) loans.push(stream.replace(/^loan-/, ''));
    if (rows.length === 0 || next == null) break;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
  invariant(loans.length > 0, 'there are loans to ask for');
  return [...new Set(loans)];
}

async function timed(url: string): Promise<number> {
  const began = performance.now();
  const answer = await fetch(url);
  const text = await answer.text();
  invariant(answer.ok, `${url} answers: ${text.slice(0, 300)}`);
  return performance.now() - began;
}
