// SPDX-License-Identifier: MIT
// Compares OTLP with the report, and what the host did with the stretches as they
// were, or their numbers. Of JSON
// (.jsonl), each line goes through the official schema (fromObject, verify,
// encode, decode); protobuf (.pb) is decoded with it, and by protoc as well.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { check, lastFields, parseJson, readersDir, readText, same, shownKey } from './compare.mjs';
import { decodeWithProtoc, plain } from './protoc.mjs';

const require = createRequire(path.resolve(readersDir(), 'package.json'));
const dir = path.dirname(require.resolve('@opentelemetry/otlp-transformer/package.json'));
const v1 = require(path.join(dir, 'build/src/generated/root.js')).opentelemetry.proto;
const TracesData = v1.trace.v1.TracesData;
const Request = v1.collector.trace.v1.ExportTraceServiceRequest;

const [, VERSION] = /version: '([^']+)'/.exec(fs.readFileSync('meson.build', 'utf8'));
const SCHEMA = 'https://opentelemetry.io/schemas/1.37.0';
const ID_KEYS = new Set(['traceId', 'spanId', 'parentSpanId']);

// OTLP/JSON writes ids in hex, where proto3's JSON has base64.
function idsToBytes(key, value) {
  if (!ID_KEYS.has(key)) return value;
  check(/^([0-9a-f]{16}|[0-9a-f]{32})$/.test(value), key, 'is', value);
  return Buffer.from(value, 'hex').toString('base64');
}

// What JSON must look like beyond what the schema can tell.
function checkForm(text, line) {
  parseJson(text);
  JSON.parse(text, (key, value) => {
    if (/^(intValue|.*UnixNano)$/.test(key))
      check(typeof value === 'string', `line ${line}:`, key, 'is no string');
    if (key === 'spans') for (const s of value) {
      check(Array.isArray(s.attributes), `line ${line}: a span without attributes`);
      check(!s.status || s.status.code, `line ${line}: a status without code`);
    }
    return value;
  });
}

function readLine(text, line, type) {
  const object = JSON.parse(text, idsToBytes);
  const message = type.fromObject(object);
  const wrong = type.verify(message);
  check(wrong === null, `line ${line}:`, wrong);
  return type.encode(message).finish();
}

function decode(bytes, type) {
  return type.toObject(type.decode(bytes), { longs: String, enums: Number, bytes: Buffer, arrays: true });
}

const hex = (bytes) => Buffer.from(bytes ?? []).toString('hex');

function attributes(list, where) {
  const map = new Map();
  for (const { key, value } of list) {
    check(key !== '', where, 'has an empty key'); // common/v1: "MUST be a non-empty string"
    check(!map.has(key), where, 'has the key', JSON.stringify(key), 'twice');
    const [[kind, v]] = Object.entries(value);
    map.set(key, [kind, kind === 'bytesValue' ? Buffer.from(v).toString('base64') : v]);
  }
  return map;
}

const BIG = 2n ** 63n;
const VALUES = {
  u64: (v) => [BigInt(v) < BIG ? 'intValue' : 'stringValue', v],
  i64: (v) => ['intValue', v],
  // What is no number to JSON is a text.
  f64: (v) => (Number.isFinite(Number(v)) ? ['doubleValue', Number(v)] : ['stringValue', v]),
  bool: (v) => ['boolValue', v],
  string: (v) => ['stringValue', v],
  bytes: (v) => ['bytesValue', v],
  pointer: (v) => ['stringValue', v],
};

const shownNumber = ([kind, v]) => [kind, kind === 'doubleValue' ? String(v) : v];

function checkAttributes(map, wanted, where) {
  const want = new Map(wanted);
  for (const [key, value] of want)
    same(shownNumber(map.get(key) ?? ['nothing']), shownNumber(value), where, 'attribute', key);
  for (const key of map.keys())
    check(want.has(key), where, 'has an attribute', JSON.stringify(key), 'too many');
}

const text = (value) => ['stringValue', value];
const int = (value) => VALUES.u64(String(value));

function siteAttributes(item) {
  const list = [['guesttrace.vcpu', int(item.vcpu)]];
  if (item.target) list.push(['guesttrace.target', text(item.target)]);
  if (item.level !== 'unknown') list.push(['guesttrace.level', text(item.level)]);
  if (item.file) list.push(['code.file.path', text(item.file)], ['code.line.number', int(item.line)]);
  if (item.function) list.push(['code.function.name', text(item.function)]);
  if (item.nesting) list.push(['guesttrace.nesting', int(item.nesting)]);
  for (const flag of item.flags) list.push([`guesttrace.${flag}`, ['boolValue', true]]);
  return list;
}

