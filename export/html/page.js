// SPDX-License-Identifier: MIT
// The page: header, toolbar, keys, and what selects what.

function outcomeText(run) {
  return run.outcome === 'halted' ? `halted with status ${run.status}`
    : run.outcome === 'unknown' ? 'end unknown' : run.outcome;
}

function runLine(run) {
  const died = run.died;
  const lost = run.losses.reduce((sum, [, , number]) => sum + BigInt(number), 0n);
  const kind = died ? 'bad' : run.outcome === 'halted' && run.status === 0 ? 'good' : 'warn';
  return element('div', { class: 'run' },
    element('h1', {}, guestText(run.guest || 'guest')),
    element('span', { class: `outcome ${kind}` }, died ? outcomeText(run).toUpperCase() : outcomeText(run)),
    element('span', {}, `after ${duration(run.duration_ns)}`),
    element('span', { class: 'faint' }, guestText(run.backend)),
    element('span', { class: 'counts' }, [plural(run.span_count, 'span'), plural(run.event_count, 'event'),
      plural(run.counter_count, 'counter'), plural(run.vcpus, 'vCPU')].join(' · ')),
    element('span', { class: 'faint clock' }, `times within ${duration(Number(run.error_bound_ns))}`),
    lost === 0n ? element('span', { class: 'faint losses' }, 'nothing lost')
      : element('span', { class: 'warn wrap losses' },
        `lost: ${run.losses.map(([, prose, number]) => `${count(number)} ${prose}`).join('; ')}`));
}

function deathNotice(run, actions) {
  const where = run.last;
  return element('p', { class: 'notice bad' },
    element('strong', {}, '✗ ', guestText(run.message || outcomeText(run))),
    where ? ' in ' : ' outside of any span',
    where ? element('button', { class: 'link', type: 'button', onclick: () => actions.pick(where) }, guestText(where.site.name)) : null,
    where ? `, ${duration(run.end - where.start)} after it began` : null);
}

function excerptNotice(run) {
  const parts = [];
  if (run.hidden_spans)
    parts.push(`Of ${plural(run.span_count, 'span')} the page has the ${count(run.spans.length)} that failed, were `
      + `interrupted or lasted longest. The other ${count(run.hidden_spans)} are drawn as blocks of neighbours.`);
  if (run.hidden_events)
    parts.push(`The first ${plural(run.hidden_events, 'event')} are left out.`);
  if (run.name_count > run.names.length)
    parts.push(`The table has the ${count(run.names.length)} names of ${count(run.name_count)} with the largest totals.`);
  if (run.merged_stretches)
    parts.push(`${count(run.merged_stretches)} guest runs and exits are drawn as one with their neighbours.`);
  return parts.length ? element('p', { class: 'notice excerpt' }, `${visible(run.guest)}: `, parts.join(' ')) : null;
}

function hash(text) {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++)
    value = Math.imul(value ^ text.charCodeAt(i), 16777619) >>> 0;
  return value;
}

const HUES = [212, 158, 32, 268, 190, 48, 330, 96, 236, 14, 176, 300];

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const theme = (name) => style.getPropertyValue(`--${name}`).trim();
  const fill = (hue) => `hsl(${hue}, ${theme('fill-saturation')}, ${theme('fill-lightness')})`;
  const fills = HUES.map(fill);
  return {
    background: theme('background'), band: theme('band'), line: theme('line'), text: theme('text'), faint: theme('faint'),
    font: theme('font'), shade: theme('shade'), knob: theme('knob'), graph: theme('graph'), counter: theme('counter'), counterFill: theme('counter-fill'), scrollbar: theme('scrollbar'),
    error: theme('bad'), match: theme('match'), selected: theme('selected'), block: theme('block'), guest: theme('guest'),
    exit: theme('exit'), traceExit: theme('trace-exit'), work: theme('work'), fills,
    levels: [theme('block'), fill(4), fill(38), fill(212), fill(158), fill(268)],
  };
}

