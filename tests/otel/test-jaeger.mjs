// SPDX-License-Identifier: MIT
// test-jaeger.mjs BUILD-DIR: Jaeger finds and shows each trace, whatever a guest put
// into it, without an error or a warning; through the Collector of examples/otel.
import fs from 'node:fs';
import path from 'node:path';
import { build, check, end, freshDirectory, holds, note, same, skipped, sleep, start } from '../end-to-end/otlp/cases.mjs';
import { parseJson, tracesOf } from '../end-to-end/readers/compare.mjs';
import { Collector, examples, freePorts, local, openJaeger, validate } from './peers.mjs';
import { GUESTS, record, report, sendAll } from './runs.mjs';

holds('Jaeger takes examples/otel/jaeger.yaml', async () => {
  const { status, said } = await validate('jaeger', path.join(examples, 'jaeger.yaml'));
  same(status, 0, said);
});

const jaeger = await openJaeger();
const [prometheus] = await freePorts(1);
const collector = await Collector.open([path.join(examples, 'one.yaml')],
  { JAEGER: local(jaeger.otlp), PROMETHEUS: local(prometheus), FLUSH: '1s' });

async function ask(what) {
  const reply = await fetch(`http://${local(jaeger.http)}/api/${what}`);
  const text = await reply.text();
  same(reply.status, 200, `${what}: ${text.slice(0, 500)}: status`);
  const answer = JSON.parse(text);
  check(!answer.errors?.length, `${what}: ${JSON.stringify(answer.errors)}`);
  return answer.data;
}

// Made-up runs have children that stand outside of their parents, and callers somewhere
// else: what Jaeger says of that is so. It calls a span of 0 ns one of negative duration.
const isSo = (span, warning, empty) => /^clock skew adjustment disabled/.test(warning) ||
  (/^Negative duration detected/.test(warning) && (empty.has(span.spanID) || span.tags.some((t) => t.key === 'guesttrace.host_span'))) ||
  (/^invalid parent span IDs=[0-9a-f]{16};/.test(warning) && span.operationName === 'run');

// `madeUp`: the traces of a report, of which not all is as in a real run.
function noWarnings(trace, madeUp) {
  const empty = new Set((madeUp ?? []).flatMap((t) => t.spans.filter((s) => s.start_ns === s.end_ns).map((s) => s.id)));
  for (const span of trace.spans) {
    const warnings = (span.warnings ?? []).filter((w) => !madeUp || !isSo(span, w, empty));
    check(!warnings.length, `span ${span.spanID} (${JSON.stringify(span.operationName)}): ${JSON.stringify(warnings)}`);
  }
  check(!trace.warnings?.length, `trace ${trace.traceID}: ${JSON.stringify(trace.warnings)}`);
}

const serviceOf = (trace) => trace.guest || 'unknown_service';
const micros = (ns) => BigInt(ns) / 1000n;

// How many spans of the guest a trace has in the end, asked until they are there.
async function shown(trace) {
  for (let ms = 0; ; ms += 100) {
    const reply = await fetch(`http://${local(jaeger.http)}/api/traces/${trace.trace_id}`);
    const text = await reply.text();
    if (reply.status === 200) {
      const [found] = JSON.parse(text).data;
      const own = found.spans.filter((s) => s.tags.some((t) => t.key === 'guesttrace.guest_id'));
      if (own.length >= trace.spans.length && found.spans.some((s) => s.operationName === 'run')) return { found, own };
      check(ms < 20000, `trace ${trace.trace_id} has ${own.length} spans of ${trace.spans.length}`);
    }
    check(ms < 20000 && reply.status !== 500, `trace ${trace.trace_id}: ${reply.status} ${text.slice(0, 500)}`);
    await sleep(100);
  }
}

async function checkTrace(trace, madeUp) {
  const { found, own } = await shown(trace);
  same(own.length, trace.spans.length, 'spans of the guest');
  noWarnings(found, madeUp);
  const names = (list, key) => JSON.stringify(list.map((s) => s[key]).sort());
  same(names(own, 'operationName'), names(trace.spans, 'name'), 'names');
  const logs = own.reduce((sum, s) => sum + s.logs.length, 0);
  return `${own.length} spans, ${logs} events`;
}

// By its service and time, and by its name, as the page does.
async function checkSearch(trace, madeUp) {
  const service = encodeURIComponent(serviceOf(trace));
  const when = `start=${micros(trace.start_ns) - 1n}&end=${micros(trace.end_ns) + 1n}`;
  for (const more of ['', `&operation=run`]) {
    const found = await ask(`traces?service=${service}&${when}&limit=1500${more}`);
    check(found.some((t) => t.traceID === trace.trace_id), `a search for ${service}${more} does not find ${trace.trace_id}`);
    for (const other of found) noWarnings(other, madeUp);
  }
  check((await ask('services')).includes(serviceOf(trace)), `the service ${service} is not among those there are`);
  await ask(`services/${service}/operations`);
}

for (const name of Object.keys(GUESTS)) {
  const { capture, why } = await record(name);
  if (why) { skipped(`Jaeger shows ${name}`, why); continue; }
  for (const hosts of ['off', 'on']) {
    await holds(`Jaeger shows and finds ${name}, host spans ${hosts}`, async () => {
      // A trace id is the run's: of the second time there would be two of each span.
      const { capture: own } = hosts === 'off' ? { capture } : await record(name);
      await sendAll(collector.url('http/protobuf'), own, {}, ['--host-spans', hosts]);
      for (const trace of await report(own)) {
        note(`${name}: ${await checkTrace(trace)}`);
        await checkSearch(trace);
      }
    });
  }
}

// The made-up runs of all kinds have the same trace ids: each kind gets others.
for (const [i, kind] of ['small', 'keys', 'unicode', 'nested', 'wild'].entries()) {
  const renamed = (text) => text.replace(/"(trace_?id)":"../gi, `"$1":"e${i}`);
  await holds(`Jaeger shows and finds what is odd: ${kind}`, async () => {
    const directory = freshDirectory();
    fs.mkdirSync(directory);
    await start(path.join(build, 'tests/end-to-end/export_sample'), [directory, kind, ...(kind === 'wild' ? ['0', '100'] : [])]).ended;
    const want = tracesOf(parseJson(renamed(fs.readFileSync(path.join(directory, 'report.json'), 'utf8'))));
    for (const line of renamed(fs.readFileSync(path.join(directory, 'otlp.jsonl'), 'utf8')).trimEnd().split('\n')) {
      const reply = await fetch(`http://${local(collector.http)}/v1/traces`, { method: 'POST', body: line, headers: { 'Content-Type': 'application/json' } });
      same(reply.status, 200, await reply.text());
    }
    let text;
    for (const trace of want) {
      text = await checkTrace(trace, want);
      await checkSearch(trace, want);
    }
    note(`${kind}: ${want.length} traces, of the last ${text}`);
  });
}

await holds('the Collector said nothing of an error', async () => {
  check(!/\t(error|warn)\t/.test(collector.said), collector.said.split('\n').filter((l) => /\t(error|warn)\t/.test(l)).slice(0, 5).join('\n'));
});
await collector.stop();
await jaeger.kill();
await end();
