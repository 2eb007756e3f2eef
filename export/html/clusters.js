// SPDX-License-Identifier: MIT
// What of very many items is drawn: only those in view, found by search, and of those
// narrower than a pixel one for each pixel.

// The first of `items`, in the order of `key`, that is not below `value`.
function lowerBound(items, value, key) {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(items[middle]) < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// The same of numbers, from `from` on in steps that double: what is near is found at once.
function boundFrom(numbers, from, value) {
  let step = 1, low = from, high = from;
  while (high < numbers.length && numbers[high] < value) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  high = Math.min(high, numbers.length);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const TOGETHER_PX = 0.25; // gaps between narrow boxes that nobody sees
const NARROW_PX = 1;

// Side by side; Float64Array.from takes ten times as long.
function numbersOf(items, number) {
  const numbers = new Float64Array(items.length);
  for (let i = 0; i < items.length; i++)
    numbers[i] = number(items[i]);
  return numbers;
}

// Items of one row by start, none of which overlaps another, or all of which are points.
class Row {
  constructor(items) {
    this.items = items;
    this.starts = numbersOf(items, (item) => item.start);
    this.ends = numbersOf(items, (item) => item.end);
  }

  // The first that is not over then.
  from(time) {
    return boundFrom(this.ends, 0, time);
  }

  // Behind item `i` and the narrow ones that begin before `time`; one that is not
  // narrow can only be the last of these, and is not among them.
  next(i, time, zoom) {
    const next = boundFrom(this.starts, i + 1, time);
    return next > i + 1 && (this.ends[next - 1] - this.starts[next - 1]) * zoom >= NARROW_PX ? next - 1 : next;
  }
}

// As the library draws it; of `number` items from `item` to `end`.
function clusterOf(item, number, end, level, { name, color, badge }) {
  const { start } = item;
  return { start, end, duration: end - start, level, color, badge: number === 1 ? badge : undefined, nodes: { length: number, 0: { source: { name } } } };
}

// Those of a row that are in view are put to `clusters`, narrow neighbours as one.
function clustersOf(row, level, [start, end, zoom], appearance, clusters) {
  const { items, starts, ends } = row;
  let last = null; // of narrow ones
  for (let i = row.from(start); i < items.length && starts[i] <= end;) {
    if ((ends[i] - starts[i]) * zoom >= NARROW_PX) {
      last = null;
      clusters.push(clusterOf(items[i], 1, ends[i], level, appearance(items[i])));
      i++;
      continue;
    }
    const next = row.next(i, starts[i] + NARROW_PX / zoom, zoom);
    if (last && (starts[i] - last.end) * zoom < TOGETHER_PX) {
      last.end = ends[next - 1];
      last.duration = last.end - last.start;
      last.nodes.length += next - i;
    } else {
      last = clusterOf(items[i], next - i, ends[next - 1], level, appearance(items[i]));
      clusters.push(last);
    }
    i = next;
  }
}

// What is drawn on top of the rows: items that come by start.
class Overlay {
  constructor(items = NONE) {
    this.lists = [];
    this.rows = [];
    for (const item of items)
      this.add(item);
  }

  add(item) {
    if (item.row >= 0)
      (this.lists[item.row] ??= []).push(item);
  }

  // Calls draw(x, width, item, number) for those of a row that are in view; narrow ones
  // that begin in one pixel are `number`, of which `item` is the first.
  eachOf(number, [start, end, zoom], draw) {
    if (!this.lists[number])
      return;
    const row = this.rows[number] ??= new Row(this.lists[number]);
    const { items, starts, ends } = row;
    for (let i = row.from(start); i < items.length && starts[i] <= end;) {
      const x = (starts[i] - start) * zoom, width = (ends[i] - starts[i]) * zoom;
      const next = width >= NARROW_PX ? i + 1 : row.next(i, start + (Math.floor(x) + 1) / zoom, zoom);
      draw(Math.round(x), width, items[i], next - i);
      i = next;
    }
  }
}
