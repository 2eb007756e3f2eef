// SPDX-License-Identifier: MIT
// The search: spans by what is written in them or in their events, events that are
// in no span, what the host did, losses, and all spans of one name and target.

const SLICE_MS = 8; // of what is prepared or looked at, at a time, while others may act
const FIRST_ITEMS = 10000; // looked at before a letter is drawn, but for no longer than
const FIRST_MS = 100;
const SHOW_MS = 250; // between what is shown of a search that goes on
const TEXT_MOST = 1000; // as the box takes it

function byTime(a, b) {
  return (a.start ?? a.time) - (b.start ?? b.time);
}

class Search {
  // What is found is told to handlers: pick(span), event(event), found(items).
  constructor(runs, handlers) {
    this.handlers = handlers;
    this.spans = runs.flatMap((run) => run.spans);
    this.others = runs.flatMap((run) => [...run.events.filter((event) => !event.counter && !event.span), ...run.host, ...run.gaps]);
    this.known = knownKeys(runs);
    this.partial = runs.some((run) => run.hidden_spans > 0 || run.hidden_events > 0);
    this.get('found').classList.toggle('partial', this.partial);
    Object.assign(this, { shown: '', list: NONE, items: [], at: -1, seen: 0, wanted: 0, finished: null });
  }

  get(id) {
    return document.getElementById(id);
  }

  // All by time, once, so that what is found need not be sorted.
  inOrder() {
    this.sorted ??= [...this.spans, ...this.others].sort(byTime);
    return this.sorted;
  }

  // The runs were moved in the page's time.
  moved() {
    this.sorted = null;
  }

  // What is typed: see query.js.
  text(text) {
    let query = null;
    try {
      query = parseQuery(text.slice(0, TEXT_MOST), this.known);
    } catch {
      this.look(text, NONE, null);
      this.get('found').textContent = 'not a regular expression';
      return;
    }
    const narrower = query && this.finished && query.narrows(this.finished);
    this.look(text, !query ? NONE : narrower ? this.items : this.inOrder(), query);
  }

  // What an address asks for; an expression may take any time, so nobody's but one's
  // own is looked for unasked.
  offer(text, own) {
    const words = text.slice(0, TEXT_MOST);
    this.get('search').value = words;
    if (own || !hasExpression(words)) {
      this.text(words);
      return;
    }
    this.look('', NONE, null);
    this.get('found').textContent = 'Enter searches';
  }

  // The whole name and target, of one run or all; goes to the first.
  named(site, run) {
    this.findNamed(site, run);
    this.next(1);
  }

  findNamed({ name, target }, run) {
    this.name = { name, target, run };
    this.get('search').value = visible(name);
    const isOne = []; // by the number of the site: spans are many, sites are few
    const holds = ({ id, site, run: of }) => id !== undefined && (!run || of === run)
      && (isOne[site.number] ??= site.name === name && site.target === target);
    this.look(visible(name), this.inOrder(), { holds, whole: true });
  }

  // For the address: what named() was asked for, and back.
  wholeState(runs) {
    return this.whole ? [this.name.name, this.name.target, runs.indexOf(this.name.run)] : [];
  }

  restoreWhole(runs, [name, target, run]) {
    if (typeof name === 'string' && typeof target === 'string')
      this.findNamed({ name, target }, runAt(runs, run));
    else
      this.whole = false;
  }

  // To the one of that number, without a look at it: for the address.
  goTo(at) {
    this.resume = this.busy ? at : -1; // until that many are found
    this.at = Number.isInteger(at) && at >= 0 && at < this.items.length ? at : -1;
    this.tell();
  }

  // Looks through `list`, by time: at first through what takes no time, then through the
  // others between what else is done.
  look(shown, list, query) {
    clearTimeout(this.going);
    Object.assign(this, { shown, list, query, whole: Boolean(query?.whole), finished: null, items: [], at: -1, seen: 0, wanted: 0, resume: -1 });
    this.get('whole').hidden = !this.whole;
    this.shownAt = performance.now();
    this.slice(FIRST_ITEMS, FIRST_MS);
    if (this.busy)
      this.tell();
    else
      this.show();
  }

  get busy() {
    return this.seen < this.list.length;
  }

  slice(items, ms) {
    const { list, query, items: found } = this;
    const until = performance.now() + ms, last = Math.min(list.length, this.seen + items);
    let at = this.seen;
    for (; at < last && (at % 64 !== 0 || performance.now() < until); at++)
      if (query.holds(list[at]))
        found.push(list[at]);
    this.seen = at;
    if (this.busy)
      this.going = setTimeout(() => this.goOn(), 0);
    else if (query && !query.whole)
      this.finished = query;
  }

  goOn() {
    const before = this.items.length;
    this.slice(Infinity, SLICE_MS);
    if (this.wanted !== 0 && (!this.busy || (this.wanted > 0 && this.items.length > before)))
      this.next(this.wanted);
    if (!this.busy && this.resume >= 0)
      this.goTo(this.resume);
    if (!this.busy || performance.now() - this.shownAt > SHOW_MS)
      this.show();
  }

  show() {
    this.shownAt = performance.now();
    this.handlers.found(this.items);
    this.tell();
  }

  tell() {
    const { items, at, busy } = this;
    const number = `${count(items.length)}${busy ? '…' : ''}`;
    this.get('found').textContent = this.shown === '' ? ''
      : (items.length === 0 ? busy ? '…' : 'none' : at < 0 ? `${number} found` : `${count(at + 1)} of ${number}`)
        + (this.partial ? ' of those shown' : '');
    this.get('found').setAttribute('aria-busy', String(busy));
    this.get('next').disabled = this.get('previous').disabled = items.length === 0 && !busy;
  }

  // Where more may be found there, it waits for that.
  next(step) {
    const { items } = this;
    this.wanted = this.busy && (step > 0 ? this.at + 1 >= items.length : this.at <= 0) ? step : 0;
    if (items.length === 0 || this.wanted !== 0)
      return;
    this.at = this.at < 0 ? (step > 0 ? 0 : items.length - 1) : (this.at + step + items.length) % items.length;
    const item = items[this.at];
    if (item.time === undefined)
      this.handlers.pick(item);
    else
      this.handlers.event(item);
    this.tell();
  }

  // Makes the texts that are looked at ready, little by little.
  prepare() {
    const lists = [this.spans, this.others];
    let list = 0, at = 0;
    const step = () => {
      const until = performance.now() + SLICE_MS;
      while (list < lists.length && performance.now() < until) {
        for (let i = 0; i < 64 && at < lists[list].length; i++, at++)
          haystack(lists[list][at]);
        if (at === lists[list].length)
          [list, at] = [list + 1, 0];
      }
      if (list < lists.length) {
        setTimeout(step, 1);
        return;
      }
      this.inOrder();
      setTimeout(() => this.known(''), 1);
    };
    setTimeout(step, 50);
  }

  listen() {
    const box = this.get('search');
    let typing;
    box.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.text(box.value), 40);
    });
    box.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter')
        return;
      clearTimeout(typing);
      if (box.value !== this.shown)
        this.text(box.value);
      this.next(event.shiftKey ? -1 : 1);
    });
    this.get('next').addEventListener('click', () => this.next(1));
    this.get('previous').addEventListener('click', () => this.next(-1));
    this.tell();
  }
}
