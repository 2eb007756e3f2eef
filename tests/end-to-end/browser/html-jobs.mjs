// SPDX-License-Identifier: MIT
// What a page is opened for, by mouse, by keyboard alone and by touch, of runs in which
// the answer is known: html_planted.h.
import assert from 'node:assert/strict';
import { drivers } from './drivers.mjs';
import { holds } from './holds.mjs';
import { cut } from './shown.mjs';

const text = (page, selector) => page.locator(selector).innerText();
const row = (page, name) => page.locator('#table tbody tr', { hasText: name });

// Which request was slow, what was different about it, and where in it the time went.
async function slowRequest(page, press) {
  await press(page, page.locator('#tab-names'));
  await press(page, row(page, 'request').locator('button').first());
  await press(page, page.locator('#table td button').first());
  const detail = await text(page, '#detail');
  assert.match(detail, /op\s+scan, not (get|set)/);
  assert.match(detail, /bytes\s+137, not /);
  assert.match(detail, /duration\s+29\d\.\d+ µs, not 14\.\d+ µs/);
  await press(page, page.locator('#detail .pairs button').first());
  assert.equal(await text(page, '#detail h2'), 'work');
  assert.match(await text(page, '#detail'), /duration\s+290\.000 µs, not 10\./);
}

// What takes longer than before, by how much, and what of it is noise.
async function regression(page, press) {
  await press(page, page.locator('#tab-compare'));
  const line = async (name) => (await row(page, name).first().innerText()).split('\t').map((cell) => cell.trim());
  const work = await line('work'), parse = await line('parse');
  assert.equal(work[1], 'slower');
  const [, share] = work[2].match(/\+30\d ns \+(\d\.\d) %/);
  assert.ok(Math.abs(Number(share) - 3) < 0.2, work[2]);
  assert.equal(parse[1], 'noise');
  await press(page, page.locator('#compare-swap'));
  assert.equal((await line('work'))[1], 'faster');
  await press(page, page.locator('#compare-swap'));
}

// What leaves the guest more often than before.
async function leak(page, press) {
  await press(page, page.locator('#tab-exits'));
  await press(page, page.locator('#exits-by-span'));
  const [first] = await page.locator('#table tbody tr').allInnerTexts();
  assert.match(first, /^io\s+0x3f8\s+flush\s+4\.00\s+after\s+120\s/);
  await press(page, page.locator('#tab-compare'));
  assert.match((await page.locator('#table tbody tr').allInnerTexts()).at(-1), /^io 0x3f8\s+flush\s+\+90\.000 µs\s+30 → 120\s+1\.00 → 4\.00$/);
}

const JOBS = [['the slow request, and why it was', slowRequest], ['a regression of 3 %, and what is noise', regression], ['a leak of exits', leak]];

/** `open(options)`: the page of these runs, anew. */
export async function jobs(open) {
  for (const [way, { press }] of Object.entries(drivers)) {
    const opened = await open({ hasTouch: way === 'touch' });
    for (const [what, job] of JOBS)
      await holds(`by ${way}: ${what}`, () => job(opened.page, press));
    await opened.context.close();
  }
}

/** The page's verdicts on two runs, and the shifts, are those of `guesttrace diff`. */
export async function verdicts(page, diff) {
  await page.locator('#tab-compare').click();
  const rows = await page.locator('#table table').first().locator('tbody tr').allInnerTexts();
  const shown = rows.map((line) => {
    const [name, verdict, shift] = line.split('\t').map((cell) => cell.trim());
    return [name, verdict, shift.split(' ').slice(0, 2).join(' ')];
  });
  const signed = (ns) => `${ns > 0n ? '+' : ns < 0n ? '-' : ''}${cut(ns < 0n ? -ns : ns)}`;
  assert.deepEqual(shown.sort(), diff.names.map(({ name, change: { verdict, wall } }) => [name, verdict, signed(BigInt(wall.shift_ns))]).sort());
}
