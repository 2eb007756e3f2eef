// SPDX-License-Identifier: MIT
// Stretches of time, marks, links between runs, and what an address keeps of a page.
import assert from 'node:assert/strict';
import { drivers } from './drivers.mjs';
import { holds } from './holds.mjs';
import { cut, inView, settle } from './shown.mjs';

const TOP = 52 + 24; // overview and axis

const text = (page, selector) => page.locator(selector).innerText();
const pairsIn = async (page, selector) => Object.fromEntries((await page.locator(`${selector} tr`).allInnerTexts()).map((line) => line.split('\t').map((cell) => cell.trim())));
const box = (page) => page.locator('#chart').boundingBox();

// The spans that were open in that stretch of their run, and their time within it.
function within(traces, from, to) {
  const names = new Map();
  for (const { spans, start_ns: begin } of traces)
    for (const span of spans) {
      const start = Number(BigInt(span.start_ns) - BigInt(begin)), end = start + Number(span.duration_ns);
      if (start >= to || end <= from)
        continue;
      const [number, ns] = names.get(span.name) ?? [0, 0];
      names.set(span.name, [number + 1, ns + Math.min(end, to) - Math.max(start, from)]);
    }
  return names;
}

const nsOf = (shown) => {
  const [number, unit] = shown.split(' ');
  return Math.round(Number(number) * { ns: 1, 'µs': 1e3, ms: 1e6, s: 1e9 }[unit]);
};

async function statistics(page, traces) {
  const facts = await pairsIn(page, '#range-facts');
  const [from, to] = [nsOf(facts.from), nsOf(facts.to)];
  assert.equal(facts.length, cut(BigInt(to - from)));
  const wanted = within(traces, from, to);
  const rows = (await page.locator('#range-names tbody tr').allInnerTexts()).map((line) => line.split('\t').map((cell) => cell.trim()));
  // An edge is a fraction of a nanosecond, which is cut off.
  for (const [name, , number, inside] of rows) {
    assert.equal(Number(number), wanted.get(name)[0], name);
    assert.ok(Math.abs(nsOf(inside) - wanted.get(name)[1]) <= 1000 + 2 * wanted.get(name)[0], `${name} ${inside} ${wanted.get(name)}`);
  }
  assert.equal(rows.length, wanted.size);
  assert.equal(Number(facts.spans), [...wanted.values()].reduce((sum, [number]) => sum + number, 0));
  return to - from;
}

async function chosenBy(way, page, traces) {
  const { press } = drivers[way];
  const { x, y, width } = await box(page);
  if (way === 'mouse') {
    await page.keyboard.down('Shift');
    await page.mouse.move(x + width * 0.3, y + TOP + 60);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.5, y + TOP + 70, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
  } else if (way === 'touch') {
    await press(page, page.locator('#range-mode'));
    await finger(page, [[x + width * 0.3, y + TOP + 60]], [[x + width * 0.5, y + TOP + 70]]);
    await press(page, page.locator('#range-mode'));
  } else {
    await page.keyboard.press('/');
    await page.keyboard.type('bytes=80');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await page.keyboard.press('[');
    await page.keyboard.press('/');
    await page.keyboard.type('bytes=110');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await page.keyboard.press(']');
  }
  assert.equal(await page.locator('#tab-range').getAttribute('aria-selected'), 'true');
  const length = await statistics(page, traces);
  assert.ok(length > 100000);
  await press(page, page.locator('#range-zoom'));
  await settle(page);
  assert.ok(Math.abs(await inView(page) / length - 1) < 0.01);
  await press(page, page.locator('#range-clear'));
  assert.equal(await page.locator('#range-facts').count(), 0);
}

// Fingers from places to others, as the browser's own input.
export async function finger(page, from, to) {
  const session = await page.context().newCDPSession(page);
  const points = (at, i) => at.map(([x, y], id) => ({ x, y, id: id + i }));
  const send = (type, touchPoints) => session.send('Input.dispatchTouchEvent', { type, touchPoints });
  await send('touchStart', points(from, 0));
  for (let step = 1; step <= 5; step++)
    await send('touchMove', points(from.map(([x, y], i) => [x + ((to[i][0] - x) * step) / 5, y + ((to[i][1] - y) * step) / 5]), 0));
  await send('touchEnd', []);
  await settle(page);
}

