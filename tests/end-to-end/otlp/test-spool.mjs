// SPDX-License-Identifier: MIT
// test-spool.mjs BUILD-DIR [long] [json]: the endpoint is away and comes back, the
// disk fills, the files are damaged. Nothing is lost that is not counted.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, check, checkCalm, duplicates, end, ended, freshDirectory, freshFile, holds, long, note, produce, same, skipped, sleep, start, startProducer } from './cases.mjs';
import { Receiver } from './receiver.mjs';

const form = process.argv.includes('json') ? { json: true } : { protobuf: true };
const FAST = { ...form, gzip: true, backoff_ms: 50, backoff_max_ms: 500, finish_ms: 60000, timeout_ms: 30000, delay_ms: 100 };

const segments = (spool) => fs.readdirSync(spool).filter((name) => name.endsWith('.gtspool'))
  .sort().map((name) => path.join(spool, name));

async function withReceiver(test) {
  const receiver = await new Receiver().open();
  try {
    await test(receiver, { ...FAST, url: receiver.url });
  } finally {
    receiver.mode = { kind: 'take' };
    await receiver.close().catch(() => {});
  }
}

// Sends what is there until nothing waits.
async function drain(receiver, options, spool) {
  receiver.mode = { kind: 'take' };
  const stats = await produce({ ...options, spool, send: 1 });
  same(stats.result, 0, `the result of sending the spool (${stats.lastError})`);
  return stats;
}

// ---- Away, and back ----

const awayMs = long ? 60000 : 4000;
const rate = long ? 10000 : 5000;
const spans = rate * (long ? 75 : 7);
// Threat F1.
holds(`away for ${awayMs / 1000} s at ${rate} spans/s, then back: sent is what was produced`, () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  receiver.sample = 50;
  const child = startProducer({ ...options, spool, spans, rate, finish_ms: 300000, timeout_ms: 10000 });
  await sleep(1000);
  await receiver.close();
  await sleep(awayMs);
  const before = receiver.ids.size;
  await receiver.open();
  const back = Date.now();
  const stats = await ended(child);
  note(`${stats.spans} spans, ${stats.requests} requests, ${stats.failures} failed, worst call ${stats.worstMs} ms, CPU ${stats.cpuMs} ms of ${stats.ms} ms, ${stats.maxKiB} KiB, ${before} before it was back, drained ${Date.now() - back} ms after it`);
  const rest = stats.spooled ? await drain(receiver, options, spool) : { foundAcknowledged: 0 };
  same(stats.acknowledged + rest.foundAcknowledged, stats.spans, 'acknowledged');
  same(receiver.ids.size, stats.spans, 'received');
  check(duplicates(receiver) <= 16 * 512, `${duplicates(receiver)} duplicates: more than the requests that were under way`);
  checkCalm(stats, stats.ms * 0.9);
}));

// Threat F13.
holds('new spans are not kept waiting by a backlog', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  await receiver.close();
  const old = await produce({ ...options, spool, spans: 20000, base: 7, batch_spans: 20 });
  same(old.spooled, old.spans, 'in the backlog');
  await receiver.open();
  receiver.mode = { kind: 'slow-take', ms: 200 }; // the backlog takes some 12 s
  const stats = await produce({ ...options, spool, spans: 2000, rate: 1000, base: 8, batch_spans: 100 });
  same(stats.acknowledged, stats.spans, 'acknowledged of the new ones');
  check(stats.foundWaiting > 0 && stats.foundAcknowledged > 0, `of the backlog ${stats.foundAcknowledged} sent, ${stats.foundWaiting} waiting: both should go on`);
  note(`2000 new spans sent beside ${stats.foundAcknowledged} old ones`);
  const rest = await drain(receiver, options, spool);
  same(stats.foundAcknowledged + rest.foundAcknowledged, old.spans, 'old ones sent');
}));

