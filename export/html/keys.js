// SPDX-License-Identifier: MIT
// What the page listens to: its switches and keys.

function listen(page) {
  const { timeline } = page;
  const get = (id) => page.get(id);
  const on = (id, event, act) => get(id).addEventListener(event, act);
  on('colour', 'change', () => timeline.setColors((item) => page.appearance(item)));
  for (const id of ['host', 'counters'])
    on(id, 'change', () => page.draw());
  on('links', 'change', () => page.drawArrows());
  on('align', 'change', () => page.realign(get('align').checked));
  on('in', 'click', () => timeline.zoom(0.5));
  on('out', 'click', () => timeline.zoom(2));
  on('fit', 'click', () => timeline.fit());
  on('keys', 'click', () => get('help').showModal());
  on('tracks', 'click', () => page.trackList.open());
  on('range-mode', 'click', () => get('range-mode').setAttribute('aria-pressed', String(!page.choosing())));
  document.addEventListener('keydown', (event) => pressed(page, event));
  for (const event of ['click', 'change', 'input', 'keyup'])
    document.addEventListener(event, () => page.state.changed());
  addEventListener('hashchange', () => page.state.read());
  new ResizeObserver(() => timeline.resize()).observe(get('timeline'));
  watchResolution(timeline);
  const themed = () => {
    page.theme = readTheme();
    timeline.setTheme(page.theme);
    timeline.setColors((item) => page.appearance(item));
  };
  for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)'])
    matchMedia(query).addEventListener('change', themed);
  page.search.listen();
}

// A query is of one resolution, and tells only when that one is left.
function watchResolution(timeline) {
  matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener('change', () => {
    timeline.resize();
    watchResolution(timeline);
  }, { once: true });
}

function everywhere(page) {
  const { timeline } = page;
  const steps = ['u', 'j', 'n', 'p', 'h', 'v'].map((key) => [key, () => page.step(key)]);
  return {
    '/': () => page.get('search').select(), '+': () => timeline.zoom(0.5), '=': () => timeline.zoom(0.5),
    '-': () => timeline.zoom(2), 0: () => timeline.fit(), '?': () => page.get('help').showModal(),
    w: () => timeline.zoom(0.5), s: () => timeline.zoom(2), a: () => timeline.pan(-0.2), d: () => timeline.pan(0.2),
    f: () => page.selected && page.pick(page.selected, true), Escape: () => page.pick(null), c: () => page.fold(),
    '[': () => page.rangeEdge(0), ']': () => page.rangeEdge(1), r: () => page.toggleRange(), m: () => page.addMark(),
    ...Object.fromEntries(steps),
  };
}

function onChart(page) {
  const { timeline } = page;
  return {
    ArrowLeft: () => timeline.pan(-0.2), ArrowRight: () => timeline.pan(0.2), ArrowUp: () => timeline.scrollRows(-40),
    ArrowDown: () => timeline.scrollRows(40), Enter: () => page.get('detail').focus(),
  };
}

function pressed(page, event) {
  const typing = event.target.matches('input:not([type=checkbox]), select, textarea');
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]'))
    return;
  if (event.key === 'Escape' && event.target === page.get('search')) {
    event.preventDefault(); // the browser would empty the box, but not what was found
    page.get('chart').focus();
    return;
  }
  if (typing)
    return;
  const act = everywhere(page)[event.key] ?? (event.target === page.get('chart') ? onChart(page)[event.key] : undefined);
  if (!act)
    return;
  event.preventDefault();
  act();
}
