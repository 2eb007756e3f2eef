// SPDX-License-Identifier: MIT
// test-collector.mjs BUILD-DIR: through a real Collector, with a queue, batches and a
// hop over gRPC of 4 MiB, comes to the last field what `report` and `decode` say.
import fs from 'node:fs';
import path from 'node:path';
import { build, check, end, freshDirectory, holds, note, same, skipped, start } from '../end-to-end/otlp/cases.mjs';
import { compareOtlp } from '../end-to-end/readers/compare-otlp.mjs';
import { parseJson, tracesOf } from '../end-to-end/readers/compare.mjs';
import { compareDecode } from './compare-decode.mjs';
import { Collector, Sink, examples, here, local, validate } from './peers.mjs';
import { GUESTS, decoded, record, report, sendAll } from './runs.mjs';

const chain = path.join(here, 'chain.yaml');
const PROTOCOLS = ['http/json', 'http/protobuf', 'grpc'];

async function chained(send, configurations = []) {
  const sink = await Sink.open();
  const collector = await Collector.open([chain, ...configurations], { SINK: local(sink.grpc) });
  await send(collector);
  same(await collector.stop(), 0, `the status of the Collector (${collector.said.slice(-2000)})`);
  return { traces: await sink.traces(), said: collector.said };
}

for (const file of ['one', 'agent', 'gateway']) {
  holds(`the Collector takes examples/otel/${file}.yaml`, async () => {
    const { status, said } = await validate('collector', path.join(examples, `${file}.yaml`));
    same(status, 0, said);
    check(!/deprecated/i.test(said), said);
  });
}

holds('the Collector says what is wrong with a configuration', async () => {
  const { status, said } = await validate('collector', `yaml:${fs.readFileSync(path.join(examples, 'one.yaml'), 'utf8').replace('limit_mib', 'limit_mb')}`);
  check(status !== 0 && /limit_mb/.test(said), `${status} ${said}`);
});

// One Collector and one sink for each guest: the traces of one are the run's.
for (const name of Object.keys(GUESTS)) {
  const { capture, why } = await record(name);
  if (why) {
    skipped(`${name} through a Collector`, why);
    continue;
  }
  const told = await decoded(capture);
  for (const protocol of PROTOCOLS) {
    holds(`${name} comes through a Collector as it was: ${protocol}`, async () => {
      const { traces } = await chained((collector) =>
        sendAll(collector.url(protocol), capture, { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }, ['--host-spans', 'on']));
      note(`${name} ${protocol}: ${compareOtlp(traces, await report(capture))}`);
      compareDecode([...traces.values()][0].spans, told);
    });
  }
}

// Made-up runs with all that a guest may do to a reader: the files of the export.
for (const kind of ['small', 'keys', 'unicode', 'nested', 'wild']) {
  holds(`what is odd comes through a Collector as it was: ${kind}`, async () => {
    const directory = freshDirectory();
    fs.mkdirSync(directory);
    await start(path.join(build, 'tests/end-to-end/export_sample'), [directory, kind, ...(kind === 'wild' ? ['0', '100'] : [])]).ended;
    const want = tracesOf(parseJson(fs.readFileSync(path.join(directory, 'report.json'), 'utf8')));
    const { traces } = await chained(async (collector) => {
      for (const line of fs.readFileSync(path.join(directory, 'otlp.jsonl'), 'utf8').trimEnd().split('\n')) {
        const reply = await fetch(`http://${local(collector.http)}/v1/traces`, { method: 'POST', body: line, headers: { 'Content-Type': 'application/json' } });
        same([reply.status, await reply.text()].join(), '200,{"partialSuccess":{}}', 'the reply');
      }
    });
    note(`${kind}: ${compareOtlp(traces, want)}`);
  });
}
await end();
