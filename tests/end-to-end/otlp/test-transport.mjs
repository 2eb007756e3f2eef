// SPDX-License-Identifier: MIT
// test-transport.mjs BUILD-DIR: for each way in which an endpoint can misbehave,
// the outcome that docs/otlp.md promises.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { build, check, checkCalm, checkWithin, duplicates, end, freshDirectory, freshFile, holds, produce, same, start, startProducer, ended, sleep } from './cases.mjs';
import { Receiver } from './receiver.mjs';

const FAST = { json: true, backoff_ms: 20, backoff_max_ms: 100, finish_ms: 60000, timeout_ms: 30000 };

async function against(mode, options, test) {
  const receiver = await new Receiver().open(options.tls);
  delete options.tls;
  receiver.mode = mode;
  try {
    await test(receiver, { ...FAST, url: receiver.url, ...options });
  } finally {
    await receiver.close();
  }
}

const takenAll = (receiver, stats) => {
  same(stats.acknowledged, stats.spans, 'acknowledged');
  same(receiver.ids.size, stats.spans, 'spans received');
};

for (const form of [{ json: true }, { json: true, gzip: true }, { protobuf: true }, { protobuf: true, gzip: true }]) {
  holds(`${Object.keys(form).join(' in ')}: every span arrives once and reads back`, () => against({ kind: 'take' }, form, async (receiver, options) => {
    const stats = await produce({ ...options, spans: 2000, header: 'X-Token: a b' });
    takenAll(receiver, stats);
    same(duplicates(receiver), 0, 'duplicates');
    const { headers, message } = receiver.requests[0];
    same(headers['x-token'], 'a b', 'the header');
    check(/^guesttrace\/(\d+\.\d+\.\d+) OTel-OTLP-Exporter-C\/\1$/.test(headers['user-agent']), headers['user-agent']);
    same(headers['content-encoding'], form.gzip ? 'gzip' : undefined, 'encoding');
    const resource = message.resourceSpans[0].resource.attributes.map((a) => a.key);
    check(resource.includes('service.name') && resource.includes('guesttrace.vm'), resource.join());
    checkCalm(stats);
  }));
}

holds('a span does not wait for a full request', () => against({ kind: 'take' }, {}, async (receiver, options) => {
  const child = startProducer({ ...options, spans: 20, rate: 5, delay_ms: 200 });
  await sleep(3000);
  const early = receiver.ids.size;
  takenAll(receiver, await ended(child));
  check(early >= 1 && early < 20, `${early} spans before the last was made`);
}));

for (const status of [429, 502, 503, 504]) {
  holds(`${status} is tried again`, () => against({ kind: 'status', status, times: 3 }, {}, async (receiver, options) => {
    const stats = await produce(options);
    takenAll(receiver, stats);
    same(stats.failures, 3, 'failures');
  }));
}

for (const status of [301, 307, 400, 401, 404, 415, 422, 500, 501]) {
  holds(`${status} is counted and not tried again`, () => against(
    { kind: 'status', status, headers: { Location: 'http://127.0.0.1:1/elsewhere' }, times: 1 }, {}, async (receiver, options) => {
      const stats = await produce({ ...options, spans: 1000, batch_spans: 100 });
      same(stats.rejected, 100, 'rejected');
      same(stats.acknowledged, stats.spans - 100, 'acknowledged');
      same(receiver.ids.size, stats.spans - 100, 'received');
      same(stats.failures, 0, 'failures');
      same(stats.lastError, `HTTP ${status}`, 'the error');
    },
  ));
}

// Threat F5.
holds('a redirect is not followed', () => against({ kind: 'take' }, {}, async (target) => {
  await against({ kind: 'status', status: 307, headers: { Location: target.url } }, {}, async (receiver, options) => {
    const stats = await produce({ ...options, header: 'Authorization: secret' });
    same(stats.rejected, stats.spans, 'rejected');
    same(target.connections, 0, 'connections to where it points');
  });
}));
holds('a proxy of the environment is not asked', () => against({ kind: 'take' }, {}, async (proxy) => {
  await against({ kind: 'take' }, {}, async (receiver, options) => {
    const names = ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
    const environment = Object.fromEntries(names.map((name) => [name, proxy.url]));
    takenAll(receiver, await ended(startProducer({ ...options, header: 'Authorization: secret' }, { ...environment, no_proxy: '', NO_PROXY: '' })));
    same(proxy.connections, 0, 'connections to the proxy');
  });
}));

