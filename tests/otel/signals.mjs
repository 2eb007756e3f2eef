// SPDX-License-Identifier: MIT
// signals.mjs DIRECTORY [live]: the metrics and logs that were received are what
// report.json says. Histograms are made anew from the durations of the spans, by
// the definition of their buckets.
import fs from 'node:fs';
import { check, lastFields, parseJson, same, shownKey, tracesOf } from '../end-to-end/readers/compare.mjs';
import { readReceived } from '../end-to-end/readers/compare-otlp.mjs';

const [dir, live] = process.argv.slice(2);
const reports = tracesOf(parseJson(fs.readFileSync(`${dir}/report.json`, 'utf8')));

function* items(name, resources, scopes, list) {
  for (const line of fs.readFileSync(`${dir}/otlp.pb.${name}`, 'utf8').split('\n').filter(Boolean))
    for (const r of JSON.parse(line)[resources])
      for (const s of r[scopes]) {
        same([s.scope.name, s.schemaUrl === r.schemaUrl, r.schemaUrl.startsWith('https://opentelemetry.io/')],
          ['guesttrace', true, true], name, 'scope');
        const resource = new Map(r.resource.attributes.map((a) => [a.key, Object.values(a.value)[0]]));
        for (const item of s[list] ?? []) yield { item, resource };
      }
}

