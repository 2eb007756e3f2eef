// SPDX-License-Identifier: MIT
// The page: what is drawn, and what selects what.

class Page {
  constructor(runs) {
    this.runs = runs;
    this.alignedAtFirst = runs.length > 1 && !runsOverlap(runs);
    this.align(this.alignedAtFirst);
    this.tracks = makeTracks(runs);
    for (const track of this.tracks)
      track.title = this.trackTitle(track);
    this.spans = runs.flatMap((run) => run.spans);
    this.selected = null;
    this.colours = new Colours(runs);
    this.search = new Search(runs, {
      pick: (span) => this.pick(span), event: (event) => this.pickEvent(event), found: () => this.markFound(),
    });
    this.links = new Links(runs);
    this.actions = {
      pick: (item) => this.pick(item), zoom: (item) => this.pick(item, true),
      named: (site, run) => this.showName(site, run), event: (event) => this.pickEvent(event),
      sandwich: (key) => this.showSandwich(key), path: (node, text) => this.showPath(node, text),
      exits: (row) => this.findExits(row), beside: (...pair) => this.showBeside(pair),
      median: (span) => this.byName.median(nameKey(span.site)), links: this.links,
      range: (range) => this.setRange(range), rangeOfView: () => this.takeRange(this.timeline.view()),
      rangeOfSelected: () => this.selected && this.takeRange([this.selected.start, this.selected.end]),
      show: (...range) => this.timeline.show(...range), mark: () => this.addMark(), goTo: (time) => this.goTo(time),
      unmark: (number) => this.setMarks(this.range.marks.filter((_, i) => i !== number)),
    };
    this.range = new RangePanel(runs, this.actions);
    this.trackList = new TrackList(this.get('track-list'), this.tracks, () => this.draw());
    this.state = new State(this);
    this.byName = new SpansByName(runs);
    this.flame = new FlameGraph(runs, (node) => this.colours.of(node, this.get('colour').value === 'target' ? 'target' : 'name', this.theme), this.actions);
    this.log = new EventLog(runs, this.actions);
    this.exits = new Exits(runs, this.actions);
    this.comparison = new Comparison(runs, this.byName, this.actions);
    this.spansOfName = new SpansOfName(runs, this.byName, this.actions);
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
      view: (start, end) => {
        this.get('view').value = `${duration(Math.round(end - start))} in view`;
        this.state.changed();
      },
    });
    this.timeline.setTheme(this.theme);
    this.get('host-switch').hidden = !this.runs.some((run) => run.host.length > 0);
    this.get('counters-switch').hidden = !this.tracks.some((track) => track.graphs.length > 0);
    this.draw();
    this.get('align-switch').hidden = this.runs.length < 2;
    this.get('links-switch').hidden = !this.links.any;
    this.get('align').checked = this.aligned;
    this.tabs = makeTabs(this);
    this.gestures = new Gestures(this.get('chart'), this.timeline, { range: (...range) => this.dragRange(...range), choosing: () => this.choosing() });
    listen(this);
    this.panes = new Panes((id) => this.get(id));
    this.search.prepare();
    showDetail(this.get('detail'), null, this.runs, this.actions);
    this.fitSpans();
    const died = this.runs.find((run) => run.died && run.last);
    if (!this.state.read() && died)
      this.pick(died.last, false);
  }

  // At first the view is where the spans are.
  fitSpans() {
    const extent = extentOf(this.runs);
    if (!extent)
      return;
    const margin = (extent[1] - extent[0]) * 0.02;
    this.timeline.show(extent[0] - margin, extent[1] + margin);
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
    this.rows = makeRows(this.tracks, this.trackList.order(), this.get('host').checked, this.get('counters').checked);
    this.timeline.setRows(this.rows, (item) => this.appearance(item));
    this.mark();
    this.drawArrows();
    Object.assign(this.get('chart').dataset, {
      rows: this.rows.length, counters: this.rows.filter((row) => row.graph).length,
    });
  }

  // What is drawn on top of the spans, where these are now.
  mark() {
    this.failed ??= this.spans.filter((span) => span.status === ERROR);
    this.interrupted ??= this.spans.filter((span) => span.flags & INTERRUPTED);
    this.timeline.setOverlays({
      failed: new Overlay(this.failed.sort(byStart)), interrupted: new Overlay(this.interrupted.sort(byStart)), ...this.eventMarks(),
    });
    this.markFound();
  }

  // Of spans and of what else has a length; of events apart, which lie on top of spans.
  markFound() {
    const found = new Overlay(), foundEvents = new Overlay();
    for (const item of this.search.items)
      if (item.time === undefined)
        found.add(item);
      else
        foundEvents.add(this.eventMark(item));
    this.timeline.setOverlays({ found, foundEvents });
  }

  realign(aligned) {
    this.align(aligned);
    this.search.moved();
    this.timeline.setExtent(this.end, density(this.runs, this.end));
    this.draw();
    this.pick(this.selected);
  }

  eventMark(event) {
    return { start: event.time, end: event.time, row: this.eventRow(event) };
  }

  // Made once; where they are drawn is asked again, for rows and runs move.
  eventMarks() {
    this.marksOfEvents ??= this.runs.flatMap((run) => run.events.filter((event) => !event.counter)).map((event) => ({ event, start: 0, end: 0, row: -1 }));
    for (const mark of this.marksOfEvents) {
      mark.start = mark.end = mark.event.time;
      mark.row = this.eventRow(mark.event);
    }
    const marks = this.marksOfEvents.sort(byStart);
    const isError = ({ event }) => event.site.level === 1;
    return { events: new Overlay(marks.filter((mark) => !isError(mark))), errors: new Overlay(marks.filter(isError)) };
  }

  trackOf(item) {
    return item ? this.tracks.find((track) => track.run === item.run && track.vcpu === item.vcpu) : undefined;
  }

  eventRow(event) {
    if (event.span)
      return event.span.row;
    const track = this.trackOf(event);
    return track && !track.closed ? Math.min(track.row, this.rows.length - 1) : -1;
  }

  appearance(item) {
    const { theme } = this;
    if (item.lost)
      return { name: item.lost, color: theme.lost };
    if (item.host) {
      const colors = { guest: theme.guest, work: theme.work, merged: theme.block };
      const color = colors[item.host] ?? (item.tracing ? theme.traceExit : theme.exit);
      return { name: item.host === 'guest' ? 'guest' : stretchTitle(item), color };
    }
    if (item.spans)
      return { name: plural(item.spans, 'span'), color: theme.block };
    const color = this.colours.of(item.site, this.get('colour').value, theme);
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
      Object.assign(this.trackOf(item), { closed: false, hidden: false });
      this.get('host').checked ||= Boolean(item.host);
      this.draw();
    }
    this.timeline.select(item, close);
    this.drawArrows();
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
      tip.replaceChildren(element('strong', {}, element('bdi', {}, item.graph.title)), element('div', {}, withUnit(pointText(item), item.graph)),
        element('div', { class: 'faint' }, `since ${timeInRun(item.graph.run, item.event.time)}`));
      this.placeTip(tip, mouse);
      return;
    }
    const name = item.lost ? item.lost : item.host ? stretchTitle(item) : item.spans ? plural(item.spans, 'span') : visible(item.site.name);
    tip.replaceChildren(
      element('strong', {}, element('bdi', {}, name)),
      element('div', {}, `${duration(item.duration)}${item.self !== undefined ? ` · self ${duration(item.self)}` : ''}`),
      element('div', { class: 'faint' }, `from ${timeInRun(item.run, item.start)}`),
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

  // ---- Views below

  showName(site, run) {
    this.search.named(site, run);
    this.spansOfName.show(nameKey(site), run);
    this.tabs.open('spans');
  }

  showSandwich(key) {
    this.flame.show(key);
    this.tabs.open('flame');
  }

  showPath(node, text) {
    this.pick(null);
    this.get('detail').replaceChildren(...pathDetail(node, text, this.actions));
  }

  // Two runs from one start, and only they.
  showBeside(pair) {
    for (const track of this.tracks)
      track.closed = !pair.includes(track.run);
    this.get('align').checked = true;
    this.realign(true);
    const [start, end] = extentOf(pair) ?? [0, this.end];
    this.timeline.show(start - (end - start) * 0.02, end + (end - start) * 0.02);
  }

  // Exits of that reason and port.
  findExits({ reason, port, tracing }) {
    const words = [`"exit: ${reason}"`, port ? `port=${port}` : '', tracing ? 'tracing' : ''].filter(Boolean).join(' ');
    this.get('search').value = words;
    this.search.text(words);
    this.search.next(1);
  }

  step(key) {
    const to = neighbour(key, this.selected, this.tracks);
    if (to)
      this.pick(to);
  }

  // The vCPU of what is selected, or the first.
  fold() {
    const track = this.trackOf(this.selected) ?? this.tracks[0];
    if (track)
      this.toggle(track);
  }

  // ---- A stretch of time, marks, links

  choosing() {
    return this.get('range-mode').getAttribute('aria-pressed') === 'true';
  }

  setRange(range, show = true) {
    this.range.range = range;
    this.timeline.setOverlays({ range });
    if (show)
      this.showRange();
  }

  // Redrawn where it is seen.
  showRange() {
    if (this.tabs.chosen === 'range')
      this.range.draw(this.range.panel);
    this.state.changed();
  }

  dragRange(from, to, done) {
    this.setRange([Math.min(from, to), Math.max(from, to)], false);
    if (done)
      this.openRange();
  }

  openRange() {
    this.tabs.open('range');
    this.state.changed();
  }

  // Of what is selected, or in the middle of the view.
  timeOf(edge) {
    const [start, end] = this.timeline.view();
    return this.selected ? [this.selected.start, this.selected.end][edge] : (start + end) / 2;
  }

  rangeEdge(edge) {
    const range = [...this.range.range ?? this.timeline.view()];
    range[edge] = this.timeOf(edge);
    this.setRange(range[0] < range[1] ? range : null);
    this.openRange();
  }

  toggleRange() {
    if (this.range.range)
      this.setRange(null);
    else
      this.takeRange(this.selected ? [this.selected.start, this.selected.end] : this.timeline.view());
  }

  takeRange(range) {
    this.setRange(range);
    this.openRange();
  }

  setMarks(marks) {
    this.range.marks = marks;
    this.timeline.setOverlays({ marks });
    this.showRange();
  }

  addMark() {
    this.setMarks([...this.range.marks, this.timeOf(0)].sort((a, b) => a - b));
  }

  goTo(time) {
    const half = (this.timeline.view()[1] - this.timeline.view()[0]) / 2;
    this.timeline.show(time - half, time + half);
  }

  drawArrows() {
    const rowOf = (run, vcpu) => {
      const track = this.tracks.find((one) => one.run === run && one.vcpu === vcpu);
      return track && !track.hidden ? track.row - 1 : -1;
    };
    const span = this.selected?.site ? this.selected : null;
    const all = this.get('links').checked ? this.links.arrows(null, rowOf) : [];
    this.timeline.setOverlays({ arrows: [...all, ...span ? this.links.arrows(span, rowOf) : []] });
  }
}

const page = new Page(readTraces(document.getElementById('data').textContent));
page.start();
document.documentElement.dataset.ready = 'true';
