// SPDX-License-Identifier: MIT
// Compares the texts that people read, the tree and the report, with the report as
// JSON: every line of the tree, and the table of names, by the rules of docs/report.md.
import { check, readText, same, toNumber, visible, counted, lostText } from './compare.mjs';

const UNITS = [[1000000000n, 's'], [1000000n, 'ms'], [1000n, 'µs']];

function duration(ns) {
  const [unit, word] = UNITS.find(([n]) => ns >= n) ?? [];
  return unit ? `${ns / unit}.${String(ns % unit / (unit / 1000n)).padStart(3, '0')} ${word}` : `${ns} ns`;
}

const logfmt = (text) => text && /^[\x21\x23-\x3c\x3e-\x5b\x5d-\x7e]+$/.test(text) ? text
  : `"${visible(text.replace(/["\\]/g, '\\$&'))}"`;

// Which of the ways to write a double is not compared, its value is; and the JSON
// does not say of which value the end was cut off.
const NUMBER = '\u0001', CUT = '\u0002', GAP = '\u0003', MARK = '\u0004';
const VALUES = {
  f64: () => NUMBER,
  string: (v) => logfmt(v) + CUT,
  bytes: (v) => Buffer.from(v, 'base64').toString('hex') + CUT,
};

const DEPTH_MAX = 32;
const BRANCHES = '(?:│  |   )';

// What stands behind a name. Where a guest died is a mark of its own.
function rest(trace, item, isSpan, deep) {
  const where = trace.vcpus > 1 ? ` vCPU ${item.vcpu}` : '';
  const level = { error: ' ERROR', warn: ' WARN' }[item.level] ?? '';
  const fields = item.fields.map(([key, type, value]) => ` ${logfmt(key)}=${(VALUES[type] ?? String)(value)}`);
  const status = { ok: '  ✓ ok', error: '  ✗ error' }[item.status] ?? '';
  const message = status && item.status === 'error' && item.status_message ? `: ${visible(item.status_message)}` : '';
  const flags = item.flags.filter((f) => f !== 'interrupted' && f !== 'cut');
  const begins = isSpan && item.trace_id && (item.parent_remote || !item.parent_id); // a part of another trace
  const other = begins ? `  trace ${item.trace_id}${item.parent_id ? ` below ${item.parent_id}` : ''}` : '';
  const at = BigInt(isSpan ? item.start_ns : item.time_ns), start = BigInt(trace.start_ns);
  const since = `+${duration(at > start ? at - start : 0n)}`;
  const time = isSpan ? `${duration(BigInt(item.duration_ns))}${GAP}${since}` : since;
  return `${time}${deep}${status}${message}${isSpan && item.flags.includes('interrupted') ? '  ✗ INTERRUPTED' : ''}${MARK}`
    + `  [${visible(item.target)}]${where}${level}${fields.join('')}${other}${flags.length ? `  (${flags.join(', ')})` : ''}`;
}

// Spans, events and counters in the order in which the tree has them.
function itemsOf(trace) {
  const children = new Map();
  const add = (parent, item, mark) => {
    const key = trace.byId.has(parent) ? parent : null;
    children.set(key, [...children.get(key) ?? [], { item, mark }]);
  };
  for (const s of trace.spans) add(s.parent_remote ? null : s.parent_id, s, '─');
  for (const e of trace.allEvents) add(e.span_id, e, '·');
  for (const c of trace.counters) add(c.span_id, c, '#');
  for (const g of trace.gaps) add(g.span_id, g, '✗');
  for (const list of children.values())
    list.sort((a, b) => BigInt(a.item.sequence) < BigInt(b.item.sequence) ? -1
      : a.item.sequence === b.item.sequence ? (a.mark === '✗') - (b.mark === '✗') : 1);
  const items = [], stack = [{ list: children.get(null) ?? [], at: 0 }];
  while (stack.length) {
    const top = stack[stack.length - 1];
    if (top.at === top.list.length) {
      stack.pop();
      continue;
    }
    const { item, mark } = top.list[top.at++];
    items.push({ item, mark, depth: stack.length - 1, last: top.at === top.list.length });
    if (mark === '─') stack.push({ list: children.get(item.id) ?? [], at: 0 });
  }
  return items;
}

const END = '(?:  ◀ it died in here|  ◀ last event(?:: it died after this)?)?';
const literally = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll(NUMBER, '(\\S+)').replaceAll(CUT, '…?').replaceAll(GAP, ' +').replaceAll(MARK, END);
const toDouble = (text) => Number(text.replace(/^(-?)inf.*/i, '$1Infinity').replace(/^-?nan$/i, 'NaN'));

const partialText = (trace) => lostText(trace.losses, trace.records);
const partialTitle = (trace) => partialText(trace) ? `  partial: LOST ${partialText(trace)}` : '';

