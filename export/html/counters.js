// SPDX-License-Identifier: MIT
// Counters as lines over time: one per vCPU, site and numeric field.

const COUNTERS_SHOWN = 24; // of one vCPU; the table of events has all
const NUMERIC = new Set(['u64', 'i64', 'f64', 'bool', 'pointer']);

function numberOf([, type, value]) {
  return NUMERIC.has(type) ? Number(value) : NaN;
}

// A key may end in its unit, as in `depth[{request}]` and, of one that only grows,
// `sent[+By]`: guests.md. UCUM's own words for bytes and for things counted are not read.
function splitUnit(key) {
  const [, name, unit] = key.match(/^(.+)\[[+-]*([^\]]*)\]$/s) ?? [null, key, ''];
  return [name, { By: 'B', '1': '' }[unit] ?? unit.replace(/^\{(.*)\}$/s, '$1')];
}

// Their points: { event, field, value }, in the order of time.
function makeGraphs(counters) {
  const graphs = new Map();
  for (const event of [...counters].sort((a, b) => a.time - b.time))
    for (const field of event.fields) {
      const value = numberOf(field);
      if (!Number.isFinite(value))
        continue;
      const { name, target } = event.site;
      const id = JSON.stringify([name, target, field[0]]);
      if (!graphs.has(id))
        graphs.set(id, { title: `${visible(name)} ${visible(splitUnit(field[0])[0])}`, unit: visible(splitUnit(field[0])[1]), target, run: event.run, low: 0, high: 0, points: [] });
      const graph = graphs.get(id);
      graph.low = Math.min(graph.low, value);
      graph.high = Math.max(graph.high, value);
      graph.points.push({ graph, event, field, value });
    }
  for (const graph of graphs.values()) {
    graph.times = numbersOf(graph.points, ({ event }) => event.time - event.run.offset);
    graph.values = numbersOf(graph.points, ({ value }) => value);
  }
  return [...graphs.values()];
}

// As the field says it; its scale in six digits.
function pointText({ field }) {
  return field[1] === 'f64' || field[1] === 'bool' || field[1] === 'pointer' ? String(field[2]) : BigInt(field[2]).toLocaleString('en-US');
}

function withUnit(text, { unit }) {
  return unit ? `${text} ${unit}` : text;
}

function scaleText(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-5))
    return value.toExponential(3);
  return Number(value.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}

// The one that holds at that time, or null.
function pointAt(graph, time) {
  return graph.points[lowerBound(graph.points, time, ({ event }) => event.time + 1) - 1] ?? null;
}

function pointDetail(point) {
  const { graph, event } = point;
  const { points } = graph;
  const line = (title, one) => [title, element('bdi', { class: 'mono' }, withUnit(pointText(one), one.graph))];
  return [
    element('h2', {}, element('bdi', {}, graph.title)),
    element('p', { class: 'lead' }, guestText(graph.target), element('span', { class: 'chip' }, 'counter')),
    heading('Value'),
    pairs(line('value', point), ['since', timeInRun(graph.run, event.time)], ['vCPU', String(event.vcpu)],
      line('first', points[0]), line('last', points.at(-1)),
      line('least', points.reduce((a, b) => (b.value < a.value ? b : a))),
      line('greatest', points.reduce((a, b) => (b.value > a.value ? b : a))), ['values', count(points.length)]),
    ...(event.fields.length > 1 ? [heading('All fields then'), pairs(...fieldRows(event.fields))] : []),
  ];
}