// How much is open at the same time, for the overview.
function density(runs, end) {
  const buckets = 600;
  const width = end / buckets;
  const change = new Float64Array(buckets + 2);
  for (const run of runs)
    for (const { start, end: stop } of run.spans) {
      change[Math.floor(start / width)] += 1;
      change[Math.min(buckets, Math.floor(stop / width)) + 1] -= 1;
    }
  const points = [];
  let open = 0, most = 1;
  for (let i = 0; i < buckets; i++) {
    open += change[i];
    most = Math.max(most, open);
    points.push([i * width, open]);
  }
  points.push([end, 0]);
  return { points, min: 0, max: most };
}

class Page {
  constructor(runs) {
    this.runs = runs;
    this.align(runs.length > 1 && !runsOverlap(runs));
    this.tracks = makeTracks(runs);
    for (const track of this.tracks)
      track.title = this.trackTitle(track);
    this.spans = runs.flatMap((run) => run.spans);
    this.found = [];
    this.at = -1;
    this.selected = null;
    this.needle = '';
    this.actions = {
      pick: (item) => this.pick(item), zoom: (item) => this.pick(item, true),
      search: (text) => this.setSearch(text), event: (event) => this.pickEvent(event),
    };
  }

  trackTitle(track) {
    const more = track.graphs.length - COUNTERS_SHOWN;
    return `${this.runs.length > 1 ? `${visible(track.run.guest)} · ` : ''}vCPU ${track.vcpu}`
      + `${more > 0 ? ` · ${plural(more, 'counter')} more in the table of events` : ''}`;
  }

  get(id) {
    return document.getElementById(id);
  }

  align(aligned) {
    for (const run of this.runs)
      moveRun(run, aligned ? 0 : run.realOffset);
    this.end = Math.max(1000, ...this.runs.map((run) => run.end));
    this.aligned = aligned;
  }

  start() {
    this.header();
    this.theme = readTheme();
    this.timeline = new Timeline(this.get('chart'), this.end, density(this.runs, this.end), {
      pick: (item) => this.pick(item, false),
      toggle: (track) => this.toggle(track),
      counter: (point) => this.showPoint(point),
      hover: (item, mouse) => this.hover(item, mouse),
      view: (start, end) => { this.get('view').value = `${duration(end - start)} in view`; },
    });
    this.timeline.setTheme(this.theme);
    this.get('host-switch').hidden = !this.runs.some((run) => run.host.length > 0);
    this.get('counters-switch').hidden = !this.tracks.some((track) => track.graphs.length > 0);
    this.draw();
    this.mark();
    this.get('align-switch').hidden = this.runs.length < 2;
    this.get('align').checked = this.aligned;
    this.listen();
    makeTabs(this.runs, this.actions);
    showDetail(this.get('detail'), null, this.runs, this.actions);
    this.fitSpans();
    const died = this.runs.find((run) => run.died && run.last);
    if (died)
      this.pick(died.last, false);
  }

  // At first the view is where the spans are.
  fitSpans() {
    let [start, end] = [this.end, 0];
    for (const span of this.spans)
      [start, end] = [Math.min(start, span.start), Math.max(end, span.end)];
    if (start < end)
      this.timeline.show(start - (end - start) * 0.02, end + (end - start) * 0.02);
  }

  header() {
    this.get('runs').replaceChildren(...this.runs.map(runLine));
    const guests = this.runs.map((run) => visible(run.guest)).join(', ');
    document.title = `${guests || 'no traces'} – guesttrace`;
    this.get('notices').replaceChildren(...this.runs.flatMap((run) => [
      run.died ? deathNotice(run, this.actions) : null, excerptNotice(run)]).filter(Boolean));
    if (this.runs.length === 0)
      this.get('runs').replaceChildren(element('div', { class: 'run' }, element('h1', {}, 'No traces')));
  }

  draw() {
    this.rows = makeRows(this.tracks, this.get('host').checked, this.get('counters').checked);
    this.timeline.setRows(this.rows, (item) => this.appearance(item));
    this.timeline.setOverlays({ events: this.eventMarks() });
    this.get('chart').dataset.counters = this.rows.filter((row) => row.graph).length;
  }

  mark() {
    this.timeline.setOverlays({
      marked: this.spans.filter((span) => span.status === ERROR).sort(byStart),
      interrupted: this.spans.filter((span) => span.flags & INTERRUPTED).sort(byStart),
      matches: this.found.sort(byStart),
    });
  }

  realign(aligned) {
    this.align(aligned);
    this.timeline.setExtent(this.end, density(this.runs, this.end));
    this.draw();
    this.mark();
    this.pick(this.selected);
  }

