// SPDX-License-Identifier: MIT
// What an address keeps of a page, and that none does harm.
import assert from 'node:assert/strict';
import { holds } from './holds.mjs';
import { settle } from './shown.mjs';

const WRITTEN_MS = 500; // until the page has it in its address
const text = (page, selector) => page.locator(selector).innerText();
const tab = (page, id) => page.locator(`#tab-${id}`).click();
const title = (page) => text(page, '#detail h2');

// Everything that can be chosen is chosen, otherwise than it is at first.
async function choose(page) {
  await tab(page, 'compare');
  await page.locator('#compare-swap').click();
  await page.locator('#table th button', { hasText: 'shift' }).first().click();
  await tab(page, 'exits');
  await page.locator('#exits-by-span').check();
  await tab(page, 'events');
  await page.locator('#log-level').selectOption({ label: 'warn and above' });
  await page.locator('#table input[type=checkbox]').uncheck();
  await page.locator('#log-filter').fill('op=set');
  await tab(page, 'names');
  await page.locator('#table th button', { hasText: 'p99' }).click();
  await tab(page, 'flame');
  await page.locator('#table select').first().selectOption({ label: 'after' });
  await page.locator('.box', { hasText: /^work$/ }).click();
  await tab(page, 'spans');
  await page.locator('#spans-of').selectOption({ label: 'work · app' });
  await page.locator('.column').last().click();
  await page.locator('#colour').selectOption('level');
  await page.locator('#counters').uncheck();
  await page.locator('#range-mode').click();
  await page.locator('#split-detail').focus();
  await page.keyboard.press('ArrowLeft');
  await page.locator('#split-tables').focus();
  await page.keyboard.press('ArrowUp');
  await page.locator('#tracks').click();
  await page.locator('#track-pinned-1').check();
  await page.locator('#track-hidden-0').check();
  await page.locator('#track-down-0').click();
  await page.locator('#track-list button', { hasText: 'Close' }).click();
  await page.locator('#search').fill('request op=set');
  for (let i = 0; i < 3; i++)
    await page.locator('#search').press('Enter');
  await page.keyboard.press('Escape'); // out of the box
  for (const key of ['f', 'm', 'r', 'h']) // of a run that is hidden: it is shown
    await page.keyboard.press(key);
  await page.locator('#tracks').click();
  await page.locator('#track-hidden-0').check();
  await page.locator('#track-list button', { hasText: 'Close' }).click();
  await tab(page, 'spans');
}

// All of it, as a person sees it.
async function seen(page) {
  const value = (selector) => page.locator(selector).inputValue();
  const found = { tab: await text(page, '#tabs [aria-selected=true]'), view: await text(page, '#view'), selected: await text(page, '#detail'),
    search: await value('#search'), found: await text(page, '#found'), colour: await value('#colour'),
    switches: await page.locator('#host, #counters, #align').evaluateAll((boxes) => boxes.map((one) => one.checked)),
    pressed: await page.locator('#range-mode, #show-tables, #show-detail').evaluateAll((buttons) => buttons.map((one) => one.ariaPressed)),
    rows: await page.locator('#chart').getAttribute('data-rows'),
    panes: await page.locator('#detail, #tables').evaluateAll((panes) => panes.map((one) => [one.offsetWidth, one.offsetHeight])) };
  await page.locator('#tracks').click();
  found.tracks = await page.locator('#track-list tr').evaluateAll((rows) => rows.map((row) => [row.innerText, ...[...row.querySelectorAll('input')].map((one) => one.checked)]));
  await page.locator('#track-list button', { hasText: 'Close' }).click();
  for (const id of ['names', 'flame', 'spans', 'exits', 'compare', 'range', 'events']) {
    await tab(page, id);
    found[id] = await page.locator('#table').evaluate((table) => [
      ...[...table.querySelectorAll('select, input')].map((one) => (one.type === 'checkbox' ? one.checked : one.value)),
      ...[...table.querySelectorAll('[aria-pressed=true], .focus, th[aria-sort$=scending]')].map((one) => one.title || one.textContent),
      table.innerText]);
  }
  return found;
}

