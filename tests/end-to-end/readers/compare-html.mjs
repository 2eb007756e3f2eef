// SPDX-License-Identifier: MIT
// Whether the data of a page is that of `report --json`.
import assert from 'node:assert/strict';
import { lostText, openNs, parseJson, readText } from './compare.mjs';

const FLAGS = [[1, 'interrupted'], [2, 'close_lost'], [4, 'time_adjusted'], [8, 'cut'], [16, 'evicted'],
  [32, 'replaced'], [64, 'open_lost'], [128, 'parent_guessed']];
const LEVELS = ['unknown', 'error', 'warn', 'info', 'debug', 'trace'];
const flags = (bits) => FLAGS.filter(([bit]) => bits & bit).map(([, word]) => word);
const site = (trace, column) => {
  const [name, target, level, file, line, inFunction] = Array.isArray(column) ? column : trace.sites[column];
  return { name, target, level: LEVELS[level], file, line, function: inFunction };
};
const fields = (list) => list.map(([key, type, value]) => [key, type, value]);

function pageSpan(trace, column) {
  const [at, parent, start, length, self, vcpu, bits, status, id, split, more = {}] = column;
  return {
    ...site(trace, at), id, start_ns: String(BigInt(trace.start_ns) + BigInt(start)), duration_ns: String(length),
    self_ns: String(self), vcpu, close_vcpu: more.close_vcpu ?? vcpu, nesting: more.nesting ?? 0, flags: flags(bits),
    status: ['unset', 'ok', 'error'][status], status_message: more.message ?? '',
    parent: parent < 0 ? null : trace.spans[parent][8], fields: fields(more.fields ?? []),
    dropped_events: String(more.dropped_events ?? 0), dropped_fields: String(more.dropped_fields ?? 0),
    links: (more.links ?? []).map(([trace_id, span_id, trace_flags, remote]) => ({ trace_id, span_id, trace_flags, remote })),
    split: pageParts(trace, split), trace_id: more.trace,
  };
}

const pageParts = (trace, split) => split === 0 ? null
  : Object.fromEntries(trace.parts.map((part, i) => [part, split[i]]).filter(([, ns]) => ns > 0));

function reportParts(split, hasHost) {
  const parts = {
    guest: split.guest_ns, waiting: split.waiting_ns, unknown: split.unknown_ns, tracing: split.tracing_ns,
    ...Object.fromEntries(Object.entries(split.exits_ns).map(([reason, ns]) => [`exit ${reason}`, ns])),
  };
  return hasHost ? Object.fromEntries(Object.entries(parts).map(([part, ns]) => [part, Number(ns)]).filter(([, ns]) => ns > 0)) : null;
}

function reportSpan(span, ids, hasHost) {
  const keys = ['name', 'target', 'level', 'file', 'line', 'function', 'id', 'start_ns', 'duration_ns', 'self_ns', 'vcpu',
    'close_vcpu', 'nesting', 'flags', 'status', 'status_message', 'dropped_events', 'dropped_fields', 'links', 'trace_id'];
  return {
    ...Object.fromEntries(keys.map((key) => [key, span[key]])), parent: ids.has(span.parent_id) ? span.parent_id : null,
    fields: fields(span.fields),
    split: reportParts(span.split.total, hasHost),
  };
}

// By how long at least one span of each was open; two that were not UTF-8 may look the
// same here.
const isWhole = (text) => !text.includes('\ufffd');

function totalsOf(spans, key) {
  const groups = new Map();
  for (const span of spans) {
    const known = !span.flags.some((f) => f === 'close_lost' || f === 'replaced');
    groups.set(span[key], [...groups.get(span[key]) ?? [], ...known ? [span] : []]);
  }
  return new Map([...groups].filter(([text]) => isWhole(text)).map(([text, list]) => [text, Number(openNs(list))]));
}

const byText = (list) => list.map((item) => JSON.stringify(item)).sort();

