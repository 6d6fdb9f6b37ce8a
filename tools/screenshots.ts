import { mkdirSync } from 'node:fs';
import { NO_BROWSER, openChromium } from '../bench/chromium.js';
import { startSocai } from '../bench/started.js';

/* npm run screenshots -- DIR [DAY]: the pictures of the README, of the page over a data directory that nobody holds. */

const FOLDER = 'docs/pictures';

interface Shot {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** A part of the page; without it, what is seen first. */
  readonly part?: string;
  readonly search?: string;
}

const SHOTS: readonly Shot[] = [
  { file: 'page', width: 1280, height: 800 },
  { file: 'page-narrow', width: 390, height: 844 },
  { file: 'districts', width: 1280, height: 900, part: '#districts .map' },
  { file: 'districts-narrow', width: 390, height: 844, part: '#districts .tiles' },
  { file: 'months', width: 1280, height: 900, part: '#months .two' },
  { file: 'loan', width: 1280, height: 900, part: '#loan figure', search: 'lang=en' },
];

const [data = './data', day] = process.argv.slice(2);
const [browser, server] = [await openChromium(), await startSocai(data)];
if (browser === null || server === null) throw new Error(browser === null ? NO_BROWSER : `nothing serves ${data}`);
mkdirSync(FOLDER, { recursive: true });
for (const { file, width, height, part, search = '' } of SHOTS) {
  const page = await browser.newPage({ viewport: { width, height } });
  const asked = new URLSearchParams({
    ...Object.fromEntries(new URLSearchParams(search)),
    ...(day ? { asOf: day } : {}),
  });
  await page.goto(`http://127.0.0.1:${server.port}/?${asked}`);
  // What stays in view at the top would lie over a part.
  await page.evaluate("document.getElementById('days').style.position = 'static'");
  const path = `${FOLDER}/${file}.png`;
  if (part === undefined) await page.screenshot({ path });
  else await page.locator(part).screenshot({ path });
  await page.close();
}
await browser.close();
await server.stop();
