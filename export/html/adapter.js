// SPDX-License-Identifier: MIT
// The timeline: all that knows of flame-chart-js, at the version that
// package.json pins. The page hands it rows and gets selections back.
//
// The library nests by `children`, with recursion, and gives each chart a part
// of the canvas. Here one chart has all rows, laid out before, so that depth and
// the number of vCPUs do not matter; of each row only what is in view is looked
// at. Its axis counts in halves of the whole and in one unit; ours in 1, 2, 5.

const { FlameChartContainer, FlameChartPlugin, TimeGridPlugin, TimeframeSelectorPlugin } = flameChartJs;

const ROW_HEIGHT = 18;
const VIEW_MIN_NS = 20;
const FINGER_PX = 12;
const ZOOM_STOP = 99; // beyond what the library takes for fine enough

// A double has 53 bits: far from the start of a page of lying times less cannot be
// told apart.
function leastView(end) {
  return Math.max(VIEW_MIN_NS, end * 2 ** -44);
}

function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= least);
}

function improveGrid(grid) {
  grid.recalc = function recalc() {
    const { width, min, positionX } = this.renderEngine;
    const view = this.renderEngine.getRealView();
    this.delta = Math.max(1, roundStep((view * 110) / Math.max(width, 1)));
    this.start = Math.floor((positionX - min) / this.delta);
    this.end = this.start + Math.ceil(view / this.delta) + 1;
    this.accuracy = view <= leastView(this.renderEngine.max) ? ZOOM_STOP : 0;
  };
  grid.forEachTime = function forEachTime(visit) {
    const count = this.end - this.start;
    for (let i = 0; i <= count; i++) // start + i may be start
      visit(this.renderEngine.timeToPosition((this.start + i) * this.delta), (this.start + i) * this.delta);
  };
  grid.renderTimes = function renderTimes(engine = this.renderEngine) {
    engine.setCtxValue('fillStyle', engine.styles.fontColor);
    engine.setCtxFont(engine.styles.font);
    const end = this.renderEngine.positionX + this.renderEngine.getRealView();
    this.forEachTime((x, time) => engine.fillText(axisTime(time, this.delta, end), x + 5, engine.charHeight + 2));
  };
}

class Overview extends TimeframeSelectorPlugin {
  renderTooltip() {
    return false;
  }
}

class Tracks extends FlameChartPlugin {
  constructor(end) {
    super({ data: { rows: [], end }, name: 'tracks' });
    const none = new Overlay();
    this.overlays = { failed: none, interrupted: none, found: none, foundEvents: none, events: none, errors: none, arrows: [], range: null, marks: [] };
    this.selected = null;
    this.made = new Map(); // rows, by their items
  }

  // The library calls it while constructing.
  parseData() {
    this.min = 0;
    this.max = this.data.end;
  }

  // The library clears what the mouse can hit a while after each frame.
  init(engine, interactions) {
    super.init(engine, interactions);
    interactions.clearHitRegions = () => {
      interactions.hitRegions = [];
      this.data.rows.forEach((row, level) => row.graph && interactions.addHitRegion('counter', row.graph,
        0, level * this.step - this.positionY, engine.width, 2 * this.step - 1, 'pointer'));
    };
  }

  initData() {
    this.initialClusterizedFlatTree = [];
  }

  // `appearance(item)`: its name, color and badge, asked for what is drawn.
  setRows(rows, appearance) {
    this.data.rows = rows;
    this.appearance = appearance;
    this.hoveredRegion = null;
    this.setPositionY(this.positionY);
  }

  itemsOf(level) {
    return this.data.rows[level]?.items ?? NONE;
  }

  rowOf(level) {
    const items = this.itemsOf(level);
    if (!this.made.has(items))
      this.made.set(items, new Row(items));
    return this.made.get(items);
  }

  get step() {
    return this.renderEngine.blockHeight + 1;
  }

  maxPositionY() {
    return Math.max(0, this.data.rows.length * this.step - this.renderEngine.height + 4);
  }

  setPositionY(y) {
    this.positionY = this.renderEngine ? Math.round(Math.min(Math.max(0, y), this.maxPositionY())) : 0; // else lines blur
  }

  rowAt(y) {
    return Math.floor((y + this.positionY) / this.step);
  }

  isHeading(row) {
    return Boolean(this.data.rows[row]?.heading);
  }

  // What is in view of each row, instead of the library's look at all there is.
  reclusterizeClusteredFlatTree() {
    const { positionX, height, zoom } = this.renderEngine;
    const end = positionX + this.renderEngine.getRealView();
    const last = Math.min(this.rowAt(height), this.data.rows.length - 1);
    const clusters = this.actualClusterizedFlatTree = [];
    for (let level = Math.max(0, this.rowAt(0)); level <= last; level++)
      clustersOf(this.rowOf(level), level, [positionX, end, zoom], this.appearance, clusters);
  }

