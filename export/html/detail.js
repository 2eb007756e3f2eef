// SPDX-License-Identifier: MIT
// The panel beside the timeline: all that is known of the selected item.

const DETAIL_ROWS = 200; // events listed
const CHILDREN_SHOWN = 8;

function pairs(...rows) {
  return element('table', { class: 'pairs' }, element('tbody', {}, ...rows.filter(Boolean)
    .map(([key, ...value]) => element('tr', {}, element('td', {}, key), element('td', {}, ...value)))));
}

function heading(text) {
  return element('h3', {}, text);
}

function fieldsText(fields) {
  return fields.map((field) => `${visible(field[0])}=${fieldValue(field)}`).join('  ');
}

function fieldRows(fields) {
  return fields.map((field) => [
    guestText(field[0]),
    element('bdi', { class: 'mono' }, fieldValue(field)), element('span', { class: 'type' }, field[1]),
  ]);
}

function levelChip(level) {
  const kind = level === 1 ? 'bad' : level === 2 ? 'warn' : '';
  return element('span', { class: `chip ${kind}` }, LEVELS[level] ?? 'unknown');
}

function statusChip(span) {
  if (span.status === 0)
    return null;
  return element('span', { class: `chip ${span.status === ERROR ? 'bad' : 'good'}` },
    span.status === ERROR ? '✗ error' : '✓ ok');
}

const PARTS = {
  guest: ['guest running', '--guest'],
  waiting: ['waiting for a CPU (estimate)', '--wait'],
  unknown: ['not known', '--block'],
  tracing: ['exits to hand over records', '--trace-exit'],
};

// Where the time of a span went: [words, ns, color] of what there is.
function timeSplit(span) {
  return (span.split || []).map((ns, column) => {
    const part = span.run.parts[column];
    const [words, color] = PARTS[part] ?? [part.replace('exit ', 'exits: '), '--exit'];
    return [words, ns, `var(${color})`];
  }).filter(([, ns]) => ns > 0);
}

function splitView(item) {
  const parts = timeSplit(item);
  if (parts.length === 0)
    return [];
  const bar = element('div', { class: 'bar', role: 'img', 'aria-label': 'Where the time went' });
  const whole = Math.max(1, item.duration);
  const rows = parts.map(([word, ns, color]) => {
    const part = element('span', { title: word });
    part.style.background = color;
    part.style.width = `${(100 * ns) / whole}%`;
    bar.append(part);
    const swatch = element('span', { class: 'swatch' });
    swatch.style.background = color;
    return element('tr', {}, element('td', {}, swatch, word),
      element('td', { class: 'number' }, duration(ns)),
      element('td', { class: 'number faint' }, `${((100 * ns) / whole).toFixed(1)} %`));
  });
  return [heading('Where the time went'), bar, element('table', { class: 'split' }, element('tbody', {}, ...rows))];
}

function eventView(event, span) {
  return element('div', { class: 'event' },
    element('span', { class: 'time' }, `+${moment(event.time - span.start, span.duration)}`),
    event.site.level <= 2 ? levelChip(event.site.level) : null, event.site.level <= 2 ? ' ' : null,
    element('strong', {}, guestText(event.site.name)),
    event.fields.length ? element('div', { class: 'fields mono' }, element('bdi', {}, fieldsText(event.fields))) : null);
}

function limited(items, view, word) {
  const shown = items.slice(0, DETAIL_ROWS).map(view);
  if (items.length > DETAIL_ROWS)
    shown.push(element('p', { class: 'faint' }, `and ${plural(items.length - DETAIL_ROWS, word)} more`));
  return shown;
}

function timeRows(item) {
  return [
    ['start', timeInRun(item.run, item.start)],
    ['duration', duration(item.duration)],
  ];
}

function spanLink(span, pick) {
  return element('button', { class: 'link', type: 'button', onclick: () => pick(span) }, guestText(span.site.name));
}

function flagRows(flags) {
  return FLAGS.filter(([bit]) => flags & bit)
    .map(([bit, word, why]) => [element('span', { class: `chip ${bit === INTERRUPTED ? 'bad' : 'warn'}` }, word), why]);
}

// The longest of what it called.
function childrenView(span, pick) {
  const children = span.below.filter((one) => one.site);
  if (children.length === 0)
    return [];
  const longest = firstSorted(children, (one) => one.duration, -1, CHILDREN_SHOWN);
  return [heading(children.length > CHILDREN_SHOWN ? `${CHILDREN_SHOWN} longest of ${plural(children.length, 'child')}`.replace('childs', 'children')
    : 'Children'), pairs(...longest.map((one) => [duration(one.duration), spanLink(one, pick)]))];
}

