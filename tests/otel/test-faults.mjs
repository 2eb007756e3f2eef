// SPDX-License-Identifier: MIT
// test-faults.mjs BUILD-DIR: a Collector that refuses, is slow, is killed, or is
// asked in the wrong way. Nothing is lost, or what is lost is told.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { check, end, freshDirectory, freshFile, holds, note, produce, same, skipped, sleep, start, startProducer, ended } from '../end-to-end/otlp/cases.mjs';
import { compareOtlp } from '../end-to-end/readers/compare-otlp.mjs';
import { Collector, Sink, here, local } from './peers.mjs';
import { guesttrace, record, report, send } from './runs.mjs';

const chain = path.join(here, 'chain.yaml');
const auth = path.join(here, 'auth.yaml');
// A reply says that the sink has it: nothing waits in the Collector's memory.
const THROUGH = ['yaml:exporters::otlp_grpc/sink::sending_queue::enabled: false', 'yaml:service::pipelines::traces::processors: [memory_limiter]'];
// The limit is on Go's heap, which has more than that in it from the start.
const FULL = ['yaml:processors::memory_limiter::limit_mib: 2', 'yaml:processors::memory_limiter::spike_limit_mib: 1'];

const idsOf = (traces) => {
  const ids = new Map();
  for (const { spans } of traces.values()) for (const s of spans) ids.set(Buffer.from(s.spanId).toString('hex'), (ids.get(Buffer.from(s.spanId).toString('hex')) ?? 0) + 1);
  return ids;
};

const isEmpty = (spool) => fs.readdirSync(spool).filter((name) => name !== 'lock').length === 0;
const spoolSend = (spool, url, environment = {}) => start(guesttrace, ['spool', 'send', '--to', url, spool], environment).ended;

const { capture, why } = await record('kv');
const whole = capture && await report(capture);

// Asked in a wrong way, with this exit status and these words; then sent.
function refusedThenSent(name, { configurations = [], wrongly, status = 0, words, rightly = (c) => [c.url('http/protobuf'), {}] }) {
  if (why) { skipped(name, why); return; }
  holds(name, async () => {
    const spool = freshDirectory(), sink = await Sink.open();
    const open = (more) => Collector.open([chain, ...THROUGH, ...more], { SINK: local(sink.grpc), TOKEN: 'right' });
    let collector = await open(configurations);
    const [wrongUrl, wrongEnvironment] = wrongly(collector);
    const first = await send(wrongUrl, capture, wrongEnvironment, ['--spool', spool, '--host-spans', 'on']);
    note(`${name}: ${first.stderr.trim().split('\n').at(-1)}`);
    same(first.status, status, 'the exit status');
    check(words.test(first.stderr), first.stderr);
    check(!isEmpty(spool), 'the spool is empty');
    if (configurations === FULL) {
      await collector.kill();
      collector = await open([]);
    }
    const [url, environment] = rightly(collector);
    const second = await spoolSend(spool, url, environment);
    same(second.status, 0, `the status of spool send (${second.stderr})`);
    check(isEmpty(spool), 'the spool is not empty');
    await collector.stop();
    compareOtlp(await sink.traces(), whole);
  });
}

