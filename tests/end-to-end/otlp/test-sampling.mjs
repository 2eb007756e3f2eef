// SPDX-License-Identifier: MIT
// test-sampling.mjs BUILD-DIR: which traces are sent, as OTEL_TRACES_SAMPLER says:
// the run's, those of requests that come from elsewhere, those that begin in the guest.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { build, check, end, freshFile, holds, same } from './cases.mjs';
import { guesttrace, serve } from './json_endpoint.mjs';

const guest = path.join(build, 'guests/server.elf');
const quiet = { TRACEPARENT: '', OTEL_TRACES_SAMPLER: '', OTEL_TRACES_SAMPLER_ARG: '' };
const { status } = await guesttrace(['run', '--backend', 'emulated', '-o', freshFile(), guest], quiet);
if (status !== 0) {
  console.log('ok 1 - sampling # SKIP no emulated backend\n1..1');
  process.exit(0);
}

// As OpenTelemetry's SDK for Go has it: sdk/trace/sampling.go, sampler_env.go.
const byRatio = (ratio) => (id) => BigInt(`0x${id.slice(16)}`) >> 1n < BigInt(ratio * 2 ** 63);
const byId = { always_on: () => true, always_off: () => false, traceidratio: byRatio(0.3) };
const parentBased = (root) => (id, flags) => (flags === undefined ? root(id) : Boolean(flags & 1));
const samplers = { ...byId };
for (const [name, root] of Object.entries(byId)) samplers[`parentbased_${name}`] = parentBased(root);

// Requests from elsewhere, sampled there and not, of ids on both sides of the bound.
const bound = BigInt(0.3 * 2 ** 63) << 1n;
const ids = [bound - 2n, bound - 1n, bound, bound + 1n, 0n, (1n << 64n) - 1n]
  .map((low) => '4bf92f3577b34da6' + low.toString(16).padStart(16, '0'));
for (let i = 0; i < 24; i++) ids.push(crypto.randomBytes(16).toString('hex'));
const flagsOf = new Map(ids.map((id, i) => [id, i >> 1 & 1]));
const requests = ids.map((id) => `/${id}@00-${id}-00f067aa0ba902b7-0${flagsOf.get(id)}`);
const own = Array.from({ length: 12 }, (_, i) => `/own${i}`);

const spansOf = (objects) => objects.flatMap((o) => o.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)));
const linesOf = (file) => fs.readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
const keys = (spans) => spans.map((s) => `${s.spanId} ${s.flags}`).sort().join('\n');

/** What is in the file, and what arrived, of a run. */
async function run(environment, args = []) {
  const server = await serve(() => {});
  const [file, capture] = [freshFile(), freshFile()];
  const ran = await guesttrace(['run', '--backend', 'emulated', '-o', capture, '--host-spans', 'off', '--export', `otlp=${server.url}`,
    '--export', `otlp-json=${file}`, ...args, guest, '--', ...requests, ...own], { ...quiet, ...environment });
  server.close();
  same(ran.status, 0, `the exit status (${ran.said})`);
  return { ...ran, capture, all: spansOf(linesOf(file)), sent: spansOf(server.taken['/v1/traces']), taken: server.taken };
}

for (const [name, decides] of Object.entries(samplers)) {
  holds(`${name}: each trace is sent or not, and all that is told of it says so`, async () => {
    const { said, stdout, all, sent, capture } = await run({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: '0.3' });
    const wanted = (id) => decides(id, flagsOf.get(id));
    same(all.length, 2 + 2 * requests.length + 2 * own.length, 'spans in the file');
    for (const span of all) same(Boolean(span.flags & 1), wanted(span.traceId), `sampled ${span.traceId}`);
    same(keys(sent), keys(all.filter((s) => wanted(s.traceId))), 'what is sent');
    // What the guest tells others, as it reckons it itself.
    const told = [...stdout.matchAll(/^traceparent: 00-(\w+)-\w+-(\w+)$/gm)];
    same(told.length, requests.length + own.length, 'requests of the guest');
    for (const [, id, flags] of told) same(Boolean(parseInt(flags, 16) & 1), wanted(id), `told of ${id}`);
    same(/no spans are sent: none of the \d+ is of a trace that is sampled/.test(said), sent.length === 0, said);
    // Of the capture the same is sent, in the same environment and in none.
    for (const environment of [{ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: '0.3' }, {}]) {
      const server = await serve(() => {});
      const later = await guesttrace(['export', '--format', 'otlp', '-o', server.url, capture], { ...quiet, ...environment });
      server.close();
      same(later.status, 0, `the exit status of export (${later.said})`);
      same(keys(spansOf(server.taken['/v1/traces'])), keys(sent), 'what is sent of the capture');
    }
  });
}

holds('a run above which nothing is sampled sends no spans, but all else', async () => {
  const environment = { TRACEPARENT: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' };
  const server = await serve(() => {});
  const { said, status } = await guesttrace(['run', '--backend', 'emulated', '--otlp-events', 'logs', '--export', `otlp=${server.url}`,
    '--export', `otlp-metrics=${server.url}`, path.join(build, 'guests/kv.elf')], { ...quiet, ...environment });
  server.close();
  same(status, 0, 'the exit status');
  same(said.split('\n').filter((line) => line && !line.includes('on the emulator')).length, 1, `lines: ${said}`);
  check(/OTLP: no spans are sent: none of the \d+ is of a trace that is sampled/.test(said), said);
  same(server.taken['/v1/traces'].length, 0, 'requests of spans');
  check(server.taken['/v1/metrics'].length && server.taken['/v1/logs'].length, 'metrics and logs are sent');
});

holds('what a capture says is not sampled is sent where that is asked for', async () => {
  const { capture, all } = await run({ OTEL_TRACES_SAMPLER: 'always_off' });
  const server = await serve(() => {});
  await guesttrace(['export', '--format', 'otlp', '-o', server.url, capture], { ...quiet, OTEL_TRACES_SAMPLER: ' Always_ON\t' });
  server.close();
  const sent = spansOf(server.taken['/v1/traces']);
  same(sent.length, all.length, 'spans');
  check(sent.every((s) => s.flags & 1), 'what is sent is sampled');
});

holds('what is not understood is named, and the default taken', async () => {
  for (const [environment, words] of [
    [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, "OTEL_TRACES_SAMPLER: no 'jaeger_remote' here: parentbased_always_on is taken"],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1.5' }, "OTEL_TRACES_SAMPLER_ARG wants a number from 0 to 1, not '1.5': 1 is taken"],
  ]) {
    const { said, sent, all } = await run(environment);
    check(said.includes(words), said);
    check(sent.length > own.length && sent.length <= all.length, 'the default sends');
  }
});

await end();