function fieldAttributes(item) {
  return [...lastFields(item.fields)].map(([key, [type, value]]) =>
    [shownKey(key), VALUES[type](value)]);
}

// Where a run took place, and of what; from the trace alone, wherever it is exported.
function resourceAttributes(trace) {
  const list = [['service.name', trace.guest || 'unknown_service'], ['host.arch', 'amd64'], ['telemetry.sdk.name', 'guesttrace'],
    ['telemetry.sdk.language', 'c'], ['telemetry.sdk.version', VERSION], ['guesttrace.guest', trace.guest],
    ['guesttrace.vm', trace.vm], ['guesttrace.backend', trace.backend]];
  if (trace.guest) list.push(['process.executable.name', trace.guest]);
  if (trace.guest_build_id) list.push(['process.executable.build_id.gnu', trace.guest_build_id]);
  if (trace.vm_id) list.push(['service.instance.id', trace.vm_id], ['guesttrace.vm_id', trace.vm_id]);
  if (trace.host_name) list.push(['host.name', trace.host_name]);
  return [...list.map(([k, v]) => [k, text(v)]), ['guesttrace.vcpus', int(trace.vcpus)]];
}

function checkEvent(got, want, where, withSpan) {
  same(got.name, want.name, where, 'name');
  same(got.timeUnixNano, want.time_ns, where, 'time');
  const list = [...fieldAttributes(want), ...siteAttributes(want)];
  if (withSpan && want.span_id) list.push(['guesttrace.span_id', text(want.span_id)]);
  if (withSpan && want.trace_id) list.push(['guesttrace.trace_id', text(want.trace_id)]);
  checkAttributes(attributes(got.attributes, where), list, where);
}

function checkLoss(got, want, where) {
  same([got.name, got.timeUnixNano], ['LOST', want.to_ns], where, 'name and time');
  const list = [['guesttrace.from_ns', int(want.from_ns)], ['guesttrace.vcpu', int(want.vcpu)]];
  if (want.span_id) list.push(['guesttrace.span_id', text(want.span_id)]);
  for (const key of ['records', 'overwritten_bytes', 'bad_records', 'bad_bytes'])
    if (want[key] !== '0') list.push([`guesttrace.lost.${key}`, int(want[key])]);
  checkAttributes(attributes(got.attributes, where), list, where);
}

const STATUS = { unset: 0, ok: 1, error: 2 };

// What a guest's field says of a span's kind, and the fields that are left.
const KINDS_OF_SPANS = ['internal', 'server', 'client', 'producer', 'consumer'];
function kindOf(fields) {
  const said = fields.filter(([key]) => key === 'otel.kind').at(-1);
  const kind = said && said[1] === 'string' ? KINDS_OF_SPANS.indexOf(said[2].toLowerCase()) : -1;
  return kind < 0 ? { kind: 1, fields } : { kind: kind + 1, fields: fields.filter(([key]) => key !== 'otel.kind') };
}

// How a run failed, by its report: type and words; or null.
function failureOf(trace) {
  const words = { aborted: 'aborted', shutdown: 'triple fault', timeout: 'timed out', failed: 'the host failed' };
  if (trace.outcome === 'halted') return trace.status ? { type: String(trace.status), message: trace.message || `exit status ${trace.status}` } : null;
  return words[trace.outcome] ? { type: trace.outcome, message: trace.message || words[trace.outcome] } : null;
}