function plain(list) {
  const map = new Map((list ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
  same(map.size, (list ?? []).length, 'keys that come twice');
  return map;
}

// ---- Logs: every event once --------------------------------------------------

const SEVERITY = { error: 17, warn: 13, info: 9, debug: 5, trace: 1 };

function wantedLogs(report, runId) {
  const all = [...report.events.map((e) => [e, e.span_id ?? runId]),
    ...report.spans.flatMap((s) => s.events.map((e) => [e, s.id]))];
  return all.map(([e, span]) => {
    const fields = lastFields(e.fields), message = fields.get('message');
    const body = message?.[0] === 'string' ? message[1] : e.name;
    if (message?.[0] === 'string') fields.delete('message');
    const attributes = [...fields].map(([key, [, value]]) => [shownKey(key), String(value)]);
    return JSON.stringify([e.time_ns, e.name, SEVERITY[e.level] ?? 0, body, e.trace_id ?? report.trace_id, span,
      (e.trace_flags ?? report.trace_flags) & 0xff, e.target, e.line, e.vcpu, attributes.sort()]);
  }).sort();
}

const OWN = /^(guesttrace|code)\./;

function gotLogs(report) {
  const got = [], traces = new Set([report.trace_id, ...report.spans.map((s) => s.trace_id)]);
  for (const { item: log } of items('logs', 'resourceLogs', 'scopeLogs', 'logRecords')) {
    if (!traces.has(log.traceId) || log.eventName === 'LOST') continue;
    const a = plain(log.attributes);
    same(log.observedTimeUnixNano, log.timeUnixNano, 'observed');
    same(log.severityText, Object.keys(SEVERITY).find((l) => SEVERITY[l] === log.severityNumber)?.toUpperCase(), 'severity');
    const attributes = [...a].filter(([key]) => !OWN.test(key)).map(([key, v]) => [key, String(v)]);
    got.push(JSON.stringify([log.timeUnixNano, log.eventName, log.severityNumber ?? 0, log.body.stringValue, log.traceId,
      log.spanId, log.flags ?? 0, a.get('guesttrace.target'), Number(a.get('code.line.number')),
      Number(a.get('guesttrace.vcpu')), attributes.sort()]));
  }
  return got.sort();
}

// ---- Metrics -------------------------------------------------------------------

function pointsOf(report) {
  const series = new Map();
  for (const { item: m, resource } of items('metrics', 'resourceMetrics', 'scopeMetrics', 'metrics')) {
    if (report.vm_id && resource.get('service.instance.id') !== report.vm_id) continue;
    const data = m.gauge ?? m.sum ?? m.exponentialHistogram;
    check(!m.gauge || data.aggregationTemporality === undefined, m.name, 'is cumulative');
    if (!m.gauge) same(data.aggregationTemporality, 2, m.name, 'temporality');
    for (const p of data.dataPoints) {
      const key = JSON.stringify([m.name, m.unit ?? '', [...plain(p.attributes)].sort()]);
      if (!series.has(key)) series.set(key, { metric: m, points: [] });
      series.get(key).points.push(p);
    }
  }
  return series;
}

const valueOf = (p) => (p.asInt !== undefined ? Number(p.asInt) : p.asDouble ?? 0);

// Cumulative, in the order of time, and never less than before.
function checkSeries({ metric, points }, report) {
  let before;
  for (const p of points) {
    check(!before || BigInt(p.timeUnixNano) > BigInt(before.timeUnixNano), metric.name, 'goes back in time');
    if (metric.sum?.isMonotonic && before && p.startTimeUnixNano === before.startTimeUnixNano)
      check(valueOf(p) >= valueOf(before), metric.name, 'falls');
    if (!metric.gauge) check(BigInt(p.startTimeUnixNano) >= BigInt(report.start_ns), metric.name, 'begins before the run');
    for (const e of p.exemplars ?? []) {
      const span = report.spans.find((s) => s.id === e.spanId);
      check(span, metric.name, 'has an exemplar of no span');
      same(e.traceId, span.trace_id ?? report.trace_id, metric.name, 'exemplar');
    }
    before = p;
  }
  return before;
}

const UNKNOWN_END = ['interrupted', 'close_lost', 'evicted', 'replaced', 'open_lost'];

// The bucket of a value, by definition: base^index < value <= base^(index + 1).
function bucketOf(value, scale) {
  const at = Math.log2(value) * 2 ** scale;
  return Math.abs(at - Math.round(at)) < 1e-9 ? Math.round(at) - 1 : Math.ceil(at) - 1;
}

function checkHistogram(p, durations, where) {
  const buckets = new Map();
  let zeros = 0;
  for (const d of durations)
    if (d === 0) zeros++;
    else buckets.set(bucketOf(d, p.scale ?? 0), (buckets.get(bucketOf(d, p.scale ?? 0)) ?? 0) + 1);
  const offset = p.positive?.offset ?? 0, counts = (p.positive?.bucketCounts ?? []).map(Number);
  check(counts.length <= 160, where, 'has', counts.length, 'buckets');
  same(Number(p.count), durations.length, where, 'count');
  same(Number(p.zeroCount ?? 0), zeros, where, 'zeros');
  same(counts.reduce((a, b) => a + b, zeros), durations.length, where, 'sum of all buckets');
  counts.forEach((n, i) => same(n, buckets.get(offset + i) ?? 0, where, 'bucket', offset + i));
  same(p.min ?? 0, Math.min(...durations), where, 'least');
  same(p.max ?? 0, Math.max(...durations), where, 'most');
  const sum = durations.reduce((a, b) => a + b, 0);
  check(Math.abs(p.sum - sum) <= 1e-9 * sum + 1e-15, where, 'sum', p.sum, 'not', sum);
}

function checkDurations(report, last) {
  const groups = new Map();
  for (const s of report.spans) {
    if (s.flags.some((f) => UNKNOWN_END.includes(f))) continue;
    const key = JSON.stringify([s.name, `STATUS_CODE_${s.status.toUpperCase()}`]);
    groups.set(key, [...groups.get(key) ?? [], Number(BigInt(s.end_ns) - BigInt(s.start_ns)) / 1e9]);
  }
  const got = [...last].filter(([, { metric }]) => metric.name === 'guesttrace.span.duration');
  same(got.length, groups.size, 'histograms');
  for (const [, { metric, point }] of got) {
    const a = plain(point.attributes), key = JSON.stringify([a.get('span.name'), a.get('status.code')]);
    same(metric.unit, 's', key, 'unit');
    checkHistogram(point, groups.get(key) ?? [], key);
  }
}

// The last record of each counter that has the field, by its name and attributes.
function checkCounters(report, last) {
  const want = new Map();
  for (const c of report.counters) {
    const fields = [...lastFields(c.fields)];
    const attributes = fields.filter(([, [type]]) => ['string', 'bool'].includes(type)).map(([k, [, v]]) => [shownKey(k), v]);
    if (c.target) attributes.push(['guesttrace.target', c.target]);
    for (const [key, [type, value]] of fields) {
      if (!['u64', 'i64', 'f64'].includes(type) || !Number.isFinite(Number(value))) continue;
      const [, name, sign, unit] = /^(.*?) ?\[(\+-?|)(.*)\]$/.exec(key) ?? [null, key, '', ''];
      const kind = { '': 'gauge', '+': 'total', '+-': 'sum' }[sign];
      want.set(JSON.stringify([shownKey([c.name, name].filter(Boolean).join('.')), unit, attributes.sort()]), [kind, Number(value)]);
    }
  }
  for (const [key, [kind, value]] of want) {
    const got = last.get(key);
    check(got, 'no series', key);
    same(got.metric.gauge ? 'gauge' : got.metric.sum.isMonotonic ? 'total' : 'sum', kind, key, 'kind');
    same(valueOf(got.point), value, key, 'value');
  }
  return want.size;
}

function checkRun(report, last) {
  const of = (name, attributes = []) => {
    const got = last.get(JSON.stringify([name[0], name[1], attributes]));
    check(got?.metric.sum?.isMonotonic, 'no total', name[0]);
    return valueOf(got.point);
  };
  same(of(['guesttrace.spans', '{span}']), report.spans.length, 'spans');
  same(of(['guesttrace.counters', '{record}']), report.counters.length, 'counters');
  same(of(['guesttrace.records', '{record}']), Number(report.records), 'records');
  same(of(['guesttrace.record.bytes', 'By']), Number(report.record_bytes), 'bytes of records');
  for (const [reason, count] of Object.entries(report.exits))
    same(of(['guesttrace.exits', '{exit}'], [['guesttrace.reason', reason]]), Number(count), 'exits', reason);
  for (const [cause, count] of Object.entries(report.losses))
    same(of([`guesttrace.lost.${cause}`, cause.endsWith('_bytes') ? 'By' : '1']), Number(count), 'lost', cause);
  check(of(['guesttrace.guest.time', 's']) >= Number(report.split.guest_ns) / 1e9, 'less time in the guest than in its spans');
}

// What the exporters say of themselves, when the others were done.
function checkExporters(last) {
  const told = (what) => [...last].filter(([key]) => JSON.parse(key)[0] === `otel.sdk.exporter.${what}`);
  for (const [what, count] of [['span', spans.length], ['log', received]]) {
    const [exported] = told(`${what}.exported`);
    check(exported, 'no figure', what);
    same(valueOf(exported[1].point), count, what, 'exported');
    same(valueOf(told(`${what}.inflight`)[0][1].point), 0, what, 'in flight');
  }
}

const received = [...items('logs', 'resourceLogs', 'scopeLogs', 'logRecords')].length;
const spans = [...readReceived(`${dir}/otlp.pb`).values()].flatMap((t) => t.spans);
const ids = new Map(spans.map((s) => [Buffer.from(s.spanId).toString('hex'), s]));
let logs = 0, counters = 0, collections = 0, lastOfAll;
for (const report of reports) {
  const run = spans.find((s) => s.name === 'run' && Buffer.from(s.traceId).toString('hex') === report.trace_id);
  check(run, 'no span of the run');
  const got = gotLogs(report), want = wantedLogs(report, Buffer.from(run.spanId).toString('hex'));
  same(got.length, want.length, 'logs');
  got.forEach((log, i) => same(log, want[i], 'log'));
  for (const log of got) check(ids.has(JSON.parse(log)[5]), 'a log of no span', log);
  logs += got.length;
  const last = new Map();
  for (const [key, series] of pointsOf(report)) {
    collections = Math.max(collections, series.points.length);
    last.set(key, { metric: series.metric, point: checkSeries(series, report) });
  }
  lastOfAll = last;
  counters += checkCounters(report, last);
  checkDurations(report, last);
  checkRun(report, last);
  fs.writeFileSync(`${dir}/last.json`, JSON.stringify([...last].filter(([key]) => !key.includes('otel.sdk')).sort()));
}
if (live) checkExporters(lastOfAll);
if (live) check(collections > 2, 'only', collections, 'collections while the guest ran');
console.log(`${logs} logs, ${counters} series of counters, ${collections} collections`);
