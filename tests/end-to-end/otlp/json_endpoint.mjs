// SPDX-License-Identifier: MIT
// An endpoint that takes OTLP in JSON, and the command that sends it there.
import http from 'node:http';
import path from 'node:path';
import zlib from 'node:zlib';
import { spawn } from 'node:child_process';
import { build } from './cases.mjs';

// Answers by path; keeps what it took, as JSON.
export async function serve(answer) {
  const taken = { '/v1/traces': [], '/v1/metrics': [], '/v1/logs': [] };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      let body = Buffer.concat(chunks);
      const { status = 200, reply = '{}' } = answer(request.url, body, request.headers) ?? {};
      if (request.headers['content-encoding'] === 'gzip') body = zlib.gunzipSync(body);
      if (status === 200) taken[request.url]?.push(JSON.parse(body));
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(reply);
    });
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  return { taken, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Ends with {status, said, stdout}. */
export function guesttrace(args, env = {}) {
  return new Promise((done) => {
    const child = spawn(path.join(build, 'guesttrace'), args, {
      env: { ...process.env, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_METRIC_EXPORT_INTERVAL: '100000', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '', stdout = '';
    child.stdout.on('data', (text) => { stdout += text; });
    child.stderr.on('data', (text) => { said += text; });
    child.on('close', (status) => done({ status, said, stdout }));
  });
}
