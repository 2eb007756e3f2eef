// SPDX-License-Identifier: MIT
// Two runs side by side: the difference of each name, told apart from noise, and of
// the exits in its spans.

function durationsOf(run, byName, key) {
  return Float64Array.from(byName.of(key).filter((span) => span.run === run && !(span.flags & UNFINISHED)), ({ duration: ns }) => ns).sort();
}

// { name, target, before, after (rows of names, or null), verdict, shift }.
function changesOf(before, after, byName) {
  const pairs = new Map();
  for (const [side, run] of [['before', before], ['after', after]])
    run.names.forEach((_, index) => {
      const row = rowOfName(run, index);
      const key = nameKey(row);
      if (!pairs.has(key))
        pairs.set(key, { key, name: row.name, target: row.target, before: null, after: null, verdict: '' });
      pairs.get(key)[side] = row;
    });
  // What the page does not show one by one cannot be held against each other.
  if (before.hidden_spans || after.hidden_spans)
    return [...pairs.values()];
  const tested = [];
  for (const pair of pairs.values()) {
    if (!pair.before || !pair.after)
      continue;
    const [a, b] = [durationsOf(before, byName, pair.key), durationsOf(after, byName, pair.key)];
    if (a.length > 0 && b.length > 0)
      tested.push(Object.assign(pair, compareRanks(a, b)));
  }
  correctMany(tested.map(({ p }) => p)).forEach((p, i) => {
    tested[i].p = p;
    tested[i].verdict = p >= RANKS_P ? 'noise' : tested[i].shift > 0 ? 'slower' : tested[i].shift < 0 ? 'faster' : 'noise';
  });
  return [...pairs.values()];
}

function signed(ns) {
  return `${ns > 0 ? '+' : ''}${duration(ns)}`;
}

function percent(from, by) {
  return from > 0 ? `${by > 0 ? '+' : ''}${((100 * by) / from).toFixed(1)} %` : '–';
}

function changeChip(verdict) {
  const kind = { slower: 'bad', faster: 'good' }[verdict] ?? '';
  return verdict ? element('span', { class: `chip ${kind}` }, verdict) : '–';
}

class Comparison {
  constructor(runs, byName, actions) {
    Object.assign(this, { runs, byName, actions, before: runs[0], after: runs[1], changes: new Map() });
  }

  // For the address.
  state() {
    const [before, after] = [this.before, this.after].map((run) => this.runs.indexOf(run));
    return before === 0 && after === 1 || before < 0 ? '' : `${before},${after}`;
  }

  restore([before, after]) {
    this.before = this.runs[before] ?? this.runs[0];
    this.after = this.runs[after] ?? this.runs[1];
  }

  pair() {
    const { before, after } = this;
    const id = `${before.index} ${after.index}`;
    if (!this.changes.has(id))
      this.changes.set(id, changesOf(before, after, this.byName));
    return this.changes.get(id);
  }

  draw(panel) {
    const choose = (side) => element('label', {}, `${side} `, element('select', { onchange: ({ target }) => {
      this[side] = this.runs[Number(target.value)];
      this.draw(panel);
    } }, ...this.runs.map((run, i) => element('option', { value: String(i), selected: run === this[side] }, `${i + 1}. ${visible(run.guest)}`))));
    const names = element('div', {}), exits = element('div', {});
    const hidden = this.before.hidden_spans || this.after.hidden_spans;
    panel.replaceChildren(element('div', { class: 'bar-of-tools' }, choose('before'), choose('after'),
      element('button', { type: 'button', id: 'compare-swap', onclick: () => {
        [this.before, this.after] = [this.after, this.before];
        this.draw(panel);
      } }, 'Swap'),
      element('button', { type: 'button', id: 'compare-beside', onclick: () => this.actions.beside(this.before, this.after) }, 'Both from their start, others folded'),
      element('span', { class: 'faint' }, hidden ? 'no test: the page lacks spans of a run' : 'a change: by chance in fewer than 1 of 100 such tables (ranks of durations)')),
    names, exits);
    this.namesTable().draw(names);
    const rows = this.exitRows();
    if (rows.length > 0)
      this.exitsTable(rows).draw(exits);
  }