// `further`: spans below it with the events for which it has no room.
function checkSpan(got, want, trace, runId, further) {
  const where = `span ${want.id} (${JSON.stringify(want.name)})`;
  const other = want.trace_id !== undefined; // a trace that is not the run's
  const own = other ? want : trace;
  same(got.name, want.name, where, 'name');
  same(hex(got.traceId), own.trace_id, where, 'trace');
  same(got.traceState ?? '', own.trace_state, where, 'trace state');
  if (other) same(hex(got.parentSpanId), want.parent_id ?? '', where, 'parent');
  else same(hex(got.parentSpanId), want.parent_remote || !want.parent_id ? runId : want.parent_id, where, 'parent');
  same(got.startTimeUnixNano, want.start_ns, where, 'start');
  same(got.endTimeUnixNano, want.end_ns, where, 'end');
  const { kind, fields } = kindOf(want.fields);
  same(got.kind, kind, where, 'kind');
  same(got.flags, own.trace_flags | (other && want.parent_remote ? 0x300 : 0x100), where, 'flags');
  const died = want.flags.includes('interrupted') && want.status === 'unset' ? failureOf(trace) : null;
  same(got.status?.code ?? 0, died ? STATUS.error : STATUS[want.status], where, 'status');
  if (died) same(got.status.message, died.message, where, 'message');
  if (want.status === 'error') same(got.status.message ?? '', want.status_message, where, 'message');
  const list = [...fieldAttributes({ fields }), ...siteAttributes(want), ['guesttrace.guest_id', int(want.guest_id)]];
  if (died && !want.fields.some((f) => f[0] === 'error.type')) list.push(['error.type', text(died.type)]);
  if (want.close_vcpu !== want.vcpu) list.push(['guesttrace.close_vcpu', int(want.close_vcpu)]);
  checkAttributes(attributes(got.attributes, where), list, where);
  same(String(got.droppedEventsCount ?? 0), want.dropped_events, where, 'dropped events');
  same(String(got.droppedAttributesCount ?? 0), want.dropped_fields, where, 'dropped attributes');
  same(got.links.map((l) => [hex(l.traceId), hex(l.spanId), l.flags]),
    want.links.map((l) => [l.trace_id, l.span_id, l.trace_flags | (l.remote ? 0x300 : 0x100)]), where, 'links');
  // The report also has events that the span itself did not keep.
  const rest = further.flatMap((s) => s.events);
  if (want.dropped_events === '0') same(got.events.length + rest.length, want.events.length, where, 'events');
  got.events.forEach((e, i) => checkEvent(e, want.events[i], `${where} event ${i}`, false));
  rest.forEach((e, i) => checkEvent(e, want.events[got.events.length + i], `${where} further event ${i}`, true));
  for (const s of further) checkEventsSpan(s, own);
  return got.events.length + rest.length;
}

function checkEventsSpan(got, own) {
  const times = got.events.map((e) => BigInt(e.timeUnixNano)), where = `events ${hex(got.spanId)}`;
  check(times.every((t) => t >= BigInt(got.startTimeUnixNano) && t <= BigInt(got.endTimeUnixNano)), where, 'do not hold theirs');
  same([got.kind, got.flags & ~0xff, got.status?.code ?? 0, got.links.length], [1, 0x100, 0, 0], where, 'form');
  same(hex(got.traceId), own.trace_id, where, 'trace');
}

const REASONS = ['other', 'io', 'mmio', 'halt', 'shutdown', 'exception', 'interrupted', 'timeout', 'error'];
const KINDS = { 1: 'guest', 2: 'exit', 3: 'work' };

function checkStretch(got, want, trace) {
  const where = `stretch ${want.id}`, kind = KINDS[want.kind], reason = REASONS[want.reason];
  same(got.name, { guest: 'guest', exit: `exit ${reason}`, work: want.name }[kind], where, 'name');
  const above = trace.spans.find((s) => s.id === want.parent_id), own = above?.trace_id ? above : trace;
  same(hex(got.traceId), own.trace_id, where, 'trace');
  same(got.traceState ?? '', own.trace_state, where, 'trace state');
  same(hex(got.parentSpanId), want.parent_id, where, 'parent');
  same([got.startTimeUnixNano, got.endTimeUnixNano], [want.start_ns, want.end_ns], where, 'times');
  same([got.kind, got.flags & ~0xff, got.status?.code ?? 0, got.events.length], [1, 0x100, 0, 0], where, 'form');
  const list = [['guesttrace.synthetic', ['boolValue', true]], ['guesttrace.host_span', text(kind)],
    ['guesttrace.waiting_ns', int(want.waiting_ns)], ['guesttrace.vcpu', int(want.vcpu)]];
  if (kind !== 'work') list.push(['guesttrace.reason', text(reason)]);
  if (kind === 'exit' && reason === 'io') list.push(['guesttrace.port', int(want.port)]);
  if (want.tracing) list.push(['guesttrace.tracing', ['boolValue', true]]);
  if (want.flags & 1) list.push(['guesttrace.interrupted', ['boolValue', true]]);
  if (want.flags & 4) list.push(['guesttrace.time_adjusted', ['boolValue', true]]);
  checkAttributes(attributes(got.attributes, where), list, where);
}