function pageEvent(trace, [at, span, time, vcpu, bits, , list]) {
  return {
    ...site(trace, at), span: span < 0 ? null : trace.spans[span][8],
    time_ns: String(BigInt(trace.start_ns) + BigInt(time)), vcpu, flags: flags(bits), fields: fields(list),
  };
}

function reportEvent(event, ids) {
  return {
    name: event.name, target: event.target, level: event.level, file: event.file, line: event.line, function: event.function,
    span: ids.has(event.span_id) ? event.span_id : null, time_ns: event.time_ns, vcpu: event.vcpu,
    flags: event.flags, fields: fields(event.fields),
  };
}

function compareTrace(page, report) {
  const ids = new Set(report.spans.map((span) => span.id));
  const hasHost = Object.values(report.host_spans).some((number) => number !== '0');
  for (const key of ['trace_id', 'guest', 'vm', 'vm_id', 'guest_build_id', 'host_name', 'backend', 'outcome', 'status', 'message', 'start_ns', 'vcpus'])
    assert.deepEqual(page[key], report[key], key);
  assert.equal(page.error_bound_ns, report.clock.error_bound_ns);
  assert.deepEqual(page.spans.map((span) => pageSpan(page, span)),
    report.spans.map((span) => {
      const { parent, fields: list, split, ...rest } = reportSpan(span, ids, hasHost);
      return { ...rest, parent, fields: list, split };
    }));
  const events = [...report.events, ...report.spans.flatMap((span) => span.events)];
  assert.deepEqual(byText(page.events.filter((event) => !event[5]).map((event) => pageEvent(page, event))),
    byText(events.map((event) => reportEvent(event, ids))));
  assert.deepEqual(byText(page.events.filter((event) => event[5]).map((event) => pageEvent(page, event))),
    byText(report.counters.map((event) => reportEvent(event, ids))));
  assert.deepEqual(page.names.map((name) => name.map((cell) => cell === null ? null : String(cell))), report.names.map((name) => [name.name, name.target,
    name.count, name.total_ns, name.self_ns, name.p50_ns, name.p99_ns, name.max_ns, name.unfinished]));
  for (const key of ['name', 'target'])
    assert.deepEqual(new Map(page[`${key}_totals`].filter(([text]) => isWhole(text))), totalsOf(report.spans, key), `totals by ${key}`);
  assert.deepEqual(Object.fromEntries(page.losses.map(([word, , number]) => [word, number])),
    Object.fromEntries(Object.entries(report.losses).filter(([, number]) => number !== '0')));
  assert.equal(page.lost, report.partial ? `LOST ${lostText(report.losses, report.records)}` : '');
  assert.deepEqual(byText(page.gaps), byText(report.gaps.map((gap) => [Number(BigInt(gap.from_ns) - BigInt(report.start_ns)),
    Number(BigInt(gap.to_ns) - BigInt(gap.from_ns)), gap.vcpu, 1, lostText(gap)])));
  assert.deepEqual(Object.fromEntries(page.exits), report.exits);
  assert.deepEqual(pageParts(page, page.split), reportParts(report.split, hasHost), 'split of the run');
  assert.equal(page.span_count, report.spans.length);
  const kinds = { guest: 1, exit: 2, work: 3 };
  for (const [word, kind] of Object.entries(kinds))
    assert.equal(String(page.host.filter(([one]) => one === kind).length), report.host_spans[word], word);
}

/** The data of a page as a browser sees it: up to the first end tag. */
export function readHtml(file) {
  const [, rest] = readText(file).split('<script type="application/json" id="data">');
  return parseJson(rest.slice(0, rest.search(/<\/script/i))).traces;
}

export function compareHtml(page, report) {
  assert.equal(page.length, report.length);
  page.forEach((trace, index) => compareTrace(trace, report[index]));
  return `${page.length} runs are the same`;
}
