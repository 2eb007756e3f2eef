// SPDX-License-Identifier: MIT
// An OTLP/HTTP endpoint that can misbehave. It speaks HTTP by hand, on the bytes
// of the connection, because what it has to do wrong is below what a library for
// servers lets one do.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import zlib from 'node:zlib';
import { createRequire } from 'node:module';

const require = createRequire(path.resolve(process.env.READERS, 'package.json'));
const dir = path.dirname(require.resolve('@opentelemetry/otlp-transformer/package.json'));
const v1 = require(path.join(dir, 'build/src/generated/root.js')).opentelemetry.proto.collector.trace.v1;
export const Request = v1.ExportTraceServiceRequest;
export const Response = v1.ExportTraceServiceResponse;

const idToBytes = (key, value) => (/^(traceId|spanId|parentSpanId)$/.test(key)
  ? Buffer.from(value, 'hex').toString('base64') : value);

// The official decoder's view of a body, whichever form it has.
function decode(body, json) {
  if (!json) return Request.decode(body);
  const message = Request.fromObject(JSON.parse(body.toString(), idToBytes));
  const wrong = Request.verify(message);
  if (wrong) throw new Error(wrong);
  return Request.decode(Request.encode(message).finish());
}

decode(Buffer.from('{"resourceSpans":[]}'), true); // the first time takes long

function parse(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]));
  const length = Number(headers['content-length'] ?? 0);
  if (bytes.length < end + 4 + length) return null;
  const [method, url] = first.split(' ');
  return { method, url, headers, body: bytes.subarray(end + 4, end + 4 + length), size: end + 4 + length };
}

export class Receiver {
  ids = new Map(); // span id -> times received in a request that was good
  requests = []; // {url, headers, spans, bytes, at}
  sample = 1; // every so many of the requests goes through the official decoder
  unanswered = 0; // spans of requests that were taken and got no whole reply
  plain = 0; // requests whose first reply was not reset
  connections = 0;
  bytes = 0; // received
  sent = 0;
  mode = { kind: 'take' };
  #sockets = new Set();
  #count = 0;
  #server = null;
  port = 0;

  async open(tlsOptions) {
    const handler = (socket) => this.#serve(socket);
    this.scheme = tlsOptions ? 'https' : 'http';
    this.#server = tlsOptions ? tls.createServer(tlsOptions, handler) : net.createServer(handler);
    this.#server.on('tlsClientError', () => {});
    await new Promise((done, fail) => {
      this.#server.once('error', fail);
      this.#server.listen(this.port, '127.0.0.1', done);
    });
    this.port = this.#server.address().port;
    return this;
  }

  async close() { // the port stays its own for the next open()
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  async quiet() { // until nobody is connected
    while (this.#sockets.size) await new Promise((done) => setTimeout(done, 1));
  }

  get url() { return `${this.scheme}://127.0.0.1:${this.port}/v1/traces`; }

  #serve(socket) {
    let bytes = Buffer.alloc(0);
    this.connections++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (more) => {
      const { mode } = this;
      this.bytes += more.length;
      bytes = Buffer.concat([bytes, more]);
      if (mode.kind === 'reset-request' && bytes.length >= mode.at) {
        socket.resetAndDestroy();
        return;
      }
      const request = parse(bytes);
      if (!request) return;
      bytes = bytes.subarray(request.size);
      this.#answer(socket, request, mode);
    });
    if (this.mode.kind === 'reset-request' && this.mode.at === 0) socket.resetAndDestroy();
  }

