// SPDX-License-Identifier: MIT
// The tables below the timeline: names, events, and what is known of the runs.

const PAGE_ROWS = 50; // drawn at first: a browser takes longer to lay out a row than to find it
const MORE_ROWS = 100;

// The first `most` of `rows`, by the values that `value` has of them; equal ones stay
// as they were. Not all are sorted, where few of very many are wanted.
function firstSorted(rows, value, sign, most) {
  const before = (a, b) => (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : a[1] - b[1]);
  const first = Math.min(rows.length, 2 * most);
  let kept = [];
  for (let i = 0; i < first; i++)
    kept.push([value(rows[i]), i]);
  kept = kept.sort(before).slice(0, most);
  let [last] = kept.at(-1) ?? [];
  let more = [];
  const merge = () => {
    kept = [...kept, ...more].sort(before).slice(0, most);
    [last] = kept.at(-1);
    more = [];
  };
  for (let i = first; i < rows.length; i++) {
    const one = value(rows[i]);
    if (sign > 0 ? !(one < last) : !(one > last)) // of equal ones the first
      continue;
    more.push([one, i]);
    if (more.length >= most)
      merge();
  }
  if (more.length > 0)
    merge();
  return kept.map(([, index]) => rows[index]);
}

// Columns: { title, number, value(row): to sort by, cell(row), tight }.
class SortedTable {
  static orders = new Map(); // by id, what somebody chose: [column's number, down]

  // For what an address says.
  static takeOrders(list) {
    SortedTable.orders = new Map(list.filter((one) => Array.isArray(one) && one.length === 3).map(([id, column, down]) => [String(id), [Number(column), Boolean(down)]]));
  }

  // Of tables that are made again and again, those of one id are sorted alike.
  constructor(columns, rows, order, notice, id) {
    Object.assign(this, { columns, rows, notice, id, order, shown: PAGE_ROWS });
  }

  chooseOrder() {
    const [column, down] = SortedTable.orders.get(this.id) ?? NONE;
    [this.by, this.down] = this.columns[column] ? [this.columns[column], down] : this.order;
  }

  sort(column) {
    if (this.by === column)
      this.down = !this.down;
    else
      [this.by, this.down] = [column, Boolean(column.number)];
    SortedTable.orders.set(this.id, [this.columns.indexOf(this.by), this.down]);
    this.shown = PAGE_ROWS;
    this.draw();
  }

  header(column) {
    const sorted = this.by === column;
    const mark = sorted ? (this.down ? ' ↓' : ' ↑') : '';
    return element('th', {
      scope: 'col', class: column.number ? 'number' : '',
      'aria-sort': sorted ? (this.down ? 'descending' : 'ascending') : 'none',
    }, element('button', { type: 'button', onclick: () => this.sort(column) }, column.title + mark));
  }

  row(row) {
    return element('tr', {}, ...this.columns.map((column) => element('td',
      { class: column.number ? 'number' : column.tight ? 'tight' : '' }, column.cell(row))));
  }

  draw(panel = this.panel) {
    this.panel = panel;
    this.chooseOrder();
    const { value } = this.by;
    const sign = this.down ? -1 : 1;
    const { rows } = this;
    const more = rows.length - this.shown;
    const focused = panel.contains(document.activeElement) ? document.activeElement.closest('th')?.cellIndex : undefined;
    panel.replaceChildren(
      this.notice ? element('p', { class: 'partial' }, this.notice) : '',
      element('table', {}, element('thead', {}, element('tr', {}, ...this.columns.map((column) => this.header(column)))),
        element('tbody', {}, ...firstSorted(rows, value, sign, this.shown).map((row) => this.row(row)))),
      more > 0 ? element('p', {}, element('button', { type: 'button', onclick: () => {
        this.shown += MORE_ROWS;
        this.draw();
      } }, `Show more (${count(more)} left)`)) : '',
      rows.length === 0 ? element('p', { class: 'faint' }, 'There are none.') : '');
    if (focused !== undefined)
      panel.querySelectorAll('th')[focused]?.firstChild.focus();
  }
}

// A cell shows the first lines of a long text, and the mouse all of it.
function cutText(text, properties) {
  return element('bdi', { ...properties, title: visible(text) }, visible(text));
}

// What there is none of is less than all others.
function timeColumn(title, value) {
  return { title, number: true, value: (row) => value(row) ?? -1, cell: (row) => (value(row) === null ? '–' : duration(value(row))) };
}

// What was lost is in no number of a table.
function partialText(runs) {
  const partial = runs.filter((run) => run.lost);
  return partial.length === 0 ? null
    : `Partial: ${partial.map((run) => (runs.length > 1 ? `${visible(run.guest)} ${run.lost}` : run.lost)).join('; ')}`;
}