// Threat F11.
holds('two processes do not send the same spool', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  await receiver.close();
  const stats = await produce({ ...options, spool, spans: 5000 });
  await receiver.open();
  receiver.mode = { kind: 'hang' };
  const first = startProducer({ ...options, spool, send: 1, timeout_ms: 60000 });
  while (!receiver.connections) await sleep(5);
  const second = await produce({ ...options, spool, send: 1 });
  same(second.result, -16, 'the result of the second (EBUSY)');
  await receiver.close();
  await receiver.open();
  await ended(first);
  const beside = await produce({ ...options, spool, spans: 100, finish_ms: 500 });
  same(beside.acknowledged + beside.spooled, beside.spans, 'of a run beside it');
  const sent = await drain(receiver, options, spool);
  same(sent.foundAcknowledged, stats.spans + beside.spooled, 'sent');
}));

// ---- Damage ----

// Threats F8, F9.
holds('a segment cut anywhere: the whole requests before the cut are sent', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  await receiver.close();
  const stats = await produce({ ...options, spool, spans: 9, batch_spans: 2 });
  const [segment] = segments(spool);
  const bytes = fs.readFileSync(segment);
  const frames = [];
  for (let at = 0; at < bytes.length; at += 36 + bytes.readUInt32LE(at + 8)) frames.push([at, Number(bytes.readBigUInt64LE(at + 16))]);
  same(frames.reduce((sum, [, n]) => sum + n, 0), stats.spans, 'spans in the frames');
  await receiver.open();
  const step = long ? 31 : 211;
  for (let cut = 0; cut <= bytes.length; cut += step) {
    const one = freshDirectory();
    fs.mkdirSync(one, { mode: 0o700 });
    fs.writeFileSync(path.join(one, path.basename(segment)), bytes.subarray(0, cut), { mode: 0o600 });
    const want = frames.filter(([at]) => at < cut && at + 36 + bytes.readUInt32LE(at + 8) <= cut)
      .reduce((sum, [, n]) => sum + n, 0);
    const sent = await drain(receiver, options, one);
    same(sent.foundAcknowledged, want, `sent of a file cut at ${cut}`);
    same(fs.readdirSync(one).join(), 'lock', `left of a file cut at ${cut}`);
  }
}));

// Threat F9.
holds('damage costs only the requests it hits, and is counted', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  await receiver.close();
  const stats = await produce({ ...options, spool, spans: 1000, batch_spans: 100 });
  const [segment] = segments(spool);
  const bytes = fs.readFileSync(segment);
  const second = 36 + bytes.readUInt32LE(8);
  const third = second + 36 + bytes.readUInt32LE(second + 8);
  bytes[second + 100] ^= 4; // a body
  bytes[third + 9] ^= 0x80; // a length in a header
  fs.writeFileSync(segment, bytes);
  await receiver.open();
  const sent = await drain(receiver, options, spool);
  same(sent.foundAcknowledged, stats.spans - 200, 'sent');
  same(sent.damagedSpans, 100, 'damaged spans');
  check(sent.damagedBytes > 100, `${sent.damagedBytes} damaged bytes`);
}));

const SEGMENT = `${'0'.repeat(16)}-${'0'.repeat(16)}-000000.gtspool`;
const privateDirectory = () => {
  const at = freshDirectory();
  fs.mkdirSync(at, { mode: 0o700 });
  return at;
};

holds('damage behind the last request that waits is counted', () => withReceiver(async (receiver, options) => {
  await receiver.close();
  const fill = async (damage) => {
    const spool = freshDirectory();
    await produce({ ...options, spool, spans: 300, batch_spans: 100 });
    damage(segments(spool)[0]);
    return spool;
  };
  const cut = await fill((file) => fs.truncateSync(file, fs.statSync(file).size - 10));
  const longer = await fill((file) => fs.appendFileSync(file, Buffer.alloc(500, 'GTsp')));
  const run = await produce({ ...options, spool: longer, spans: 1, finish_ms: 100 });
  same(run.damagedBytes, 500, 'damaged bytes, as a run tells');
  await receiver.open();
  const cutOff = await drain(receiver, options, cut);
  check(cutOff.damagedBytes > 36, `${cutOff.damagedBytes} damaged bytes of a request that breaks off`);
  const appended = await drain(receiver, options, longer);
  same(appended.damagedBytes, 500, 'damaged bytes');
  for (const spool of [cut, longer]) same(fs.readdirSync(spool).join(), 'lock', 'what is left');
}));