for (const [name, value, atLeast, atMost] of [
  ['seconds', () => '1', 1000, 1500],
  ['a date', () => new Date(Date.now() + 2000).toUTCString(), 900, 2500],
  ['a date in the past', () => 'Sun, 06 Nov 1994 08:49:37 GMT', 0, 500]]) {
  holds(`Retry-After as ${name} is honoured`, () => against(
    { kind: 'status', status: 429, times: 1 }, {}, async (receiver, options) => {
      receiver.mode.headers = { 'Retry-After': value() };
      const from = Date.now();
      const stats = await produce({ ...options, spans: 10, delay_ms: 50 });
      const took = receiver.requests[0].at - from;
      takenAll(receiver, stats);
      check(took >= atLeast && took <= atMost + 10000, `${took} ms`);
      checkCalm(stats);
    },
  ));
}

for (const value of ['0', 'Sun, 06 Nov 1994 08:49:37 GMT']) {
  holds(`Retry-After: ${value} for ever: no sooner than without it`, () => against(
    { kind: 'status', status: 429, headers: { 'Retry-After': value } }, {}, async (receiver, options) => {
      const stats = await produce({ ...options, spans: 10, finish_ms: 2000 });
      same(stats.dropped, stats.spans, 'dropped');
      check(stats.failures >= 2 && stats.failures < 60, `${stats.failures} requests`);
      checkCalm(stats);
    },
  ));
}

for (const [what, headers, body] of [
  ['JSON', { 'Content-Type': 'Application/JSON' }, '{"code":3,"message":"no such tenant\u001b[2J"}'],
  ['protobuf', { 'Content-Type': 'application/x-protobuf' }, '\x08\x03\x12\x0eno such tenant']]) {
  holds(`a refusal in ${what} says why`, () => against({ kind: 'status', status: 400, headers, body }, {}, async (receiver, options) => {
    const stats = await produce({ ...options, spans: 10 });
    same(stats.rejected, stats.spans, 'rejected');
    check(/^HTTP 400: no such tenant[ -~]*$/.test(stats.lastError), stats.lastError);
  }));
}

holds('an endpoint that does not answer before the end is named', () => against({ kind: 'hang' }, {}, async (receiver, options) => {
  const stats = await produce({ ...options, spans: 10, finish_ms: 300 });
  same(stats.dropped, stats.spans, 'dropped');
  same(stats.lastError, 'no reply until the end', 'the error');
}));

holds('a request fits into a small queue', () => against({ kind: 'take' }, {}, async (receiver, options) => {
  const stats = await produce({ ...options, spans: 1000, queue_spans: 100, wait: true });
  takenAll(receiver, stats);
  check(Math.max(...receiver.requests.map((r) => r.spans)) <= 100, 'a request is larger than the queue');
}));

for (const [rejected, want] of [[7, 7], [100000, 501], [-5, 0], [0, 0]]) {
  holds(`a partial success that rejects ${rejected} is counted and not tried again`, () => against(
    { kind: 'partial', rejected }, {}, async (receiver, options) => {
      const stats = await produce({ ...options, spans: 500, batch_spans: 2000 });
      same(stats.rejected, want, 'rejected');
      same(stats.acknowledged, stats.spans - want, 'acknowledged');
      same(receiver.requests.length, 1, 'requests');
      same(stats.lastError, want ? 'HTTP 200: some' : '', 'the error');
    },
  ));
}