refusedThenSent('a wrong token costs nothing: HTTP', {
  configurations: [auth],
  wrongly: (c) => [c.url('http/protobuf'), { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20wrong' }],
  status: 1,
  words: /401/,
  rightly: (c) => [c.url('http/protobuf'), { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20right' }],
});
refusedThenSent('a wrong token costs nothing: gRPC', {
  configurations: [auth],
  wrongly: (c) => [c.url('grpc'), { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20wrong' }],
  status: 1,
  words: /UNAUTHENTICATED/,
  rightly: (c) => [c.url('grpc'), { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20right' }],
});
refusedThenSent('a wrong path costs nothing', { wrongly: (c) => [`${c.url('http/protobuf')}/v1/trace`, {}], status: 1, words: /404/ });
refusedThenSent('HTTP to the port of gRPC costs nothing', { wrongly: (c) => [`http://${local(c.grpc)}`, {}], status: 1, words: /is this the gRPC port/ });
refusedThenSent('gRPC to the port of HTTP costs nothing', { wrongly: (c) => [`grpc://${local(c.http)}`, {}], status: 1, words: /is this the HTTP port/ });
refusedThenSent('a port where nobody is costs nothing', { wrongly: () => ['http://127.0.0.1:1', {}], words: /spool/ });
for (const protocol of ['http/protobuf', 'grpc']) {
  refusedThenSent(`a Collector out of memory costs nothing: ${protocol}`, {
    configurations: FULL, wrongly: (c) => [c.url(protocol), { OTEL_BSP_EXPORT_TIMEOUT: '2000' }], words: /high memory usage/,
  });
}

// Of a proxy in front, every reply comes so late.
async function slowly(ms, url) {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      const headers = { 'Content-Type': request.headers['content-type'] };
      if (request.headers['content-encoding']) headers['Content-Encoding'] = request.headers['content-encoding'];
      const reply = await fetch(`${url}${request.url}`, { method: 'POST', headers, body: Buffer.concat(parts) });
      const body = Buffer.from(await reply.arrayBuffer());
      setTimeout(() => response.writeHead(reply.status, { 'Content-Type': reply.headers.get('content-type') ?? '' }).end(body), ms);
    });
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  return server;
}

const SPANS = 98142;
// One after the other: the proxy is in this process, which also reads what arrived.
for (const ms of [50, 100, 300]) {
  await holds(`of ${SPANS} spans all arrive where a reply takes ${ms} ms`, async () => {
    const sink = await Sink.open();
    const collector = await Collector.open([chain], { SINK: local(sink.grpc) });
    const proxy = await slowly(ms, collector.url('http/protobuf'));
    const stats = await produce({ url: `http://${local(proxy.address().port)}/v1/traces`, protobuf: true, gzip: true, wait: true, spans: SPANS, finish_ms: 60000 });
    note(`${ms} ms: ${stats.spans} spans in ${stats.ms} ms, ${stats.requests} requests, ${stats.failures} failures ${stats.lastError}`);
    same(stats.acknowledged, stats.spans, 'acknowledged spans');
    proxy.closeAllConnections();
    proxy.close();
    await collector.stop();
    const ids = idsOf(await sink.traces());
    same(ids.size, stats.spans, 'different spans that arrived');
  });
}

// Killed and started again while spans come; what it has said it has, the sink has.
for (const protocol of ['protobuf', 'grpc']) {
  await holds(`a Collector that is killed under load costs nothing with a spool: ${protocol}`, async () => {
    const spool = freshDirectory(), sink = await Sink.open();
    const collector = await Collector.open([chain, ...THROUGH], { SINK: local(sink.grpc) });
    const url = collector.endpoint(protocol);
    const producer = startProducer({ url, [protocol]: true, gzip: true, spool, spans: 60000, rate: 6000, backoff_ms: 50, backoff_max_ms: 500, finish_ms: 20000 });
    for (let kills = 0; kills < 5; kills++) {
      await sleep(1000);
      await collector.kill();
      await sleep(300);
      await collector.start();
    }
    const stats = await ended(producer);
    note(`${protocol}: ${stats.requests} requests, ${stats.failures} failures; the last was ${stats.lastError}`);
    check(stats.failures > 0, 'nothing was sent while it was away');
    same(stats.dropped + stats.rejected, 0, 'dropped or refused spans');
    const sent = await produce({ url, [protocol]: true, gzip: true, spool, send: 1, finish_ms: 20000 });
    same(sent.foundWaiting + sent.foundLost + sent.foundRejected, 0, 'spans that wait or are lost');
    await collector.stop();
    same(idsOf(await sink.traces()).size, stats.spans, 'different spans that arrived');
  });
}

const PROCESSES = 200, EACH = 400;
const ofProgress = (file) => { const bytes = fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0); return bytes.length < 16 ? [0, 0] : [Number(bytes.readBigUInt64LE(0)), Number(bytes.readBigUInt64LE(8))]; };

holds(`${PROCESSES} processes share a spool, one in ten is killed: nothing is lost unsaid`, async () => {
  const spool = freshDirectory(), sink = await Sink.open();
  const collector = await Collector.open([chain, ...THROUGH], { SINK: local(sink.grpc) });
  const options = { url: collector.endpoint('http'), protobuf: true, gzip: true, spool, backoff_ms: 50, backoff_max_ms: 500, finish_ms: 20000, timeout_ms: 30000 };
  const all = Array.from({ length: PROCESSES }, (_, i) => {
    const progress = freshFile(), dies = i % 10 === 3;
    const child = startProducer({ ...options, progress, base: i + 1, spans: dies ? 1e9 : EACH, rate: 200, delay_ms: 100 });
    return { progress, dies, child };
  });
  // Those that shall die are given the time to begin.
  for (const { progress, dies } of all) for (let ms = 0; dies && ofProgress(progress)[1] === 0 && ms < 60000; ms += 50) await sleep(50);
  for (const { dies, child } of all) if (dies) child.kill('SIGKILL');
  const stats = await Promise.all(all.filter((p) => !p.dies).map((p) => ended(p.child)));
  await Promise.all(all.filter((p) => p.dies).map((p) => p.child.ended));
  const sum = (key) => stats.reduce((total, s) => total + s[key], 0);
  same(sum('dropped') + sum('rejected'), 0, 'dropped or refused spans');
  const sent = await produce({ ...options, send: 1 });
  same(sent.foundWaiting + sent.foundRejected + sent.damagedSpans, 0, 'spans that wait, were refused or damaged');
  check(isEmpty(spool), 'the spool is not empty');
  await collector.stop();
  const ids = idsOf(await sink.traces());
  const made = [0, 1].map((which) => all.filter((p) => p.dies).reduce((total, p) => total + ofProgress(p.progress)[which], 0));
  // Others have told of it before: it is told until nothing waits.
  const lost = sent.foundLost;
  note(`${ids.size} spans arrived, ${lost} lost with ${all.filter((p) => p.dies).length} processes that were killed`);
  const accounted = ids.size + lost - sum('spans');
  check(accounted >= made[1] && accounted <= made[0], `${accounted} accounted for, ${made[1]} to ${made[0]} produced by those that were killed`);
});
await end();
