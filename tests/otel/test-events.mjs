// SPDX-License-Identifier: MIT
// test-events.mjs BUILD-DIR: one span with 10 to 10^6 events through a Collector's
// receiver, its batches and a hop over gRPC of 4 MiB.
import path from 'node:path';
import { check, end, holds, note, same, skipped } from '../end-to-end/otlp/cases.mjs';
import { Collector, Sink, here, local } from './peers.mjs';
import { losses, record, sendAll } from './runs.mjs';

const chain = path.join(here, 'chain.yaml');
const NEIGHBOURS = ['before', 'behind', 'odd', 'run'];
const id = (bytes) => Buffer.from(bytes ?? []).toString('hex');
const number = (event) => Number(event.attributes.find((a) => a.key === 'i').value.intValue);

async function through(capture, protocol, environment = {}) {
  const sink = await Sink.open();
  const collector = await Collector.open([chain], { SINK: local(sink.grpc) });
  await sendAll(collector.url(protocol), capture, { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, ...environment });
  await sink.quiet();
  same(await collector.stop(), 0, `the status of the Collector (${collector.said.slice(-2000)})`);
  const traces = await sink.traces();
  same(traces.size, 1, `traces (${collector.said.slice(-2000)})`);
  return [...traces.values()][0].spans;
}

// `dropped`: over a quota of the host library, or the limit.
function checkAll(spans, count, dropped) {
  for (const name of NEIGHBOURS) same(spans.filter((s) => s.name === name).length, 1, `spans called ${name}`);
  const loop = spans.find((s) => s.name === 'loop');
  const parts = [loop, ...spans.filter((s) => s.name === 'events' && id(s.parentSpanId) === id(loop.spanId))];
  const numbers = parts.flatMap((s) => s.events.map(number));
  same(numbers.length + (loop.droppedEventsCount ?? 0), count, 'events that came or are counted as dropped');
  same(String(loop.droppedEventsCount ?? 0), String(dropped), 'dropped events');
  // Where there is no room for a long one, a short one may still have some.
  numbers.sort((a, b) => a - b);
  check(numbers.every((n, i) => !i || n > numbers[i - 1]) && numbers.at(-1) < count, 'some came twice, others not');
  return `${numbers.length} events in ${parts.length} spans`;
}

for (let count = 10; count <= 1e6; count *= 10) {
  const { capture, why } = await record('eventful', [String(count)]);
  if (why) {
    skipped('a span with many events through a Collector', why);
    break;
  }
  const overQuota = (await losses(capture)).dropped_events;
  for (const protocol of ['http/protobuf', 'grpc', 'http/json']) {
    await holds(`of a span with ${count} events nothing is lost by a Collector: ${protocol}`, async () => {
      note(checkAll(await through(capture, protocol), count, overQuota));
    });
  }
  await holds(`a limit of 128 of ${count} events is counted`, async () => {
    const spans = await through(capture, 'http/protobuf', { OTEL_SPAN_EVENT_COUNT_LIMIT: '128' });
    note(checkAll(spans, count, Math.max(0, count - 128)));
    const { events } = spans.find((s) => s.name === 'loop');
    same(events.length, Math.min(count, 128), 'events');
    check(events.every((event, i) => number(event) === i), 'the first ones are there');
  });
}
await end();
