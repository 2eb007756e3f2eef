// SPDX-License-Identifier: MIT
// Compares what the trace processor made of a trace with the report: for both
// of the formats that it reads.
import { check, lastFields, lostText, same, show, shownKey, toNumber } from './compare.mjs';
import { load } from './trace-processor.mjs';

async function readSlices(trace) {
  const slices = await trace.query(`
    select s.id, s.ts, s.dur, s.name, s.category, s.depth, s.parent_id, s.track_id, s.arg_set_id,
           coalesce(t.upid, p.upid) as upid
    from slice s left join thread_track tt on s.track_id = tt.id left join thread t using (utid)
    left join process_track p on s.track_id = p.id`);
  const args = new Map();
  for (const s of slices) s.host = s.category === 'guesttrace.host';
  for (const a of await trace.query(`
      select arg_set_id, key, value_type, int_value, string_value, real_value from args`)) {
    if (!args.has(a.arg_set_id)) args.set(a.arg_set_id, new Map());
    const key = a.key.replace(/^(debug|args)\./, '');
    const value = a.string_value ?? a.int_value ?? a.real_value;
    const set = args.get(a.arg_set_id);
    if (!set.has(key)) set.set(key, []);
    set.get(key).push({ type: a.value_type, value });
  }
  for (const s of slices) s.args = args.get(s.arg_set_id) ?? new Map();
  return slices;
}

function hex(base64) {
  return Buffer.from(base64, 'base64').toString('hex');
}

// Text in the trace processor ends at a NUL.
const upToNul = (text) => text.split('\0')[0];

// JavaScript's shortest form of a double is equal for equal doubles.
const PERFETTO_VALUES = {
  u64: (v) => String(BigInt.asIntN(64, BigInt(v))),
  i64: (v) => v,
  f64: (v) => v === 'NaN' ? '' : String(toNumber(v)), // SQLite has no NaN
  bool: (v) => String(Number(v)),
  string: upToNul,
  bytes: hex,
  pointer: (v) => String(BigInt.asIntN(64, BigInt(v))),
};

// Integers beyond 2^53, bytes and pointers are strings in JSON.
const CHROME_VALUES = {
  u64: (v) => v,
  i64: (v) => v,
  // Its JSON parser takes the smallest doubles for 0.
  f64: (v) => String(Math.abs(toNumber(v)) < 2 ** -1022 ? 0 : v),
  bool: (v) => String(Number(v)),
  string: upToNul,
  bytes: (v) => v,
  pointer: (v) => v,
};

// The trace processor's JSON parser may miss a double by a little.
function isNear(type, got, want) {
  return type === 'f64' && Math.abs(Number(got) - Number(want)) <= Math.abs(Number(want)) * 2 ** -51;
}

// What the trace processor calls the types; of JSON it knows but few.
const PERFETTO_TYPES = { u64: 'uint', i64: 'int', f64: 'real', bool: 'bool', string: 'string', bytes: 'string',
  pointer: 'pointer' };

/** Of keys that the reader cannot tell apart the last one, under what it makes of it. */
const shownFields = (fields, flavour) =>
  lastFields(fields.map(([key, type, value]) => [flavour.key(shownKey(key)), type, value]));

function checkFields(args, fields, flavour, where) {
  for (const [shown, [type, value]] of shownFields(fields, flavour)) {
    const want = flavour.values[type](value);
    const got = args.get(shown) ?? [];
    check(got.some((a) => String(a.value ?? '') === want && (!flavour.types || a.type === flavour.types[type]) ||
      (flavour === FLAVOURS.chrome && isNear(type, a.value, want))), where, 'argument', JSON.stringify(shown),
      'is', JSON.stringify(got.map((a) => String(a.value))), 'instead of', JSON.stringify(want));
  }
}

