// SPDX-License-Identifier: MIT
// All spans of one name: how long they took, as a histogram whose bars choose, and as
// a list from the longest on.

class SpansOfName {
  constructor(runs, byName, actions) {
    Object.assign(this, { runs, byName, actions, key: null, run: null, range: null });
    this.names = [...new Map(runs.flatMap((run) => run.names).map(([name, target]) => [nameKey({ name, target }), { name, target }])).values()];
  }

  // Of that run, or of all.
  show(key, run = null) {
    Object.assign(this, { key, run, range: null });
  }

  // For the address; a name is told by the page's own list of them.
  state() {
    return this.key === null ? [] : [this.key, this.run ? this.runs.indexOf(this.run) : -1, ...this.range ?? NONE];
  }

  restore([key, run, from, to]) {
    this.show(this.names.some((one) => nameKey(one) === key) ? key : null, runAt(this.runs, run));
    if (Number.isFinite(from) && from < to)
      this.range = [from, to];
  }

  chosenRuns() {
    return this.run ? [this.run] : this.runs;
  }

  spans() {
    const all = this.byName.of(this.key).filter((span) => !this.run || span.run === this.run);
    return this.range ? all.filter((span) => span.duration >= this.range[0] && span.duration < this.range[1]
      && !(span.flags & UNFINISHED)) : all;
  }

  draw(panel) {
    this.panel = panel;
    this.key ??= this.names.length ? nameKey(this.names[0]) : null;
    if (this.key === null) {
      panel.replaceChildren(element('p', { class: 'faint' }, 'There are none.'));
      return;
    }
    this.list = element('div', {});
    panel.replaceChildren(this.toolbar(), this.histogram(), this.list);
    this.press();
    this.drawList();
  }

  toolbar() {
    const option = (value, text, selected) => element('option', { value, selected }, text);
    const again = (key, run) => {
      this.show(key, run);
      this.draw(this.panel);
      this.panel.querySelector('select').focus();
    };
    return element('div', { class: 'bar-of-tools' },
      element('label', {}, 'Name ', element('select', { id: 'spans-of', onchange: ({ target }) => again(nameKey(this.names[Number(target.value)]), this.run) },
        ...this.names.map((one, i) => option(String(i), `${visible(one.name)} · ${visible(one.target)}`, nameKey(one) === this.key)))),
      this.runs.length > 1 ? element('label', {}, 'Run ', element('select', { onchange: ({ target }) => (
        again(this.key, target.value === 'all' ? null : this.runs[Number(target.value)])) },
      option('all', 'all', !this.run), ...this.runs.map((run, i) => option(String(i), visible(run.guest), run === this.run)))) : null,
      element('button', { type: 'button', onclick: () => this.actions.sandwich(this.key) }, 'Callers and callees'),
      element('button', { type: 'button', id: 'spans-all', disabled: !this.range, onclick: () => this.choose(null) }, 'All durations'));
  }

  histogram() {
    const buckets = histogramOf(this.chosenRuns(), this.key);
    if (buckets.length === 0)
      return element('p', { class: 'faint' }, 'No span of this name was seen from its opening to its close.');
    const counts = new Map(buckets);
    const most = Math.max(...counts.values());
    const bars = [];
    for (let bucket = buckets[0][0]; bucket <= buckets.at(-1)[0]; bucket++) {
      const number = counts.get(bucket) ?? 0;
      const [from, to] = bucketBounds(bucket);
      const text = `${plural(number, 'span')} from ${duration(from)} to ${duration(to)}`;
      const fill = element('span', { class: 'fill' });
      fill.style.height = `${number === 0 ? 0 : Math.max(4, (100 * number) / most)}%`;
      bars.push(element('button', { type: 'button', class: 'column', title: text, 'aria-label': text, disabled: number === 0, 'aria-pressed': 'false',
        onclick: () => this.choose([from, to]) }, fill));
    }
    const first = bucketBounds(buckets[0][0])[0], last = bucketBounds(buckets.at(-1)[0])[1];
    this.bars = bars;
    return element('div', { class: 'histogram', role: 'group', 'aria-label': 'Durations: each bar is a choice' },
      element('div', { class: 'columns' }, ...bars),
      element('div', { class: 'scale faint' }, element('span', {}, duration(first)), element('span', {}, duration(last))));
  }

  choose(range) {
    this.range = this.range && range && this.range[0] === range[0] ? null : range;
    this.press();
    this.drawList();
  }

  press() {
    document.getElementById('spans-all').disabled = !this.range;
    for (const bar of this.bars ?? [])
      bar.setAttribute('aria-pressed', String(Boolean(this.range) && bar.title.includes(` from ${duration(this.range[0])} to ${duration(this.range[1])}`)));
  }

  notice(shown) {
    const counted = this.chosenRuns().flatMap((run) => run.names).filter(([name, target]) => nameKey({ name, target }) === this.key)
      .reduce((sum, [, , count]) => sum + count, 0);
    if (this.range)
      return `${plural(shown, 'span')} shown one by one of those from ${duration(this.range[0])} to ${duration(this.range[1])}.`;
    return shown < counted ? `The page has ${count(shown)} of ${plural(counted, 'span')} one by one: those that failed, were interrupted or lasted longest.` : null;
  }

  drawList() {
    const rows = this.spans();
    const time = timeColumn('duration', (span) => span.duration);
    const cell = time.cell;
    time.cell = (span) => element('button', { class: 'link', type: 'button', onclick: () => this.actions.pick(span) }, cell(span));
    const host = rows.some((span) => span.split);
    const part = (span, word) => (span.split ? span.split[span.run.parts.indexOf(word)] ?? 0 : null);
    const out = (span) => (span.split ? span.split.reduce((sum, ns, i) => sum + (span.run.parts[i].startsWith('exit ') || span.run.parts[i] === 'tracing' ? ns : 0), 0) : null);
    new SortedTable([
      time,
      timeColumn('self', (span) => span.self),
      { title: 'start', number: true, value: (span) => span.start - span.run.offset, cell: (span) => timeInRun(span.run, span.start) },
      ...runColumn(this.chosenRuns()),
      ...(host ? [timeColumn('in exits', out), timeColumn('waiting', (span) => part(span, 'waiting'))] : []),
      { title: 'vCPU', number: true, value: (span) => span.vcpu, cell: (span) => String(span.vcpu) },
      { title: 'status', value: (span) => span.status, cell: (span) => statusChip(span) ?? '', tight: true },
      { title: 'fields', value: (span) => fieldsText(span.more.fields ?? NONE), cell: (span) => cutText(fieldsText(span.more.fields ?? NONE), { class: 'mono' }) },
    ], rows, [time, true], this.notice(rows.length), 'spans').draw(this.list);
  }
}
