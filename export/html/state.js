// SPDX-License-Identifier: MIT
// What is looked at, in the fragment of the page's address, so that it can be sent.
//
// Each part has a key, says what is to be kept, '' where nobody has chosen anything, and
// takes that back. Whoever follows such an address chooses no more than what is shown:
// what is not there is left out, and lists and texts are bounded.

const WAIT_MS = 300;
const FRAGMENT_MOST = 20000; // characters; of a longer one nothing is taken
const PART_MOST = 4000; // what is longer is not kept
const LIST_MOST = 1000;

function numbers(text) {
  return text.split(',', LIST_MOST).filter(Boolean).map(Number).filter(Number.isFinite);
}

function stretch(text) {
  const [from, to, ...more] = numbers(text);
  return more.length === 0 && from < to ? [from, to] : null;
}

function timesText(times) {
  return (times ?? NONE).map((ns) => Math.round(ns * 1000) / 1000).join(',');
}

// A list as text and back; of what is none an empty one.
function listText(list) {
  return list.length > 0 ? JSON.stringify(list) : '';
}

function listOf(text) {
  try {
    const list = JSON.parse(text || '[]');
    return Array.isArray(list) ? list.slice(0, LIST_MOST) : [];
  } catch {
    return [];
  }
}

// Kinds of what may be selected, with where they are in a run: a span by its id, others
// by their place.
const KINDS = { h: 'host', g: 'gaps', b: 'blocks' };

function selectionText(item) {
  if (!item)
    return '';
  if (item.id !== undefined)
    return `${item.run.index}:${item.id}`;
  const kind = item.host ? 'h' : item.lost ? 'g' : 'b';
  return `${item.run.index}:${kind}:${item.run[KINDS[kind]].indexOf(item)}`;
}

function selectionOf(runs, text) {
  const [run, id, place] = text.split(':');
  const of = runs[Number(run)];
  return place === undefined ? of?.spans.find((one) => one.id === id) : of?.[Object.hasOwn(KINDS, id) ? KINDS[id] : 'none']?.[Number(place)];
}

function tracksWith(page, key) {
  return page.tracks.filter((track) => track[key]).map(({ number }) => number).join(',');
}

function markTracks(page, key, text) {
  const marked = new Set(numbers(text));
  for (const track of page.tracks)
    track[key] = marked.has(track.number);
}

// Tracks are numbered as they are at first.
function orderText({ tracks }) {
  return tracks.every(({ number }, i) => number === i) ? '' : tracks.map(({ number }) => number).join(',');
}

function putInOrder({ tracks }, text) {
  const places = new Map(numbers(text).map((number, place) => [number, place]));
  tracks.sort((a, b) => (places.get(a.number) ?? tracks.length) - (places.get(b.number) ?? tracks.length) || a.number - b.number);
}

// Before anything is drawn again.
const OF_ROWS = [
  ['c', (page) => (page.get('colour').value === 'name' ? '' : page.get('colour').value),
    (page, text) => { page.get('colour').value = ['target', 'level'].includes(text) ? text : 'name'; }],
  ['l', (page) => (page.get('links').checked ? '1' : ''), (page, text) => { page.get('links').checked = text === '1'; }],
  ['g', (page) => (page.choosing() ? '1' : ''), (page, text) => page.get('range-mode').setAttribute('aria-pressed', String(text === '1'))],
  ['a', (page) => (page.aligned === page.alignedAtFirst ? '' : String(Number(page.aligned))), (page, text) => {
    const aligned = text === '' ? page.alignedAtFirst : text === '1';
    page.get('align').checked = aligned;
    if (aligned !== page.aligned)
      page.realign(aligned);
  }],
  ['o', orderText, putInOrder],
  ['pin', (page) => tracksWith(page, 'pinned'), (page, text) => markTracks(page, 'pinned', text)],
  ['dw', (page) => page.panes.text('detail'), (page, text) => page.panes.restore('detail', text)],
  ['th', (page) => page.panes.text('tables'), (page, text) => page.panes.restore('tables', text)],
];