  // What is below the mouse, as the library draws it: a pixel wide at least.
  findNodeInCluster(region) {
    if (region?.type !== 'cluster')
      return null;
    const engine = this.renderEngine, mouse = this.interactionsEngine.getMouse();
    const time = engine.pixelToTime(mouse.x) + engine.positionX;
    const row = this.rowOf(region.data.level);
    const item = row.items[row.from(time - engine.pixelToTime(1))];
    return item && item.start <= time && this.rowAt(mouse.y) === region.data.level ? { data: { source: { item } }, type: 'node' } : null;
  }

  handleHover(region) {
    super.handleHover(region);
    if (region?.type === 'counter')
      this.hoveredRegion = this.counterHit(region);
  }

  // The point of a counter's line below the mouse, as a region of the library's.
  counterHit(region) {
    const engine = this.renderEngine;
    const time = engine.pixelToTime(this.interactionsEngine.getMouse().x) + engine.positionX;
    const item = pointAt(region.data, time);
    return item && { type: 'counter', data: { source: { item } } };
  }

  // For a finger, which hovers nowhere before it touches; of neighbours closer than a
  // finger the nearest.
  tap(x, y) {
    const engine = this.renderEngine;
    const level = this.rowAt(y), row = this.data.rows[level];
    const time = engine.pixelToTime(x) + engine.positionX;
    if (this.isHeading(level)) {
      this.emit('toggle', row.heading);
      return;
    }
    const { items } = this.rowOf(level), at = this.rowOf(level).from(time);
    const near = [items[at - 1], items[at]].filter(Boolean).map((item) => [Math.max(item.start - time, time - item.end, 0) * engine.zoom, item]);
    const [far, item] = near.sort(([a], [b]) => a - b)[0] ?? [Infinity];
    if (row?.graph)
      this.emit('counter', pointAt(row.graph, time));
    else
      this.emit('pick', far <= FINGER_PX ? item : null);
  }

  handleSelect(region) {
    if (region?.type === 'counter') {
      this.emit('counter', this.counterHit(region)?.data.source.item ?? null);
      return;
    }
    const found = this.findNodeInCluster(region);
    const row = this.rowAt(this.interactionsEngine.getMouse().y);
    if (found)
      this.emit('pick', found.data.source.item);
    else if (this.isHeading(row))
      this.emit('toggle', this.data.rows[row].heading);
    else
      this.emit('pick', null);
  }

  render() {
    const engine = this.renderEngine;
    engine.renderTimeGrid();
    super.render();
    this.data.rows.forEach((row, level) => this.renderRow(row, level * this.step - this.positionY));
    engine.resolveQueue();
    engine.reset();
    this.data.rows.forEach((row, level) => row.graph && drawGraph(engine, row.graph, level * this.step - this.positionY));
    this.renderEvents(this.overlays.events, engine.theme.text);
    this.renderEvents(this.overlays.errors, engine.theme.error);
    this.renderFailures(this.overlays.failed);
    this.renderEnds();
    this.renderFound(this.overlays.found);
    this.renderFound(this.overlays.foundEvents);
    this.renderSelected();
    drawArrows(engine, this.overlays.arrows, (row) => row * this.step - this.positionY + ROW_HEIGHT / 2);
    drawRange(engine, this.overlays.range);
    drawTimeMarks(engine, this.overlays.marks);
    this.renderScrollbar();
    this.emit('view', engine.positionX, engine.positionX + engine.getRealView());
    return true;
  }

  renderRow(row, y) {
    const engine = this.renderEngine;
    if (y + this.step < 0 || y > engine.height)
      return;
    if (row.heading) {
      const { title, closed } = row.heading;
      engine.addRect({ color: engine.theme.band, x: 0, y, w: engine.width }, 0);
      engine.addText({ text: `${closed ? '▸' : '▾'} ${title}`, x: 0, y, w: engine.width }, 2);
    } else if (row.first) {
      engine.addRect({ color: engine.theme.line, x: 0, y: y - 1, w: engine.width, h: 1 }, 0);
    }
  }

  // Calls draw(x, y, width, item, number) for what is in view of an overlay.
  eachInView(overlay, draw) {
    const { positionX, zoom, height } = this.renderEngine;
    const view = [positionX, positionX + this.renderEngine.getRealView(), zoom];
    const last = Math.min(this.rowAt(height), this.data.rows.length - 1);
    for (let row = Math.max(0, this.rowAt(0)); row <= last; row++)
      overlay.eachOf(row, view, (x, width, item, number) => draw(x, row * this.step - this.positionY, width, item, number));
  }

