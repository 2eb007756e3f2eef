// SPDX-License-Identifier: MIT
// test-grpc.mjs BUILD-DIR: OTLP over gRPC says what OTLP over HTTP says, and each
// status does what the specification asks.
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { build, check, end, freshDirectory, holds, produce, same, start } from './cases.mjs';
import { GrpcReceiver, PATH, retryDetails } from './grpc_receiver.mjs';
import { Receiver } from './receiver.mjs';

const FAST = { grpc: true, backoff_ms: 20, backoff_max_ms: 100, finish_ms: 60000, timeout_ms: 30000, delay_ms: 50 };

async function against(test) {
  const receiver = await new GrpcReceiver().open();
  try {
    await test(receiver, { ...FAST, url: `http://127.0.0.1:${receiver.port}${PATH}` });
  } finally {
    await receiver.close();
  }
}

const number = (span) => Number(span.attributes.find((a) => a.key === 'number')?.value.intValue ?? -1);
const plain = (requests) => requests.flatMap((r) => r.message.resourceSpans.flatMap((x) => x.scopeSpans.flatMap((s) => s.spans
  .map((span) => JSON.stringify([x.resource, s.scope, span]))))).sort();

for (const gzip of [false, true]) {
  holds(`what arrives is what arrives over HTTP${gzip ? ', in gzip' : ''}`, () => against(async (receiver, options) => {
    const other = await new Receiver().open();
    const more = { spans: 5000, batch_spans: 300, ...gzip ? { gzip } : {}, wait: true };
    const stats = await produce({ ...options, ...more });
    same(stats.acknowledged, stats.spans, 'acknowledged');
    same(receiver.ids.size, stats.spans, 'received');
    check(receiver.requests.every((r) => !!r.headers['grpc-encoding'] === gzip), 'grpc-encoding');
    await produce({ ...options, ...more, grpc: undefined, protobuf: true, url: other.url });
    same(plain(receiver.requests).join('\n'), plain(other.requests).join('\n'), 'the spans');
    await other.close();
  }));
}

// grpc.io, "Status codes and their use in gRPC"; OTLP 1.11, "Failures".
const LATER = [1, 4, 10, 11, 14, 15];
for (let status = 1; status <= 17; status++) {
  const what = LATER.includes(status) ? 'is tried again' : status === 3 ? 'is refused' : 'turns a spool away, which keeps all';
  holds(`status ${status} ${what}`, () => against(async (receiver, options) => {
    const spool = freshDirectory();
    let times = 3;
    receiver.answer = () => (times-- > 0 ? { status, words: 'no%20such tenant' } : {});
    if (LATER.includes(status)) {
      const stats = await produce({ ...options, spans: 200 });
      same(stats.failures, 3, 'failures');
      same(stats.acknowledged, stats.spans, 'acknowledged');
      return;
    }
    times = Infinity;
    const stats = await produce({ ...options, spool, spans: 200 });
    same(stats.rejected, status === 3 ? stats.spans : 0, 'refused');
    same(stats.spooled, status === 3 ? 0 : stats.spans, 'in the spool');
    check(stats.lastError.startsWith(`gRPC ${status} `), stats.lastError);
    receiver.answer = () => ({});
    const sent = await produce({ ...options, spool, send: 1 });
    same(sent.foundAcknowledged, stats.spooled, 'sent at last');
  }));
}

holds('RetryInfo says when to come again', () => against(async (receiver, options) => {
  let times = 1;
  receiver.answer = () => (times-- > 0 ? { status: 8, details: retryDetails(1, 200000000) } : {});
  const from = Date.now();
  const stats = await produce({ ...options, spans: 10, delay_ms: 20 });
  same(stats.acknowledged, stats.spans, 'acknowledged');
  check(receiver.requests[0].at - from >= 1200, `after ${receiver.requests[0].at - from} ms`);
}));

holds('a message larger than the receiver takes comes in parts', () => against(async (receiver, options) => {
  receiver.answer = ({ spans }) => (spans.length > 7 || spans.some((s) => number(s) === 123)
    ? { status: 8, words: 'grpc: received message larger than max (4194311 vs. 4194304)' } : {});
  const stats = await produce({ ...options, spans: 500, batch_spans: 200 });
  same(stats.rejected, 1, 'refused');
  same(receiver.ids.size, stats.spans - 1, 'received');
}));

