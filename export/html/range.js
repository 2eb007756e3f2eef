// SPDX-License-Identifier: MIT
// A stretch of time that is chosen, what is in it, and marks between which is measured.

function overlap(item, [from, to]) {
  return Math.min(item.end, to) - Math.max(item.start, from);
}

// Whether it was open then; something without length lies in it or not.
function isWithin(item, [from, to]) {
  return item.start === item.end ? item.start >= from && item.start < to : item.start < to && item.end > from;
}

// What the page has of that stretch, of those runs.
function statisticsOf(runs, range) {
  const names = new Map(), exits = new Map();
  const sums = { guest: 0, out: 0, waiting: 0, spans: 0, hidden: 0, events: [0, 0, 0, 0, 0, 0], counters: 0, losses: 0 };
  const keys = new Map();
  for (const run of runs) {
    if (run.offset > range[1] || run.end < range[0])
      continue;
    for (const span of run.spans) {
      if (!isWithin(span, range))
        continue;
      let sum = keys.get(span.site);
      if (!sum) {
        const key = nameKey(span.site);
        sum = names.get(key) ?? { name: span.site.name, target: span.site.target, count: 0, inside: 0, longest: span };
        names.set(key, sum);
        keys.set(span.site, sum);
      }
      sum.count++;
      sum.inside += overlap(span, range);
      if (span.duration > sum.longest.duration)
        sum.longest = span;
      sums.spans++;
    }
    for (const block of run.blocks)
      if (isWithin(block, range))
        sums.hidden += block.spans;
    for (const stretch of run.host) {
      if (stretch.host === 'work' || stretch.host === 'merged' || !isWithin(stretch, range))
        continue;
      const inside = overlap(stretch, range);
      sums.waiting += stretch.duration ? (stretch.waiting * inside) / stretch.duration : 0;
      if (stretch.host === 'guest') {
        sums.guest += inside;
        continue;
      }
      sums.out += inside;
      const key = `${stretch.reason} ${stretch.port} ${stretch.tracing}`;
      const sum = exits.get(key) ?? { reason: stretch.reason, port: stretch.port, tracing: stretch.tracing, count: 0, inside: 0 };
      exits.set(key, sum);
      sum.count++;
      sum.inside += inside;
    }
    for (const event of run.events)
      if (event.time >= range[0] && event.time < range[1])
        event.counter ? sums.counters++ : sums.events[event.site.level]++;
    sums.losses += run.gaps.filter((gap) => isWithin(gap, range)).length;
  }
  return { names: [...names.values()], exits: [...exits.values()], ...sums };
}

class RangePanel {
  // What is done is told to actions: range(range or null), show(start, end), named, pick.
  constructor(runs, actions) {
    Object.assign(this, { runs, actions, range: null, marks: [], panel: null });
  }

  // Of which runs the clock is shown: the page's, which is the first one's.
  time(at) {
    return moment(Math.round(at), this.whole());
  }

  whole() {
    return Math.max(1, ...this.runs.map((run) => run.end));
  }

  draw(panel) {
    this.panel = panel;
    const { range, actions } = this;
    const button = (id, text, act, disabled) => element('button', { type: 'button', id, disabled: Boolean(disabled), onclick: act }, text);
    const bar = element('div', { class: 'bar-of-tools' },
      button('range-view', 'Take what is in view', () => actions.rangeOfView()),
      button('range-span', 'Take the selected', () => actions.rangeOfSelected()),
      button('range-zoom', 'Zoom to it', () => actions.show(...range), !range),
      button('range-clear', 'Clear', () => actions.range(null), !range),
      button('mark-add', 'Add a mark', () => actions.mark()));
    const parts = [bar, this.marksView()];
    if (!range)
      parts.push(element('p', { class: 'faint' }, 'Drag over the timeline with Shift held or with "Range" switched on, or press [ and ] where it begins and ends.'));
    else
      parts.push(...this.statistics(range));
    panel.replaceChildren(...parts.filter(Boolean));
  }

  marksView() {
    const { marks } = this;
    if (marks.length === 0)
      return null;
    return element('table', { class: 'marks' }, element('thead', {}, element('tr', {}, ...['mark', 'time', 'since the one before', 'remove'].map((title) => element('th', { class: 'plain', scope: 'col' }, title)))),
      element('tbody', {}, ...marks.map((at, i) => element('tr', {},
        element('td', {}, element('button', { class: 'link', type: 'button', onclick: () => this.actions.goTo(at) }, String(i + 1))),
        element('td', {}, this.time(at)),
        element('td', {}, i > 0 ? duration(Math.round(at - marks[i - 1])) : ''),
        element('td', {}, element('button', { type: 'button', 'aria-label': `Remove mark ${i + 1}`, onclick: () => this.actions.unmark(i) }, '×'))))));
  }

  statistics(range) {
    const found = statisticsOf(this.runs, range);
    const levels = found.events.map((number, level) => (number ? `${count(number)} ${LEVELS[level]}` : '')).filter(Boolean);
    const facts = pairs(['from', this.time(range[0])], ['to', this.time(range[1])], ['length', duration(Math.round(range[1] - range[0]))],
      ['spans', found.hidden ? `${count(found.spans)}, and ${count(found.hidden)} in blocks that reach into it` : count(found.spans)],
      ['events', levels.join(', ') || 'none'],
      found.counters ? ['counters', count(found.counters)] : null,
      found.guest + found.out > 0 ? ['in the guest', duration(Math.round(found.guest))] : null,
      found.guest + found.out > 0 ? ['out of it', duration(Math.round(found.out))] : null,
      found.waiting > 0 ? ['waiting', `${duration(Math.round(found.waiting))} (estimate)`] : null,
      found.losses ? ['losses', count(found.losses)] : null);
    facts.id = 'range-facts';
    const names = element('div', { id: 'range-names' }), exits = element('div', { id: 'range-exits' });
    const inside = timeColumn('in the range', (row) => Math.round(row.inside));
    new SortedTable([
      { title: 'name', value: (row) => row.name, cell: (row) => element('button', { class: 'link', type: 'button', onclick: () => this.actions.named(row) }, cutText(row.name)) },
      { title: 'target', value: (row) => row.target, cell: (row) => cutText(row.target) },
      { title: 'count', number: true, value: (row) => row.count, cell: (row) => count(row.count) },
      inside,
      { title: 'longest', number: true, value: (row) => row.longest.duration, cell: (row) => element('button', { class: 'link', type: 'button',
        onclick: () => this.actions.pick(row.longest) }, duration(row.longest.duration)) },
    ], found.names, [inside, true], null, 'range').draw(names);
    if (found.exits.length > 0)
      new SortedTable([
        { title: 'exits', value: (row) => row.reason, cell: (row) => `${row.reason}${row.port ? ` 0x${row.port.toString(16)}` : ''}${row.tracing ? ', for records' : ''}` },
        { title: 'count', number: true, value: (row) => row.count, cell: (row) => count(row.count) },
        inside,
      ], found.exits, [inside, true], null, 'range-exits').draw(exits);
    return [facts, names, exits];
  }
}