async function marks(page, traces) {
  const [first, second] = [traces[1].spans.find((span) => span.fields[1]?.[2] === '10'), traces[1].spans.find((span) => span.fields[1]?.[2] === '20')];
  for (const span of [first, second]) {
    await page.locator('#search').fill(span.id);
    await page.locator('#search').press('Enter');
    await page.keyboard.press('Escape');
    await page.keyboard.press('m');
  }
  await page.locator('#tab-range').click();
  const rows = (await page.locator('.marks tbody tr').allInnerTexts()).map((line) => line.split('\t').map((cell) => cell.trim()));
  assert.equal(rows.length, 2);
  assert.equal(rows[1][2], cut(BigInt(second.start_ns) - BigInt(first.start_ns)));
  await page.locator('.marks button', { hasText: '×' }).first().click();
  assert.equal(await page.locator('.marks tbody tr').count(), 1);
}

// At the arrow's colour somewhere in the chart.
const hasArrow = (page) => page.evaluate(() => {
  const chart = document.getElementById('chart');
  const copy = new OffscreenCanvas(chart.width, chart.height).getContext('2d');
  copy.drawImage(chart, 0, 0);
  const { data } = copy.getImageData(0, 0, chart.width, chart.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4)
    found += Math.abs(data[i] - 0xb3) + Math.abs(data[i + 1] - 0x47) + Math.abs(data[i + 2] - 0x0f) < 12;
  return found;
});

async function joined(page, traces) {
  const rows = () => page.locator('#detail .pairs tr').allInnerTexts().then((lines) => lines.map((line) => line.replace(/\s+/g, ' ')));
  await page.locator('#search').fill('name=handle');
  await page.locator('#search').press('Enter');
  assert.ok((await rows()).includes('called by call in client'));
  assert.ok((await rows()).includes('links to call in client'));
  assert.ok((await rows()).includes('vCPU 0, closed on 1'));
  const arrows = await hasArrow(page);
  assert.ok(arrows > 60, `${arrows} pixels of arrows`);
  const { parent_id: caller } = traces[1].spans[0];
  await page.locator('#detail tr', { hasText: 'called by' }).locator('button').click();
  assert.ok((await rows()).some((line) => line.startsWith(`span id ${caller}`)));
  assert.ok((await rows()).includes('calls handle in server'));
  await page.locator('#search').fill(`id=${traces[0].spans.at(-1).id}`);
  await page.locator('#search').press('Enter');
  await page.locator('#detail tr', { hasText: 'linked from' }).locator('button').click();
  assert.match(await text(page, '#detail'), /closed on 1/);
  await page.keyboard.press('Escape');
  await page.locator('#chart').focus();
  await page.keyboard.press('Escape');
  await settle(page);
  assert.equal(await hasArrow(page), 0);
  await page.locator('#links').check();
  await settle(page);
  assert.ok(await hasArrow(page) > arrows);
}

async function panes(page) {
  const width = async () => (await page.locator('#detail').boundingBox()).width;
  const was = await width();
  await page.locator('#split-detail').focus();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await width(), was + 24);
  const { x, y } = await page.locator('#split-detail').boundingBox();
  await page.mouse.move(x + 2, y + 200);
  await page.mouse.down();
  await page.mouse.move(x - 98, y + 200);
  await page.mouse.up();
  assert.ok(Math.abs(await width() - was - 124) < 3);
  const before = (await box(page)).width;
  await page.locator('#show-detail').click();
  await settle(page);
  assert.ok((await box(page)).width > before + 100);
  await page.locator('#show-tables').click();
  assert.ok(!await page.locator('#table').isVisible());
  for (const id of ['#show-detail', '#show-tables'])
    await page.locator(id).click();
  const rows = async () => Number(await page.locator('#chart').getAttribute('data-rows'));
  const all = await rows();
  await page.locator('#tracks').click();
  await page.locator('#track-hidden-0').check();
  assert.ok(await rows() < all);
  await page.locator('#track-hidden-0').uncheck();
  const first = () => page.locator('#track-list tr').first().locator('td').first().innerText();
  assert.match(await first(), /^before/);
  await page.locator('#track-down-0').press('Enter');
  assert.match(await first(), /^after/);
  await page.locator('#track-list button', { hasText: 'Close' }).click();
}

/** `open(options)`: the page of these runs, anew. */
export async function ranges(open, traces) {
  for (const way of Object.keys(drivers)) {
    const opened = await open({ hasTouch: way === 'touch' });
    await holds(`by ${way}: a stretch of time has the spans and times that the report has`, () => chosenBy(way, opened.page, traces));
    if (way === 'mouse') {
      await holds('marks measure', () => marks(opened.page, traces));
      await holds('panes are resized and closed, vCPUs hidden and put in another order', () => panes(opened.page));
    }
    await opened.context.close();
  }
}

export { joined };
