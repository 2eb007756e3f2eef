// SPDX-License-Identifier: MIT
// The tables below the timeline: names, events, and what is known of the runs.

const PAGE_ROWS = 500;

// Columns: { title, number, value(row): to sort by, cell(row), tight }.
class SortedTable {
  constructor(columns, rows, order, notice) {
    Object.assign(this, { columns, rows, notice, shown: PAGE_ROWS });
    [this.by, this.down] = order;
  }

  sort(column) {
    if (this.by === column)
      this.down = !this.down;
    else
      [this.by, this.down] = [column, Boolean(column.number)];
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
    const { value } = this.by;
    const sign = this.down ? -1 : 1;
    const rows = [...this.rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      return x < y ? -sign : x > y ? sign : 0;
    });
    const more = rows.length - this.shown;
    const focused = panel.contains(document.activeElement) ? document.activeElement.closest('th')?.cellIndex : undefined;
    panel.replaceChildren(
      this.notice ? element('p', { class: 'partial' }, this.notice) : '',
      element('table', {}, element('thead', {}, element('tr', {}, ...this.columns.map((column) => this.header(column)))),
        element('tbody', {}, ...rows.slice(0, this.shown).map((row) => this.row(row)))),
      more > 0 ? element('p', {}, element('button', { type: 'button', onclick: () => {
        this.shown += PAGE_ROWS;
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
  ], rows, [total, true], partialText(runs));
}

function eventsTable(runs, actions) {
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
  ], runs.flatMap((run) => run.events), [time, false], partialText(runs));
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

function makeTabs(runs, actions) {
  const events = runs.reduce((sum, run) => sum + run.events.length, 0);
  const names = namesTable(runs, actions);
  const tables = [
    [`Names (${count(names.rows.length)}${names.notice ? ', partial' : ''})`, (panel) => names.draw(panel)],
    [`${runs.some((run) => run.counter_count > 0) ? 'Events and counters' : 'Events'} (${count(events)})`, (() => {
      let table;
      return (panel) => (table ??= eventsTable(runs, actions)).draw(panel);
    })()],
    [runs.length === 1 ? 'Run' : `Runs (${runs.length})`, (panel) => panel.replaceChildren(...runs.map(runDetail))],
  ];
  const list = document.getElementById('tabs');
  const panel = document.getElementById('table');
  const buttons = tables.map(([title, draw], index) => element('button', {
    type: 'button', role: 'tab', id: `tab-${index}`, 'aria-controls': 'table', onclick: () => choose(index),
    onkeydown: ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (step)
        choose((index + step + tables.length) % tables.length).focus();
    },
  }, title));
  function choose(index) {
    buttons.forEach((button, i) => {
      button.setAttribute('aria-selected', String(i === index));
      button.tabIndex = i === index ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', `tab-${index}`);
    tables[index][1](panel);
    return buttons[index];
  }
  list.replaceChildren(...buttons);
  choose(names.rows.length === 0 && events > 0 ? 1 : 0);
}
