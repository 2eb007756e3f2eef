// SPDX-License-Identifier: MIT
// Compares CSV, folded stacks and the report's own sums with the report.
import { check, lastFields, lostText, openNs, parseJson, readText, same, visible } from './compare.mjs';

// RFC 4180, strictly: records end in CRLF, quotes are doubled.
function parseCsv(text) {
  const rows = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  let row = [];
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex, m = cell.exec(text);
    check(m, 'CSV: bad cell at byte', at);
    row.push(m[1] !== undefined ? m[1].replaceAll('""', '"') : m[2]);
    if (m[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  check(row.length === 0, 'CSV: the last record does not end');
  return rows;
}

const EXACT = 2n ** 53n;
const abs = (v) => v < 0n ? -v : v;
const integer = (v) => abs(BigInt(v)) > EXACT ? v : Number(v);
const VALUES = { u64: integer, i64: integer };

// What OWASP calls CSV injection: cells that a spreadsheet computes, behind blanks too. A number is none.
const FORMULA = /^[ \t-\r\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]*[=+\-@\uff0b\uff0d\uff1d\uff20]/;
const LOOKS_ON = /^[\t\r\n]/, NUMBER = /^-?[0-9]+$/;

/** A text as its cell shows it: behind a mark where it would be computed, or begins with one. */
const csvText = (text) => (FORMULA.test(text) || text.startsWith("'") ? "'" : '') + visible(text);

export const readCsv = (file) => parseCsv(readText(file));

const COUNTS = ['records', 'overwritten_bytes', 'bad_records', 'bad_bytes'];
const counts = (losses, keys) => Object.fromEntries(keys.filter((key) => losses[key] !== '0')
  .map((key) => [`guesttrace.lost.${key}`, integer(losses[key])]));

// The lines that are no spans' stand where what they tell of was noticed.
function compareOthers(rows, report) {
  for (const row of rows) row.fields = parseJson(row.fields);
  const empty = { guest_id: '', target: 'guesttrace', level: '', status: '', flags: '' };
  const times = (from, to) => ({ start_ns: from, end_ns: to, duration_ns: String(BigInt(to) - BigInt(from)) });
  for (const t of report) {
    const own = rows.filter((row) => row.trace_id === t.trace_id), [{ span_id: runId } = {}] = own.slice(-1);
    check(/^[0-9a-f]{16}$/.test(runId) && !t.byId.has(runId), 'CSV: the run has the id', runId);
    const lost = t.gaps.map((g) => ({ ...empty, ...times(g.from_ns, g.to_ns), trace_id: t.trace_id, span_id: '', parent_id: g.span_id ?? '',
      vcpu: String(g.vcpu), name: `LOST ${lostText(g)}`, fields: { 'guesttrace.vcpu': g.vcpu, ...counts(g, COUNTS) }, kind: 'lost' }));
    const fields = { 'guesttrace.outcome': t.outcome, 'guesttrace.records': integer(t.records), ...counts(t.losses, Object.keys(t.losses)) };
    if (t.outcome === 'halted') fields['guesttrace.exit_status'] = t.status;
    if (t.message) fields['guesttrace.message'] = t.message;
    same(own, [...lost, { ...empty, ...times(t.start_ns, t.end_ns), trace_id: t.trace_id, span_id: runId, parent_id: t.parent_id ?? '', vcpu: '',
      name: `run ${endingText(t)}${t.partial ? `, LOST ${lostText(t.losses, t.records)}` : ''}`, fields, kind: 'run' }], 'CSV: the run and its losses');
  }
  same(rows.length, report.reduce((n, t) => n + t.gaps.length + 1, 0), 'CSV: number of losses and runs');
}

export function compareCsv([header, ...all], report) {
  const at = header.indexOf('kind'), rows = all.filter((cells) => cells[at] === 'span');
  compareOthers(all.filter((cells) => cells[at] !== 'span').map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i]]))), report);
  const spans = report.flatMap((t) => t.spans.map((s) => [t, s]));
  const byId = new Map(spans.map(([t, s]) => [s.id, [t, s]]));
  same(rows.length, spans.length, 'CSV: number of records');
  for (const cells of rows) {
    same(cells.length, header.length, 'CSV: number of cells');
    for (const cell of cells) check(NUMBER.test(cell) || !FORMULA.test(cell) && !LOOKS_ON.test(cell), 'CSV: a formula', JSON.stringify(cell));
    const row = Object.fromEntries(header.map((name, i) => [name, cells[i]]));
    check(byId.has(row.span_id), 'CSV: no such span', row.span_id);
    const [t, s] = byId.get(row.span_id);
    byId.delete(row.span_id);
    same(parseJson(row.fields), Object.fromEntries([...lastFields(s.fields)].map(
      ([key, [type, value]]) => [key, (VALUES[type] ?? ((v) => v))(value)])), 'CSV: fields of', s.id);
    delete row.fields;
    same(row, {
      trace_id: s.trace_id ?? t.trace_id, span_id: s.id, parent_id: s.parent_id ?? '', guest_id: s.guest_id,
      vcpu: String(s.vcpu), name: csvText(s.name), target: csvText(s.target), level: s.level,
      start_ns: s.start_ns, end_ns: s.end_ns, duration_ns: s.duration_ns, status: s.status,
      flags: s.flags.join(' '), kind: 'span',
    }, 'CSV: span', s.id);
  }
  return `${rows.length} records are the same`;
}

