import type { Page } from 'playwright-core';
import { dongText, percentText, wholeText } from '../libs/surface/formats/vietnamese.js';

/* What a page in the browser says, and what the queries that it names answer. */

export const PARTS = ['glance', 'plan', 'months', 'districts', 'identity', 'loan'] as const;

type Row = Readonly<Record<string, number | string | null>>;
interface Answer {
  readonly rows: readonly Row[];
  readonly total: Row;
}

export const text = async (page: Page, selector: string) => ((await page.locator(selector).textContent()) ?? '').trim();
export const settled = (page: Page) => page.locator('main[aria-busy="false"]').waitFor();

/** The cells of a table, line by line, signs and words beside the figures left out. */
const cells = (page: Page, id: string) =>
  page.evaluate<string[][]>(`[...document.querySelectorAll('#${id} :is(tbody, tfoot) tr')].map((row) =>
    [...row.cells].map((cell) => cell.textContent.replace(/^\\D*?(?=[−\\d–])/, '').trim() || cell.textContent))`);
const digits = (cell = ''): bigint => BigInt(cell.replaceAll('.', '').replace('−', '-'));

/** The last line is the sum of those above it, in each of these columns. */
async function addsUp(page: Page, id: string, columns: readonly number[]): Promise<void> {
  const lines = await cells(page, id);
  const total = lines.at(-1) ?? [];
  expect(lines.length).toBeGreaterThan(1);
  for (const column of columns) {
    const sum = lines.slice(0, -1).reduce((all, line) => all + digits(line[column]), 0n);
    expect([id, column, digits(total[column])]).toEqual([id, column, sum]);
  }
}

/** Every part of the page says what the queries that it names answer, for the days of its address. */
export async function agrees(page: Page): Promise<void> {
  const links = await page.evaluate<string[]>(
    `[...document.querySelectorAll('.source a')].map((link) => link.getAttribute('href')).filter((href) => !href.includes('format='))`,
  );
  const linked = async (part: string): Promise<Answer & Row> => {
    const href = links.find((link) => link.includes(part)) ?? '';
    return (await (await fetch(new URL(href, page.url()))).json()) as Answer & Row;
  };
  const [plan, quality, balances, months, loan, identity] = await Promise.all(
    [
      ...['capital-plan?', 'by=district', 'district-balances?', 'portfolio-quality-by-month?', 'loan?'],
      'capital-identity',
    ].map(linked),
  );
  expect(await text(page, '#collection-rate')).toBe(percentText(quality?.total.collectionRate as string | null));
  expect(await text(page, '#overdue-ratio')).toBe(percentText(quality?.total.overdueRatio as string | null));
  const whole = (row: Row | undefined, names: readonly string[]) =>
    names.map((name) => wholeText(String(row?.[name] ?? 0)));
  const planned = ['planned', 'funded', 'allocated', 'disbursed', 'recovered', 'jobsTarget', 'jobsCreated'];
  expect((await cells(page, 'plan-table')).map((line) => line.slice(1))).toEqual(
    [...(plan?.rows ?? []), plan?.total].map((row) => whole(row, planned)),
  );
  const balanced = ['allocated', 'disbursed', 'outstanding', 'idle'];
  const districts = (await cells(page, 'districts-table')).map((line) => line.slice(1));
  expect(districts.map((line) => line.slice(0, 4))).toEqual(
    [...(balances?.rows ?? []), balances?.total].map((row) => whole(row, balanced)),
  );
  expect(districts.map((line) => line.slice(4, 6))).toEqual(
    [
      ...(balances?.rows ?? []).map(({ district }) => quality?.rows.find((row) => row.district === district)),
      quality?.total,
    ].map((row) => [wholeText(String(row?.overdue ?? 0)), percentText(row?.overdueRatio as string | null | undefined)]),
  );
  expect((await cells(page, 'months-table')).map((line) => [line[3], line[7]])).toEqual(
    months?.rows.map((row) => [percentText(row.collectionRate as string), percentText(row.overdueRatio as string)]),
  );
  const last = identity?.rows.at(-1)?.month;
  const kept = ['allocated', 'outstanding', 'writtenOff', 'idle', 'available', 'fundBalance'];
  expect((await cells(page, 'identity-table')).slice(0, -1).map((line) => line.slice(1, 7))).toEqual(
    identity?.rows.filter(({ month }) => month === last).map((row) => whole(row, kept)),
  );
  expect(await text(page, '#loan-outstanding')).toBe(dongText(String(loan?.outstanding)));
  await addsUp(page, 'plan-table', [1, 2, 3, 4, 5, 6, 7]);
  await addsUp(page, 'districts-table', [1, 2, 3, 4, 5, 8]);
  await addsUp(page, 'identity-table', [1, 2, 3, 4, 5, 6]);
  await addsUp(page, 'loan-schedule', [2, 3, 4]);
}

/** All that the parts show, without the addresses that name the days. */
export const parts = (page: Page) =>
  page.evaluate<string[]>(`${JSON.stringify(PARTS)}.map((id) => {
    const part = document.getElementById(id).cloneNode(true);
    for (const element of part.querySelectorAll('.source, form, .suggested')) element.remove();
    return part.innerHTML;
  })`);