  renderEvents(overlay, color) {
    const draw = eventPen(this.renderEngine, color);
    this.eachInView(overlay, (x, y, width, { row }) => draw(x, y + ROW_HEIGHT - 1, row));
  }

  // The more in one pixel, the taller.
  renderFailures(overlay) {
    const { ctx, theme } = this.renderEngine;
    ctx.fillStyle = theme.error;
    this.eachInView(overlay, (x, y, width, item, number) => {
      const tall = failureHeight(number, ROW_HEIGHT - 1);
      ctx.fillRect(x, y + ROW_HEIGHT - 1 - tall, Math.max(2, width - 1), tall);
    });
  }

  renderFound(overlay) {
    const { ctx, theme } = this.renderEngine;
    ctx.fillStyle = ctx.strokeStyle = theme.match;
    ctx.lineWidth = 1.5;
    this.eachInView(overlay, (x, y, width) => {
      if (width < 6) // of narrow ones the colour stays
        ctx.fillRect(x, y, Math.max(2, width - 1), 4);
      else
        ctx.strokeRect(x + 0.75, y + 0.75, width - 2.5, ROW_HEIGHT - 2.5);
    });
  }

  // Interrupted spans have no end of their own: theirs is torn.
  renderEnds() {
    const { ctx, theme } = this.renderEngine;
    ctx.fillStyle = theme.error;
    this.eachInView(this.overlays.interrupted, (x, y, width) => {
      const right = x + width - 1;
      ctx.beginPath();
      ctx.moveTo(right, y);
      for (let i = 0; i < 4; i++) {
        ctx.lineTo(right - 6, y + (i + 0.5) * ((ROW_HEIGHT - 1) / 4));
        ctx.lineTo(right - 1, y + (i + 1) * ((ROW_HEIGHT - 1) / 4));
      }
      ctx.lineTo(right, y + ROW_HEIGHT - 1);
      ctx.fill();
    });
  }

  renderSelected() {
    const { ctx, theme } = this.renderEngine;
    ctx.strokeStyle = theme.selected;
    ctx.lineWidth = 2;
    this.eachInView(new Overlay(this.selected ? [this.selected] : []), (x, y, width) => {
      ctx.strokeRect(x, y, Math.max(2, width - 1), ROW_HEIGHT - 1);
    });
  }

  renderScrollbar() {
    const { ctx, theme, width, height } = this.renderEngine;
    const most = this.maxPositionY();
    if (most === 0)
      return;
    const length = Math.max(24, (height * height) / (height + most));
    ctx.fillStyle = theme.scrollbar;
    ctx.fillRect(width - 6, ((height - length) * this.positionY) / most, 5, length);
  }
}

class Timeline {
  // What happens is told to handlers: pick(item or null), toggle(heading),
  // hover(item or null, mouse), counter(point or null), view(start, end).
  constructor(canvas, end, density, handlers) {
    this.canvas = canvas;
    this.end = end;
    this.tracks = new Tracks(end);
    this.overview = new Overview({ timeseries: [density] });
    this.options = {
      timeUnits: 'ns',
      tooltip: (region, engine, mouse) => handlers.hover(region?.data.source.item ?? null, mouse),
    };
    const { width, height } = canvas.parentElement.getBoundingClientRect();
    canvas.width = Math.max(100, width);
    canvas.height = Math.max(140, height);
    this.chart = new FlameChartContainer({
      canvas, plugins: [this.overview, new TimeGridPlugin(), this.tracks], settings: { options: this.options },
    });
    improveGrid(this.chart.timeGrid);
    improveGrid(this.overview.timeGrid);
    this.tracks.on('pick', handlers.pick);
    this.tracks.on('toggle', handlers.toggle);
    this.tracks.on('counter', handlers.counter);
    this.tracks.on('view', handlers.view);
    canvas.addEventListener('wheel', (event) => this.scrollOnWheel(event), { capture: true, passive: false });
  }

  scrollOnWheel(event) {
    if (!event.shiftKey)
      return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.scrollRows(event.deltaY || event.deltaX);
  }

