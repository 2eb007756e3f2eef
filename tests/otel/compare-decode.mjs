// SPDX-License-Identifier: MIT
// Compares what was received with what `decode` says of the capture: the sinks'
// views as they are told, without the code that makes reports or OTLP.
import { check, lastFields, same, shownKey } from '../end-to-end/readers/compare.mjs';

const hex = (bytes) => Buffer.from(bytes ?? []).toString('hex');
const spanId = (decimal) => BigInt(decimal).toString(16).padStart(16, '0');
const OF_HOST = ['guesttrace.', 'code.'];
const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'];

// Values as text, whatever they are: decode's JSON does not tell numbers apart.
function said(value) {
  const [[kind, v]] = Object.entries(value);
  return kind === 'bytesValue' ? Buffer.from(v).toString('base64') : String(v);
}

// Numbers of decode are exact, or texts where JSON's are not; bytes are a list of them.
const WORDS = { inf: 'Infinity', '-inf': '-Infinity' };
const wanted = (value) => (Array.isArray(value) ? Buffer.from(value).toString('base64') : WORDS[value] ?? String(value));

// The guest's own attributes: those of the host have other names.
function guestFields(attributes) {
  return new Map(attributes.filter((a) => !OF_HOST.some((p) => a.key.startsWith(p)) && a.key !== 'error.type')
    .map((a) => [a.key, said(a.value)]));
}

function sameFields(attributes, fields, where) {
  const got = guestFields(attributes);
  const want = new Map([...lastFields(fields.map(([key, value]) => [key, '', value]))].map(([key, [, value]]) => [shownKey(key), wanted(value)]));
  const kind = want.get('guest.otel.kind');
  for (const key of ['guest.error.type', 'error.type']) { got.delete(key); want.delete(key); }
  if (kind !== undefined && !got.has('guest.otel.kind')) {
    check(KINDS.includes(kind.toLowerCase()), where, 'lost its kind', kind);
    want.delete('guest.otel.kind');
  }
  same([...got].sort(), [...want].sort(), where, 'fields');
}

function readDecoded(text) {
  const spans = new Map(), ofRun = [];
  for (const line of text.trimEnd().split('\n')) {
    const o = JSON.parse(line);
    if (o.type === 'open') spans.set(spanId(o.id), { ...o, edits: [], logs: [] });
    else if (o.type === 'edit') spans.get(spanId(o.id)).edits.push(...o.fields);
    else if (o.type === 'close') spans.get(spanId(o.id)).end = o.ns;
    else if (o.type === 'log' && o.parent_id !== null && spans.has(spanId(o.parent_id))) spans.get(spanId(o.parent_id)).logs.push(o);
    else if (o.type === 'log' || o.type === 'counter') ofRun.push(o);
  }
  return { spans, ofRun };
}

function sameEvents(got, want, where) {
  same(got.map((e) => [e.name, e.timeUnixNano]), want.map((e) => [e.name, e.ns]), where, 'events');
  got.forEach((e, i) => sameFields(e.attributes, want[i].fields, `${where} event ${i}`));
}

const isOfGuest = (s) => s.attributes.some((a) => a.key === 'guesttrace.guest_id');
const isLoss = (e) => e.name === 'LOST' && e.attributes.some((a) => a.key === 'guesttrace.from_ns');

function compareSpan(got, want, more, rootId) {
  const where = `span ${hex(got.spanId)} (${JSON.stringify(want.name)})`;
  same([got.name, got.startTimeUnixNano, got.endTimeUnixNano], [want.name, want.ns, want.end], where, 'name and times');
  same(hex(got.parentSpanId), want.parent === null ? rootId : spanId(want.parent), where, 'parent');
  sameFields(got.attributes, [...want.fields, ...want.edits], where);
  sameEvents([got, ...more].flatMap((s) => s.events), want.logs, where);
}

/** One trace of those received, against the text that `decode` prints. */
export function compareDecode(spans, text) {
  const decoded = readDecoded(text);
  const own = spans.filter((s) => !isOfGuest(s) && !s.attributes.some((a) => a.key === 'guesttrace.host_span'));
  const guest = spans.filter(isOfGuest);
  const root = own.find((s) => s.name === 'run');
  const rootId = hex(root.spanId);
  same(guest.length, decoded.spans.size, 'number of spans');
  const below = (id) => own.filter((s) => s !== root && hex(s.parentSpanId) === id);
  for (const span of guest) {
    const want = decoded.spans.get(hex(span.spanId));
    check(want, 'span', hex(span.spanId), 'was not decoded');
    compareSpan(span, want, below(hex(span.spanId)), rootId);
  }
  sameEvents([...below(rootId), root].flatMap((s) => s.events).filter((e) => !isLoss(e)), decoded.ofRun, 'the run');
}