  namesTable() {
    const time = (row, side, what) => row[side]?.[what] ?? null;
    const change = (row) => (time(row, 'after', 'total') ?? 0) - (time(row, 'before', 'total') ?? 0);
    const difference = { title: 'Δ total', number: true, value: (row) => Math.abs(change(row)), cell: (row) => signed(change(row)) };
    const by = (what) => ({ title: `Δ ${what}`, number: true, value: (row) => ((time(row, 'after', what) ?? 0) / (time(row, 'before', what) || Infinity)),
      cell: (row) => (row.before && row.after ? percent(row.before[what], row.after[what] - row.before[what]) : '–') });
    const known = (row) => row.shift !== undefined;
    return new SortedTable([
      { title: 'name', value: (row) => row.name, cell: (row) => element('button', { class: 'link', type: 'button',
        onclick: () => this.actions.named(row, row.after ? this.after : this.before) }, cutText(row.name)) },
      { title: 'change', value: (row) => row.verdict, cell: (row) => changeChip(row.verdict), tight: true },
      { title: 'shift', number: true, value: (row) => (known(row) && row.before.p50 ? row.shift / row.before.p50 : -Infinity),
        cell: (row) => (known(row) ? `${signed(row.shift)} ${percent(row.before.p50, row.shift)}` : '–') },
      difference,
      { title: 'count', number: true, value: (row) => time(row, 'after', 'spans') ?? 0,
        cell: (row) => `${count(time(row, 'before', 'spans') ?? 0)} → ${count(time(row, 'after', 'spans') ?? 0)}` },
      ...['total', 'self', 'p50', 'p99', 'max'].flatMap((what) => [
        { title: `${what}`, number: true, value: (row) => time(row, 'after', what) ?? -1,
          cell: (row) => `${row.before && row.before[what] !== null ? duration(row.before[what]) : '–'} → ${row.after && row.after[what] !== null ? duration(row.after[what]) : '–'}` },
        by(what)]),
    ], this.pair(), [difference, true], partialText([this.before, this.after]), 'compare');
  }

  exitRows() {
    const rows = new Map();
    for (const [side, run] of [['before', this.before], ['after', this.after]])
      for (const [reason, port, tracing, name, number, total] of run.exits_by_span) {
        const of = name < 0 ? null : rowOfName(run, name);
        const key = JSON.stringify([reason, port, tracing, of && nameKey(of)]);
        if (!rows.has(key))
          rows.set(key, { reason, port, tracing: tracing === 1, of, before: null, after: null });
        rows.get(key)[side] = { number, total, spans: of?.spans ?? 0 };
      }
    return [...rows.values()];
  }

  exitsTable(rows) {
    const per = (side) => (side && side.spans ? (side.number / side.spans).toFixed(2) : side ? '–' : '0');
    const change = (row) => (row.after?.total ?? 0) - (row.before?.total ?? 0);
    const difference = { title: 'Δ time', number: true, value: (row) => Math.abs(change(row)), cell: (row) => signed(change(row)) };
    return new SortedTable([
      { title: 'exits', value: (row) => row.reason, cell: (row) => `${row.reason}${row.port ? ` 0x${row.port.toString(16)}` : ''}${row.tracing ? ', for records' : ''}` },
      { title: 'in spans of', value: (row) => row.of?.name ?? '', cell: (row) => (row.of ? cutText(row.of.name) : element('span', { class: 'faint' }, 'none')) },
      difference,
      { title: 'count', number: true, value: (row) => row.after?.number ?? 0, cell: (row) => `${count(row.before?.number ?? 0)} → ${count(row.after?.number ?? 0)}` },
      { title: 'per span', number: true, value: (row) => (row.after?.spans ? row.after.number / row.after.spans : 0), cell: (row) => `${per(row.before)} → ${per(row.after)}` },
    ], rows, [difference, true], null, 'compare-exits');
  }
}
