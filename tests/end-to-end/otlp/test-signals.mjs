// SPDX-License-Identifier: MIT
// test-signals.mjs BUILD-DIR: metrics and logs where an endpoint takes not all of
// them: a signal that is refused holds up no other, and is told by its name.
import fs from 'node:fs';
import path from 'node:path';
import { build, check, end, freshDirectory, freshFile, holds, same } from './cases.mjs';
import { guesttrace, serve } from './json_endpoint.mjs';

const kv = path.join(build, 'guests/kv.elf');
const capture = freshFile();
const { status } = await guesttrace(['run', '--backend', 'emulated', '-o', capture, kv]);
if (status !== 0) {
  console.log('ok 1 - signals # SKIP no emulated backend\n1..1');
  process.exit(0);
}

const count = (requests, list) => JSON.stringify(requests).split(list).length - 1;
const SPAN = '"parentSpanId"', LOG = '"observedTimeUnixNano"';
const runAll = (url, more = [], env = {}) => guesttrace(['run', '--backend', 'emulated', '--otlp-events', 'logs',
  '--export', `otlp=${url}`, '--export', `otlp-metrics=${url}`, ...more, kv], env);

holds('an endpoint without metrics costs no span and no log', async () => {
  const server = await serve((url) => (url === '/v1/metrics' ? { status: 404 } : {}));
  const { status, said } = await runAll(server.url);
  server.close();
  same(status, 0, 'the exit status');
  check(said.includes('the endpoint refuses data points (HTTP 404)'), said);
  check(!/spans|log records/.test(said), said);
  check(count(server.taken['/v1/traces'], SPAN) > 600 && count(server.taken['/v1/logs'], LOG) > 400, 'not all arrived');
});

holds('what is refused waits in its own part of the spool', async () => {
  const spool = freshDirectory();
  let absent = true;
  const server = await serve((url) => (absent && url === '/v1/metrics' ? { status: 401 } : {}));
  await runAll(server.url, ['--spool', spool]);
  const left = () => fs.readdirSync(spool, { recursive: true }).filter((name) => name.endsWith('.gtspool'));
  same(left().map((name) => path.dirname(name)).join(), 'metrics', 'what waits');
  same((await guesttrace(['spool', '--to', server.url, 'send', spool])).status, 1, 'the exit status');
  absent = false;
  same((await guesttrace(['spool', '--to', `${server.url}/v1/traces`, 'send', spool])).status, 1, 'with a path for spans');
  same((await guesttrace(['spool', '--to', server.url, 'send', spool])).status, 0, 'the exit status');
  server.close();
  same(left().length, 0, 'files left');
  check(count(server.taken['/v1/metrics'], 'table.entries') === 1, 'metrics came not once');
});

// How many requests there are is a matter of time.
holds('partial success counts data points and log records', async () => {
  const parts = { '/v1/metrics': ['rejectedDataPoints', 'data points'], '/v1/logs': ['rejectedLogRecords', 'log records'] };
  const server = await serve((url) => (parts[url] ? { reply: JSON.stringify({ partialSuccess: { [parts[url][0]]: 3, errorMessage: 'no room' } }) } : {}));
  const { said } = await runAll(server.url);
  server.close();
  for (const [url, [, what]] of Object.entries(parts)) {
    const refused = 3 * server.taken[url].length;
    check(new RegExp(`${what}, \\d+ acknowledged, ${refused} refused by the endpoint \\(HTTP 200: no room\\)`).test(said), said);
  }
});

for (const format of ['otlp-metrics', 'otlp-logs'])
  holds(`${format}: what is too large arrives in parts, each once`, async () => {
    const whole = await serve(() => ({})), narrow = await serve((url, body) => (body.length > 8000 ? { status: 413 } : {}));
    const url = format === 'otlp-metrics' ? '/v1/metrics' : '/v1/logs';
    const send = (to) => guesttrace(['export', '--format', format, '--otlp-events', 'both', '-o', to, capture].filter((a, i) => format === 'otlp-logs' || (i !== 3 && i !== 4)), { OTEL_EXPORTER_OTLP_COMPRESSION: 'none' });
    same((await send(whole.url)).status, 0, 'the exit status');
    same((await send(narrow.url)).status, 0, 'the exit status of parts');
    whole.close();
    narrow.close();
    check(narrow.taken[url].length > whole.taken[url].length, 'no parts');
    const items = (requests) => requests.flatMap((r) => (r.resourceLogs ?? r.resourceMetrics)[0])
      .flatMap((r) => (r.scopeLogs ?? r.scopeMetrics)[0])
      .flatMap((s) => s.logRecords ?? s.metrics.flatMap((m) => Object.values(m).find((v) => v.dataPoints).dataPoints.map((p) => [m.name, p])))
      .map((item) => JSON.stringify(item)).filter((item) => !item.includes('otel.sdk')).sort();
    same(items(narrow.taken[url]).join('\n'), items(whole.taken[url]).join('\n'), 'what arrived');
  });

holds('the environment asks for signals', async () => {
  const server = await serve(() => ({}));
  const { status, said } = await guesttrace(['run', '--backend', 'emulated', kv], {
    OTEL_METRICS_EXPORTER: 'none, OTLP', OTEL_LOGS_EXPORTER: 'otlp,console', OTEL_EXPORTER_OTLP_ENDPOINT: server.url });
  server.close();
  same(status, 0, 'the exit status');
  check(said.includes("OTEL_LOGS_EXPORTER: no 'console' here: ignored"), said);
  same(server.taken['/v1/traces'].length, 0, 'spans');
  check(server.taken['/v1/metrics'].length > 0, 'no metrics');
});

holds('the version of the command line wins, in files too', async () => {
  const versions = (text) => [...text.matchAll(/"service\.version","value":\{"stringValue":"([^"]*)"/g)].map((match) => match[1]);
  const server = await serve(() => ({}));
  const env = { OTEL_RESOURCE_ATTRIBUTES: 'service.version=1' };
  await runAll(server.url, [], env);
  same([...new Set(versions(JSON.stringify(server.taken)))].join(), '1', 'of the variable');
  for (const requests of Object.values(server.taken)) requests.length = 0;
  const file = freshFile();
  const { status, said } = await runAll(server.url, ['--service-version', '2.0', '--export', `otlp-json=${file}`], env);
  server.close();
  same(status, 0, said);
  for (const [signal, requests] of Object.entries(server.taken)) {
    check(requests.length > 0, signal);
    same(versions(JSON.stringify(requests)).join(), requests.map(() => '2.0').join(), signal);
  }
  same([...new Set(versions(fs.readFileSync(file, 'utf8')))].join(), '2.0', 'in the file');
  const exported = await guesttrace(['export', '--format', 'otlp-metrics-json', '--service-version', '3', '-o', file, capture]);
  same(exported.status, 0, exported.said);
  same([...new Set(versions(fs.readFileSync(file, 'utf8')))].join(), '3', 'exported');
  same((await guesttrace(['export', '--format', 'otlp-json', '--service-version', '', '-o', file, capture])).status, 2, 'an empty one');
});

holds('a key of no certificate fails before the guest runs', async () => {
  const key = freshFile(), kept = freshFile();
  fs.writeFileSync(key, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  const server = await serve(() => ({}));
  const { status, said } = await runAll(server.url, ['-o', kept], { OTEL_EXPORTER_OTLP_CLIENT_KEY: key });
  server.close();
  same(status, 125, said);
  check(said.includes(`${key}: a client's key needs its certificate`), said);
  check(!fs.existsSync(kept), 'a guest has run');
  same(Object.values(server.taken).flat().length, 0, 'requests');
});

await end();
