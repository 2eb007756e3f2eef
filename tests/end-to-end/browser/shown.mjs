// SPDX-License-Identifier: MIT
// What a page of the html format shows, read from it; and what it should find.
// Where the pointer finds something drawn, from (x, y) to the right; its name.
export async function findSpan(page, y, wanted, step = 15) {
  const box = await page.locator('#chart').boundingBox();
  for (let x = 4; x < box.width - 10; x += step) {
    await page.mouse.move(box.x + x, box.y + y);
    await page.evaluate(() => new Promise(requestAnimationFrame));
    const tip = page.locator('#tip strong');
    if (await tip.isVisible() && (!wanted || await tip.innerText() === wanted))
      return { x: box.x + x, y: box.y + y, name: await tip.innerText() };
  }
  throw new Error(`nothing is drawn at ${y}`);
}

export const inView = async (page) => {
  const [number, unit] = (await page.locator('#view').innerText()).split(' ');
  return Number(number) * { ns: 1, 'µs': 1e3, ms: 1e6, s: 1e9 }[unit];
};
// What the page writes as a time or duration, in ns; `cut` is the other way around.
export function nsOf(shown) {
  const [, whole, rest = '', unit] = shown.match(/^(\d+)(?:\.(\d+))? (ns|µs|ms|s)$/);
  return BigInt(whole + rest.padEnd({ ns: 0, 'µs': 3, ms: 6, s: 9 }[unit], '0'));
}

export function cut(ns) {
  const [digits, unit] = [[9, 's'], [6, 'ms'], [3, 'µs'], [0, 'ns']].find(([n]) => ns >= 10n ** BigInt(n)) ?? [0, 'ns'];
  const all = String(ns).padStart(digits + 1, '0');
  return digits === 0 ? `${ns} ns` : `${all.slice(0, -digits)}.${all.slice(-digits).slice(0, 3)} ${unit}`;
}

export const eventsOf = (trace) => [...trace.events, ...trace.spans.flatMap((span) => span.events)];
export const settle = (page) => page.waitForTimeout(120);

// Spans that have it in their texts or in their events', and events of no span.
export function withText(traces, needle) {
  const has = ({ name, target, fields }) => [name, target, ...fields.map(([key, type, value]) => (
    `${key}=${type === 'bytes' ? '' : value}`))].some((text) => text.toLowerCase().includes(needle.toLowerCase()));
  return traces.flatMap((trace) => {
    const ids = new Set(trace.spans.map((span) => span.id));
    return [...trace.spans.filter((span) => has(span) || span.events.some(has)),
      ...trace.events.filter((event) => !ids.has(event.span_id) && has(event))];
  });
}

// The bytes of a line across the chart; of a copy, since the page only ever writes.
const lineAt = (page, y) => page.evaluate((at) => {
  const chart = document.getElementById('chart');
  const copy = new OffscreenCanvas(chart.width, 1).getContext('2d', { willReadFrequently: true });
  copy.drawImage(chart, 0, Math.round((at * chart.width) / chart.clientWidth), chart.width, 1, 0, 0, chart.width, 1);
  return [...copy.getImageData(0, 0, chart.width, 1).data];
}, y);

/** The colours there, each as [red, green, blue], from left to right. */
export async function coloursAt(page, y) {
  const bytes = await lineAt(page, y);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.slice(4 * i, 4 * i + 3));
}
