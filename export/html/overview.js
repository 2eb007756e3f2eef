// SPDX-License-Identifier: MIT
// The whole at a glance: how many spans each part of the time has, and where
// there are any. Those that are not shown one by one count as much as the others.

const PARTS_OF_TIME = 600;

function density(runs, end) {
  const width = end / PARTS_OF_TIME;
  const change = new Float64Array(PARTS_OF_TIME + 2);
  const part = (time) => Math.min(PARTS_OF_TIME, Math.floor(time / width));
  const add = (item, spans) => {
    const [from, to] = [part(item.start), part(item.end) + 1];
    const each = Math.max(1, spans / (to - from)); // wherever in the block they are
    change[from] += each;
    change[to] -= each;
  };
  for (const run of runs) {
    run.spans.forEach((span) => add(span, 1));
    run.blocks.forEach((block) => add(block, block.spans));
  }
  const points = [];
  let spans = 0, most = 1;
  for (let i = 0; i < PARTS_OF_TIME; i++) {
    spans += change[i];
    most = Math.max(most, spans);
    points.push([i * width, spans]);
  }
  points.push([end, 0]);
  return { points, min: 0, max: most };
}

// [start, end] of all spans and blocks, or null.
function extentOf(runs) {
  let [start, end] = [Infinity, -Infinity];
  for (const run of runs)
    for (const items of [run.spans, run.blocks])
      for (const item of items)
        [start, end] = [Math.min(start, item.start), Math.max(end, item.end)];
  return start < end ? [start, end] : null;
}
