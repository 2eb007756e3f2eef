// SPDX-License-Identifier: MIT
// The views of a page, of runs in which it is known what is slow: html_planted.h.
import assert from 'node:assert/strict';
import { holds } from './holds.mjs';
import { cut } from './shown.mjs';

const text = (page, selector) => page.locator(selector).innerText();
const cells = async (page) => (await page.locator('#table tbody tr').allInnerTexts()).map((row) => row.split('\t').map((cell) => cell.trim()));

// By path: of each the number of spans and what they took; none is in one of its name.
function pathsOf(traces) {
  const sums = new Map();
  for (const { spans } of traces) {
    const byId = new Map(spans.map((span) => [span.id, span]));
    for (const span of spans) {
      const path = [];
      for (let at = span; at; at = byId.get(at.parent_id))
        path.unshift(at.name);
      const sum = sums.get(path.join(' ')) ?? [0, 0n];
      sums.set(path.join(' '), [sum[0] + 1, sum[1] + BigInt(span.duration_ns)]);
    }
  }
  return sums;
}

async function flame(page, traces) {
  await page.locator('#tab-flame').click();
  const titles = await page.locator('.box').evaluateAll((boxes) => boxes.map((box) => box.title));
  const wanted = [...pathsOf(traces)].map(([path, [number, ns]]) => (
    `${path.split(' ').at(-1)} · ${number} spans · total ${cut(ns)} ·`));
  assert.equal(titles.length, wanted.length + 1); // the whole
  for (const start of wanted)
    assert.ok(titles.some((title) => title.startsWith(start)), `${start} in ${titles}`);
  const box = (name) => page.locator('.box', { hasText: new RegExp(`^${name}$`) });
  const width = async (name) => (await box(name).boundingBox()).width;
  const [all, work, request] = [await width('all'), await width('work'), await width('request')];
  const sums = pathsOf(traces);
  assert.ok(Math.abs(work / request - Number(sums.get('request work')[1]) / Number(sums.get('request')[1])) < 0.01);
  await box('work').click();
  assert.ok(Math.abs(await width('work') - all) < 2);
  assert.equal(await text(page, '#detail h2'), 'work');
  await page.keyboard.press('Escape');
  assert.ok(Math.abs(await width('work') - work) < 2);
  await box('request').click();
  await page.locator('#detail button', { hasText: 'Callers and callees' }).click();
  assert.deepEqual((await page.locator('.box').allInnerTexts()).sort(), ['parse', 'request', 'work']);
  await page.locator('#flame-of').selectOption({ label: 'callers and callees of work' });
  assert.deepEqual(await page.locator('.box').allInnerTexts(), ['request', 'work']);
}

async function findName(page, traces) {
  await page.locator('#tab-spans').click();
  await page.locator('#spans-of').selectOption({ label: 'work · app' });
  const all = traces.flatMap(({ spans }) => spans).filter(({ name }) => name === 'work').map((span) => BigInt(span.duration_ns));
  const bars = await page.locator('.column').evaluateAll((columns) => columns.map((one) => one.title));
  const number = (title) => Number(title.split(' ')[0].replaceAll(',', ''));
  assert.equal(bars.reduce((sum, title) => sum + number(title), 0), all.length);
  const listed = (await cells(page)).map(([first]) => first);
  all.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  assert.deepEqual(listed, all.slice(0, 50).map(cut));
  await page.locator('.column').last().click();
  assert.deepEqual((await cells(page)).map(([first]) => first), [cut(all[0])]);
  await page.locator('#table td button').click();
  assert.equal(await text(page, '#detail h2'), 'work');
  assert.ok((await text(page, '#detail')).includes(cut(all[0])));
}

async function exits(page) {
  await page.locator('#tab-exits').click();
  const rows = await cells(page);
  assert.deepEqual(rows.map((row) => row.slice(0, 6)), [
    ['io', '0x3f8', '', 'after', '120', cut(120000n)], ['io', '0x3f8', '', 'before', '30', cut(30000n)]]);
  await page.locator('#exits-by-span').check();
  assert.deepEqual((await cells(page)).map((row) => row.slice(3, 7)), [
    ['flush', '4.00', 'after', '120'], ['flush', '1.00', 'before', '30']]);
  await page.locator('#table td button').first().click();
  assert.equal(await text(page, '#found'), '1 of 150');
  assert.equal(await text(page, '#detail h2'), 'exit: io');
}

async function log(page, traces) {
  const events = traces.flatMap(({ spans }) => spans.flatMap((span) => span.events));
  const shown = () => page.locator('#table tbody tr').count();
  await page.locator('#tab-events').click();
  await page.locator('#log-level').selectOption({ label: 'warn and above' });
  await page.locator('#table input[type=checkbox]').uncheck();
  assert.equal(await shown(), events.length);
  await page.locator('#log-filter').fill('op=set bytes>=150');
  const wanted = events.filter(({ fields }) => fields[0][2] === 'set' && Number(fields[1][2]) >= 150).length;
  assert.ok(wanted > 0 && wanted < events.length);
  assert.equal(await shown(), wanted);
  await page.locator('#log-level').selectOption({ label: 'error' });
  assert.equal(await shown(), 0);
}

// Each asks, and of how many spans it is known that they answer.
async function searches(page, traces) {
  const spans = traces.flatMap((trace) => trace.spans.map((span) => ({ ...span, trace })));
  const field = (span, key) => [...span.fields, ...span.events.flatMap(({ fields }) => fields)].find(([one]) => one === key)?.[2];
  const us = (span) => Number(span.duration_ns) / 1000;
  const asked = [
    ['op=scan', (span) => field(span, 'op') === 'scan'],
    ['op=set bytes>250', (span) => field(span, 'op') === 'set' && Number(field(span, 'bytes')) > 250],
    ['>100us', (span) => us(span) > 100],
    ['name=work duration<10.1us', (span) => span.name === 'work' && us(span) < 10.1],
    ['status=error', (span) => span.status === 'error'],
    ['app.c:30', (span) => span.file === 'app.c' && span.line === 30],
    ['/^(parse|flush)$/', (span) => ['parse', 'flush'].includes(span.name)],
    ['request -op=get -status=error', (span) => span.name === 'request' && field(span, 'op') !== 'get' && span.status !== 'error'],
    [spans[77].id, (span) => span.id === spans[77].id],
    [traces[1].trace_id, (span) => span.trace === traces[1]],
    ['bytes=299', (span) => field(span, 'bytes') === '299'],
  ];
  for (const [words, has] of asked) {
    const wanted = spans.filter(has).length;
    assert.ok(wanted > 0, words);
    await page.locator('#search').fill(words);
    await page.locator('#search').press('Enter');
    assert.equal(await text(page, '#found'), `1 of ${wanted}`, words);
    await page.locator('#search').press('Enter');
    assert.equal(await text(page, '#found'), `${wanted > 1 ? 2 : 1} of ${wanted}`, words);
  }
  await page.locator('#search').fill('/(/');
  await page.locator('#search').press('Enter');
  assert.equal(await text(page, '#found'), 'not a regular expression');
  await page.locator('#search').fill('');
}

export async function views(page, traces) {
  await holds('the flame graph has each path as wide as its time, and callers and callees', () => flame(page, traces));
  await holds('a name has all its spans, a histogram that chooses, and the longest first', () => findName(page, traces));
  await holds('exits are summed up by reason and port, and by span', () => exits(page));
  await holds('the log of events is filtered by level and words', () => log(page, traces));
  await holds('a search compares fields, times, status, source lines and ids', () => searches(page, traces));
}