function gapText(trace, gap) {
  const [from, to] = [gap.from_ns, gap.to_ns].map((ns) => `+${duration(BigInt(ns) - BigInt(trace.start_ns))}`);
  return `${from} to ${to}${trace.vcpus > 1 ? `  vCPU ${gap.vcpu}` : ''}  ${lostText(gap)}`;
}

// Returns the line behind the tree.
function checkTree(lines, at, trace) {
  const items = itemsOf(trace);
  for (const { item, mark, depth, last } of items) {
    const drawn = Math.min(depth, DEPTH_MAX), isSpan = mark === '─', isGap = mark === '✗';
    const branch = depth ? `${BRANCHES}{${drawn - 1}}[├└]${mark} ` : isSpan ? '' : `${mark} `;
    const deep = depth > DEPTH_MAX ? `  (depth ${depth})` : '';
    const name = isGap ? 'LOST' : visible(item.name);
    const behind = isGap ? gapText(trace, item) + deep : rest(trace, item, isSpan, deep);
    const want = new RegExp(`^${branch}${literally(name)} *${literally(behind)}$`, 'u');
    const found = want.exec(lines[at]);
    check(found, 'tree: line', at + 1, 'is', JSON.stringify(lines[at]), 'instead of', String(want));
    same(found.slice(1).map((n) => String(toDouble(n))),
      (item.fields ?? []).filter(([, type]) => type === 'f64').map(([, , v]) => String(toNumber(v))), 'tree: line', at + 1);
    if (depth) same(/^(?:│  |   )*(.)/u.exec(lines[at])[1], last ? '└' : '├', 'tree: line', at + 1);
    at++;
  }
  return at;
}

const OUTCOMES = { halted: /^halted with status (\d+)$/, aborted: /^ABORTED$/, shutdown: /^TRIPLE FAULT$/,
  timeout: /^TIMED OUT$/, interrupted: /^INTERRUPTED$/, failed: /^THE HOST FAILED$/,
  snapshot: /^snapshot, still running$/, unknown: /^end not captured$/ };

function checkHeader(lines, at, trace) {
  const lost = partialText(trace) ? `LOST ${partialText(trace)}  ` : '';
  const head = `${lost}${visible(trace.guest)}  ${visible(trace.backend)}  `;
  const whole = BigInt(trace.end_ns) - BigInt(trace.start_ns);
  const tail = ` after ${duration(whole)}  times within ${duration(BigInt(trace.clock.error_bound_ns))}`;
  same(trace.partial, lost !== '', 'report: partial');
  check(lines[at].startsWith(head) && lines[at].endsWith(tail), 'header:', JSON.stringify(lines[at]));
  const outcome = OUTCOMES[trace.outcome].exec(lines[at].slice(head.length, -tail.length));
  check(outcome, 'header: outcome in', JSON.stringify(lines[at]));
  if (outcome[1] !== undefined) same(Number(outcome[1]), trace.status, 'header: status');
  if (trace.message) same(lines[++at], `✗ ${visible(trace.message)}`, 'header: message');
  same(lines[++at], `${counted(trace.spans.length, 'span')}, ${counted(trace.allEvents.length, 'event')}, `
    + `${counted(trace.counters.length, 'counter')}, ${counted(trace.vcpus, 'vCPU')}  trace ${trace.trace_id}`, 'header: counts');
  return at + 1;
}

// A table of names: times first, each in its unit, then name and target.
function checkTable(lines, at, trace) {
  const unfinished = trace.names.reduce((sum, n) => sum + BigInt(n.unfinished), 0n);
  const hasEnd = (s) => !s.flags.some((f) => f === 'close_lost' || f === 'replaced');
  const timed = new Set(trace.spans.filter(hasEnd).map((s) => JSON.stringify([s.name, s.target])));
  const isShown = (n, key) => n[key] !== null && (!['total_ns', 'self_ns'].includes(key) || timed.has(JSON.stringify([n.name, n.target])));
  const want = new Set(trace.names.map((n) => [...unfinished ? [n.count, n.unfinished] : [n.count],
    ...['total_ns', 'self_ns', 'p50_ns', 'p99_ns', 'max_ns'].map((k) => isShown(n, k) ? duration(BigInt(n[k])) : '-'),
    `${visible(n.name)}  [${visible(n.target)}]`].join('|')));
  same(want.size, trace.names.length, 'different names in the table');
  for (; lines[at]; at++) {
    const m = (unfinished ? /^ *(\d+) +(\d+)((?: +(?:[\d.]+ (?:ns|µs|ms|s)|-)){5})(?: +(?:[\d.]+|-)){0,3}  (.*)$/u
      : /^ *(\d+)()((?: +[\d.]+ (?:ns|µs|ms|s)){5})(?: +(?:[\d.]+|-)){0,3}  (.*)$/u).exec(lines[at]);
    if (!m && unfinished && !want.size) break;
    check(m, 'table: line', at + 1, 'is', JSON.stringify(lines[at]));
    const times = [...m[3].matchAll(/[\d.]+ \S+|-/gu)].map((t) => t[0]);
    const cells = [m[1], ...unfinished ? [m[2]] : [], ...times];
    const row = [...want].find((w) => w.startsWith([...cells, ''].join('|')) && lines[at].endsWith(w.split('|').slice(cells.length).join('|')));
    check(row, 'table: no name has the line', JSON.stringify(lines[at]));
    want.delete(row);
  }
  same(want.size, 0, 'names that the table lacks');
  const endless = trace.spans.filter((s) => !hasEnd(s)).length;
  if (unfinished)
    same(lines[at++].trimStart(), `${unfinished}  ${unfinished === 1n ? 'span' : 'spans'} not seen from opening to close: `
      + `counted, not in p50, p99 and max${endless ? `; ${endless} of them not in total and self: the end is not known` : ''}`, 'table: its end');
  return at;
}

