// SPDX-License-Identifier: MIT
// The traces of the page, from the JSON that export/html/html.c and html_rows.c write.
//
// Columns of a site: name, target, level, file, line, function where it is known;
// of a span: site, parent, start, duration, self, vCPU, flags, status, id, its
// split by the run's parts or 0, what most lack; of a block:
// spans, parent, start, duration, self, vCPU; of an event: site, span, time,
// vCPU, flags, whether it is a counter, fields; of a stretch of the host: kind,
// reason, start, duration, vCPU, port, whether for tracing, waiting, flags, name;
// of a loss: start, duration, vCPU, how many it stands for, what is missing.
// A site, span or parent is its number in its run, -1 for none; a site may stand
// there itself. Sums are in aggregate.js. Times are ns since the run's start; here they become ns since the
// page's: the start of the first run, or, aligned, of each. The split of a run is
// that of all its vCPUs, by the same parts.

let siteNumber = 0;

function siteOf(sites, column) {
  const [name, target, level, file, line, inFunction] = Array.isArray(column) ? column : sites[column];
  return { name, target, level, file, line, inFunction, number: siteNumber++, text: undefined };
}

const NOTHING = Object.freeze({});
const NONE = Object.freeze([]);

function makeSpan(run, column) {
  const [site, parent, start, length, self, vcpu, flags, status, id, split, more] = column;
  return {
    run, parent: run.spans[parent] ?? null, site: run.site(site), start: run.offset + start,
    duration: length, end: run.offset + start + length, self, vcpu, flags, status, id,
    split, nesting: more?.nesting ?? 0, more: more ?? NOTHING, events: NONE, below: NONE, row: -1,
  };
}

function makeBlock(run, [spans, parent, start, length, self, vcpu]) {
  return {
    run, spans, parent: run.spans[parent] ?? null, start: run.offset + start, duration: length,
    end: run.offset + start + length, self, vcpu, nesting: 0, row: -1,
  };
}

function makeEvent(run, [site, span, time, vcpu, flags, counter, fields]) {
  const event = {
    run, site: run.site(site), span: run.spans[span] ?? null, time: run.offset + time, vcpu,
    flags, counter: counter === 1, fields,
  };
  if (event.span && !event.counter) {
    if (event.span.events === NONE)
      event.span.events = [];
    event.span.events.push(event);
  }
  return event;
}

const HOST_KINDS = ['', 'guest', 'exit', 'work', 'merged']; // so many of guest and exit

function makeStretch(run, [kind, reason, start, length, vcpu, port, tracing, waiting, flags, name]) {
  return {
    run, host: HOST_KINDS[kind], reason, start: run.offset + start, duration: length,
    end: run.offset + start + length, vcpu, port, tracing: tracing === 1, waiting, flags,
    name, row: -1, // the VMM's word for its work; else how many it stands for
  };
}

// From when all was still there until it was noticed; `start` and `end` are drawn.
function makeGap(run, [start, length, vcpu, losses, lost]) {
  return {
    run, lost: `LOST ${lost}`, losses, from: start, to: start + length, start: run.offset + start, duration: length,
    end: run.offset + start + length, vcpu, row: -1,
  };
}

// What has no parent is below its run.
function putBelow(run, item) {
  const above = item.parent ?? run;
  if (above.below === NONE)
    above.below = [];
  above.below.push(item);
}

function makeRun(trace, index, offset) {
  const sites = trace.sites.map((site) => siteOf([], site));
  const run = { ...trace, index, offset, realOffset: offset, spans: [], below: [], end: offset + trace.duration_ns };
  run.site = (column) => (Array.isArray(column) ? siteOf([], column) : sites[column]);
  for (const column of trace.spans) {
    const span = makeSpan(run, column);
    putBelow(run, span);
    run.spans.push(span);
  }
  run.blocks = trace.blocks.map((column) => makeBlock(run, column));
  for (const block of run.blocks)
    putBelow(run, block);
  run.events = trace.events.map((column) => makeEvent(run, column));
  run.host = (trace.host ?? []).map((column) => makeStretch(run, column));
  run.gaps = trace.gaps.map((column) => makeGap(run, column));
  run.last = run.spans[trace.last_span] ?? null;
  run.died = !['halted', 'unknown'].includes(trace.outcome);
  for (const item of [...run.spans, ...run.blocks, ...run.host, ...run.gaps])
    run.end = Math.max(run.end, item.end);
  return run;
}

function readTraces(text) {
  const { traces } = JSON.parse(text);
  const starts = traces.map((trace) => BigInt(trace.start_ns));
  const base = starts.reduce((least, start) => (start < least ? start : least), starts[0]);
  return traces.map((trace, index) => makeRun(trace, index, Number(starts[index] - base)));
}

// What an address may say is anything.
function runAt(runs, index) {
  return Number.isInteger(index) ? runs[index] ?? null : null;
}

// Moves a run in the page's time, so that it starts there.
function moveRun(run, offset) {
  const by = offset - run.offset;
  for (const item of [...run.spans, ...run.blocks, ...run.host, ...run.gaps]) {
    item.start += by;
    item.end += by;
  }
  for (const event of run.events)
    event.time += by;
  run.end += by;
  run.offset = offset;
}

// Runs of different times cannot be seen together at one scale.
function runsOverlap(runs) {
  return runs.every((run, index) => runs.some((other, i) => i !== index
    && other.offset < run.end && run.offset < other.end));
}
