import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { NO_BROWSER, openChromium } from './chromium.js';
import type { Line, Place } from './measurement.js';
import { simulateSample } from './run-socai.js';
import { NO_SERVER, startSocai } from './started.js';

/** The first view also waits for code that was not run before, on both sides. */
const VIEWS = 12;
/** Between two views. */
const QUIET_MS = 500;
/** The page comes in pieces: the first paint need not have the last of them. */
const PAINT = 'the page in Chromium: to its first paint';
const WHOLE = 'the page in Chromium: until it is read to its last figure';
const SLIDE = 'the page in Chromium: from a key on a slider to the figures of its day';

/** What a reader waits for: the median of views, each with an empty cache, of what the first start makes. */
export async function measurePage({ directory }: Place): Promise<readonly Line[]> {
  const browser = await openChromium();
  if (browser === null) return [PAINT, WHOLE, SLIDE].map((what) => ({ what, skipped: NO_BROWSER }));
  const data = join(directory, 'served');
  await simulateSample(data);
  const server = await startSocai(data);
  if (server === null) return [PAINT, WHOLE, SLIDE].map((what) => ({ what, skipped: NO_SERVER }));
  try {
    const address = `http://127.0.0.1:${server.port}/`;
    const views: View[] = [];
    for (let view = 0; view < VIEWS; view++) views.push(await viewOf(browser, address));
    const paint = medianOf(views.map((view) => view.paint));
    const slide = medianOf(views.map((view) => view.slide));
    return [
      { what: PAINT, value: paint, unit: 'ms', goal: { value: 200, bound: 'at most' } },
      { what: WHOLE, value: medianOf(views.map((view) => view.whole)), unit: 'ms' },
      { what: SLIDE, value: slide, unit: 'ms' },
    ];
  } finally {
    await browser.close();
    await server.stop();
  }
}

interface View {
  readonly paint: number;
  readonly whole: number;
  readonly slide: number;
}

async function viewOf(browser: Browser, address: string): Promise<View> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  // The browser is still taking down the view before: who opens the page did not close it in the same moment.
  await page.waitForTimeout(QUIET_MS);
  await page.goto(address);
  const paint = await page.evaluate<number>(
    `new Promise((resolve) => new PerformanceObserver((list) => {
      const first = list.getEntriesByName('first-contentful-paint')[0];
      if (first) resolve(first.startTime);
    }).observe({ type: 'paint', buffered: true }))`,
  );
  const whole = await page.evaluate<number>(`performance.getEntriesByType('navigation')[0].domInteractive`);
  await page.locator('#asOf-slider').focus();
  const began = performance.now();
  await page.keyboard.press('ArrowLeft');
  await page.locator('main[aria-busy="false"]').waitFor();
  const slide = performance.now() - began;
  await context.close();
  return { paint, whole, slide };
}

const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