function crc32(bytes, crc = 0) {
  let c = ~crc;
  for (const byte of bytes) {
    c ^= byte;
    for (let i = 0; i < 8; i++) c = (c >>> 1) ^ (c & 1 && 0xedb88320);
  }
  return ~c >>> 0;
}

holds('a file with nothing in it that this version has written stays, and is told', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  await receiver.close();
  const stats = await produce({ ...options, spool, spans: 100, batch_spans: 200 });
  await receiver.open();
  const [segment] = segments(spool);
  const good = fs.readFileSync(segment);
  const flipped = Buffer.from(good);
  flipped[20] ^= 1;
  const newer = Buffer.from(good);
  newer[4] = 2;
  newer.writeUInt32LE(crc32(newer.subarray(0, 32), crc32(Buffer.from(path.basename(segment)))), 32);
  const renamed = path.join(spool, SEGMENT);
  for (const [what, file, bytes] of [['one bit is flipped', segment, flipped], ['a newer version', segment, newer], ['another name', renamed, good]]) {
    fs.unlinkSync(segments(spool)[0]);
    fs.writeFileSync(file, bytes, { mode: 0o600 });
    for (const send of [0, 1]) {
      const found = await produce({ ...options, spool, send, spans: 1 });
      same(found.result, send ? -11 : 0, `${what}: the result (EAGAIN)`);
      same(found.unreadableFiles, 1, `${what}: files that cannot be read`);
      check(fs.readFileSync(file).equals(bytes), `${what}: the file is another one`);
    }
  }
  fs.renameSync(renamed, segment);
  same((await drain(receiver, options, spool)).foundAcknowledged, stats.spans, 'sent when it is good again');
}));

// Threat F11.
holds('a directory that is another\'s, or that others may write to, and a link are not used', () => withReceiver(async (receiver, options) => {
  const spool = privateDirectory();
  for (const mode of [0o720, 0o702, 0o777]) {
    fs.chmodSync(spool, mode);
    same((await produce({ ...options, spool })).result, -1, `the result for mode ${mode.toString(8)} (EPERM)`);
  }
  fs.chmodSync(spool, 0o700);
  const link = freshFile();
  fs.symlinkSync(spool, link);
  for (const end of ['', '/', '//', '/.', '/./']) {
    check((await produce({ ...options, spool: link + end })).result < 0, `a link was followed as link${end}`);
    check((await produce({ ...options, spool: link + end, send: 1 })).result < 0, `a link was followed as link${end} and sent`);
  }
  same((await produce({ ...options, spool: `${spool}//` })).result, 0, 'the result for a directory with slashes behind it');
  if (process.getuid() === 0) {
    fs.chownSync(spool, 65534, 65534);
    same((await produce({ ...options, spool })).result, -1, 'the result for one of another user (EPERM)');
  }
  same(receiver.connections, 1, 'connections: one, for the slashes');
}));

// Threat F11.
holds('a lock that is a link or a pipe is not used', () => withReceiver(async (receiver, options) => {
  const target = freshFile();
  for (const make of [(at) => fs.symlinkSync(target, at), (at) => execFileSync('mkfifo', [at]), (at) => fs.mkdirSync(at)]) {
    const spool = privateDirectory();
    make(path.join(spool, 'lock'));
    check((await produce({ ...options, spool })).result < 0, 'it was used');
  }
  check(!fs.existsSync(target), 'what the link names was made');
}));