const OF_VIEWS = [
  ['k', () => listText([...SortedTable.orders].map(([id, [column, down]]) => [id, column, Number(down)])),
    (page, text) => SortedTable.takeOrders(listOf(text))],
  ['n', (page) => listText(page.spansOfName.state()), (page, text) => page.spansOfName.restore(listOf(text))],
  ['f', (page) => listText(page.flame.state()), (page, text) => page.flame.restore(listOf(text))],
  ['e', (page) => (page.exits.bySpan ? '1' : ''), (page, text) => { page.exits.bySpan = text === '1'; }],
  ['ev', (page) => listText(page.log.state()), (page, text, own) => page.log.restore(listOf(text), own)],
  ['cmp', (page) => page.comparison.state(), (page, text) => page.comparison.restore(numbers(text))],
  ['w', (page) => listText(page.search.wholeState(page.runs)), (page, text) => page.search.restoreWhole(page.runs, listOf(text))],
  ['q', ({ search }) => (search.whole ? '' : search.shown), ({ search }, text, own) => search.whole || search.offer(text, own)],
  ['i', ({ search }) => (search.at >= 0 ? String(search.at) : ''), ({ search }, text) => text && search.goTo(Number(text))],
  ['m', (page) => timesText(page.range.marks), (page, text) => page.setMarks(numbers(text))],
  ['r', (page) => timesText(page.range.range), (page, text) => page.setRange(stretch(text))],
  ['t', (page) => (page.tabs.chosen === page.tabs.first ? '' : page.tabs.chosen),
    (page, text) => page.tabs.open(text) || page.tabs.open(page.tabs.first)],
  ['s', (page) => selectionText(page.selected), (page, text) => page.pick(selectionOf(page.runs, text) ?? null, false)],
];

// Behind what shows the rows of what is selected, and moves the view.
const OF_VIEW = [
  ['off', (page) => ['host', 'counters'].filter((id) => !page.get(id).checked).join(','),
    (page, text) => ['host', 'counters'].forEach((id) => { page.get(id).checked = !text.split(',').includes(id); })],
  ['hid', (page) => tracksWith(page, 'hidden'), (page, text) => markTracks(page, 'hidden', text)],
  ['x', (page) => tracksWith(page, 'closed'), (page, text) => {
    markTracks(page, 'closed', text);
    page.draw();
    page.timeline.resize(); // for panes that are of another size now
  }],
  ['v', ({ timeline }) => timesText(timeline.view()), ({ timeline }, text) => stretch(text) && timeline.show(...stretch(text))],
  ['y', ({ timeline }) => (timeline.tracks.positionY ? String(timeline.tracks.positionY) : ''),
    ({ timeline }, text) => timeline.scrollTo(Number(text) || 0)],
];

const PARTS_KEPT = [...OF_ROWS, ...OF_VIEWS, ...OF_VIEW];

class State {
  constructor(page) {
    this.page = page;
    this.written = null;
  }

  text() {
    const parts = new URLSearchParams();
    for (const [key, say] of PARTS_KEPT) {
      const text = say(this.page);
      if (text && text.length <= PART_MOST)
        parts.set(key, text);
    }
    return parts.toString();
  }

  // Soon, and once for many changes.
  changed() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const text = `#${this.text()}`;
      if (text === this.written)
        return;
      this.written = text;
      history.replaceState({ own: true }, '', text);
    }, WAIT_MS);
  }

  // An address that the page wrote itself, before it was loaded again, is known by its
  // entry in the history, which nobody who sends an address can write.
  read() {
    if (location.hash.length < 2 || location.hash.length > FRAGMENT_MOST || location.hash === this.written)
      return false;
    const parts = new URLSearchParams(location.hash.slice(1));
    const own = history.state?.own === true;
    const take = (list) => {
      for (const [key, , back] of list)
        back(this.page, parts.get(key) ?? '', own);
    };
    take(OF_ROWS);
    this.page.draw();
    take(OF_VIEWS);
    take(OF_VIEW);
    return true;
  }
}