// Of the report there are only numbers; `host` has the stretches themselves.
function checkHost(spans, trace, host) {
  const kinds = { guest: 0, exit: 0, work: 0 };
  for (const s of spans) kinds[attributes(s.attributes, 'stretch').get('guesttrace.host_span')[1]]++;
  for (const [kind, count] of Object.entries(kinds)) same(String(count), trace.host_spans[kind], 'stretches:', kind);
  if (!host) return;
  same(spans.length, host.length, 'number of stretches');
  const byId = new Map(spans.map((s) => [hex(s.spanId), s]));
  for (const want of host) {
    check(byId.has(want.id), 'stretch', want.id, 'is missing');
    checkStretch(byId.get(want.id), want, trace);
  }
}

// No span names one that is not there, and none of the guest's one of the host's.
function checkParents(spans, stretches, trace) {
  const ids = new Set(spans.map((s) => hex(s.spanId))), host = new Set(stretches.map((s) => hex(s.spanId)));
  same(ids.size, spans.length, 'different ids');
  const begins = new Set(trace.spans.filter((s) => s.trace_id && (s.parent_remote || !s.parent_id)).map((s) => s.id));
  for (const s of spans) {
    const parent = hex(s.parentSpanId);
    check(ids.has(parent) || begins.has(hex(s.spanId)) || (s.name === 'run' && parent === (trace.parent_id ?? '')),
      'span', hex(s.spanId), 'has the parent', parent, 'which is missing');
    check(!host.has(parent) || host.has(hex(s.spanId)), 'span', hex(s.spanId), 'stands in the host\'s');
  }
}

function checkRun(spans, trace) {
  const own = spans.filter((s) => s.attributes.some((a) => a.key === 'guesttrace.synthetic'));
  const [root] = own.filter((s) => s.name === 'run');
  check(root, `trace ${trace.trace_id} has no span for the run`);
  same(hex(root.parentSpanId), trace.parent_id ?? '', 'the run\'s parent');
  same(root.traceState ?? '', trace.trace_state, 'the run\'s trace state');
  same(root.startTimeUnixNano, trace.start_ns, 'the run\'s start');
  same(root.endTimeUnixNano, trace.end_ns, 'the run\'s end');
  const said = attributes(root.attributes, 'the run');
  const list = [['guesttrace.synthetic', ['boolValue', true]], ['guesttrace.outcome', text(trace.outcome)],
    ['guesttrace.error_bound_ns', int(trace.clock.error_bound_ns)], ['guesttrace.records', int(trace.records)],
    ...Object.entries(trace.exits).map(([reason, n]) => [`guesttrace.exits.${reason}`, int(n)]),
    ...Object.entries(trace.losses).filter(([, n]) => n !== '0').map(([key, n]) => [`guesttrace.lost.${key}`, int(n)])];
  if (trace.outcome === 'halted') list.push(['guesttrace.exit_status', int(trace.status)]);
  if (trace.message) list.push(['guesttrace.message', text(trace.message)]);
  const failed = failureOf(trace);
  if (failed) list.push(['error.type', text(failed.type)]);
  checkAttributes(said, list, 'the run');
  same(root.status?.code ?? 0, failed ? STATUS.error : STATUS.unset, 'the run\'s status');
  if (failed) same(root.status.message, failed.message, 'the run\'s status message');
  const seq = (a, b) => BigInt(a.sequence) < BigInt(b.sequence) ? -1 : 1;
  const want = [...trace.events.filter((e) => !e.span_id), ...trace.counters].sort(seq);
  const isLoss = (e) => e.name === 'LOST' && e.attributes.some((a) => a.key === 'guesttrace.from_ns');
  const isOfRun = (s) => hex(s.parentSpanId) === hex(root.spanId);
  const all = [...own.filter((s) => s !== root && isOfRun(s)), root].flatMap((s) => s.events);
  const further = new Map(); // span id -> spans of its events
  for (const s of own.filter((o) => o !== root && !isOfRun(o))) further.set(hex(s.parentSpanId), [...further.get(hex(s.parentSpanId)) ?? [], s]);
  const got = all.filter((e) => !isLoss(e)), losses = all.filter(isLoss);
  same(losses.length, trace.gaps.length, 'losses of the run');
  losses.forEach((e, i) => checkLoss(e, trace.gaps[i], `loss ${i}`));
  same(got.length, want.length, 'events of the run');
  got.forEach((e, i) => checkEvent(e, want[i], `run event ${i}`, true));
  return { runId: hex(root.spanId), own: own.length, events: got.length, further };
}

