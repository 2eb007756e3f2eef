// SPDX-License-Identifier: MIT
// What the timeline has besides boxes: the lines of counters, and events. Drawn on
// the canvas of an engine of flame-chart-js, with the theme that adapter.js gave it.

const GRAPH_HEIGHT = 30; // of its two rows
const GRAPH_LABEL = 12;

// Where its line goes, from the point before the view to its end: of the points on one
// pixel the first, the least, the greatest and the last. Calls to(x, value), and returns
// whether there are points behind the view.
function traceGraph({ times, values, run }, engine, to) {
  const { positionX, zoom, width } = engine;
  const [start, end] = [positionX - run.offset, positionX - run.offset + engine.getRealView()];
  const across = (time) => Math.round(Math.min(Math.max(-2, (time - start) * zoom), width + 2));
  let i = Math.max(0, lowerBound(times, start, (time) => time) - 1);
  while (i < times.length && times[i] <= end) {
    const x = across(times[i]);
    let low = values[i], high = values[i];
    to(x, values[i]);
    let last = values[i];
    for (i++; i < times.length && times[i] <= end && across(times[i]) === x; i++) {
      last = values[i];
      low = Math.min(low, last);
      high = Math.max(high, last);
    }
    if (low !== high)
      [low, high, last].forEach((value) => to(x, value));
  }
  return i < times.length;
}

// A counter holds until its next value, or the run's end.
function drawGraph(engine, graph, y) {
  const { ctx, theme, width, height } = engine;
  if (y + GRAPH_HEIGHT < 0 || y > height)
    return;
  const { low, high } = graph;
  const tall = GRAPH_HEIGHT - GRAPH_LABEL;
  const place = (value) => Math.round(y + 3 + GRAPH_LABEL + tall * (1 - (value - low) / (high - low || 1))) + 0.5;
  let left = null, line = 0;
  ctx.beginPath();
  const more = traceGraph(graph, engine, (x, value) => {
    const to = place(value);
    if (left === null)
      ctx.moveTo(left = x, to);
    else if (to !== line) {
      ctx.lineTo(x, line);
      ctx.lineTo(x, to);
    }
    line = to;
  });
  const right = more ? width + 2 : Math.min(Math.max(-2, engine.timeToPosition(graph.run.end)), width + 2);
  ctx.lineTo(right, line);
  ctx.strokeStyle = theme.counter;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.lineTo(right, place(0));
  ctx.lineTo(left, place(0));
  ctx.fillStyle = theme.counterFill;
  ctx.fill();
  labelGraph(engine, graph, y);
  // The axis: a line at its least and at its greatest, and what these are.
  ctx.fillStyle = theme.faint;
  for (const at of [low, high])
    ctx.fillRect(0, Math.floor(place(at)), 4, 1);
}

// Above the line, which it never hides.
function labelGraph({ ctx, theme }, graph, y) {
  const { title, low, high } = graph;
  graph.label ??= `${title.length > 60 ? `${title.slice(0, 59)}…` : title}  ${scaleText(low)} to ${withUnit(scaleText(high), graph)}`;
  ctx.save(); // the library keeps in mind what it has set
  ctx.font = `11px ${theme.font}`;
  ctx.textBaseline = 'top';
  ctx.fillStyle = theme.text;
  ctx.fillText(graph.label, 5, y + 2);
  ctx.restore();
}

const FAILURE_HEIGHT = 3;

// Of one failed span, or of so many in one pixel: a line more for each doubling.
function failureHeight(number, most) {
  return Math.min(most, FAILURE_HEIGHT + 2 * Math.floor(Math.log2(number)));
}

const EVENT_WIDTH = 6;
const EVENT_HEIGHT = 4;

// Draws events, of each row from left to right: draw(x, bottom, row). What would
// run into the one before is a line from there, thin enough to leave names alone.
function eventPen({ ctx }, color) {
  const lastX = new Map();
  ctx.fillStyle = color;
  return (x, bottom, row) => {
    const last = lastX.get(row);
    lastX.set(row, x);
    if (x - last < EVENT_WIDTH) {
      ctx.fillRect(last, bottom - 1, x - last, 1);
      return;
    }
    ctx.beginPath();
    ctx.moveTo(x, bottom - EVENT_HEIGHT);
    ctx.lineTo(x + EVENT_WIDTH / 2, bottom);
    ctx.lineTo(x - EVENT_WIDTH / 2, bottom);
    ctx.fill();
  };
}

function drawArrows(engine, arrows, middle) {
  const { ctx, theme } = engine;
  ctx.strokeStyle = ctx.fillStyle = theme.arrow;
  ctx.lineWidth = 1.5;
  for (const { time, row, toTime, toRow } of arrows)
    drawArrow(ctx, engine.timeToPosition(time), middle(row), engine.timeToPosition(toTime), middle(toRow));
}

// The stretch that is chosen, with its length.
function drawRange(engine, range) {
  if (!range)
    return;
  const { ctx, theme, height } = engine;
  const [from, to] = range.map((time) => Math.round(Math.min(Math.max(engine.timeToPosition(time), -2), engine.width + 2)));
  ctx.fillStyle = theme.range;
  ctx.fillRect(from, 0, Math.max(1, to - from), height);
  ctx.fillStyle = theme.selected;
  ctx.fillRect(from, 0, 1, height);
  ctx.fillRect(to, 0, 1, height);
  ctx.save();
  ctx.font = `11px ${theme.font}`;
  ctx.textBaseline = 'bottom';
  ctx.fillText(duration(Math.round(range[1] - range[0])), Math.min(Math.max(from, 0) + 4, engine.width - 70), height - 3);
  ctx.restore();
}

function drawTimeMarks(engine, times) {
  const { ctx, theme, height, width } = engine;
  ctx.save();
  ctx.font = `11px ${theme.font}`;
  ctx.textBaseline = 'bottom';
  times.forEach((time, i) => {
    const x = Math.round(engine.timeToPosition(time));
    if (x < 0 || x > width)
      return;
    ctx.fillStyle = theme.accent;
    ctx.fillRect(x, 0, 1, height);
    ctx.fillRect(x, height - 15, 14, 15);
    ctx.fillStyle = theme.background;
    ctx.fillText(String(i + 1), x + 4, height - 2);
  });
  ctx.restore();
}