// What sets it apart from the one in the middle of those of its name.
function besideMedian(span, actions) {
  const other = actions.median(span);
  if (!other || other === span)
    return [];
  const times = (one) => new Map([['duration', one.duration], ['self', one.self], ...timeSplit(one)]);
  const [mine, its] = [times(span), times(other)];
  const rows = [...new Set([...mine.keys(), ...its.keys()])].map((word) => [word, mine.get(word) ?? 0, its.get(word) ?? 0])
    .filter(([, a, b]) => a !== b).map(([word, a, b]) => [word, `${duration(a)}, not ${duration(b)}`]);
  const values = (one) => new Map((one.more.fields ?? NONE).map((field) => [field[0], fieldValue(field)]));
  const [own, theirs] = [values(span), values(other)];
  const fields = [...own].filter(([key, value]) => theirs.get(key) !== value)
    .map(([key, value]) => [guestText(key), element('bdi', { class: 'mono' }, theirs.has(key) ? `${value}, not ${theirs.get(key)}` : value)]);
  return [heading('Beside the median one of its name'), rows.length + fields.length > 0 ? pairs(...rows, ...fields) : element('p', { class: 'faint' }, 'It is the same in all.'),
    element('button', { class: 'link', type: 'button', onclick: () => actions.pick(other) }, 'Show the median one')];
}

// For a message to somebody.
function spanText(span) {
  const { site, more } = span;
  return [`${visible(site.name)} [${visible(site.target)}] ${STATUSES[span.status]} ${duration(span.duration)} self ${duration(span.self)}`,
    `at ${timeInRun(span.run, span.start)} of ${visible(span.run.guest)}, vCPU ${span.vcpu}`, fieldsText(more.fields ?? NONE),
    visible(more.message ?? ''), site.file ? visible(`${site.file}:${site.line}`) : '', `trace ${traceOf(span)} span ${span.id}`].filter(Boolean).join('\n');
}

function spanDetail(span, runs, actions) {
  const { more, site, run } = span;
  const actionsBar = element('div', { class: 'actions' },
    element('button', { type: 'button', onclick: () => actions.zoom(span) }, 'Zoom to it'),
    element('button', { type: 'button', disabled: !span.parent, onclick: () => actions.pick(span.parent) }, 'Parent'),
    element('button', { type: 'button', onclick: () => actions.named(site) }, 'All of this name'),
    element('button', { type: 'button', onclick: () => actions.sandwich(nameKey(site)) }, 'Callers and callees'),
    element('button', { type: 'button', onclick: ({ target }) => copyText(spanText(span)).then((done) => {
      target.textContent = done ? 'Copied' : 'Not copied';
    }) }, 'Copy'));
  const flags = flagRows(span.flags);
  return [
    element('h2', {}, guestText(site.name)),
    element('p', { class: 'lead' }, guestText(site.target), levelChip(site.level), statusChip(span)),
    span === run.last && run.died ? element('p', { class: 'notice bad' }, 'The guest ended in this span.') : null,
    more.message ? element('p', { class: `notice ${span.status === ERROR ? 'bad' : ''}` }, guestText(more.message)) : null,
    actionsBar,
    heading('Time'),
    pairs(...timeRows(span), ['self', duration(span.self)],
      ['vCPU', more.close_vcpu === undefined ? String(span.vcpu) : `${span.vcpu}, closed on ${more.close_vcpu}`],
      span.nesting ? ['nesting', `${span.nesting} (in a handler)`] : null),
    ...splitView(span),
    ...childrenView(span, actions.pick),
    ...besideMedian(span, actions),
    ...(flags.length ? [heading('Flags'), pairs(...flags)] : []),
    ...(more.fields ? [heading('Fields'), pairs(...fieldRows(more.fields))] : []),
    more.dropped_fields ? element('p', { class: 'warn' }, `${plural(more.dropped_fields, 'field')} dropped`) : null,
    ...(span.events.length ? [heading(plural(span.events.length, 'event')),
      ...limited(span.events, (event) => eventView(event, span), 'event')] : []),
    more.dropped_events ? element('p', { class: 'warn' }, `${plural(more.dropped_events, 'event')} over the quota of the span`) : null,
    ...linksView(span, actions.links, actions.pick),
    heading('Origin'),
    pairs(
      ['parent', span.parent ? spanLink(span.parent, actions.pick)
        : actions.links.caller(span) ? spanLink(actions.links.caller(span), actions.pick) : more.remote_parent ? element('span', { class: 'mono' }, `remote ${more.remote_parent}`) : 'none'],
      ['children', count(span.children)],
      site.inFunction ? ['function', guestText(site.inFunction)] : null,
      site.file ? ['source', guestText(site.line ? `${site.file}:${site.line}` : site.file)] : null,
      ['span id', element('span', { class: 'mono' }, span.id), copyButton('the span id', () => span.id)],
      ['trace id', element('span', { class: 'mono' }, traceOf(span)), copyButton('the trace id', () => traceOf(span))],
      runs.length > 1 ? ['run', guestText(run.guest)] : null),
  ];
}

