// SPDX-License-Identifier: MIT
// Real peers as processes: the Collector, Jaeger, and the Collector's receiver alone.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { check, freshFile, sleep } from '../end-to-end/otlp/cases.mjs';
import { readReceived } from '../end-to-end/readers/compare-otlp.mjs';

const cache = process.env.OTEL_CACHE;
const START_MS = 60000;
const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

export const here = path.dirname(new URL(import.meta.url).pathname);
export const examples = path.join(here, '../../examples/otel');

/** Ports that nobody had a moment ago. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => done(server));
  })));
  const ports = servers.map((s) => s.address().port);
  await Promise.all(servers.map((s) => new Promise((done) => { s.close(done); })));
  return ports;
}

export const local = (port) => `127.0.0.1:${port}`;

async function listens(port) {
  return new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); done(true); });
    socket.on('error', () => done(false));
  });
}

class Peer {
  said = '';

  constructor(name, args, environment, ports) {
    Object.assign(this, { name, args, environment, ports });
  }

  async start() {
    this.child = spawn(path.join(cache, this.name), this.args,
      { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...this.environment } });
    running.add(this.child);
    this.ended = new Promise((done) => this.child.on('close', (status, signal) => {
      running.delete(this.child);
      done(status ?? signal);
    }));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (data) => { this.said += data; });
    this.child.stdin.on('error', () => {});
    const until = Date.now() + START_MS;
    for (const port of this.ports) {
      while (!await listens(port)) {
        check(this.child.exitCode === null && Date.now() < until, `${this.name} does not start: ${this.said.slice(-2000)}`);
        await sleep(20);
      }
    }
    return this;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Lets it send what it has. */
  async stop() {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

/** The end of a chain: what comes by gRPC or HTTP, in requests of 4 MiB at most over gRPC. */
export class Sink {
  static async open() {
    const sink = new Sink();
    const [http, grpc] = await freePorts(2);
    Object.assign(sink, { http, grpc, file: freshFile() });
    sink.peer = await new Peer('receiver', [sink.file, local(http), local(grpc)], {}, [http, grpc]).start();
    return sink;
  }

  /** Until nothing comes any more. */
  async quiet(ms = 1500) {
    for (let size = -1, now = 0; size !== now; await sleep(ms)) [size, now] = [now, fs.statSync(this.file).size];
  }

  /** Trace id -> {resource, spans}. */
  async traces(schema) {
    this.peer.child.stdin.end();
    await this.peer.ended;
    const traces = readReceived(this.file, schema);
    fs.unlinkSync(this.file);
    return traces;
  }
}

/** A Collector; `configurations` are files, or `yaml:` and what it shall be otherwise. */
export class Collector extends Peer {
  static async open(configurations, environment, protocols = ['http', 'grpc']) {
    const [http, grpc] = await freePorts(2);
    const args = configurations.flatMap((c) => ['--config', c]);
    const collector = new Collector('collector', args,
      { OTLP_HTTP: local(http), OTLP_GRPC: local(grpc), ...environment }, protocols.map((p) => ({ http, grpc })[p]));
    Object.assign(collector, { http, grpc });
    return collector.start();
  }

  /** The endpoint as the library takes it, which appends nothing. */
  endpoint(protocol) {
    return protocol === 'grpc' ? `http://${local(this.grpc)}/opentelemetry.proto.collector.trace.v1.TraceService/Export` : `http://${local(this.http)}/v1/traces`;
  }

  /** The endpoint of a protocol as the command takes it. */
  url(protocol) {
    return protocol === 'grpc' ? `grpc://${local(this.grpc)}` : `http://${local(this.http)}`;
  }
}

export async function openJaeger() {
  const [otlp, http, grpc] = await freePorts(3);
  const jaeger = new Peer('jaeger', ['--config', path.join(examples, 'jaeger.yaml')],
    { JAEGER: local(otlp), JAEGER_HTTP: local(http), JAEGER_GRPC: local(grpc) }, [otlp, http]);
  Object.assign(jaeger, { otlp, http });
  return jaeger.start();
}

/** What a program says of a configuration: exit status and words. */
export async function validate(name, file, environment = {}) {
  const child = spawn(path.join(cache, name), ['validate', '--config', file],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { said += data; });
  return { status: await new Promise((done) => child.on('close', done)), said };
}
