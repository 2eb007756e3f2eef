// SPDX-License-Identifier: MIT
// What is looked at, in the fragment of the page's address, so that it can be sent.
//
// v view, r range, m marks (ns of the page's time), s what is selected (run:span id), t
// tab, q search, n name of the tab of spans, c colour, x vCPUs that are folded, off what is
// switched off, a whether runs are aligned. Whoever follows such an address chooses no
// more than what is shown.

const WAIT_MS = 300;

function numbers(text) {
  return (text ?? '').split(',').filter(Boolean).map(Number).filter(Number.isFinite);
}

class State {
  constructor(page) {
    this.page = page;
    this.written = null;
  }

  text() {
    const { page } = this;
    const { selected, range } = page;
    const parts = new URLSearchParams();
    const put = (key, value) => value && parts.set(key, value);
    const round = (list) => list.map((ns) => Math.round(ns * 1000) / 1000).join(',');
    put('v', round(page.timeline.view()));
    put('r', range.range && round(range.range));
    put('m', round(range.marks));
    put('s', selected?.id ? `${selected.run.index}:${selected.id}` : '');
    put('t', page.tabs.chosen);
    put('q', page.search.shown && !page.search.whole ? page.search.shown : '');
    put('n', page.spansOfName.key);
    put('c', page.get('colour').value);
    put('a', page.aligned ? '1' : '0');
    put('x', page.tracks.filter(({ closed }) => closed).map(({ number }) => number).join(','));
    put('off', ['host', 'counters'].filter((id) => !page.get(id).checked).join(','));
    return parts.toString();
  }

  // Soon, and once for many changes.
  changed() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.written = `#${this.text()}`;
      history.replaceState(null, '', this.written);
    }, WAIT_MS);
  }

  read() {
    const { page } = this;
    if (location.hash.length < 2 || location.hash === this.written)
      return false;
    const parts = new URLSearchParams(location.hash.slice(1));
    const off = (parts.get('off') ?? '').split(',');
    for (const id of ['host', 'counters'])
      page.get(id).checked = !off.includes(id);
    if (['name', 'target', 'level'].includes(parts.get('c')))
      page.get('colour').value = parts.get('c');
    if (parts.has('a') && (parts.get('a') === '1') !== page.aligned) {
      page.get('align').checked = parts.get('a') === '1';
      page.realign(parts.get('a') === '1');
    }
    page.draw();
    this.readViews(parts);
    const folded = new Set(numbers(parts.get('x'))); // behind what unfolds its own
    page.tracks.forEach((track) => { track.closed = folded.has(track.number); });
    page.draw();
    const view = numbers(parts.get('v'));
    if (view.length === 2 && view[0] < view[1])
      page.timeline.show(...view);
    return true;
  }

  readViews(parts) {
    const { page } = this;
    const [run, id] = (parts.get('s') ?? '').split(':');
    const span = page.runs[Number(run)]?.spans.find((one) => one.id === id);
    if (parts.get('n'))
      page.spansOfName.show(parts.get('n'));
    if (parts.has('q')) {
      page.get('search').value = parts.get('q');
      page.search.text(parts.get('q'));
    }
    const range = numbers(parts.get('r'));
    page.setMarks(numbers(parts.get('m')));
    page.setRange(range.length === 2 && range[0] < range[1] ? range : null);
    page.tabs.open(parts.get('t') ?? 'names');
    if (span)
      page.pick(span, false);
  }
}