function blockDetail(block) {
  return [
    element('h2', {}, plural(block.spans, 'span')),
    element('p', {}, 'Neighbours below one parent, too short to be shown one by one. '
      + 'The table of names counts them.'),
    pairs(...timeRows(block), ['self, together', duration(block.self)], ['vCPU', String(block.vcpu)]),
  ];
}

// A box of the flame graph.
function pathDetail(node, text, actions) {
  const names = [];
  for (let at = node; at && (at.parent || at.name); at = at.parent)
    names.push(at);
  return [
    element('h2', {}, guestText(node.name || 'all spans')),
    element('p', { class: 'lead' }, guestText(node.target)),
    node.name ? element('div', { class: 'actions' },
      element('button', { type: 'button', onclick: () => actions.named(node) }, 'All of this name'),
      element('button', { type: 'button', onclick: () => actions.sandwich(nameKey(node)) }, 'Callers and callees')) : '',
    heading('On this path'),
    pairs(['spans', count(node.count)], ['total', duration(node.total)], ['self', duration(node.self)],
      ['each', node.count ? duration(Math.round(node.total / node.count)) : '–']),
    heading('Path'),
    ...names.reverse().map((at) => element('div', {}, guestText(at.name), ' ', element('span', { class: 'faint' }, duration(at.total)))),
  ];
}

function stretchTitle(stretch) {
  if (stretch.host === 'work')
    return visible(stretch.name);
  if (stretch.host === 'merged')
    return `${count(stretch.name)} guest runs and exits`;
  return stretch.host === 'guest' ? 'guest running' : `exit: ${stretch.reason}`;
}

function stretchDetail(stretch) {
  return [
    element('h2', {}, stretchTitle(stretch)),
    pairs(...timeRows(stretch), ['vCPU', String(stretch.vcpu)],
      stretch.host === 'guest' ? ['ended by', stretch.reason] : null,
      stretch.port ? ['port', String(stretch.port)] : null,
      stretch.tracing ? ['purpose', 'to hand over records'] : null,
      stretch.waiting ? ['waiting', `${duration(stretch.waiting)} (its thread was ready, but did not run)`] : null),
  ];
}

function lossDetail(gap) {
  const time = (ns) => moment(ns, gap.run.duration_ns);
  return [
    element('h2', { class: 'bad' }, gap.lost),
    element('p', {}, 'What is missing was recorded between these times. Spans whose end was among it have none, '
      + 'and what was inside of them may stand elsewhere.'),
    pairs(['from', time(gap.from)], ['to', time(gap.to)], ['vCPU', String(gap.vcpu)],
      gap.losses > 1 ? ['losses', `${count(gap.losses)}, drawn as one`] : null),
  ];
}

function emptyDetail(runs) {
  const longest = runs.flatMap((run) => run.spans.filter((span) => !span.parent));
  return [
    element('h2', {}, 'No span selected'),
    element('p', { class: 'faint' }, longest.length ? 'Click a span in the timeline, or a row of a table below.'
      : 'The trace has no spans.'),
  ];
}

function showDetail(panel, item, runs, actions) {
  let parts;
  if (!item)
    parts = emptyDetail(runs);
  else if (item.lost)
    parts = lossDetail(item);
  else if (item.host)
    parts = stretchDetail(item);
  else if (item.spans)
    parts = blockDetail(item);
  else
    parts = spanDetail(item, runs, actions);
  panel.scrollTop = 0; // before: behind it the browser would have to lay out all of it at once
  panel.replaceChildren(...parts.filter(Boolean));
}