const PARTS = [['guest_ns', 'guest'], ['waiting_ns', 'vCPU waiting for a CPU of the host (estimated)'],
  ['tracing_ns', 'exits for tracing']];
const UNKNOWN = 'not known: before the first entry, behind the last exit';

// The lines are all of the time that the vCPUs had; without stretches there are none.
function checkWhere(lines, at, trace) {
  const { exits_ns: exits, unknown_ns: unknown, ...known } = trace.split;
  const parts = [...PARTS.map(([key, words]) => [known[key], words]),
    ...Object.entries(exits).map(([reason, ns]) => [ns, `exits: ${reason}`]), [unknown, UNKNOWN]].filter(([ns]) => ns !== '0');
  if (parts.every(([, words]) => words === UNKNOWN)) return at;
  const run = BigInt(trace.end_ns) - BigInt(trace.start_ns), whole = run * BigInt(trace.vcpus);
  same(lines.slice(at, at + 2), ['', 'where the time went' + (trace.vcpus > 1 ? `  ${trace.vcpus} vCPUs × ${duration(run)}` : '') + partialTitle(trace)], 'report: line', at + 1);
  at += 2;
  for (const [ns, words] of parts) {
    const m = /^ *([\d.]+ (?:ns|µs|ms|s)) +([\d.]+) %  (.*?)(?: \(\d+, \d+ bytes\))?$/u.exec(lines[at]);
    check(m, 'report: line', at + 1, 'is', JSON.stringify(lines[at]));
    const tenths = (BigInt(ns) * 1000n + whole / 2n) / whole;
    same(m.slice(1), [duration(BigInt(ns)), `${tenths / 10n}.${tenths % 10n}`, words], 'report: line', ++at);
  }
  same(lines[at], '', 'report: line', at + 1);
  return at;
}

export const readLines = (file) => readText(file).split('\n');

// The losses by kind, where there are any.
function checkLost(lines, at, trace) {
  const lost = Object.values(trace.losses).filter((n) => n !== '0');
  if (!lost.length) return at;
  same(lines.slice(at, at + 2), ['', 'lost'], 'tree: line', at + 1);
  same(lines.slice(at + 2, at + 2 + lost.length).map((l) => l.trimStart().split('  ')[0]), lost, 'tree: losses');
  return at + 2 + lost.length;
}

/** The tree of each run below its header, a blank line between. */
export function compareTree(lines, report) {
  let at = 0;
  for (const trace of report) {
    if (at) same(lines[at++], '', 'tree: line', at);
    at = checkHeader(lines, at, trace);
    same(lines[at++], '', 'tree: line', at);
    at = checkTree(lines, at, trace);
    at = checkLost(lines, at, trace);
  }
  same(lines.slice(at), [''], 'tree: its end');
  return `${at} lines are the same`;
}

/** The same, and the table of names; what stands below is summed up elsewhere. */
export function compareReport(lines, report) {
  let at = 0;
  for (const trace of report) {
    at = checkHeader(lines, at, trace);
    same(lines[at++], '', 'report: line', at);
    at = checkTree(lines, at, trace);
    if (trace.names.length) {
      same(lines.slice(at, at + 2), ['', 'by name' + partialTitle(trace)], 'report: line', at + 1);
      at = checkTable(lines, at + 3, trace);
    }
    at = checkWhere(lines, at, trace);
    const lost = Object.values(trace.losses).filter((n) => n !== '0');
    same(lines[lines.indexOf(lost.length ? 'lost' : 'nothing lost', at)] ?? '', lost.length ? 'lost' : 'nothing lost', 'report: losses');
    const from = lines.indexOf('lost', at) + 1;
    if (lost.length)
      same(lines.slice(from, from + lost.length + 1).map((l) => l.trimStart().split('  ')[0]), [...lost, ''], 'report: losses');
    const next = report[report.indexOf(trace) + 1];
    if (next) at = lines.findIndex((l, i) => i > at && l.endsWith(`  trace ${next.trace_id}`)) - (next.message ? 2 : 1);
  }
  return `${report.length} runs are the same`;
}