function runColumn(runs) {
  return runs.length > 1 ? [{ title: 'run', value: (row) => row.run.index, cell: (row) => cutText(row.run.guest) }] : [];
}

// Spans that were not seen from their opening to their close.
function unfinishedColumn(rows) {
  return rows.some((row) => row.unfinished > 0) ? [{ title: 'unfinished', number: true, value: (row) => row.unfinished,
    cell: (row) => element('span', { title: 'Not seen from opening to close: not in p50, p99 and max' }, count(row.unfinished)) }] : [];
}

function namesTable(runs, actions) {
  const rows = runs.flatMap((run) => run.names.map(([name, target, spans, total, self, p50, p99, max, unfinished]) => (
    { run, name, target, spans, total, self, p50, p99, max, unfinished })));
  const total = timeColumn('total', (row) => row.total);
  return new SortedTable([
    { title: 'name', value: (row) => row.name, cell: (row) => element('button', {
      class: 'link', type: 'button', onclick: () => actions.named(row, row.run),
    }, cutText(row.name)) },
    { title: 'target', value: (row) => row.target, cell: (row) => cutText(row.target) },
    ...runColumn(runs),
    { title: 'count', number: true, value: (row) => row.spans, cell: (row) => count(row.spans) },
    ...unfinishedColumn(rows),
    total,
    timeColumn('self', (row) => row.self),
    timeColumn('p50', (row) => row.p50),
    timeColumn('p99', (row) => row.p99),
    timeColumn('max', (row) => row.max),
  ], rows, [total, true], partialText(runs), 'names');
}

function eventsTable(runs, rows, actions) {
  const time = {
    title: runs.length > 1 ? 'time in its run' : 'time', number: true, value: (event) => event.time - event.run.offset,
    cell: (event) => timeInRun(event.run, event.time),
  };
  return new SortedTable([
    time,
    { title: 'level', value: (event) => event.site.level, cell: (event) => levelChip(event.site.level), tight: true },
    { title: 'event', value: (event) => event.site.name, cell: (event) => element('button', {
      class: 'link', type: 'button', onclick: () => actions.event(event),
    }, cutText(event.site.name)) },
    { title: 'target', value: (event) => event.site.target, cell: (event) => cutText(event.site.target) },
    ...runColumn(runs),
    { title: 'vCPU', number: true, value: (event) => event.vcpu, cell: (event) => String(event.vcpu) },
    { title: 'span', value: (event) => event.span?.site.name ?? '', cell: (event) => (event.span ? cutText(event.span.site.name) : '') },
    { title: 'fields', value: (event) => fieldsText(event.fields),
      cell: (event) => cutText(fieldsText(event.fields), { class: 'mono' }) },
  ], rows, [time, false], partialText(runs), 'events');
}

// The events, of the levels and with the words that are asked for.
class EventLog {
  constructor(runs, actions) {
    Object.assign(this, { runs, actions, words: '', level: 5, counters: true, known: knownKeys(runs) });
    this.events = runs.flatMap((run) => run.events);
  }

  // For the address; an expression is nobody's but one's own: it may take any time.
  state() {
    return this.words === '' && this.level === 5 && this.counters ? [] : [this.words, this.level, Number(this.counters)];
  }

  restore([words = '', level = 5, counters = 1], own) {
    this.words = own || !hasExpression(String(words)) ? String(words).slice(0, TEXT_MOST) : '';
    this.level = [1, 2, 3, 4, 5].includes(level) ? level : 5;
    this.counters = Boolean(counters);
  }

  draw(panel) {
    this.panel = panel;
    this.list = element('div', {});
    const redraw = (change) => {
      Object.assign(this, change);
      this.drawList();
    };
    panel.replaceChildren(element('div', { class: 'bar-of-tools' },
      element('label', {}, 'Level ', element('select', { id: 'log-level', onchange: ({ target }) => redraw({ level: Number(target.value) }) },
        ...LEVELS.slice(1).map((word, i) => element('option', { value: String(i + 1), selected: i + 1 === this.level }, i === 0 ? word : `${word} and above`)))),
      element('label', {}, 'Filter ', element('input', { type: 'search', id: 'log-filter', value: this.words, placeholder: 'words, key=value, /re/',
        oninput: ({ target }) => redraw({ words: target.value }) })),
      this.events.some((event) => event.counter) ? element('label', {}, element('input', { type: 'checkbox', checked: this.counters,
        onchange: ({ target }) => redraw({ counters: target.checked }) }), ' counters') : null,
      this.told = element('output', { class: 'faint' })), this.list);
    this.drawList();
  }