  eventMarks() {
    const marks = this.runs.flatMap((run) => run.events.filter((event) => !event.counter).map((event) => ({
      start: event.time, end: event.time, row: this.eventRow(event), urgent: event.site.level === 1 })));
    return marks.sort(byStart);
  }

  eventRow(event) {
    if (event.span)
      return event.span.row;
    const track = this.tracks.find((one) => one.run === event.run && one.vcpu === event.vcpu);
    return track && !track.closed ? Math.min(track.row, this.rows.length - 1) : -1;
  }

  appearance(item) {
    const { theme } = this;
    if (item.host) {
      const colors = { guest: theme.guest, work: theme.work, merged: theme.block };
      const color = colors[item.host] ?? (item.tracing ? theme.traceExit : theme.exit);
      return { name: item.host === 'guest' ? 'guest' : stretchTitle(item), color };
    }
    if (item.spans)
      return { name: plural(item.spans, 'span'), color: theme.block };
    const by = this.get('colour').value;
    const color = by === 'level' ? theme.levels[item.site.level] ?? theme.block
      : theme.fills[hash(by === 'target' ? item.site.target : item.site.name) % theme.fills.length];
    return { name: visible(item.site.name), color, badge: item.status === ERROR ? theme.error : undefined };
  }

  toggle(track) {
    track.closed = !track.closed;
    this.draw();
  }

  // `close` true: it fills the view; false: the view stays; else it is brought into view.
  pick(item, close) {
    this.selected = item;
    if (item && item.row < 0) {
      const track = this.tracks.find((one) => one.run === item.run && one.vcpu === item.vcpu);
      track.closed = false;
      this.draw();
    }
    this.timeline.select(item, close);
    showDetail(this.get('detail'), item, this.runs, this.actions);
  }

  showPoint(point) {
    this.pick(null);
    if (point)
      this.get('detail').replaceChildren(...pointDetail(point).filter(Boolean));
  }

  pickEvent(event) {
    if (event.span)
      this.pick(event.span);
    const [start, end] = this.timeline.view();
    if (event.time < start || event.time > end)
      this.timeline.show(event.time - (end - start) / 2, event.time + (end - start) / 2);
  }

  hover(item, mouse) {
    const tip = this.get('tip');
    tip.hidden = !item;
    if (!item)
      return;
    if (item.graph) {
      tip.replaceChildren(element('strong', {}, element('bdi', {}, item.graph.title)), element('div', {}, pointText(item)),
        element('div', { class: 'faint' }, `since ${duration(item.event.time - item.graph.run.offset)}`));
      this.placeTip(tip, mouse);
      return;
    }
    const name = item.host ? stretchTitle(item) : item.spans ? plural(item.spans, 'span') : visible(item.site.name);
    tip.replaceChildren(
      element('strong', {}, element('bdi', {}, name)),
      element('div', {}, `${duration(item.duration)}${item.self !== undefined ? ` · self ${duration(item.self)}` : ''}`),
      element('div', { class: 'faint' }, `from ${duration(item.start - item.run.offset)}`),
      item.site ? element('div', { class: 'faint' }, guestText(item.site.target), ` · ${LEVELS[item.site.level]}`) : '',
      item.status === ERROR ? element('div', { class: 'bad' }, '✗ error') : '',
      item.flags & INTERRUPTED ? element('div', { class: 'bad' }, 'interrupted') : '');
    this.placeTip(tip, mouse);
  }