// Threat F6: a reply without an end. With 200 the spans have been taken; more than 64 KiB of
// it are not read, whatever it says.
for (const kind of ['huge', 'endless', 'endless-head']) {
  holds(`200 and ${kind} reply: taken, and the rest is not read`, () => against({ kind }, {}, async (receiver, options) => {
    const stats = await produce({ ...options, spans: 100 });
    takenAll(receiver, stats);
    same(receiver.requests.length, 1, 'requests');
    check(receiver.sent < 8 << 20, `${receiver.sent} bytes sent`);
    checkCalm(stats);
  }));
}
holds('503 and an endless reply: tried again after a pause', () => against({ kind: 'endless-error' }, {}, async (receiver, options) => {
  const child = startProducer({ ...options, spans: 100 });
  await sleep(500);
  receiver.mode = { kind: 'take' };
  const stats = await ended(child);
  takenAll(receiver, stats);
  check(receiver.requests.length < 40, `${receiver.requests.length} requests`);
  checkCalm(stats);
}));

// Threat F6: replies of HTTP as nobody should send them.
const gzip = (bytes) => zlib.gzipSync(Buffer.alloc(bytes));
const bomb = gzip(32 << 20);
for (const [what, mode] of [
  ['100, 103 and then 200', { bytes: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' }],
  ['200 of HTTP/1.0 that ends with the connection', { bytes: 'HTTP/1.0 200 OK\r\n\r\n{}', close: true }],
  ['204', { bytes: 'HTTP/1.1 204 No Content\r\n\r\n' }],
  ['200 in chunks', { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n' }],
  ['200 and chunks with endless trailers', { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', endless: 'X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1000) }],
  ['200 and 32 MiB in gzip, which stay as they are', { bytes: Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`), bomb]) }],
  ['200 with a reason full of control bytes', { bytes: 'HTTP/1.1 200 \x1b[2J\x07\r\nX-A: \x1b]0;a\x07\r\nContent-Length: 0\r\n\r\n' }]]) {
  holds(`${what}: taken, once`, () => against({ kind: 'raw', take: true, times: 1, ...mode }, {}, async (receiver, options) => {
    const stats = await produce({ ...options, spans: 100 });
    takenAll(receiver, stats);
    same(receiver.requests.length, 1, 'requests');
    same(duplicates(receiver), 0, 'duplicates');
    check(receiver.sent < 8 << 20, `${receiver.sent} bytes sent`);
    checkCalm(stats);
  }));
}
const small = (await produce({ ...FAST, url: 'http://127.0.0.1:1', spans: 100, finish_ms: 1 })).maxKiB;
for (const [what, mode] of [
  ['100 without an end', { bytes: '', endless: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000) }],
  ['100 and then nothing', { bytes: 'HTTP/1.1 100 Continue\r\n\r\n', close: true }],
  ['a body shorter than its length', { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}', close: true }],
  ['chunks that break off', { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{', close: true }],
  ['a chunk whose length is none', { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n', close: true }],
  ['a length that is none', { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: -5\x1b[2J\r\n\r\n{}', close: true }],
  ['HTTP/0.9', { bytes: '{"partialSuccess":{}}', close: true }],
  ['200 and a line of its head without an end', { bytes: 'HTTP/1.1 200 OK\r\nX-A: ', endless: 'a'.repeat(60000) }],
  ['503 and headers without an end', { bytes: 'HTTP/1.1 503 No\r\n', endless: 'X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1000) }]]) {
  holds(`${what}: tried again after a pause`, () => against({ kind: 'raw', times: 3, ...mode }, {}, async (receiver, options) => {
    const stats = await produce({ ...options, spans: 100 });
    takenAll(receiver, stats);
    same(stats.failures, 3, 'failures');
    check(/^[ -~]+$/.test(stats.lastError), stats.lastError);
    check(receiver.sent < 32 << 20, `${receiver.sent} bytes sent`);
    check(stats.maxKiB < small + (16 << 10), `${stats.maxKiB} KiB, ${small} without a reply`);
    checkCalm(stats);
  }));
}
holds('a reply that nobody asked for is not taken for the next one', () => against({ kind: 'raw', take: true, bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n' }, {}, async (receiver, options) => {
  const stats = await produce({ ...options, spans: 1000, batch_spans: 100 });
  takenAll(receiver, stats);
  same(stats.rejected, 0, 'rejected');
}));

// Threats F1, F2. Nobody answers: the spans stay, in memory or in the spool, and the time is not
// spent in a loop.
const DEAF = [['refuses', { kind: 'take' }], ['hangs', { kind: 'hang' }],
  ['answers one byte a second', { kind: 'byte-a-second' }], ['speaks another protocol', { kind: 'garbage' }]];
for (const [what, mode] of DEAF) {
  holds(`an endpoint that ${what}: dropped at the end without a spool, and counted`, () => against(mode, {}, async (receiver, options) => {
    if (what === 'refuses') await receiver.close().then(() => { receiver.close = () => {}; });
    const stats = await produce({ ...options, spans: 3000, finish_ms: 1500, timeout_ms: 1000 });
    same(stats.dropped, stats.spans, 'dropped');
    checkWithin(stats, stats.finishMs, 2500, 'finish');
    check(stats.failures >= 1, 'nothing was tried');
    checkCalm(stats);
  }));
  holds(`an endpoint that ${what}: spooled, and sent when it is back`, () => against(mode, {}, async (receiver, options) => {
    const spool = freshDirectory();
    if (what === 'refuses') await receiver.close();
    const stats = await produce({ ...options, spans: 3000, finish_ms: 1500, timeout_ms: 1000, spool });
    same(stats.spooled, stats.spans, 'spooled');
    checkCalm(stats);
    receiver.mode = { kind: 'take' };
    receiver.ids.clear();
    if (what === 'refuses') await receiver.open();
    const sent = await produce({ ...options, spool, send: 1 });
    same(sent.foundAcknowledged, stats.spans, 'sent from the spool');
    same(receiver.ids.size, stats.spans, 'received');
    same(duplicates(receiver), 0, 'duplicates');
    same(fs.readdirSync(spool).join(), 'lock', 'what is left in the spool');
  }));
}

holds('a spool that is sent waits while the endpoint asks for it', () => against({ kind: 'status', status: 503 }, {}, async (receiver, options) => {
  const spool = freshDirectory();
  const stats = await produce({ ...options, spans: 1000, batch_spans: 100, finish_ms: 300, spool });
  same(stats.spooled, stats.spans, 'spooled');
  receiver.mode = { kind: 'status', status: 429, times: 1, headers: { 'Retry-After': '1' } };
  const from = Date.now();
  const sent = await produce({ ...options, spool, send: 1 });
  same(sent.foundAcknowledged, stats.spans, 'sent from the spool');
  check(Date.now() - from >= 1000, 'it did not wait');
}));
holds('a spool that is sent stays where the endpoint asks for more than anybody waits', () => against({ kind: 'status', status: 503 }, {}, async (receiver, options) => {
  const spool = freshDirectory();
  const stats = await produce({ ...options, spans: 100, finish_ms: 300, spool });
  receiver.mode.headers = { 'Retry-After': '120' };
  const from = Date.now();
  const sent = await produce({ ...options, spool, send: 1 });
  same(sent.foundWaiting, stats.spans, 'waiting');
  check(Date.now() - from < 20000, 'it waited');
}));

holds('a full queue drops the newest and never waits', () => against({ kind: 'hang' }, {}, async (receiver, options) => {
  const stats = await produce({ ...options, spans: 20000, queue_spans: 2048, finish_ms: 300 });
  same(stats.dropped, stats.spans, 'dropped');
  checkCalm(stats, 2500);
}));
holds('a capture waits for room and loses nothing', () => against({ kind: 'slow-take', ms: 20 }, {}, async (receiver, options) => {
  const stats = await produce({ ...options, spans: 20000, queue_spans: 1024, wait: true });
  takenAll(receiver, stats);
}));

// What is not complete may not be handed over into a full queue, where nobody can wait.
holds('and so it does when it is time to hand over', () => against({ kind: 'slow-take', ms: 50 }, {}, async (receiver, options) => {
  const stats = await produce({ ...options, spans: 20000, rate: 30000, batch_spans: 400, queue_spans: 1024, wait: true, delay_ms: 1 });
  takenAll(receiver, stats);
}));

holds('a capture waits while the endpoint is away for a moment', () => against({ kind: 'status', status: 503, times: 10 }, {}, async (receiver, options) => {
  const stats = await produce({ ...options, spans: 20000, queue_spans: 1024, wait: true });
  takenAll(receiver, stats);
  same(stats.failures, 10, 'failures');
}));

// Threat F3: the connection is reset at every byte of the request and of the reply.
holds('a reset at byte k of the request, for every k: no loss, no duplicate', () => against({ kind: 'take' }, {}, async (receiver, options) => {
  const one = { ...options, gzip: true, spans: 3, backoff_ms: 1, backoff_max_ms: 1, finish_ms: 120000 };
  await produce(one);
  const total = receiver.bytes;
  const steps = [];
  for (let at = 0; at < total; at++) steps.push(at);
  receiver.mode = { kind: 'reset-request', at: 0 };
  const child = startProducer(one);
  receiver.ids.clear();
  let hits = 0;
  for (const at of steps) {
    receiver.mode = { kind: 'reset-request', at };
    const { connections } = receiver;
    const until = Date.now() + 10000;
    while (receiver.connections <= connections && Date.now() < until) await sleep(0.5);
    hits += receiver.connections > connections;
  }
  receiver.mode = { kind: 'take' };
  const stats = await ended(child);
  takenAll(receiver, stats);
  same(duplicates(receiver), 0, 'duplicates');
  same(hits, steps.length, 'requests that were reset');
}));
for (const form of [{ json: true }, { protobuf: true }]) {
  holds(`a reset at byte k of the reply in ${Object.keys(form)}, for every k: no loss, each sent again by the same ids`, () => against({ kind: 'reset-each-reply', at: 0 }, {}, async (receiver, options) => {
    const { json, ...rest } = options;
    const bytes = Receiver.goodReplyBytes(Boolean(form.json));
    const stats = await produce({ ...rest, ...form, spans: 3 * bytes, batch_spans: 3, backoff_ms: 1, backoff_max_ms: 1, finish_ms: 120000 });
    takenAll(receiver, stats);
    same(receiver.mode.at, bytes, 'replies that were reset');
    same(receiver.requests.length - receiver.plain, 2 * bytes, 'requests whose reply was reset, and the same again');
    same(duplicates(receiver), receiver.unanswered, 'duplicates');
    same(stats.failures, bytes, 'failures');
  }));
}

// ---- TLS ----

const ssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
function authority() {
  const [key, cert] = [freshFile(), freshFile()];
  ssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test authority', '-keyout', key, '-out', cert);
  return { key, cert };
}
function certificate(ca, name, ...dates) {
  const [key, csr, cert, extensions] = [freshFile(), freshFile(), freshFile(), freshFile()];
  ssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=endpoint', '-keyout', key, '-out', csr);
  fs.writeFileSync(extensions, `subjectAltName=${name}\n`);
  if (dates.length === 0)
    ssl('x509', '-req', '-in', csr, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', cert);
  else
    signBetween(ca, csr, extensions, cert, dates);
  return { key, cert };
}
// `openssl x509` learnt of dates in 3.4 and refuses negative days since; `openssl ca` has always had them.
function signBetween(ca, csr, extensions, cert, [first, last]) {
  const [config, index, serial] = [freshFile(), freshFile(), freshFile()];
  fs.writeFileSync(index, '');
  fs.writeFileSync(config, `[ca]\ndefault_ca = it\n[it]\ndatabase = ${index}\nserial = ${serial}\nnew_certs_dir = ${path.dirname(cert)}\n`
    + 'default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n');
  ssl('ca', '-batch', '-notext', '-config', config, '-create_serial', '-cert', ca.cert, '-keyfile', ca.key, '-in', csr,
    '-startdate', first, '-enddate', last, '-extfile', extensions, '-out', cert);
}
const pem = ({ key, cert }) => ({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) });
const ca = authority();
const good = certificate(ca, 'IP:127.0.0.1');

holds('TLS with a known authority: taken', () => against({ kind: 'take' }, { tls: pem(good) }, async (receiver, options) => {
  takenAll(receiver, await produce({ ...options, ca: ca.cert }));
}));
holds('TLS with a certificate of the client: taken, and only with it', () => {
  const client = certificate(ca, 'DNS:client');
  const options = { tls: { ...pem(good), ca: fs.readFileSync(ca.cert), requestCert: true, rejectUnauthorized: true } };
  return against({ kind: 'take' }, options, async (receiver, o) => {
    takenAll(receiver, await produce({ ...o, ca: ca.cert, cert: client.cert, key: client.key }));
    receiver.ids.clear();
    const stats = await produce({ ...o, ca: ca.cert, finish_ms: 300 });
    same(stats.dropped, stats.spans, 'dropped without it');
  });
});
// Files that TLS cannot use are said before a guest runs or a capture is opened:
// what is not there is not missed.
const variables = (files) => Object.fromEntries(Object.entries(files).map(([name, value]) => [`OTEL_EXPORTER_OTLP_${name}`, value]));
const nothingRuns = async (url, files) => {
  const said = [];
  for (const command of [['run', '--export', `otlp=${url}`, path.join(build, 'guests/hello.elf')], ['export', '--format', 'otlp', '-o', url, path.join(path.dirname(new URL(import.meta.url).pathname), '../../golden/basic.gtrace')]]) {
    const { status, stdout, stderr } = await start(path.join(build, 'guesttrace'), command, variables(files)).ended;
    check(status === (command[0] === 'run' ? 125 : 1), `${command[0]}: ${status} ${stderr}`);
    same(stdout, '', 'what the guest says');
    said.push(stderr.replace(/.*on the emulator.*\n/, ''));
  }
  same(said[0], said[1], 'both commands');
  return said[0];
};
holds('TLS with another certificate\'s key, or none: said before the guest runs', () => against({ kind: 'take' }, { tls: pem(good) }, async (receiver) => {
  const [one, other] = [certificate(ca, 'DNS:client'), certificate(ca, 'DNS:client')];
  const files = (key, cert) => ({ CERTIFICATE: ca.cert, CLIENT_CERTIFICATE: cert, ...(key ? { CLIENT_KEY: key } : {}) });
  const bad = (path, label) => { fs.writeFileSync(path, `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`); return path; };
  const no = (words) => new RegExp(`^guesttrace: OTLP: [^ ]+: ${words} \\(.+\\)\n$`);
  for (const [what, words] of [
    [files(other.key, one.cert), no('not the key of [^ ]+, or TLS cannot read one of them')],
    [files(bad(freshFile(), 'PRIVATE KEY'), one.cert), no('not the key of [^ ]+, or TLS cannot read one of them')],
    [files(one.key, bad(freshFile(), 'CERTIFICATE')), no('not the key of [^ ]+, or TLS cannot read one of them')],
    [{ CERTIFICATE: bad(freshFile(), 'CERTIFICATE') }, no('no certificates that TLS can read')],
  ]) {
    const said = await nothingRuns(receiver.url.replace('http:', 'https:'), what);
    check(words.test(said), said);
  }
  const both = freshFile();
  fs.writeFileSync(both, fs.readFileSync(one.cert) + fs.readFileSync(other.key));
  const said = await nothingRuns(receiver.url, files(undefined, both));
  check(no('no certificate with its key that TLS can read').test(said), said);
  same(receiver.bytes, 0, 'bytes that arrived');
}));
// Threat F4.
for (const [what, tls, options] of [
  ['an unknown authority', pem(good), {}],
  ['its own signature', pem(authority()), { ca: ca.cert }],
  ['another name', pem(certificate(ca, 'DNS:elsewhere.example')), { ca: ca.cert }],
  ['a date that is over', pem(certificate(ca, 'IP:127.0.0.1', '20200101000000Z', '20200102000000Z')), { ca: ca.cert }],
  ['TLS 1.1 only', { ...pem(good), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, { ca: ca.cert }]]) {
  holds(`TLS with ${what}: nothing is sent, the spool keeps it`, () => against({ kind: 'take' }, { tls }, async (receiver, o) => {
    const stats = await produce({ ...o, ...options, finish_ms: 10000, spool: freshDirectory() });
    same(stats.spooled, stats.spans, 'spooled');
    same(receiver.bytes, 0, 'bytes that arrived');
    check(stats.lastError !== '', 'no error is named');
    checkCalm(stats);
  }));
}
await end();
