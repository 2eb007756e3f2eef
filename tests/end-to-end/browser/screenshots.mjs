// SPDX-License-Identifier: MIT
// screenshots.mjs PAGE DIRECTORY: the pictures of README.md, of a page of the guest kv.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launch, open } from './chromium.mjs';
import { settle } from './shown.mjs';

const [, , file, directory] = process.argv;
const browser = await launch();
const { page } = await open(browser, pathToFileURL(file).href, { viewport: { width: 1200, height: 720 } });
const shoot = async (name) => {
  await page.mouse.move(0, 0);
  await settle(page);
  await page.screenshot({ path: join(directory, name) });
};

// The slowest request, beside all others and the median one.
await page.locator('#table td button', { hasText: 'request' }).click();
await page.locator('#table td button').first().click();
await shoot('page-spans.png');

// A stretch of time, and where all of it went.
await page.locator('#chart').focus();
await page.keyboard.press('Escape');
await page.locator('#search').fill('');
await page.locator('#search').press('Enter');
await page.keyboard.press('Escape');
await page.locator('#tab-flame').click();
await page.locator('.box', { hasText: /^request$/ }).click();
await page.keyboard.press('Escape');
await shoot('page-flame.png');
await browser.close();
