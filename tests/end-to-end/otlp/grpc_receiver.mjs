// SPDX-License-Identifier: MIT
// An endpoint of OTLP over gRPC, by node's own HTTP/2 and the official decoder.
import http2 from 'node:http2';
import zlib from 'node:zlib';
import { Request, Response } from './receiver.mjs';

export const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

const frame = (message) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

// google.rpc.Status with a RetryInfo, as servers send it in a binary trailer.
export function retryDetails(seconds, nanos = 0) {
  const varint = (n) => (n < 128 ? [n] : [n & 127 | 128, ...varint(n >> 7)]);
  const field = (number, bytes) => [number << 3 | 2, ...varint(bytes.length), ...bytes];
  const duration = [8, ...varint(seconds), 16, ...varint(nanos)];
  const any = [...field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), ...field(2, field(1, duration))];
  return Buffer.from([8, 14, ...field(3, any)]).toString('base64').replace(/=+$/, '');
}

export class GrpcReceiver {
  ids = new Map(); // span id -> times received in a request that was good
  requests = []; // {headers, spans, message, bytes, at}
  seen = 0; // requests, taken or not
  sessions = 0;
  // A status and its words, for each request: {status, message, details, rejected}.
  answer = () => ({});
  delayMs = 0;
  underWay = 0;
  most = 0; // that were under way

  async open() {
    this.server = http2.createServer();
    this.server.on('session', (session) => { this.sessions++; session.on('error', () => {}); });
    this.server.on('stream', (stream, headers) => this.#serve(stream, headers));
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.port = this.server.address().port;
    return this;
  }

  close() {
    return new Promise((done) => { this.server.close(done); setTimeout(done, 200); });
  }

  #serve(stream, headers) {
    const parts = [];
    this.most = Math.max(this.most, ++this.underWay);
    stream.on('close', () => this.underWay--);
    stream.on('error', () => {});
    stream.on('data', (data) => parts.push(data));
    stream.on('end', () => setTimeout(() => this.#reply(stream, headers, Buffer.concat(parts)), this.delayMs));
  }

  #reply(stream, headers, body) {
    this.seen++;
    if (headers[':path'] !== PATH || headers['content-type'] !== 'application/grpc' || headers.te !== 'trailers')
      throw new Error(`no call of gRPC: ${JSON.stringify(headers)}`);
    if (body.readUInt32BE(1) !== body.length - 5) throw new Error('the length of the frame');
    if (!!body[0] !== (headers['grpc-encoding'] === 'gzip')) throw new Error('the compressed flag');
    const message = Request.decode(body[0] ? zlib.gunzipSync(body.subarray(5)) : body.subarray(5));
    const spans = message.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
    const { status = 0, words = '', details, rejected } = this.answer({ spans, message });
    const trailers = { 'grpc-status': String(status), ...words ? { 'grpc-message': words } : {}, ...details ? { 'grpc-status-details-bin': details } : {} };
    if (stream.destroyed) return;
    if (status) { // trailers alone
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
      return;
    }
    for (const s of spans) {
      const id = Buffer.from(s.traceId).toString('hex') + Buffer.from(s.spanId).toString('hex');
      this.ids.set(id, (this.ids.get(id) ?? 0) + 1);
    }
    this.requests.push({ headers, spans: spans.length, message, bytes: body.length, at: Date.now() });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(frame(rejected === undefined ? Buffer.alloc(0)
      : Buffer.from(Response.encode(Response.fromObject({ partialSuccess: { rejectedSpans: rejected, errorMessage: 'some' } })).finish())));
  }
}
