// SPDX-License-Identifier: MIT
// The search: spans by what is written in them or in their events, events that are
// in no span, what the host did, losses, and all spans of one name and target.

const INDEX_MS = 8; // of what is prepared at a time, while nobody waits

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
    this.shown = '';
    this.items = [];
    this.at = -1;
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
    let holds = null;
    try {
      holds = parseQuery(text, this.known);
    } catch {
      this.find(text, false, []);
      this.get('found').textContent = 'not a regular expression';
      return;
    }
    this.find(text, false, holds ? this.inOrder().filter(holds) : []);
  }

  // The whole name and target, of one run or all; goes to the first.
  named({ name, target }, run) {
    this.get('search').value = visible(name);
    const sites = new Map(); // spans are many, sites are few
    const isOne = (site) => {
      if (!sites.has(site))
        sites.set(site, site.name === name && site.target === target);
      return sites.get(site);
    };
    this.find(visible(name), true, this.inOrder().filter(({ id, site, run: of }) => id !== undefined && isOne(site) && (!run || of === run)));
    this.next(1);
  }

  find(shown, whole, items) {
    Object.assign(this, { shown, whole, items, at: -1 });
    this.get('whole').hidden = !whole;
    this.handlers.found(items);
    this.tell();
  }

  tell() {
    const { items, at } = this;
    const number = count(items.length);
    this.get('found').textContent = this.shown === '' ? ''
      : (items.length === 0 ? 'none' : at < 0 ? `${number} found` : `${count(at + 1)} of ${number}`)
        + (this.partial ? ' of those shown' : '');
    this.get('next').disabled = this.get('previous').disabled = items.length === 0;
  }

  next(step) {
    const { items } = this;
    if (items.length === 0)
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
      const until = performance.now() + INDEX_MS;
      while (list < lists.length && performance.now() < until) {
        for (let i = 0; i < 100 && at < lists[list].length; i++, at++)
          haystack(lists[list][at]);
        if (at === lists[list].length)
          [list, at] = [list + 1, 0];
      }
      if (list < lists.length)
        setTimeout(step, 1);
      else
        this.inOrder();
    };
    setTimeout(step, 50);
  }

  listen() {
    const box = this.get('search');
    let typing;
    box.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.text(box.value), 120);
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