const ID = ['guesttrace_span_id', 'guesttrace.span_id'];
const PARENT = ['guesttrace_parent_id', 'guesttrace.parent_id'];
const TRACE = ['guesttrace_trace_id', 'guesttrace.trace_id'];
const CLOSES = ['guesttrace_closes', 'guesttrace.closes'];
const LINK = ['guesttrace.link'];
const CONTINUED = ['guesttrace_continued', 'guesttrace.continued'];
const LEVEL = ['guesttrace_level', 'guesttrace.level'];
const EARLIER = ['guesttrace_ended_earlier_ns', 'guesttrace.ended_earlier_ns'];
const own = (slice, names) => names.map((n) => slice.args.get(n)?.[0].value)
  .find((v) => v !== undefined);

// The trace processor makes each backslash of a path a slash.
function checkSource({ args }, item, where) {
  same(['source.file_name', 'source.line_number'].map((k) => String(args.get(k)?.[0].value ?? '')),
    [upToNul(item.file).replaceAll('\\', '/'), String(item.line)], where, 'source');
}

// A span's stretches are the first slice and those that continue it, in a row.
function checkSpan(span, stretches, offset, bySlice, flavour) {
  const where = `span ${span.id} (${JSON.stringify(span.name)})`;
  check(stretches?.length, where, 'has no slice');
  stretches.sort((a, b) => a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : a.id < b.id ? -1 : 1);
  const first = stretches.find((s) => own(s, CONTINUED) === undefined) ?? stretches[0];
  const last = stretches[stretches.length - 1];
  same(first.ts, BigInt(span.start_ns) - offset, where, 'starts at');
  let end = first.ts;
  for (const s of stretches) {
    check(s.dur >= 0n, where, 'has a duration of', s.dur);
    same(s.name ?? '', flavour.name(span.name), where, 'is called');
    same(s.category ?? '', upToNul(span.target), where, 'has the category');
    same(s.ts, end, where, 'continues at');
    end = s.ts + s.dur;
  }
  const late = stretches.map((s) => own(s, EARLIER)).find((v) => v !== undefined);
  if (late === undefined || stretches.length > 1 && late === undefined)
    same(end, BigInt(span.end_ns) - offset, where, 'ends at');
  else
    same(end - BigInt(late), BigInt(span.end_ns) - offset, where, 'says it ended at');
  if (flavour === FLAVOURS.perfetto && span.file) checkSource(first, span, where);
  const args = new Map();
  for (const s of stretches)
    for (const [key, values] of s.args) args.set(key, [...args.get(key) ?? [], ...values]);
  checkFields(args, span.fields, flavour, where);
  same(own({ args }, LEVEL), span.level, where, 'level');
  for (const flag of span.flags)
    check(own({ args }, [`guesttrace_${flag}`, `guesttrace.${flag}`]) !== undefined, where,
      'is not', flag);
  if (span.status !== 'unset')
    same(own({ args }, ['guesttrace_status', 'guesttrace.status']), span.status, where, 'status');
  if (span.status === 'error')
    same(own({ args }, ['guesttrace_status_message', 'guesttrace.status_message']) ?? '', upToNul(span.status_message), where, 'message');
  return { first, last, late };
}

// On its track a span stands in its parent, or (a handler) in what it interrupts.
// A parent that another vCPU closed before its child began cannot hold it; it is
// named as well.
function checkParent(trace, span, stretches, first, bySlice, bySpan) {
  same(stretches.map((s) => own(s, PARENT)).find((id) => id !== undefined) ?? null, span.parent_id, `span ${span.id} (${JSON.stringify(span.name)})`,
    'names as its parent');
  same(stretches.map((s) => own(s, TRACE)).find((id) => id !== undefined), span.trace_id, `span ${span.id}`, 'is of the trace');
  if (first.parent_id === null) return;
  const id = own(bySlice.get(first.parent_id), ID);
  const parent = trace.byId.get(span.parent_id);
  if (parent && BigInt(parent.end_ns) <= BigInt(span.start_ns)) return;
  // Nor can one that goes on elsewhere, since what is around it had ended.
  if ((bySpan.get(span.parent_id)?.length ?? 0) > 1 && id !== span.parent_id) return;
  if (span.parent_id === null && span.nesting > 0) return;
  same(id, span.parent_id, `span ${span.id} (${JSON.stringify(span.name)})`, 'stands in');
}