holds('a link, a pipe, a directory and a foreign file in it are left alone', () => withReceiver(async (receiver, options) => {
  const spool = privateDirectory();
  const secret = freshFile();
  const at = (name) => path.join(spool, name);
  fs.writeFileSync(secret, 'secret');
  fs.symlinkSync(secret, at(SEGMENT));
  fs.symlinkSync(secret, at(`${SEGMENT.slice(0, 33)}.count`));
  execFileSync('mkfifo', [at(SEGMENT.replace('000000.', '000001.'))]);
  fs.mkdirSync(at(SEGMENT.replace('000000.', '000002.')));
  fs.writeFileSync(at(SEGMENT.replace('000000.', '000003.')), '');
  fs.truncateSync(at(SEGMENT.replace('000000.', '000003.')), 2 ** 36);
  fs.writeFileSync(at('notes.txt'), 'mine');
  for (const name of ['my-own-very-long-file-name-of-counts-2026.count', 'backup-of-something-precious-2026-11-26.gtspool',
    SEGMENT.replace('000000.', '00004.'), SEGMENT.replace('000000.', '0000005.'), SEGMENT.replace('000000.', '000006-1.'),
    SEGMENT.replace('000000.', '+00007.'), SEGMENT.replace('0-000000.', 'A-000008.'), `0${SEGMENT}`,
    ...[1, 2].map((n) => `${n}${SEGMENT.slice(1, 33)}.count`)]) {
    fs.writeFileSync(at(name), Buffer.alloc(name[0] === '1' ? 80 : 300, name));
  }
  const contents = () => fs.readdirSync(spool).filter((name) => /^[^l].*\.(count|gtspool)$/.test(name) && fs.lstatSync(at(name)).size < 1000 && fs.lstatSync(at(name)).isFile())
    .sort().map((name) => name + fs.readFileSync(at(name), 'latin1')).join();
  const contentsBefore = contents();
  const before = fs.readdirSync(spool).sort().join();
  const stats = await produce({ ...options, spool });
  same(stats.acknowledged, stats.spans, 'acknowledged');
  const sent = await drain(receiver, options, spool);
  same(sent.damagedBytes, 0, 'damaged bytes');
  same(sent.foundLost, 0, 'lost spans');
  check(contents() === contentsBefore, 'what is in the files changed');
  same(fs.readFileSync(secret, 'utf8'), 'secret', 'behind the link');
  same(fs.readdirSync(spool).filter((name) => name !== 'lock').sort().join(), before, 'what is there');
}));

holds('a file that cannot be opened is not taken for sent', () => withReceiver(async (receiver, options) => {
  const spool = privateDirectory();
  const ledger = path.join(spool, `${SEGMENT.slice(0, 33)}.count`);
  const bytes = Buffer.alloc(80);
  bytes.write('GTct');
  bytes.writeUInt32LE(crc32(Buffer.from(path.basename(ledger))), 4);
  bytes.writeBigUInt64LE(7n, 8); // seen, and never settled nor written
  fs.writeFileSync(ledger, bytes, { mode: 0o600 });
  // What runs cannot be opened to be written to, not even by root.
  const busy = path.join(spool, SEGMENT);
  fs.copyFileSync('/bin/sleep', busy);
  fs.chmodSync(busy, 0o700);
  const child = start(busy, ['60']);
  const sent = await produce({ ...options, spool, send: 1 });
  same(sent.result, -11, 'the result (EAGAIN)');
  same(sent.unreadableFiles, 1, 'files that cannot be read');
  same(sent.foundLost, 7, 'lost');
  check(fs.existsSync(busy) && fs.existsSync(ledger), 'a file was removed');
  child.kill('SIGKILL');
  await child.ended;
  fs.unlinkSync(busy);
  same((await drain(receiver, options, spool)).foundLost, 7, 'lost, once more');
  same(fs.readdirSync(spool).join(), 'lock', 'what is left');
}));