// Self time from the intervals alone, another way than the exporter's.
function selfNs(span, children) {
  const cuts = children.map((c) => [BigInt(c.start_ns), BigInt(c.end_ns)]);
  const [from, to] = [BigInt(span.start_ns), BigInt(span.end_ns)];
  const times = [...new Set([from, to, ...cuts.flat().filter((t) => t > from && t < to)])]
    .sort((a, b) => a < b ? -1 : 1);
  let self = 0n;
  for (let i = 0; i + 1 < times.length; i++)
    if (!cuts.some(([a, b]) => a <= times[i] && b >= times[i + 1])) self += times[i + 1] - times[i];
  return self;
}

const FRAMES_MAX = 128;
const frame = (name) => visible(name).replaceAll(';', '\\u{3b}') || '(unnamed)';
const frameOfRun = (trace) => frame(trace.guest) + (trace.index ? ` (run ${trace.index + 1})` : '')
  + (trace.partial ? ` (LOST ${lostText(trace.losses, trace.records)})` : '');
// How each run ended, in a stack that has taken no time.
const endingText = (trace) => trace.outcome + (trace.outcome === 'halted' ? ` with status ${trace.status}` : '');
const endOfRun = (trace) => `${frameOfRun(trace)};(${endingText(trace)}${trace.message ? `: ${frame(trace.message)}` : ''}) 0`;

function stackOf(trace, span, isKnown = true) {
  let names = [];
  for (let s = span; s; s = trace.byId.get(s.parent_id)) names.unshift(frame(s.name));
  if (names.length > FRAMES_MAX) names = [...names.slice(0, FRAMES_MAX), `(deeper than ${FRAMES_MAX} spans)`];
  else if (!isKnown) names.push('(end not known)');
  return [frameOfRun(trace), ...names].join(';');
}

const addTo = (stacks, stack, ns) => ns && stacks.set(stack, (stacks.get(stack) ?? 0n) + ns);

function stacksOfSelf(report) {
  const stacks = new Map();
  for (const trace of report) {
    const children = new Map();
    for (const s of trace.spans)
      children.set(s.parent_id, [...children.get(s.parent_id) ?? [], s]);
    for (const span of trace.spans) {
      const self = selfNs(span, children.get(span.id) ?? []);
      same(span.self_ns, String(self), 'self time of', span.id);
      addTo(stacks, stackOf(trace, span, !span.flags.some((f) => f === 'close_lost' || f === 'replaced')), self);
    }
  }
  return stacks;
}

// By what the exporter was told of the host. Of a span that is no more (another
// run's, say) the exit is outside of all.
function stacksOfExits(report, host) {
  const stacks = new Map();
  for (const s of host) {
    if (s.kind !== 2) continue;
    const trace = report[s.index], span = trace.byId.get(s.parent_id);
    addTo(stacks, span ? stackOf(trace, span) : `${frameOfRun(trace)};(no span)`, BigInt(s.end_ns) - BigInt(s.start_ns));
  }
  return stacks;
}