function checkEvents(events, instants, offset, flavour) {
  const key = (ts, name) => `${ts} ${name}`;
  const at = new Map();
  for (const s of instants) {
    const k = key(s.ts, s.name ?? '');
    at.set(k, [...at.get(k) ?? [], s]);
  }
  // Those with most fields first: one without any would take the instant of another.
  for (const event of [...events].sort((a, b) => b.fields.length - a.fields.length)) {
    const k = key(BigInt(event.time_ns) - offset, flavour.name(event.name));
    const candidates = at.get(k) ?? [];
    check(candidates.length, 'no instant', JSON.stringify(event.name), 'at', event.time_ns);
    // Of several at one time the one with the same fields.
    const i = candidates.length === 1 ? 0 : candidates.findIndex((s) => (s.category ?? '') === upToNul(event.target) && own(s, LEVEL) === event.level &&
      [...shownFields(event.fields, flavour)].every(([f, [type, value]]) =>
        (s.args.get(f) ?? []).some((a) =>
          String(a.value ?? '') === flavour.values[type](value))));
    check(i >= 0, 'no instant', JSON.stringify(event.name), 'at', event.time_ns,
      'has the fields');
    same(candidates[i].category ?? '', upToNul(event.target), 'event at', event.time_ns, 'has the category');
    same(own(candidates[i], LEVEL), event.level, 'event at', event.time_ns, 'has the level');
    if (flavour === FLAVOURS.perfetto && event.file) checkSource(candidates[i], event, `event at ${event.time_ns}`);
    checkFields(candidates[i].args, event.fields, flavour, `event at ${event.time_ns}`);
    candidates.splice(i, 1);
  }
}