holds('a spool that is removed while it is in use costs nothing', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  receiver.mode = { kind: 'status', status: 503 };
  const child = startProducer({ ...options, spool, spans: 8000, rate: 2000, batch_spans: 100 });
  await sleep(1500);
  fs.rmSync(spool, { recursive: true });
  await sleep(1500);
  receiver.mode = { kind: 'take' };
  const stats = await ended(child);
  same(stats.acknowledged, stats.spans, 'acknowledged');
  same(receiver.ids.size, stats.spans, 'received');
  check(stats.spoolErrors > 0, 'no error is counted');
}));

// ---- No room (threat F7) ----

holds('over the cap the newest are dropped and counted', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  await receiver.close();
  const stats = await produce({ ...options, spool, spool_bytes: 40000, spool_own_bytes: 40000, spans: 20000, rate: 40000, queue_spans: 2000, finish_ms: 300 });
  const size = segments(spool).reduce((sum, name) => sum + fs.statSync(name).size, 0);
  check(size <= 40000 && size > 15000, `${size} bytes in the spool`);
  check(stats.spooled > 0 && stats.dropped > 0, `${stats.spooled} spooled, ${stats.dropped} dropped`);
  same(stats.spooled + stats.dropped, stats.spans, 'spooled and dropped');
  checkCalm(stats, 3000);
  await receiver.open();
  same((await drain(receiver, options, spool)).foundAcknowledged, stats.spooled, 'sent');
}));

holds('processes that write at once keep to the cap together', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  const cap = 400000;
  receiver.mode = { kind: 'status', status: 503 };
  const { gzip, ...plain } = options;
  const all = await Promise.all([...Array(8).keys()].map((n) => produce({ ...plain, spool, spool_bytes: cap, base: n + 1, spans: 3000, queue_spans: 1000, finish_ms: 300 })));
  const size = segments(spool).reduce((sum, name) => sum + fs.statSync(name).size, 0);
  check(size <= cap * (1 + 8 / 256), `${size} bytes in the spool, of ${cap}`);
  check(size > cap / 2, `only ${size} bytes in the spool`);
  const spooled = all.reduce((sum, one) => sum + one.spooled, 0);
  check(all.every((one) => one.spooled + one.dropped === one.spans), 'spans that are neither spooled nor dropped');
  same((await drain(receiver, options, spool)).foundAcknowledged, spooled, 'sent');
}));

holds('one that floods leaves room for those beside and behind it', () => withReceiver(async (receiver, options) => {
  const spool = freshDirectory();
  const cap = 400000;
  receiver.mode = { kind: 'status', status: 503 };
  const { gzip, ...plain } = options;
  const one = (base, more) => produce({ ...plain, spool, spool_bytes: cap, base, finish_ms: 300, ...more });
  const flooder = () => one(1, { spans: 20000, queue_spans: 1000 });
  const neighbour = (base) => one(base, { spans: 300, rate: 300, queue_spans: 1000 });
  const [flood, beside] = await Promise.all([flooder(), neighbour(2)]);
  const behind = await neighbour(3);
  check(flood.dropped > 0, 'it was no flood');
  const size = segments(spool).reduce((sum, name) => sum + fs.statSync(name).size, 0);
  check(size <= cap, `${size} bytes in the spool`);
  same(beside.dropped, 0, 'lost beside it');
  same(behind.dropped, 0, 'lost behind it');
  const spooled = flood.spooled + beside.spooled + behind.spooled;
  receiver.mode = { kind: 'take' };
  same((await drain(receiver, options, spool)).foundAcknowledged, spooled, 'sent');
}));

function mountTmpfs() {
  const at = freshDirectory();
  fs.mkdirSync(at);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', at], { stdio: 'pipe' });
    process.prependListener('exit', () => execFileSync('umount', ['-l', at]));
    return at;
  } catch { return null; }
}

async function fills(at) {
  const free = () => { const s = fs.statfsSync(at); return s.bavail * s.bsize; };
  const until = Date.now() + 30000;
  while (free() >= 32 << 10 && Date.now() < until) await sleep(20);
  check(free() < 32 << 10, `${free()} bytes are free: they are not used`);
}