holds('a partial success is counted', () => against(async (receiver, options) => {
  receiver.answer = () => ({ rejected: 7 });
  const stats = await produce({ ...options, spans: 500, batch_spans: 2000 });
  same(stats.rejected, 7, 'refused');
  same(stats.lastError, 'gRPC: some', 'the error');
}));

holds('with 100 ms a reply many are under way', () => against(async (receiver, options) => {
  receiver.delayMs = 100;
  const stats = await produce({ ...options, wait: true, spans: 20000, batch_spans: 200 });
  same(stats.acknowledged, stats.spans, 'acknowledged');
  check(receiver.most >= 8, `${receiver.most} at most were under way`);
}));

async function listening(server) {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${server.address().port}`;
}

holds('HTTP at the port of gRPC is told', async () => {
  // As Go's server: its SETTINGS, then the end, since what came is no preface.
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5, 0, 0, 64, 0])));
  });
  const stats = await produce({ ...FAST, grpc: undefined, protobuf: true, url: `${await listening(server)}/v1/traces`, spans: 10, finish_ms: 3000 });
  check(/gRPC port/.test(stats.lastError), stats.lastError);
  same(stats.dropped, stats.spans, 'dropped');
  server.close();
});

// With a spool nothing is lost, but nothing will ever arrive either.
holds('another protocol at the port is an error of who exports, with a spool, too', async () => {
  const capture = path.join(path.dirname(new URL(import.meta.url).pathname), '../../golden/basic.gtrace');
  const grpc = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5, 0, 0, 64, 0])));
  });
  const plain = http.createServer((request, reply) => reply.end('{}'));
  for (const [url, words] of [[await listening(grpc), 'is this the gRPC port\\? HTTP is 4318'],
    [(await listening(plain)).replace('http:', 'grpc:'), 'is this the HTTP port\\? gRPC is 4317'], ['http://127.0.0.1:1', '']]) {
    const { status, stderr } = await start(path.join(build, 'guesttrace'), ['export', '--format', 'otlp', '--spool', freshDirectory(), '-o', url, capture]).ended;
    same(status, words ? 1 : 0, `the exit status (${stderr})`);
    check(/5 spans, 5 in the spool/.test(stderr) && new RegExp(words).test(stderr), stderr);
    check(!words || new RegExp(`refuses spans \\(.*${words}`).test(stderr), stderr);
  }
  grpc.close();
  plain.close();
});

holds('gRPC at the port of HTTP is told', async () => {
  const server = http.createServer((request, reply) => reply.end('{}'));
  const stats = await produce({ ...FAST, url: `${await listening(server)}${PATH}`, spans: 10, finish_ms: 3000 });
  check(/HTTP port/.test(stats.lastError), stats.lastError);
  same(stats.dropped, stats.spans, 'dropped');
  server.close();
});

holds('the command takes grpc://, and the protocol of the environment', () => against(async (receiver) => {
  const spool = freshDirectory();
  const stats = await produce({ ...FAST, url: 'http://127.0.0.1:1/', spool, spans: 300, finish_ms: 50 });
  same(stats.spooled, stats.spans, 'in the spool');
  for (const [url, environment] of [[`grpc://127.0.0.1:${receiver.port}`, {}], [`http://127.0.0.1:${receiver.port}`, { OTEL_EXPORTER_OTLP_PROTOCOL: 'GRPC' }]]) {
    const { status, stdout, stderr } = await start(path.join(build, 'guesttrace'), ['spool', 'send', '--to', url, spool], environment).ended;
    same(stderr, '', 'standard error');
    same(status, 0, 'the exit status');
    check(/^\d+ spans acknowledged\n$/.test(stdout), stdout);
  }
  same(receiver.ids.size, stats.spans, 'received');
}));

holds('a spool of JSON waits for HTTP', () => against(async (receiver, options) => {
  const spool = freshDirectory();
  const stats = await produce({ ...FAST, grpc: undefined, json: true, url: 'http://127.0.0.1:1/', spool, spans: 300, finish_ms: 50 });
  const sent = await produce({ ...options, spool, send: 1 });
  same(sent.foundWaiting, stats.spans, 'spans that wait');
  same(sent.lastError, 'in JSON, which gRPC does not take', 'the error');
  same(receiver.seen, 0, 'requests');
}));

await end();