async function kept(open, url) {
  const one = await open(url);
  await choose(one.page);
  await one.page.waitForTimeout(WRITTEN_MS);
  const address = one.page.url();
  const wanted = await seen(one.page);
  assert.match(wanted.found, /^3 of 2\d\d$/);
  assert.match(wanted.selected, /^guest running/);
  await one.context.close();
  const other = await open(address);
  assert.deepEqual(await seen(other.page), { ...wanted });
  // And where it was last, when it is loaded again.
  await tab(other.page, 'exits');
  await other.page.waitForTimeout(WRITTEN_MS);
  await other.page.reload();
  assert.deepEqual(await seen(other.page), { ...wanted, tab: 'Exits' });
  assert.deepEqual(other.said, []);
  await other.context.close();
}

// What the address of a page without anything chosen says of a page: nothing to be seen.
async function short(open, url) {
  const { page, context } = await open(url);
  await page.locator('#fit').click();
  await page.waitForTimeout(WRITTEN_MS);
  assert.match(page.url(), /#v=[\d.%C]+$/);
  await context.close();
}

const BAD = ['#v=1,2,3&s=9:9&t=none&m=x,,1e999&x=99&n=%00&q=/(/&r=5,1', '#%', `#v=${'9'.repeat(400)},0`, '#s=__proto__:x&t=__proto__&c=__proto__',
  '#n=["__proto__","map"]&f=["constructor","map","x"]&k=[["names","map",1],["names",1e9,1],7,null]&w=["a","b","map"]&ev=[{},"x",[]]&cmp=7,-1',
  '#f={"length":1e9}&n=[[],{}]&k="x"&w=[1,2]&ev=[null,99]&o=5,4,3,2,1,0,-1,1.5&hid=0,1,2,3&pin=-1&s=0:__proto__:0&i=1e99&y=1e300&l=1&g=1',
  '#dw=999999999&th=999999999no&v=-1e300,1e300&r=-1e308,1e308&m=-5,5,1e308', `#m=${'1,'.repeat(9000)}`, `#q=${'a '.repeat(400000)}`];

async function harmless(open, url) {
  for (const bad of BAD) {
    const { page, said, context } = await open(url + bad);
    await settle(page);
    for (const id of ['flame', 'spans', 'names'])
      if (await page.locator('#tabs').isVisible())
        await tab(page, id);
    assert.deepEqual(said, [], bad.slice(0, 80));
    assert.equal(await page.evaluate(() => [...document.querySelectorAll('#detail, #timeline')].every((one) => one.offsetWidth >= 100)), true, bad.slice(0, 80));
    assert.ok(page.url().length < url.length + 20000);
    await context.close();
  }
}

// One that would take years is only looked for when somebody asks; one's own is again.
async function expressions(open, url) {
  const { page, context } = await open(`${url}#q=/(([a-z_0-9]%2B)%2B)%2B!/&ev=["/(([a-z_0-9]%2B)%2B)%2B!/"]&t=events`);
  assert.equal(await text(page, '#found'), 'Enter searches');
  assert.equal(await page.locator('#log-filter').inputValue(), '');
  await page.locator('#search').fill('/^(parse|flush)$/');
  await page.locator('#search').press('Enter');
  assert.equal(await title(page), 'parse');
  await page.waitForTimeout(WRITTEN_MS);
  const found = await text(page, '#found');
  await page.reload();
  assert.equal(await text(page, '#found'), found);
  await context.close();
}

/** `open(url)`: a page; `url`: of the planted runs. */
export async function addresses(open, url) {
  await holds('an address keeps all that was chosen', () => kept(open, url));
  await holds('an address has nothing that nobody chose', () => short(open, url));
  await holds('no address does harm', () => harmless(open, url));
  await holds('an expression of a stranger\'s address waits for Enter', () => expressions(open, url));
}