const disk = mountTmpfs();
if (!disk) {
  skipped('on a full disk it runs on, counts every drop, and recovers', 'no tmpfs can be mounted');
} else {
  holds('on a full disk it runs on, counts every drop, and recovers', () => withReceiver(async (receiver, options) => {
    const spool = path.join(disk, 'spool');
    const ballast = path.join(disk, 'ballast');
    await receiver.close();
    fs.writeFileSync(ballast, Buffer.alloc(100 << 10));
    const { gzip, ...plain } = options;
    const child = startProducer({ ...plain, spool, spans: 60000, rate: 15000, queue_spans: 2000, finish_ms: 60000, batch_spans: 200, backoff_max_ms: 200 });
    await fills(disk);
    await sleep(500);
    fs.unlinkSync(ballast); // there is room for some more
    await fills(disk);
    await receiver.open(); // and the endpoint comes back
    const stats = await ended(child);
    note(`${stats.spans} spans: ${stats.acknowledged} acknowledged, ${stats.spooled} spooled, ${stats.dropped} dropped; ${stats.spoolErrors} errors of the disk; CPU ${stats.cpuMs} ms`);
    check(stats.dropped > 0 && stats.spoolErrors > 0, 'nothing was dropped');
    const rest = await drain(receiver, options, spool);
    same(receiver.ids.size, stats.spans - stats.dropped, 'received in the end');
    same(stats.acknowledged + rest.foundAcknowledged, receiver.ids.size, 'acknowledged');
    checkCalm(stats, stats.ms * 0.9);
  }));
}

// ---- The command ----

const guesttrace = path.join(build, 'guesttrace');
const command = async (args, environment) => start(guesttrace, args, environment).ended;
// Both who sends a spool and who only adds to it say what is damaged in it.
async function damagedCommand(receiver, environment, capture) {
  receiver.mode = { kind: 'status', status: 503 };
  const spool = freshDirectory();
  const fill = () => command(['export', '--format', 'otlp', '-o', receiver.url, '--spool', spool, capture]);
  await fill();
  fs.appendFileSync(segments(spool)[0], Buffer.alloc(77, 'x'));
  const run = await command(['run', '--backend', 'emulated', '--export', `otlp=${receiver.url}`, '--spool', spool, path.join(build, 'guests/kv.elf'), '--', 'get user:1']);
  same(run.status, 0, run.stderr);
  check(/in the spool: 77 bytes damaged/.test(run.stderr), run.stderr);
  receiver.mode = { kind: 'take' };
  const sent = await command(['spool', 'send', '--to', receiver.url, spool]);
  same(sent.status, 1, 'status where something was damaged');
  check(/77 bytes damaged/.test(sent.stderr), sent.stderr);
  fs.writeFileSync(path.join(spool, SEGMENT), 'x'.repeat(100), { mode: 0o600 });
  const left = await command(['spool', 'send', '--to', receiver.url, spool]);
  same(left.status, 1, 'status where a file cannot be read');
  check(/1 files that cannot be read/.test(left.stderr), left.stderr);
}

