import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { CONTRAST, HEADINGS, UNNAMED } from './page-checks.js';
import { LAST, LATE, pageLedger, RECEIPT } from './page-ledger.js';
import { agrees, PARTS, parts, settled, text } from './page-reading.js';
import { type Server, serve } from './server.js';

/* The page in a browser, over the built server: what is seen is what the queries answer. */

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const MINUTE = 60_000;
const WIDTHS = [1280, 390] as const;

const inABrowser = existsSync(CHROMIUM) ? describe : describe.skip;

inABrowser('the page, in Chromium', () => {
  const data = mkdtempSync(join(tmpdir(), 'socai-page-'));
  let server: Server;
  let browser: Browser;
  /** What no page may do: ask elsewhere, or complain. */
  const faults: string[] = [];

  beforeAll(async () => {
    server = await serve(data, ['--simulated']);
    const body = pageLedger()
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await fetch(`${server.url}/v1/commands`, { method: 'POST', headers, body });
    expect((await answer.text()).match(/"status":(?!200)\d+.*/g)).toBeNull();
    const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    browser = await chromium.launch({ executablePath: CHROMIUM, args });
  }, 2 * MINUTE);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(data, { recursive: true, force: true });
  }, MINUTE);

  afterEach(() => expect(faults.splice(0)).toEqual([]));

  async function open(address = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'vi-VN', ...options });
    const page = await context.newPage();
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== server.url) faults.push(`asked ${request.url()}`);
    });
    page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(server.url + address);
    return page;
  }

  test(
    'each figure is what the query that it names answers, and the rows add up to the totals',
    async () => {
      const page = await open(`/?loan=${LATE}`);
      await agrees(page);
      const csv = await (
        await fetch(server.url + (await page.locator('#districts .source a').nth(1).getAttribute('href')))
      ).text();
      expect(csv.split('\r\n')[0]).toMatch(/^district,allocated,/);
      await page.context().close();
    },
    MINUTE,
  );

  test.each(['asOf', 'knownOn'])(
    'the slider %s moves every figure, and the address with it',
    async (day) => {
      const page = await open('/?loan=GOOD');
      const before = await parts(page);
      const slider = page.locator(`#${day}-slider`);
      await slider.focus();
      for (let month = 0; month < 7; month++) await page.keyboard.press('PageDown');
      await page.keyboard.press('ArrowLeft');
      await settled(page);
      const address = new URL(page.url());
      expect(address.searchParams.get(day)).toBe('2021-08-30');
      expect([await slider.getAttribute('aria-valuetext'), await text(page, `#${day}-text`)]).toEqual([
        '30/08/2021',
        '30/08/2021',
      ]);
      const after = await parts(page);
      expect(PARTS.filter((_, index) => before[index] === after[index])).toEqual([]);
      await agrees(page);
      // The same picture for who is sent the address.
      const other = await open(address.pathname + address.search);
      expect(await parts(other)).toEqual(after);
      expect(await other.locator(`#${day}-slider`).inputValue()).toBe(await slider.inputValue());
      // Known earlier than the day of the figures: what follows is no forecast, and is said to be none.
      expect(await page.locator('#ahead').isVisible()).toBe(day === 'knownOn');
      await page.keyboard.press('End');
      await settled(page);
      expect(new URL(page.url()).searchParams.has(day)).toBe(false);
      expect(await parts(page)).toEqual(before);
      await Promise.all([page, other].map((each) => each.context().close()));
    },
    MINUTE,
  );

  test(
    'only the last day that was asked for is shown',
    async () => {
      const page = await open();
      await page.route('**/?asOf=2021-0*', async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        await route.continue().catch(() => {});
      });
      await page.locator('#asOf-slider').focus();
      for (let month = 0; month < 4; month++) {
        await page.keyboard.press('PageDown');
        await page.waitForTimeout(80);
      }
      for (let month = 0; month < 2; month++) await page.keyboard.press('PageUp');
      await settled(page);
      await page.waitForTimeout(700);
      expect(await text(page, '#as-of-line')).toContain('31/01/2022');
      await agrees(page);
      await page.context().close();
    },
    MINUTE,
  );

  test(
    'when no answer comes, the page says so and keeps what it has',
    async () => {
      const page = await open();
      const before = await parts(page);
      await page.route('**/?asOf=*', (route) => route.fulfill({ status: 503, body: 'no' }));
      await page.locator('#asOf-slider').press('PageDown');
      await settled(page);
      expect(await text(page, '#as-of-line')).toContain('Không tải được số liệu mới');
      expect(await parts(page)).toEqual(before);
      faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes('503')));
      await page.context().close();
    },
    MINUTE,
  );

  test(
    'Vietnamese first, English by a switch that stands in the address',
    async () => {
      const page = await open('/?asOf=2021-12-31');
      expect(await page.locator('html').getAttribute('lang')).toBe('vi');
      expect(await text(page, '#loan-outstanding')).toMatch(/^\d{1,3}(\.\d{3})*\u00a0₫$/);
      await page.locator('#language').click();
      await page.waitForURL(/lang=en/);
      expect(new URL(page.url()).search).toBe('?lang=en&asOf=2021-12-31');
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      expect(await text(page, '#plan-name')).toBe('Plan against actual by year');
      expect(await text(page, 'main')).not.toMatch(/Dư nợ|Quá hạn/);
      await page.locator('#asOf-slider').press('ArrowLeft');
      await settled(page);
      expect(await text(page, '#as-of-line')).toContain('2021-12-30');
      expect(await page.locator('#language').getAttribute('href')).toBe('/?asOf=2021-12-30');
      await page.context().close();
    },
    MINUTE,
  );

  test(
    'by keyboard alone: to the figures, to a picture, to another loan',
    async () => {
      const page = await open();
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.className')).toBe('skip');
      await page.keyboard.press('Enter');
      expect(await page.evaluate('document.activeElement.id')).toBe('main');
      const reached = new Set<string>();
      for (let steps = 0; steps < 200 && !reached.has('loan-id'); steps++) {
        await page.keyboard.press('Tab');
        reached.add(await page.evaluate<string>('document.activeElement.id'));
        const unseen = `document.activeElement.matches(':focus-visible') && getComputedStyle(document.activeElement).outlineStyle !== 'none' ? null : document.activeElement.outerHTML.slice(0, 80)`;
        expect(await page.evaluate(unseen)).toBeNull();
      }
      expect([...reached]).toEqual(
        expect.arrayContaining(['plan-capital-readable', 'months-rate-readable', 'districts-table-scroll', 'loan-id']),
      );
      await page.keyboard.press('ControlOrMeta+A');
      await page.keyboard.type('GOOD');
      await page.keyboard.press('Enter');
      await settled(page);
      expect(new URL(page.url()).searchParams.get('loan')).toBe('GOOD');
      expect(await page.evaluate('document.activeElement.id')).toBe('loan-id');
      await page.locator('#loan-chart-readable').focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      expect(await text(page, '.said[data-of="loan-chart-readable"]')).toContain(`biên lai ${RECEIPT}`);
      await page.goBack();
      await settled(page);
      expect(new URL(page.url()).searchParams.has('loan')).toBe(false);
      await page.context().close();
    },
    MINUTE,
  );

  test.each(WIDTHS)(
    'nothing is wider than the page at %i pixels, and what is written can be read',
    async (width) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await open('/', { viewport: { width, height: 844 }, colorScheme });
        const wider = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        expect(await page.evaluate(wider)).toBe(0);
        expect(await page.evaluate(CONTRAST)).toEqual([]);
        for (const details of await page.locator('summary').all()) await details.click();
        expect(await page.evaluate(wider)).toBe(0);
        await page.context().close();
      }
    },
    MINUTE,
  );

  test(
    'every part, picture, table and control has a name, and headings go down one step at a time',
    async () => {
      const page = await open();
      expect(await page.evaluate(UNNAMED)).toEqual([]);
      expect(await page.evaluate(HEADINGS)).toEqual([]);
      for (const role of ['banner', 'main', 'contentinfo'] as const) expect(await page.getByRole(role).count()).toBe(1);
      expect(await page.getByRole('slider').count()).toBe(2);
      for (const part of PARTS) expect(await page.locator(`section#${part}[aria-labelledby]`).count()).toBe(1);
      expect(await text(page, '.simulated')).toContain('Sổ mô phỏng');
      await page.context().close();
    },
    MINUTE,
  );

  test(
    'without a script the figures are there, and other days are two dates and a button',
    async () => {
      const page = await open('/?loan=BACK', { javaScriptEnabled: false });
      await page.locator('#asOf').fill('2021-12-31');
      await page.locator('button.by-hand').click();
      await page.waitForURL(/2021-12-31/);
      const { searchParams } = new URL(page.url());
      expect(Object.fromEntries(searchParams)).toEqual({ asOf: '2021-12-31', knownOn: '', loan: 'BACK' });
      expect(await text(page, '#as-of-line')).toContain('31/12/2021');
      await page.context().close();
    },
    MINUTE,
  );

  test(
    'what comes from users is text, and the page runs nothing but its own modules',
    async () => {
      const page = await open('/?loan=GOOD');
      expect(await text(page, '#loan-statement')).toContain(RECEIPT);
      const { headers } = await fetch(server.url);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).not.toContain('unsafe');
      expect((await fetch(`${server.url}/?loan=%3Cb%3E`)).status).toBe(400);
      const missing = await open('/?loan=NOBODY');
      expect(await text(missing, '#loan-missing')).toContain('NOBODY');
      expect(LAST).toBe(await missing.locator('#days').getAttribute('data-open'));
      await Promise.all([page, missing].map((each) => each.context().close()));
    },
    MINUTE,
  );
});
