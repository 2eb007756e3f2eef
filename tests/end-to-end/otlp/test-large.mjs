// SPDX-License-Identifier: MIT
// test-large.mjs BUILD-DIR: a span with more events than any receiver takes in one
// request, and values that backends cannot show as they are.
import fs from 'node:fs';
import path from 'node:path';
import { build, check, end, freshFile, holds, same, skipped, start } from './cases.mjs';
import { Receiver } from './receiver.mjs';

const EVENTS = 30000;
// A collector's next hop by gRPC takes 4 MiB; readers of JSON lines, 1 MiB a line.
const REQUEST_BYTES_MAX = 3 << 20;
const LINE_BYTES_MAX = 1 << 20;
const guesttrace = path.join(build, 'guesttrace');
const guest = path.join(build, 'tests/guests/eventful.elf');

async function run(args, environment) {
  const { status, signal, stderr } = await start(guesttrace, args, environment).ended;
  same(status, 0, `the exit status of ${args[0]} (${signal ?? ''} ${stderr})`);
  return stderr;
}

const capture = freshFile();
const made = await start(guesttrace, ['run', '--backend', 'emulated', '-o', capture, guest, '--', String(EVENTS)]).ended;
if (made.status) {
  skipped('a span with many events', /not built in/.test(made.stderr) ? 'the emulated backend is not built in' : '');
  same(made.status, 125, `the status of the guest (${made.stderr})`);
  await end();
}

const attribute = (of, key) => of.attributes.find((a) => a.key === key)?.value;
const number = (event) => Number(attribute(event, 'i').intValue);
const id = (bytes) => Buffer.from(bytes ?? '').toString('hex');

async function received(form, environment = {}) {
  const receiver = await new Receiver().open();
  try {
    await run(['export', '--format', 'otlp', '-o', receiver.url, '--host-spans', 'off', capture],
      { OTEL_EXPORTER_OTLP_PROTOCOL: form, OTEL_EXPORTER_OTLP_COMPRESSION: 'none', OTEL_EXPORTER_OTLP_TIMEOUT: '60000', ...environment });
    const spans = receiver.requests.flatMap((r) => r.message.resourceSpans.flatMap((x) => x.scopeSpans.flatMap((s) => s.spans)));
    const largest = Math.max(...receiver.requests.map((r) => r.bytes));
    check(largest <= REQUEST_BYTES_MAX, `a request has ${largest} bytes`);
    return spans;
  } finally {
    await receiver.close();
  }
}

const eventsOf = new Map(); // span id -> events, of the form that came first
for (const form of ['http/protobuf', 'http/json']) {
  holds(`of a span with ${EVENTS} events all arrive, and its neighbours: ${form}`, async () => {
    const spans = await received(form);
    const loop = spans.find((s) => s.name === 'loop');
    const parts = [loop, ...spans.filter((s) => s.name === 'events' && id(s.parentSpanId) === id(loop.spanId))];
    const numbers = parts.flatMap((s) => s.events.map(number));
    same(numbers.length, EVENTS, 'events');
    check(numbers.sort((a, b) => a - b).every((n, i) => n === i), 'some came twice, others not');
    same(loop.droppedEventsCount ?? 0, 0, 'events that are said to be dropped');
    same(new Set(spans.map((s) => id(s.spanId))).size, spans.length, 'different ids');
    for (const name of ['before', 'behind', 'odd', 'run']) same(spans.filter((s) => s.name === name).length, 1, `spans called ${name}`);
    for (const s of parts) {
      const events = s.events.map(number).join();
      same(events, eventsOf.get(id(s.spanId)) ?? events, `the events of ${id(s.spanId)} in the other encoding`);
      eventsOf.set(id(s.spanId), events);
    }
  });
}

for (const limit of [0, 128]) {
  holds(`OTEL_SPAN_EVENT_COUNT_LIMIT=${limit} keeps so many, and says how many not`, async () => {
    const spans = await received('http/protobuf', { OTEL_SPAN_EVENT_COUNT_LIMIT: String(limit) });
    const loop = spans.find((s) => s.name === 'loop');
    same(loop.events.length, limit, 'events');
    same(loop.droppedEventsCount ?? 0, EVENTS - limit, 'dropped events');
    same(spans.filter((s) => s.name === 'events').length, 0, 'spans of events');
  });
}

holds('no line of a file is longer than readers take', async () => {
  const file = freshFile();
  await run(['export', '--format', 'otlp-json', '-o', file, capture]);
  const longest = Math.max(...fs.readFileSync(file, 'utf8').split('\n').map((line) => Buffer.byteLength(line)));
  check(longest <= LINE_BYTES_MAX, `a line has ${longest} bytes`);
});

// Backends that answer with JSON fail on a double that JSON has no number for.
for (const form of ['http/protobuf', 'http/json']) {
  holds(`numbers that are none are texts: ${form}`, async () => {
    const odd = (await received(form)).find((s) => s.name === 'odd');
    same(attribute(odd, 'nan').stringValue, 'NaN', 'nan');
    same(attribute(odd, 'plus').stringValue, 'Infinity', 'plus');
    same(attribute(odd, 'minus').stringValue, '-Infinity', 'minus');
    same(attribute(odd, 'half').doubleValue, 0.5, 'half');
    same(attribute(odd, 'large').stringValue, '18446744073709551615', 'large');
  });
}

await end();