holds('the command sends a capture, spools it while the endpoint is away, and sends the spool', () => withReceiver(async (receiver) => {
  const capture = freshFile();
  const run = await command(['run', '--backend', 'emulated', '-o', capture, path.join(build, 'guests/kv.elf'), '--', 'get user:1']);
  same(run.status, 0, run.stderr);
  const reported = JSON.parse((await command(['report', '--json', capture])).stdout);
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver.port}/base/`, OTEL_SERVICE_NAME: 'shop', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=te%20st,service.name=no', OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a%2Cb,x-empty=', OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none' };
  const sent = await command(['export', '--format', 'otlp', capture], environment);
  same(`${sent.status} ${sent.stderr}`, '0 ', 'status and standard error');
  const [{ url, headers, message }] = receiver.requests;
  same(url, '/base/v1/traces', 'path');
  same(headers['x-tenant'], 'a,b', 'header');
  same(headers['x-empty'], '', 'header without a value');
  same(headers['content-encoding'], undefined, 'encoding');
  const attributes = Object.fromEntries(message.resourceSpans[0].resource.attributes.map((a) => [a.key, a.value.stringValue]));
  same(attributes['service.name'], 'shop', 'service.name');
  same(attributes['deployment.environment.name'], 'te st', 'deployment.environment.name');
  check(attributes['host.name'], 'no host.name');
  const ofHost = () => receiver.requests.flatMap((r) => r.message.resourceSpans[0].scopeSpans[0].spans)
    .filter((span) => span.attributes.some((a) => a.key === 'guesttrace.host_span')).length;
  const total = receiver.ids.size;
  same(ofHost(), 0, 'spans of the host that nobody asked for');
  await command(['export', '--format', 'otlp', '--host-spans', 'on', capture], environment);
  check(ofHost() > 0, 'no spans of the host');
  check(total > 3 && reported, `${total} spans`);
  const forged = await command(['export', '--format', 'otlp', capture], { ...environment, OTEL_EXPORTER_OTLP_HEADERS: 'content-Type=text/plain' });
  check(forged.status === 0 && /'content-Type' is no header/.test(forged.stderr), `a header of the body: ${forged.status} ${forged.stderr}`);
  same(receiver.seen.headers['content-type'], 'application/x-protobuf', 'the type of the body');
  const unread = await command(['export', '--format', 'otlp', capture], { ...environment, OTEL_EXPORTER_OTLP_CERTIFICATE: '/no/such.pem' });
  check(unread.status === 1 && unread.stderr.includes('/no/such.pem'), `no such authorities: ${unread.status} ${unread.stderr}`);
  receiver.ids.clear();
  receiver.mode = { kind: 'status', status: 503 };
  const spool = freshDirectory();
  const away = await command(['export', '--format', 'otlp', '-o', receiver.url, '--spool', spool, capture]);
  same(away.status, 0, away.stderr);
  check(/in the spool/.test(away.stderr), away.stderr);
  const unsent = await command(['spool', 'send', '--to', receiver.url, spool], { OTEL_BSP_EXPORT_TIMEOUT: '100' });
  same(unsent.status, 1, 'status while the endpoint is away');
  receiver.mode = { kind: 'take' };
  const drained = await command(['spool', 'send', '--to', receiver.url, spool]);
  same(`${drained.status} ${drained.stdout}`, `0 ${total} spans acknowledged\n`, 'sent from the spool');
  same(receiver.ids.size, total, 'received');
  await damagedCommand(receiver, environment, capture);
  const lost = await command(['export', '--format', 'otlp', '-o', 'http://127.0.0.1:1', capture], { OTEL_BSP_EXPORT_TIMEOUT: '300' });
  same(lost.status, 1, 'status where spans of a capture were dropped');
  check(/dropped/.test(lost.stderr), lost.stderr);
  const off = await command(['export', '--format', 'otlp', '-o', 'http://127.0.0.1:1', capture], { OTEL_SDK_DISABLED: 'true' });
  same(`${off.status} ${off.stderr}`, '0 ', 'where the SDK is disabled');
}));
holds('a guest runs and ends as it would, whatever the endpoint does', () => withReceiver(async (receiver) => {
  receiver.mode = { kind: 'hang' };
  const run = await command(['run', '--backend', 'emulated', '--export', `otlp=${receiver.url}`, path.join(build, 'guests/kv.elf'), '--', 'get user:1'], { OTEL_BSP_EXPORT_TIMEOUT: '300', OTEL_TRACES_EXPORTER: 'otlp,jaeger', OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:1' });
  same(run.status, 0, run.stderr);
  check(/OTLP: \d+ spans, \d+ dropped/.test(run.stderr), run.stderr);
  check(/no 'jaeger' here/.test(run.stderr), run.stderr);
  same(receiver.connections, 1, 'connections: one export, not two');
}));
await end();
