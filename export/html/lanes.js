// SPDX-License-Identifier: MIT
// On which row everything is drawn.
//
// A vCPU has a heading, a row for what the host did, lanes, and counters, which
// so leave the spans the room. On a lane spans nest: one lies on the lane of its
// parent, below it, or else on the first lane that is free; handlers interrupt
// whatever is open. So a row never has two things at one time.

const LANES_TRIED = 64;

function byStart(a, b) {
  return a.start - b.start || b.end - a.end;
}

class Lane {
  constructor(of) {
    this.of = of; // the run's vCPU
    this.stack = [];
    this.rows = []; // of each, what is drawn there
  }

  // Items come by start: what has ended will not be needed again.
  takes(item) {
    const { stack } = this;
    while (stack.length > 0 && stack.at(-1).end <= item.start && stack.at(-1) !== item.parent)
      stack.pop();
    const top = stack.at(-1);
    if (!top)
      return true;
    return item.end <= top.end && (item.parent === top || (item.nesting > 0 && !item.parent));
  }

  put(item) {
    (this.rows[this.stack.length] ??= []).push(item);
    this.stack.push(item);
    item.lane = this;
  }
}

function chooseLane(lanes, item, of) {
  const home = item.parent?.lane;
  if (home?.of === of && home.takes(item))
    return home;
  for (let i = 0; i < lanes.length && i < LANES_TRIED; i++)
    if (lanes[i].takes(item))
      return lanes[i];
  lanes.push(new Lane(of));
  return lanes.at(-1);
}

// The lanes of one vCPU's spans and blocks.
function makeLanes(track) {
  const lanes = [];
  for (const item of track.items.sort(byStart))
    chooseLane(lanes, item, track).put(item);
  return lanes;
}

function vcpusOf(run) {
  const vcpus = new Map();
  const of = (vcpu) => {
    if (!vcpus.has(vcpu))
      vcpus.set(vcpu, { run, vcpu, items: [], host: [], work: [], gaps: [], counters: [], closed: false });
    return vcpus.get(vcpu);
  };
  for (const item of [...run.spans, ...run.blocks]) {
    of(item.vcpu).items.push(item);
    if (item.more?.close_vcpu !== undefined)
      of(item.more.close_vcpu);
  }
  for (const stretch of run.host)
    of(stretch.vcpu)[stretch.host === 'work' ? 'work' : 'host'].push(stretch);
  for (const gap of run.gaps)
    of(gap.vcpu).gaps.push(gap);
  for (const event of run.events) {
    const track = of(event.vcpu);
    if (event.counter)
      track.counters.push(event);
  }
  return [...vcpus.values()].sort((a, b) => a.vcpu - b.vcpu);
}

// In one row none may overlap the one before: it is drawn behind that.
function followEachOther(items) {
  let last = -Infinity;
  for (const item of items) {
    item.start = Math.max(item.start, last);
    last = item.end = Math.max(item.end, item.start);
    item.duration = item.end - item.start;
  }
}

// Per run and vCPU: its lanes, once; what is open or switched on is chosen later.
function makeTracks(runs) {
  return runs.flatMap((run) => vcpusOf(run).map((track) => {
    track.lanes = makeLanes(track);
    track.host.sort(byStart);
    track.work.sort(byStart);
    followEachOther(track.gaps.sort(byStart));
    track.graphs = makeGraphs(track.counters);
    return track;
  })).map((track, number) => Object.assign(track, { number }));
}

function hideAll(track) {
  for (const items of [track.items, track.host, track.work, track.gaps])
    for (const item of items)
      item.row = -1;
}

// All rows of `tracks`, which `all` are, from top to bottom: { heading }, { items, first of a lane }, or { graph }
// and one more, since its line is as high as two.
function makeRows(all, tracks, showHost, showCounters) {
  const rows = [];
  for (const track of all.filter(({ hidden }) => hidden))
    hideAll(track);
  for (const track of tracks) {
    rows.push({ heading: track });
    track.row = rows.length;
    const shown = track.closed ? [] : [
      ...(track.gaps.length > 0 ? [{ items: track.gaps, host: true }] : []),
      ...(showHost ? [track.host, track.work] : []).filter((items) => items.length > 0)
        .map((items) => ({ items, host: true })),
      ...track.lanes.flatMap((lane) => lane.rows.map((items, depth) => ({ items, first: depth === 0 }))),
      ...(showCounters ? track.graphs.slice(0, COUNTERS_SHOWN) : []).flatMap((graph, i) => [{ items: NONE, graph, first: i === 0 }, { items: NONE }]),
    ];
    hideAll(track);
    for (const row of shown) {
      for (const item of row.items)
        item.row = rows.length;
      rows.push(row);
    }
  }
  return rows;
}
