// SPDX-License-Identifier: MIT
// test-fleet.mjs BUILD-DIR: of a fleet's runs the failed ones come whole, and all are
// counted for Prometheus, by the configurations of examples/otel.
import fs from 'node:fs';
import path from 'node:path';
import { check, end, holds, note, same, skipped, sleep } from '../end-to-end/otlp/cases.mjs';
import { compareOtlp } from '../end-to-end/readers/compare-otlp.mjs';
import { Collector, Sink, examples, freePorts, local } from './peers.mjs';
import { decoded, record, report, sendAll } from './runs.mjs';

const OK_RUNS = 5, FAILED_RUNS = 3;

async function runs(name, count) {
  const made = [];
  for (let i = 0; i < count; i++) made.push(await record(name));
  return made;
}

/** [{name, labels, value}] of what Prometheus would scrape. */
async function scrape(port) {
  const text = await (await fetch(`http://${local(port)}/metrics`)).text();
  return [...text.matchAll(/^([a-z_:0-9]+)\{(.*)\} (\S+)$/gmi)].map(([, name, labels, value]) => ({
    name, value: Number(value),
    labels: Object.fromEntries([...labels.matchAll(/([a-z_0-9]+)="((?:[^"\\]|\\.)*)"/gi)].map(([, k, v]) => [k, v])),
  }));
}

const isCall = (s, name) => s.name === 'traces_span_metrics_calls_total' && s.labels.span_name === name;
const sumOf = (samples) => samples.reduce((sum, s) => sum + s.value, 0);

// The series of a span's name, and with this status, when their sum is what it should be.
async function counted(port, name, want, status = '') {
  let samples = [];
  for (let ms = 0; ms < 15000 && (!ms || sumOf(samples) !== want); ms += 300) {
    await sleep(300);
    samples = (await scrape(port)).filter((s) => isCall(s, name) && s.labels.status_code.endsWith(status));
  }
  same(sumOf(samples), want, `spans called ${name} that were counted`);
  return samples;
}

const ok = await runs('kv', OK_RUNS), failed = await runs('crash', FAILED_RUNS);
const { why } = [...ok, ...failed].find((r) => r.why) ?? {};

// By gRPC: a gateway takes nothing else. `more` is said instead of what the file says.
async function fleet(file, more, use, schema) {
  const sink = await Sink.open();
  const [prometheus] = await freePorts(1);
  const collector = await Collector.open([path.join(examples, file), ...more],
    { JAEGER: local(sink.grpc), PROMETHEUS: local(prometheus), FLUSH: '500ms', DECISION_WAIT: '2s', PERCENT: '0' }, ['grpc']);
  for (const { capture } of [...ok, ...failed]) await sendAll(collector.url('grpc'), capture, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, ['--host-spans', 'on']);
  await use(prometheus);
  await sleep(4000);
  same(await collector.stop(), 0, `the status of the Collector (${collector.said.slice(-2000)})`);
  return sink.traces(schema);
}

const reports = async (list) => (await Promise.all(list.map((r) => report(r.capture)))).flat();
const spansCalled = (traces, name) => traces.reduce((sum, t) => sum + t.spans.filter((s) => s.name === name).length, 0);

if (why) skipped('a fleet', why);
else {
  const all = await reports([...ok, ...failed]);
  const requests = spansCalled(all, 'request');
  for (const file of ['agent.yaml', 'gateway.yaml']) {
    holds(`of the runs of a fleet the failed ones come whole, and all are counted: ${file}`, async () => {
      const traces = await fleet(file, [], async (port) => {
        await counted(port, 'request', requests);
        await counted(port, 'run', FAILED_RUNS, 'ERROR');
        await counted(port, 'run', OK_RUNS, 'UNSET');
      }, null); // tail_sampling makes resources anew, without their schema
      note(compareOtlp(traces, await reports(failed)));
    });
  }
  // A series for each status that a request had, however many runs there were.
  const series = new Set(all.flatMap((t) => t.spans.filter((x) => x.name === 'request').map((x) => x.status))).size;
  holds('one Collector passes all on, and counts all', async () => {
    const traces = await fleet('one.yaml', [], async (port) => {
      same((await counted(port, 'request', requests)).length, series, 'series of requests');
    });
    note(compareOtlp(traces, all));
  });
  holds('without resource_metrics_key_attributes each run has series of its own', async () => {
    await fleet('one.yaml', ['yaml:connectors::span_metrics::resource_metrics_key_attributes: []'], async (port) => {
      same((await counted(port, 'request', requests)).length, OK_RUNS * series, 'series of requests');
    });
  });
  for (const protocol of ['http/protobuf', 'http/json', 'grpc']) {
    holds(`the counters of kv that Prometheus scrapes are the guest's, and its log records come: ${protocol}`, async () => {
      const { capture } = await record('kv');
      const lines = (await decoded(capture)).trimEnd().split('\n').map((line) => JSON.parse(line));
      const counters = lines.filter((o) => o.type === 'counter');
      // The last value of each field of each counter.
      const want = new Map(counters.flatMap((o) => o.fields.map(([key, value]) => [`${o.name}_${key}`, { value, target: o.target }])));
      check(want.size === 3, `kv has ${want.size} counters`);
      const sink = await Sink.open();
      const [prometheus] = await freePorts(1);
      const collector = await Collector.open([path.join(examples, 'one.yaml')],
        { JAEGER: local(sink.grpc), PROMETHEUS: local(prometheus), LOGS: `http://${local(sink.http)}` });
      const environment = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
      await sendAll(collector.url(protocol), capture, environment, [], 'otlp-metrics');
      await sendAll(collector.url(protocol), capture, environment, ['--otlp-events', 'logs'], 'otlp-logs');
      const samples = await scrape(prometheus);
      for (const [name, { value, target }] of want) {
        const found = samples.filter((s) => s.name === name);
        same(found.length, 1, `series called ${name}`);
        same(found[0].value, Number(value), name);
        same(found[0].labels.guesttrace_target, target, `target of ${name}`);
        same(found[0].labels.job, 'kv.elf', `job of ${name}`);
      }
      await sink.quiet();
      await collector.stop();
      const logs = fs.readFileSync(`${sink.file}.logs`, 'utf8');
      same((logs.match(/"eventName":/g) ?? []).length, lines.filter((o) => o.type === 'log').length, 'log records');
      sink.peer.child.stdin.end();
    });
  }
}
await end();