  chosen() {
    let query;
    try {
      query = parseQuery(this.words, this.known);
    } catch {
      return [];
    }
    return this.events.filter((event) => (event.counter ? this.counters : event.site.level <= this.level) && (!query || query.holds(event)));
  }

  drawList() {
    const rows = this.chosen();
    this.told.value = rows.length === this.events.length ? '' : `${count(rows.length)} of ${count(this.events.length)}`;
    eventsTable(this.runs, rows, this.actions).draw(this.list);
  }
}

function exitsTable(runs, bySpan, actions) {
  const rows = runs.flatMap((run) => run[bySpan ? 'exits_by_span' : 'exit_sums'].map(([reason, port, tracing, name, number, total, p50, p99, max]) => (
    { run, reason, port, tracing: tracing === 1, name: name < 0 ? null : rowOfName(run, name), number, total, p50, p99, max })));
  const total = timeColumn('time out of the guest', (row) => row.total);
  const port = (row) => (row.port ? `0x${row.port.toString(16)}` : '');
  return new SortedTable([
    { title: 'reason', value: (row) => row.reason, cell: (row) => element('button', { class: 'link', type: 'button', onclick: () => actions.exits(row) }, row.reason) },
    { title: 'port', value: (row) => row.port, cell: port },
    { title: 'for', value: (row) => row.tracing, cell: (row) => (row.tracing ? 'handing over records' : '') },
    ...(bySpan ? [{ title: 'in spans of', value: (row) => row.name?.name ?? '', cell: (row) => (row.name ? element('button', {
      class: 'link', type: 'button', onclick: () => actions.named(row.name, row.run) }, cutText(row.name.name)) : element('span', { class: 'faint' }, 'none')) },
    { title: 'per span', number: true, value: (row) => (row.name ? row.number / row.name.spans : -1),
      cell: (row) => (row.name ? (row.number / row.name.spans).toFixed(2) : '–') }] : []),
    ...runColumn(runs),
    { title: 'count', number: true, value: (row) => row.number, cell: (row) => count(row.number) },
    total,
    timeColumn('p50', (row) => row.p50),
    timeColumn('p99', (row) => row.p99),
    timeColumn('max', (row) => row.max),
  ], rows, [total, true], partialText(runs), 'exits');
}

// VM exits summed up, with how long the guest stood still for them.
class Exits {
  constructor(runs, actions) {
    Object.assign(this, { runs, actions, bySpan: false });
  }

  draw(panel) {
    const list = element('div', {});
    const fill = () => exitsTable(this.runs, this.bySpan, this.actions).draw(list);
    panel.replaceChildren(element('div', { class: 'bar-of-tools' },
      element('label', {}, element('input', { type: 'checkbox', id: 'exits-by-span', checked: this.bySpan, onchange: ({ target }) => {
        this.bySpan = target.checked;
        fill();
      } }), ' by the span they were in')), list);
    fill();
  }
}

function runDetail(run) {
  const row = (key, value) => element('tr', {}, element('td', { class: 'tight faint' }, key), element('td', {}, value));
  const mono = (key, text) => (text ? row(key, element('span', { class: 'mono' }, guestText(text))) : '');
  return element('div', {}, run.lost ? element('p', { class: 'partial' }, partialText([run])) : null,
  element('table', {}, element('tbody', {},
    row('guest', guestText(run.guest)),
    mono('build id', run.guest_build_id),
    run.vm ? row('VM', guestText(run.vm)) : '',
    mono('VM id', run.vm_id),
    run.host_name ? row('host', guestText(run.host_name)) : '',
    row('backend', guestText(run.backend)),
    row('outcome', outcomeText(run)),
    run.message ? row('message', guestText(run.message)) : '',
    row('began', `${new Date(Number(BigInt(run.start_ns) / 1000000n)).toISOString()}  (${run.start_ns} ns since 1970)`),
    row('times', `within ${duration(Number(run.error_bound_ns))}`),
    mono('trace id', run.trace_id),
    row('taken', `${plural(run.records, 'record')}, ${plural(run.record_bytes, 'byte')}`),
    row('exits', run.exits.length ? run.exits.map(([reason, number]) => `${count(number)} ${reason}`).join(', ') : 'none counted'),
    row('lost', run.losses.length ? element('div', { class: 'warn' }, ...run.losses.map(([, prose, number]) => element('div', {}, `${count(number)} ${prose}`))) : 'nothing'))),
  ...splitView({ run, split: run.split, duration: run.duration_ns * run.vcpus }));
}