  setTheme(theme) {
    for (const engine of [this.chart.renderEngine, ...this.chart.renderEngine.children])
      engine.theme = theme;
    const font = `11px ${theme.font}`;
    const plain = { font, fontColor: theme.text, backgroundColor: theme.background };
    this.chart.setSettings({
      options: this.options,
      styles: {
        main: { ...plain, blockHeight: ROW_HEIGHT - 1, badgeSize: 9 },
        timeGrid: { color: theme.line },
        timeGridPlugin: { font, fontColor: theme.faint },
        timeframeSelectorPlugin: {
          font, fontColor: theme.faint, backgroundColor: theme.background, overlayColor: theme.shade,
          bottomLineColor: theme.line, knobColor: theme.knob, knobStrokeColor: theme.background, height: 52,
        },
      },
    });
    for (const engine of this.chart.renderEngine.children)
      engine.blockPaddingTopBottom = 5; // the library's puts text too low
    this.overview.timeseries[0].style = { type: 'bar', lineColor: theme.graph, fillColor: theme.graph };
    this.overview.setTimeseries(this.overview.timeseries);
    this.canvas.style.backgroundColor = '';
    this.chart.renderEngine.recalcChildrenLayout();
    this.overview.shouldRender = true;
    this.render();
  }

  setRows(rows, appearance) {
    this.tracks.setRows(rows, appearance);
    this.render();
  }

  setColors(appearance) {
    this.tracks.appearance = appearance;
    this.render();
  }

  // The page's time ends there; `series` is drawn in the overview.
  setExtent(end, series) {
    this.end = end;
    this.tracks.data.end = end;
    this.tracks.made.clear(); // the items have other times
    this.tracks.parseData();
    this.chart.renderEngine.calcMinMax();
    this.overview.setTimeseries([{ ...this.overview.timeseries[0], ...series }]);
    this.fit();
  }

  setOverlays(overlays) {
    Object.assign(this.tracks.overlays, overlays);
    this.render();
  }

  render() {
    this.chart.render();
  }

  // The resolution is another one when the browser zooms or the window changes screens.
  resize() {
    for (const engine of [this.chart.renderEngine, ...this.chart.renderEngine.children])
      engine.pixelRatio = window.devicePixelRatio || 1;
    const { width, height } = this.canvas.parentElement.getBoundingClientRect();
    this.chart.renderEngine.resize(Math.max(100, width), Math.max(140, height));
    this.canvas.style.backgroundColor = '';
    this.tracks.setPositionY(this.tracks.positionY);
    this.overview.shouldRender = true;
    this.render();
  }

  // Places of the canvas: what is above the rows is for the mouse.
  tap(x, y) {
    const top = y - this.tracks.renderEngine.position;
    if (top >= 0)
      this.tracks.tap(x, top);
  }

  timeAt(x) {
    const [start, end] = this.view();
    return start + ((end - start) * x) / this.chart.renderEngine.width;
  }

  view() {
    const engine = this.chart.renderEngine;
    return [engine.positionX, engine.positionX + engine.getRealView()];
  }

  show(start, end) {
    const length = Math.min(Math.max(end - start, leastView(this.end)), this.end);
    const from = Math.min(Math.max(0, (start + end - length) / 2), this.end - length);
    const engine = this.chart.renderEngine;
    engine.timeGrid.accuracy = 0;
    engine.setZoom(engine.width / length);
    engine.setPositionX(from);
    this.render();
  }

  fit() {
    this.tracks.setPositionY(0);
    this.show(0, this.end);
  }

  zoom(factor) {
    const [start, end] = this.view();
    const half = ((end - start) * factor) / 2;
    this.show((start + end) / 2 - half, (start + end) / 2 + half);
  }

  pan(part) {
    const [start, end] = this.view();
    this.show(start + (end - start) * part, end + (end - start) * part);
  }

  scrollRows(pixels) {
    this.tracks.setPositionY(this.tracks.positionY + pixels);
    this.render();
  }

  scrollTo(y) {
    this.tracks.setPositionY(y);
    this.render();
  }

  // Marks an item and brings it into view; with `close` it fills the view.
  select(item, close) {
    this.tracks.selected = item;
    if (item)
      this.reveal(item, close);
    this.render();
  }

  reveal(item, close) {
    const { tracks } = this;
    const [start, end] = this.view();
    const y = item.row * tracks.step;
    if (item.row >= 0 && (y < tracks.positionY || y + 2 * tracks.step > tracks.positionY + tracks.renderEngine.height))
      tracks.setPositionY(y - tracks.renderEngine.height / 3);
    const tiny = (item.end - item.start) < (end - start) / 2000;
    if (close || (close === undefined && tiny))
      this.show(item.start - (item.duration || 50) * (close ? 0.15 : 40), item.end + (item.duration || 50) * (close ? 0.15 : 40));
    else if (item.end < start || item.start > end)
      this.show((item.start + item.end - end + start) / 2, (item.start + item.end + end - start) / 2);
  }
}