function readLines(file) {
  return readText(file).trimEnd().split('\n').flatMap((line, i) => {
    checkForm(line, i + 1);
    const bytes = readLine(line, i + 1, TracesData);
    check(bytes.equals(readLine(line, i + 1, Request)), `line ${i + 1}: is another request`);
    return decode(bytes, TracesData).resourceSpans;
  });
}

const began = (a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano) || BigInt(a.endTimeUnixNano) - BigInt(b.endTimeUnixNano));

/**
 * Of a file in protobuf, by the official decoder alone. Requests may have overtaken
 * each other on their way.
 */
export function readReceived(file, schema = SCHEMA) {
  const traces = byTrace(decode(fs.readFileSync(file), Request).resourceSpans, schema);
  for (const { spans } of traces.values()) {
    spans.sort(began);
    for (const named of spans.flatMap((s) => [s, ...s.events])) named.name ??= ''; // proto3 leaves out what is empty
  }
  return traces;
}

function readProtobuf(file) {
  const list = decode(fs.readFileSync(file), Request).resourceSpans;
  const other = decodeWithProtoc(file).resourceSpans;
  same(list.length, other.length, 'requests that protoc sees');
  list.forEach((r, i) => same(plain(r), other[i], `request ${i + 1}: protoc sees`));
  return list;
}

export const readOtlp = (file) => byTrace(file.endsWith('.pb') ? readProtobuf(file) : readLines(file));

function byTrace(list, schema = SCHEMA) {
  const traces = new Map();
  for (const { resource: own, scopeSpans, schemaUrl } of list)
    for (const { scope, spans, schemaUrl: ofScope } of scopeSpans) {
      same([schemaUrl ?? null, ofScope ?? null], [schema, schema], 'schema');
      same(scope.name, 'guesttrace', 'scope');
      const resource = JSON.stringify([...attributes(own.attributes, 'resource')].sort());
      for (const s of spans) {
        const id = hex(s.traceId);
        if (!traces.has(id)) traces.set(id, { resource, spans: [] });
        same(resource, traces.get(id).resource, 'resource of trace', id);
        traces.get(id).spans.push(s);
      }
    }
  return traces;
}

// Spans of other traces go to the run that they were recorded in: their own, or the one of those that they are below.
function adopt(traces, report) {
  const runs = new Set(report.map((t) => t.trace_id)), owner = new Map();
  for (const t of report) for (const s of t.spans) owner.set(s.id, t.trace_id);
  for (const [id, { resource, spans }] of [...traces]) {
    if (runs.has(id)) continue;
    for (const s of spans) {
      const run = owner.get(hex(s.spanId)) ?? owner.get(hex(s.parentSpanId));
      check(run, 'span', hex(s.spanId), 'of trace', id, 'is of no run');
      same(resource, traces.get(run).resource, 'resource of trace', id);
      traces.get(run).spans.push(s);
    }
    traces.delete(id);
  }
}

export function compareOtlp(traces, report, host) {
  let count = 0, events = 0;
  adopt(traces, report);
  same(traces.size, report.length, 'number of traces');
  for (const [index, trace] of report.entries()) {
    const { resource, spans: all } = traces.get(trace.trace_id) ?? { spans: [] };
    const isHost = (s) => s.attributes.some((a) => a.key === 'guesttrace.host_span');
    const spans = all.filter((s) => !isHost(s)), stretches = all.filter(isHost);
    checkHost(stretches, trace, host?.filter((h) => h.index === index));
    checkParents(all, stretches, trace);
    checkAttributes(new Map(JSON.parse(resource ?? '[]')), resourceAttributes(trace), `resource of ${trace.trace_id}`);
    const { runId, own, events: runEvents, further } = checkRun(spans, trace);
    const byId = new Map(spans.map((s) => [hex(s.spanId), s]));
    same(byId.size, trace.spans.length + own, 'number of spans');
    for (const span of trace.spans) {
      check(byId.has(span.id), 'span', span.id, 'is missing');
      events += checkSpan(byId.get(span.id), span, trace, runId, further.get(span.id) ?? []);
    }
    count += trace.spans.length;
    events += runEvents;
  }
  return `${count} spans, ${events} events are the same`;
}