  placeTip(tip, mouse) {
    const { width, height } = this.get('timeline').getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(mouse.x + 14, width - tip.offsetWidth - 6))}px`;
    tip.style.top = `${mouse.y + 18 + tip.offsetHeight > height ? Math.max(4, mouse.y - tip.offsetHeight - 10) : mouse.y + 18}px`;
  }

  // ---- Search

  setSearch(text) {
    this.get('search').value = visible(text);
    this.search(text);
    this.next(1);
  }

  search(text = this.get('search').value) {
    this.needle = text.toLowerCase();
    this.found = this.needle === '' ? [] : this.spans.filter((span) => this.haystack(span).includes(this.needle)).sort(byStart);
    this.at = -1;
    this.timeline.setOverlays({ matches: this.found });
    this.tellFound();
  }

  haystack(span) {
    span.haystack ??= [span.site.name, visible(span.site.name), span.site.target, fieldsText(span.more.fields ?? [])].join('\n').toLowerCase();
    return span.haystack;
  }

  tellFound() {
    const { found, at } = this;
    this.get('found').textContent = this.needle === '' ? '' : found.length === 0 ? 'none'
      : at < 0 ? `${count(found.length)} found` : `${count(at + 1)} of ${count(found.length)}`;
    this.get('next').disabled = this.get('previous').disabled = found.length === 0;
  }

  next(step) {
    const { found } = this;
    if (found.length === 0)
      return;
    this.at = this.at < 0 ? (step > 0 ? 0 : found.length - 1) : (this.at + step + found.length) % found.length;
    this.pick(found[this.at]);
    this.tellFound();
  }

  // ---- Listening

  listen() {
    const { timeline } = this;
    const on = (id, event, act) => this.get(id).addEventListener(event, act);
    let typing;
    on('search', 'input', () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.search(), 120);
    });
    on('search', 'keydown', (event) => {
      if (event.key !== 'Enter')
        return;
      clearTimeout(typing);
      if (this.get('search').value.toLowerCase() !== visible(this.needle))
        this.search();
      this.next(event.shiftKey ? -1 : 1);
    });
    on('next', 'click', () => this.next(1));
    on('previous', 'click', () => this.next(-1));
    on('colour', 'change', () => timeline.setColors((item) => this.appearance(item)));
    on('host', 'change', () => this.draw());
    on('counters', 'change', () => this.draw());
    on('align', 'change', () => this.realign(this.get('align').checked));
    on('in', 'click', () => timeline.zoom(0.5));
    on('out', 'click', () => timeline.zoom(2));
    on('fit', 'click', () => timeline.fit());
    on('keys', 'click', () => this.get('help').showModal());
    document.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => timeline.resize()).observe(this.get('timeline'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.theme = readTheme();
      timeline.setTheme(this.theme);
      timeline.setColors((item) => this.appearance(item));
    });
    this.tellFound();
  }

  key(event) {
    const { timeline } = this;
    const typing = event.target.matches('input:not([type=checkbox]), select');
    if (event.ctrlKey || event.metaKey || event.altKey || this.get('help').open)
      return;
    if (event.key === 'Escape' && event.target === this.get('search')) {
      this.get('chart').focus();
      return;
    }
    if (typing)
      return;
    const everywhere = {
      '/': () => this.get('search').select(), '+': () => timeline.zoom(0.5), '=': () => timeline.zoom(0.5),
      '-': () => timeline.zoom(2), 0: () => timeline.fit(), '?': () => this.get('help').showModal(),
      f: () => this.selected && this.pick(this.selected, true), Escape: () => this.pick(null),
      u: () => this.step('parent'), d: () => this.step('child'), n: () => this.step('next'), p: () => this.step('previous'),
    };
    const onChart = {
      ArrowLeft: () => timeline.pan(-0.2), ArrowRight: () => timeline.pan(0.2),
      ArrowUp: () => timeline.scrollRows(-40), ArrowDown: () => timeline.scrollRows(40),
      Enter: () => this.get('detail').focus(),
    };
    const act = everywhere[event.key] ?? (event.target === this.get('chart') ? onChart[event.key] : undefined);
    if (!act)
      return;
    event.preventDefault();
    act();
  }

  // To a neighbour in the tree; with nothing selected, to the first span.
  step(where) {
    const span = this.selected?.site ? this.selected : null;
    const roots = (run) => run.spans.filter((one) => !one.parent);
    let to;
    if (!span)
      to = this.spans[0];
    else if (where === 'parent')
      to = span.parent;
    else if (where === 'child')
      to = span.run.spans.find((one) => one.parent === span);
    else {
      const siblings = span.parent ? span.run.spans.filter((one) => one.parent === span.parent) : roots(span.run);
      to = siblings[siblings.indexOf(span) + (where === 'next' ? 1 : -1)];
    }
    if (to)
      this.pick(to);
  }
}

const page = new Page(readTraces(document.getElementById('data').textContent));
page.start();
document.documentElement.dataset.ready = 'true';