  #read({ url, headers, body }) {
    const plain = headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(body) : body;
    const json = headers['content-type'] === 'application/json';
    if (json && this.#count++ % this.sample) {
      const ids = JSON.parse(plain.toString()).resourceSpans.flatMap((r) => r.scopeSpans
        .flatMap((s) => s.spans.map((span) => span.traceId + span.spanId)));
      return { url, headers, json, spans: ids.length, ids, bytes: body.length, at: Date.now() };
    }
    const message = decode(plain, json);
    const ids = message.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans
      .map((span) => Buffer.from(span.traceId).toString('hex') + Buffer.from(span.spanId).toString('hex'))));
    return { url, headers, json, spans: ids.length, ids, message, bytes: body.length, at: Date.now() };
  }

  // Of a file, with the reader's own way to know its form.
  static decodeFile(name) {
    const bytes = fs.readFileSync(name);
    return decode(name.endsWith('.gz') ? zlib.gunzipSync(bytes) : bytes, /\.json(\.gz)?$/.test(name));
  }

  #record(request) {
    for (const id of request.ids) this.ids.set(id, (this.ids.get(id) ?? 0) + 1);
    this.requests.push(request);
  }

  #answer(socket, raw, mode) {
    const request = this.#read(raw);
    const reply = (status, headers, body = '') => {
      const head = `HTTP/1.1 ${status} X\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}Content-Length: ${body.length}\r\n\r\n`;
      return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
    };
    const type = { 'Content-Type': request.headers['content-type'] };
    const empty = request.json ? '{}' : Buffer.alloc(0);
    const good = () => reply(200, type, empty);
    this.seen = request; // the last, taken or not
    switch (mode.kind) {
      case 'take': this.#record(request); socket.write(good()); break;
      case 'slow-take': this.#record(request); setTimeout(() => socket.write(good()), mode.ms); break;
      case 'status': { // mode.times, then it takes again
        socket.write(reply(mode.status, { ...mode.headers }, mode.body ?? 'no'));
        if (--mode.times === 0) this.mode = { kind: 'take' };
        break;
      }
      case 'partial': {
        const partialSuccess = { rejectedSpans: mode.rejected, errorMessage: 'some' };
        this.#record(request);
        socket.write(reply(200, type, request.json
          ? JSON.stringify({ partialSuccess: { ...partialSuccess, rejectedSpans: String(mode.rejected) } })
          : Buffer.from(Response.encode(Response.fromObject({ partialSuccess })).finish())));
        break;
      }
      case 'picky': { // refuses what mode.refuses says, and takes the rest
        const status = mode.refuses(request);
        if (!status) this.#record(request);
        socket.write(status ? reply(status, { ...mode.headers }, mode.body ?? 'no') : good());
        break;
      }
      case 'hang': break;
      case 'garbage': socket.end('SSH-2.0-OpenSSH_9.2\r\n'); break;
      case 'reset-reply': { // the first `at` bytes of it
        const bytes = good();
        this.#record(request);
        if (mode.at < bytes.length) this.unanswered += request.spans;
        socket.write(bytes.subarray(0, mode.at), () => setTimeout(() => socket.resetAndDestroy(), 2));
        break;
      }
      case 'reset-each-reply': { // one byte later each, and the second time not
        const bytes = good();
        const again = this.ids.has(request.ids[0]);
        this.#record(request);
        if (again || mode.at >= bytes.length) {
          this.plain += !again;
          // On a connection that had been used the client's library would try
          // once more by itself where not a line of the reply has come.
          socket.write(reply(200, { ...type, Connection: 'close' }, empty));
          break;
        }
        this.unanswered += request.spans;
        socket.write(bytes.subarray(0, mode.at++), () => setTimeout(() => socket.resetAndDestroy(), 2));
        break;
      }
      case 'byte-a-second': {
        const bytes = good();
        let at = 0;
        this.#record(request);
        const timer = setInterval(() => {
          if (at === bytes.length || socket.destroyed) clearInterval(timer);
          else socket.write(bytes.subarray(at, ++at));
        }, 1000);
        socket.on('close', () => clearInterval(timer));
        break;
      }
      case 'raw': { // whatever it is, mode.times, then it takes again
        if (mode.take) this.#record(request);
        socket.write(mode.bytes);
        const more = () => {
          while (mode.endless && !socket.destroyed && this.sent < 2 ** 30) {
            this.sent += mode.endless.length;
            if (!socket.write(mode.endless)) { socket.once('drain', more); return; }
          }
          if (mode.close) socket.end();
        };
        more();
        if (--mode.times === 0) this.mode = { kind: 'take' };
        break;
      }
      case 'huge': case 'endless': case 'endless-head': case 'endless-error': {
        const status = mode.kind === 'endless-error' ? 503 : 200;
        const chunk = Buffer.alloc(65536, 0x20);
        const part = mode.kind === 'huge' ? chunk
          : mode.kind === 'endless-head' ? Buffer.from(`X-A: ${'a'.repeat(1000)}\r\n`.repeat(60))
            : Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]);
        this.#record(request);
        socket.write(`HTTP/1.1 ${status} X\r\n`);
        if (mode.kind === 'huge') socket.write(`Content-Length: ${1 << 30}\r\n\r\n`);
        else if (mode.kind !== 'endless-head') socket.write('Transfer-Encoding: chunked\r\n\r\n');
        const more = () => {
          while (!socket.destroyed && this.sent < 2 ** 30) {
            this.sent += part.length;
            if (!socket.write(part)) { socket.once('drain', more); return; }
          }
        };
        more();
        break;
      }
      default: throw new Error(mode.kind);
    }
  }

  // As in the mode `good`, for those who want to know how long a reply is.
  static goodReplyBytes(json = true) {
    return `HTTP/1.1 200 X\r\nContent-Type: ${json ? 'application/json' : 'application/x-protobuf'}\r\nContent-Length: ${json ? 2 : 0}\r\n\r\n`.length + (json ? 2 : 0);
  }
}

export const readFile = (name) => fs.readFileSync(name);