// What stands in brackets at the end of a key, without the signs before it.
const unitOf = (key) => upToNul(/(?:^| )\[([+-]*)([^[]*)\]$/s.exec(key)?.[2] ?? '');

// Each numeric field of a counter has a track, named after both where it has several.
async function checkCounters(report, tp, flavour) {
  // Its JSON parser may miss a double by a little.
  const rounded = (v) => flavour === FLAVOURS.chrome ? v.toPrecision(13) : v;
  const got = new Map(), add = (map, line) => map.set(line, (map.get(line) ?? 0) + 1);
  for (const c of await tp.query('select c.ts, c.value, t.name, t.unit from counter c join counter_track t on c.track_id = t.id'))
    add(got, show([c.ts, c.name ?? '', rounded(c.value), c.unit ?? '']));
  const want = new Map();
  let count = 0;
  for (const trace of report) for (const c of trace.counters)
    for (const [key, [type, value]] of lastFields(c.fields)) {
      if (type === 'string' || type === 'bytes' || !Number.isFinite(Number(value))) continue;
      add(want, show([BigInt(c.time_ns) - flavour.offset(trace), flavour.counter(c, key), rounded(Number(value)), flavour.unit(key)]));
      count++;
    }
  same([...got].filter(([line, n]) => want.get(line) !== n).slice(0, 2),
    [...want].filter(([line, n]) => got.get(line) !== n).slice(0, 2), 'counter values');
  return count;
}

// Of Chrome's JSON the trace processor gives what has no name one.
export const FLAVOURS = {
  perfetto: { name: upToNul, unit: unitOf, counter: (c, key) => upToNul(c.fields.length > 1 ? `${c.name}.${key}` : c.name), values: PERFETTO_VALUES, types: PERFETTO_TYPES,
    offset: (t) => BigInt(t.monotonic_offset_ns) - BigInt(t.boottime_offset_ns), key: (k) => upToNul(k).replace(/[.[\]]/g, '_'), flows: checkFlows },
  chrome: { unit: () => '', name: (n) => n ? upToNul(n) : '[No name]', counter: (c, key) => upToNul(`${c.name} ${key}`), values: CHROME_VALUES, offset: (t) => BigInt(t.monotonic_offset_ns) + t.zero, key: upToNul, flows: checkArrows },
};

const LOST = ['records', 'overwritten_bytes', 'bad_records', 'bad_bytes'];
const number = (slice, key) => String(own(slice, [`guesttrace.${key}`, `guesttrace_${key.replaceAll('.', '_')}`]) ?? 0);

// What was lost when, each on the track of its vCPU; where two overlap the later one
// says by how much it is too late.
function checkLosses(report, slices, flavour) {
  const got = slices.map((s) => show([String(s.ts - BigInt(number(s, 'began_earlier_ns'))),
    String(s.ts + s.dur - BigInt(number(s, 'ended_earlier_ns'))), number(s, 'vcpu'), s.name, own(s, PARENT) ?? null,
    ...LOST.map((key) => number(s, `lost.${key}`))]));
  const want = report.flatMap((t) => t.gaps.map((g) => show([String(BigInt(g.from_ns) - flavour.offset(t)), String(BigInt(g.to_ns) - flavour.offset(t)),
    String(g.vcpu), `LOST ${lostText(g)}`, g.span_id, ...LOST.map((key) => g[key])])));
  same(got.sort(), want.sort(), 'losses');
  return got.length;
}

// How each run ended, and all that it lost.
function checkOutcomes(report, instants, flavour) {
  const text = (s, key) => own(s, [`guesttrace.${key}`, `guesttrace_${key}`]) ?? '';
  const got = instants.map((s) => show([String(s.ts), s.name, text(s, 'outcome'), number(s, 'exit_status'), text(s, 'message'),
    number(s, 'records'), ...Object.keys(report[0].losses).map((key) => number(s, `lost.${key}`))]));
  const want = report.map((t) => show([String(BigInt(t.end_ns) - flavour.offset(t)),
    `run ${t.outcome}${t.outcome === 'halted' ? ` with status ${t.status}` : ''}${t.partial ? `, LOST ${lostText(t.losses, t.records)}` : ''}`,
    t.outcome, t.outcome === 'halted' ? String(t.status) : '0', upToNul(t.message), t.records, ...Object.values(t.losses)]));
  same(got.sort(), want.sort(), 'outcomes');
}

// Arrows: from a span to each that links to it, and to where another vCPU closed it.
async function checkFlows(report, tp, bySpan, closings) {
  const flows = new Map(); // id of the flow -> the slices on it
  const pairs = new Set();
  for (const f of await tp.query('select trace_id, slice_out, slice_in from flow')) {
    flows.set(f.trace_id, [...flows.get(f.trace_id) ?? [], f.slice_out, f.slice_in]);
    pairs.add(`${f.slice_out} ${f.slice_in}`);
  }
  const used = new Set();
  let closed = 0;
  for (const trace of report) for (const span of trace.spans) {
    const where = `span ${span.id} (${JSON.stringify(span.name)})`;
    const slices = bySpan.get(span.id);
    for (const link of span.links) {
      if (!bySpan.has(link.span_id)) continue;
      const id = BigInt.asIntN(64, BigInt(`0x${link.span_id}`));
      const on = (list) => list.some((s) => (flows.get(id) ?? []).includes(s.id));
      check(on(slices) && on(bySpan.get(link.span_id)), where, 'has no arrow to', link.span_id);
      used.add(id);
    }
    if (span.close_vcpu === span.vcpu) continue;
    const end = closings.get(span.id);
    check(end && slices.some((s) => pairs.has(`${s.id} ${end.id}`)), where, 'has no arrow to its end');
    closed++;
  }
  same(closings.size, closed, 'number of ends on another vCPU');
  same(flows.size, used.size + closed, 'number of flows');
  return flows.size;
}

// The same in Chrome's JSON: an arrow leaves the beginning of a span, goes on in time
// only, and comes to a slice of no time where it is closed, or in what links to it.
async function checkArrows(report, tp, bySpan, closings, links) {
  const arrows = new Set((await tp.query('select slice_out, slice_in from flow')).map((f) => `${f.slice_out} ${f.slice_in}`));
  const { size } = arrows;
  const expect = (from, to, where) => {
    same(to?.dur, 0n, where, 'has an arrow to a slice of');
    if (from && from.ts <= to.ts) check(arrows.delete(`${from.id} ${to.id}`), where, 'has no arrow to slice', to.id);
  };
  let closed = 0, linked = 0;
  for (const trace of report) for (const span of trace.spans) {
    const where = `span ${span.id} (${JSON.stringify(span.name)})`;
    const slices = bySpan.get(span.id).map((s) => s.id);
    const own = links.filter((s) => slices.includes(s.parent_id));
    same(own.map((s) => s.link), span.links.map((l) => l.span_id), where, 'links');
    for (const link of own) expect(bySpan.get(link.link)?.[0], link, where);
    linked += own.length;
    if (span.close_vcpu === span.vcpu) continue;
    expect(bySpan.get(span.id)[0], closings.get(span.id), where);
    closed++;
  }
  same([closings.size, links.length, arrows.size], [closed, linked, 0], 'further ends, links and arrows');
  return size;
}

/** What the trace processor has of a file, for compareSlices(). */
export async function readTrace(file) {
  const tp = await load(file);
  return { tp, slices: await readSlices(tp) };
}

export async function compareSlices({ tp, slices }, report, flavour) {
  const bySlice = new Map(slices.map((s) => [s.id, s]));
  const bySpan = new Map();
  const instants = [], closings = new Map(), links = [];
  const lost = checkLosses(report, slices.filter((s) => s.category === 'guesttrace.lost'), flavour);
  checkOutcomes(report, slices.filter((s) => s.category === 'guesttrace.run'), flavour);
  for (const s of slices) {
    if (s.host || s.category === 'guesttrace.lost' || s.category === 'guesttrace.run') continue;
    const id = own(s, ID);
    check(s.dur >= 0n, 'slice', JSON.stringify(s.name), 'at', s.ts, 'has a duration of', s.dur);
    if (own(s, CLOSES) !== undefined) closings.set(own(s, CLOSES), s);
    else if (own(s, LINK) !== undefined) links.push(Object.assign(s, { link: own(s, LINK) }));
    else if (id === undefined) instants.push(s);
    else bySpan.set(id, [...bySpan.get(id) ?? [], s]);
  }
  let spans = 0, split = 0, moved = 0, events = 0;
  for (const trace of report) {
    const offset = flavour.offset(trace);
    for (const span of trace.spans) {
      const stretches = bySpan.get(span.id);
      const { first, late } = checkSpan(span, stretches, offset, bySlice, flavour);
      checkParent(trace, span, stretches, first, bySlice, bySpan);
      spans++;
      split += stretches.length > 1;
      moved += late !== undefined;
    }
    events += trace.allEvents.length;
  }
  same(bySpan.size, spans, 'number of spans');
  for (const s of instants) same(s.dur, 0n, 'duration of instant', JSON.stringify(s.name));
  same(instants.length, events, 'number of instants');
  const left = [...instants];
  for (const trace of report)
    checkEvents(trace.allEvents, left, flavour.offset(trace), flavour);
  const arrows = await flavour.flows(report, tp, bySpan, closings, links);
  const counters = await checkCounters(report, tp, flavour);
  return `${spans} spans (${split} split, ${moved} with a moved end), ${events} instants, `
    + `${counters} counter values, ${arrows} arrows, ${lost} losses are the same`;
}
