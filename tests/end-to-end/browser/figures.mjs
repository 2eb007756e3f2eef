// SPDX-License-Identifier: MIT
// What a large page costs.

const WORD = 'query';

const found = (page) => page.waitForFunction(() => document.getElementById('found').getAttribute('aria-busy') === 'false');

// Time until the second frame behind what is done, and what the page's thread takes.
async function cost(page, cpuMs, act) {
  const times = [];
  const before = await cpuMs();
  for (let i = 0; i < 5; i++) {
    const began = performance.now();
    await act(i);
    await page.evaluate(() => new Promise((done) => {
      requestAnimationFrame(() => requestAnimationFrame(done));
    }));
    times.push(performance.now() - began);
  }
  return { ms: times.sort((a, b) => a - b)[2], cpu: (await cpuMs() - before) / 5 };
}

// Measures a large page, and prints what it found.
export async function figures(kind, page, bytes, { readyMs, cpuMs }) {
  const loading = await cpuMs();
  await page.locator('#chart').focus();
  await page.keyboard.press('0');
  const zoomed = await cost(page, cpuMs, () => page.keyboard.press('+'));
  const moved = await cost(page, cpuMs, () => page.keyboard.press('ArrowRight'));
  const { x, y } = await page.locator('#chart').boundingBox();
  const clicked = await cost(page, cpuMs, (i) => page.mouse.click(x + 200 + 80 * i, y + 52 + 24 + 18 + 8));
  await page.keyboard.press('0');
  const folded = await cost(page, cpuMs, () => page.keyboard.press('c'));
  await page.keyboard.press('c');
  const ranged = await cost(page, cpuMs, () => page.keyboard.press('r'));
  await page.locator('#tab-names').click();
  const viewed = await cost(page, cpuMs, (i) => page.locator(['#tab-flame', '#tab-spans', '#tab-events', '#tab-runs', '#tab-names'][i]).click());
  await page.locator('#tab-spans').click();
  const sorted = await cost(page, cpuMs, (i) => page.locator('#table th button').nth(i % 4).click());
  await page.locator('#tab-names').click();
  await page.locator('#search').focus();
  const typed = await cost(page, cpuMs, async (i) => {
    await page.keyboard.press(WORD[i]);
    await page.waitForTimeout(60); // the page waits a little for more letters
    await found(page);
  });
  await page.locator('#search').press('Enter');
  const ms = (time) => `${time.toFixed(0)} ms`;
  const both = (of) => `${ms(of.ms)} (${ms(of.cpu)} of CPU)`;
  console.log(`# ${kind} spans: ${(bytes / 1e6).toFixed(1)} MB, drawn after `
    + `${both({ ms: readyMs, cpu: loading })}, zoomed in ${both(zoomed)}, moved in ${both(moved)}, `
    + `clicked in ${both(clicked)}, folded in ${both(folded)}, chose a stretch in ${both(ranged)}, changed views in ${both(viewed)}, sorted in ${both(sorted)}, found for each letter in ${both(typed)}`);
  return { loading, acting: Math.max(...[zoomed, moved, clicked, folded, ranged, viewed, sorted, typed].map(({ cpu }) => cpu)) };
}
