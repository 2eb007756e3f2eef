// SPDX-License-Identifier: MIT
// A page for everybody: axe finds nothing, in each view, in light, dark and forced
// colours, and on a phone; fingers move and zoom the timeline.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { holds } from './holds.mjs';
import { finger } from './html-range.mjs';
import { coloursAt, findSpan, inView, settle } from './shown.mjs';

const axe = readFileSync(join(process.env.BROWSER, 'node_modules/axe-core/axe.min.js'), 'utf8');

async function violations(page) {
  return page.evaluate(async () => {
    const { violations: found } = await window.axe.run({ include: [document], exclude: ['#table tbody tr:nth-child(n+4)'] }, { // rows are alike
      resultTypes: ['violations'] });
    return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary.split('\n')[1]}`).join(' | ')}`);
  });
}

// Of all views, or of those with things that no other one has.
async function everyView(page, what) {
  await page.evaluate(axe);
  const tabs = what === 'light' ? await page.locator('#tabs button').evaluateAll((buttons) => buttons.map(({ id }) => id))
    : ['tab-flame', 'tab-compare', 'tab-range'];
  for (const id of tabs) {
    await page.locator(`#${id}`).click();
    assert.deepEqual(await violations(page), [], `${what} ${id}`);
  }
  await page.locator('#keys').click();
  assert.deepEqual(await violations(page), [], `${what} keys`);
  await page.locator('#help button').click();
}

// What reaches over the right edge of a page that is not as wide as its screen.
const tooWide = (page) => page.evaluate(() => (document.documentElement.scrollWidth <= innerWidth ? []
  : [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => `${one.tagName} ${one.id} ${one.className}`).slice(0, 12)));

async function select(page) {
  await page.locator('#search').fill('op=scan');
  await page.locator('#search').press('Enter');
  await page.keyboard.press('Escape');
  await page.keyboard.press('r');
  await page.keyboard.press('m');
}

async function touched(page) {
  const { x, y, width } = await page.locator('#chart').boundingBox();
  const axis = y + 52 + 24 + 40;
  const whole = await inView(page);
  await finger(page, [[x + width * 0.4, axis], [x + width * 0.6, axis]], [[x + width * 0.2, axis], [x + width * 0.8, axis]]);
  const close = await inView(page);
  assert.ok(Math.abs(close / whole - 1 / 3) < 0.05, `${whole} to ${close}`);
  const line = () => coloursAt(page, 52 + 24 + 40);
  const before = String(await line());
  await finger(page, [[x + width * 0.5, axis]], [[x + width * 0.3, axis]]);
  assert.notEqual(String(await line()), before);
  assert.ok(Math.abs(await inView(page) / close - 1) < 0.01);
  await page.locator('#fit').tap();
  await page.touchscreen.tap(x + width * 0.5, y + 52 + 24 + 18 + 8);
  assert.notEqual(await page.locator('#detail h2').innerText(), 'No span selected');
}

// As many pixels as the screen has, at any zoom of the browser's, which makes the window smaller.
async function sharp(page) {
  const ratio = () => page.evaluate(() => {
    const chart = document.getElementById('chart');
    return chart.width / chart.clientWidth;
  });
  assert.equal(await ratio(), 1);
  const session = await page.context().newCDPSession(page);
  for (const factor of [2, 1.5]) {
    await session.send('Emulation.setDeviceMetricsOverride', { width: Math.round(1400 / factor), height: Math.round(900 / factor), deviceScaleFactor: factor, mobile: false });
    await settle(page);
    assert.ok(Math.abs(await ratio() - factor) < 0.01, String(factor));
  }
  await session.send('Emulation.clearDeviceMetricsOverride');
}

/** `open(options)`: a page, anew. */
export async function access(open) {
  const ways = { light: {}, dark: { colorScheme: 'dark' }, 'forced colours': { forcedColors: 'active' },
    phone: { viewport: { width: 390, height: 780 }, hasTouch: true } };
  for (const [what, options] of Object.entries(ways)) {
    const opened = await open(options);
    await holds(`${what}: axe finds nothing, and it is as wide as the screen`, async () => {
      await select(opened.page);
      await everyView(opened.page, what);
      for (const tab of await opened.page.locator('#tabs button').all()) {
        await tab.click();
        assert.deepEqual(await tooWide(opened.page), [], await tab.innerText());
      }
    });
    await opened.context.close();
  }
  const opened = await open({ hasTouch: true });
  await holds('fingers move, zoom and select', () => touched(opened.page));
  await holds('it is sharp at any zoom of the browser', () => sharp(opened.page));
  await opened.context.close();
}

// The rows of a run: overview, axis, heading, guest runs and exits, `replay`, `request`.
export async function legible(page) {
  const requests = 52 + 22 + 18 * 3;
  await page.locator('#fit').click();
  await page.keyboard.press('Escape');
  await settle(page);
  const line = await coloursAt(page, requests + 14);
  const dark = line.filter((colour) => colour.every((part) => part < 70)).length / line.length;
  assert.ok(dark < 0.25, `${dark} of the names' feet are covered`);
  await page.setViewportSize({ width: 1024, height: 400 });
  await settle(page);
  await findSpan(page, requests - 10, 'replay');
  await page.setViewportSize({ width: 1400, height: 900 });
  await settle(page);
}

// Of the page's address, once that is written.
async function view(page) {
  await page.waitForTimeout(500);
  return new URLSearchParams(new URL(page.url()).hash.slice(1)).get('v').split(',').map(Number);
}

/** As in games: W and S come closer and go back, A and D go to the sides. */
export async function leftHand(page) {
  await page.keyboard.press('Escape');
  await page.keyboard.press('0');
  await settle(page);
  const all = await inView(page);
  await page.keyboard.press('w');
  await settle(page);
  assert.ok(Math.abs(await inView(page) / all - 0.5) < 0.01);
  const [from, to] = await view(page);
  await page.keyboard.press('d');
  const [right] = await view(page);
  assert.ok(right > from && right < to, `${from} ${right} ${to}`);
  await page.keyboard.press('a');
  assert.ok(Math.abs((await view(page))[0] - from) < 1);
  await page.keyboard.press('s');
  await settle(page);
  assert.ok(Math.abs(await inView(page) / all - 1) < 0.01);
}

/** What is copied is what is pasted elsewhere. */
export async function copies(page, span) {
  const pasted = async () => {
    await page.locator('#search').fill('');
    await page.locator('#search').press('Control+v');
    return page.locator('#search').inputValue();
  };
  await page.locator('#search').fill(span.name);
  await page.locator('#search').press('Enter');
  const copy = page.locator('#detail .actions button', { hasText: 'Copy' });
  await copy.click();
  await page.locator('#detail .actions button', { hasText: 'Copied' }).waitFor();
  const whole = await pasted();
  assert.ok(whole.startsWith(`${span.name} [${span.target}] `) && whole.includes(`span ${span.id}`), whole);
  await page.locator('#detail button[title*="span id"], #detail button[aria-label*="span id"]').click();
  assert.equal(await pasted(), span.id);
  await page.locator('#search').fill('');
}