export function readFolded(file) {
  const stacks = new Map(), ends = [];
  for (const line of readText(file).split('\n').slice(0, -1)) {
    const m = /^(.*) (\d+)$/.exec(line);
    check(m, 'folded: bad line', JSON.stringify(line));
    if (m[2] === '0') ends.push(line);
    else addTo(stacks, m[1], BigInt(m[2]));
  }
  return { stacks, ends };
}

function compareStacks({ stacks: got, ends }, want, report) {
  same(ends, report.map(endOfRun), 'folded: ends of runs');
  for (const [stack, ns] of want) same(String(got.get(stack)), String(ns), 'folded:', stack);
  same(got.size, want.size, 'folded: number of stacks');
  return `${got.size} stacks are the same`;
}

export const compareFolded = (stacks, report) => compareStacks(stacks, stacksOfSelf(report), report);
export const compareExits = (stacks, report, host) => compareStacks(stacks, stacksOfExits(report, host), report);

const REASONS = ['other', 'io', 'mmio', 'halt', 'shutdown', 'exception', 'interrupted', 'timeout', 'error'];

// Where the time of the vCPUs went, by what the exporter was told of the host: what
// no stretch covers is not known.
function splitOfHost(trace, stretches) {
  const parts = new Map(), add = (part, ns) => parts.set(part, (parts.get(part) ?? 0n) + ns);
  let left = BigInt(trace.vcpus) * (BigInt(trace.end_ns) - BigInt(trace.start_ns));
  for (const s of stretches) {
    const ns = BigInt(s.end_ns) - BigInt(s.start_ns), waiting = BigInt(s.waiting_ns);
    add(s.kind === 1 ? 'guest' : s.tracing ? 'tracing' : REASONS[s.reason], ns - waiting);
    add('waiting', waiting);
    left -= ns;
  }
  const part = (name) => String(parts.get(name) ?? 0n);
  return { guest_ns: part('guest'), tracing_ns: part('tracing'), waiting_ns: part('waiting'), unknown_ns: String(left),
    exits_ns: Object.fromEntries(REASONS.filter((r) => parts.get(r)).map((r) => [r, part(r)])) };
}

/** Stretches of one vCPU do not overlap. */
export function compareSplits(_, report, host) {
  for (const trace of report)
    same(trace.split, splitOfHost(trace, host.filter((s) => s.index === trace.index && s.kind !== 3)), 'split of', trace.trace_id);
  return `${report.length} splits are the same`;
}

// The table of names, by the definition of nearest rank.
function checkNames(trace) {
  const groups = new Map();
  for (const s of trace.spans) {
    const key = JSON.stringify([s.name, s.target]);
    groups.set(key, [...groups.get(key) ?? [], s]);
  }
  same(trace.names.length, groups.size, 'number of names');
  for (const n of trace.names) {
    const spans = groups.get(JSON.stringify([n.name, n.target])) ?? [];
    const isWhole = (s) => !s.flags.some((f) => !['cut', 'time_adjusted', 'parent_guessed'].includes(f));
    const known = spans.filter((s) => !s.flags.some((f) => f === 'close_lost' || f === 'replaced'));
    const sorted = spans.filter(isWhole).map((s) => BigInt(s.duration_ns)).sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
    const sum = (key) => String(known.reduce((total, s) => total + BigInt(s[key]), 0n));
    const n64 = BigInt(sorted.length), whole = sorted.reduce((total, ns) => total + ns, 0n);
    const average = sorted.length ? String((2n * whole + n64) / (2n * n64)) : null;
    const rank = (p) => sorted.length ? String(sorted[Math.ceil(p * sorted.length / 100) - 1]) : null;
    const { split, ...times } = n; // what its spans say, and that is checked elsewhere
    check(split, 'no split of', n.name);
    same(times, { name: n.name, target: n.target, count: String(spans.length),
      unfinished: String(spans.length - sorted.length), total_ns: openNs(known),
      self_ns: sum('self_ns'), avg_ns: average, p50_ns: rank(50), p99_ns: rank(99), max_ns: rank(100) }, 'name', n.name);
  }
}

export function compareNames(_, report) {
  report.forEach(checkNames);
  return `${report.reduce((n, t) => n + t.names.length, 0)} names are the same`;
}
