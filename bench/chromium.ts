import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

/** The browser of the machine, as the specs of the page use it. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const NO_BROWSER = `no browser at ${CHROMIUM}, or no playwright-core, which is for development only`;

export async function openChromium(): Promise<Browser | null> {
  if (!existsSync(CHROMIUM)) return null;
  const playwright = await import('playwright-core').catch(() => null);
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
  return playwright === null ? null : playwright.chromium.launch({ executablePath: CHROMIUM, args });
}
