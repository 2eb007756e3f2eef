// SPDX-License-Identifier: MIT
// Perfetto's trace processor, from the files that `install` leaves. It is made
// for a browser's worker: what it takes for its surroundings is given to it as
// parameters here, so that none of its text is changed.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readersDir } from './compare.mjs';

const CHUNK_BYTES = 1 << 24;

// WebAssembly without 64-bit memories (of the two programs only the 32-bit one is
// there), and a promise for the moment when the program has its connection.
function surroundings() {
  let ready;
  const isReady = new Promise((resolve) => { ready = resolve; });
  const assembly = Object.create(WebAssembly);
  assembly.Module = function (bytes) {
    // A first section 5 (memory) with flag 4 (64-bit) is the question for them.
    if (bytes[8] === 5 && bytes[11] === 4) throw new Error('32 bits only');
    return new WebAssembly.Module(bytes);
  };
  assembly.Instance = function (module, imports) {
    const exports = { ...new WebAssembly.Instance(module, imports).exports };
    const init = exports.trace_processor_rpc_init;
    if (!init) return { exports }; // a small module that wraps one function
    exports.trace_processor_rpc_init = (...args) => {
      setTimeout(ready, 0);
      return init(...args);
    };
    return { exports };
  };
  return { assembly, isReady };
}

// What a worker asks for is always the program.
function requestOf(bytes) {
  return class {
    open() {}
    send() { this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length); }
  };
}

async function start(dir) {
  const read = (name) => fs.readFileSync(path.join(dir, name));
  const { assembly, isReady } = surroundings();
  const self = { location: { href: 'worker:/' } };
  const around = {
    self, WorkerGlobalScope: class {}, WebAssembly: assembly,
    XMLHttpRequest: requestOf(read('trace_processor.wasm')),
    process: undefined, console: { log() {}, warn() {}, error() {} },
  };
  new Function(...Object.keys(around), read('engine_bundle.node.js').toString())(
    ...Object.values(around));
  const { port1, port2 } = new MessageChannel();
  self.onmessage({ data: port1 });
  const { EngineBase } = await import(pathToFileURL(path.join(dir, 'engine.mjs')).href);
  class Engine extends EngineBase {
    mode = 'WASM';
    id = 'compare';
    rpcSendRequestBytes(bytes) { port2.postMessage(bytes); }
  }
  const engine = new Engine();
  port2.onmessage = (message) => engine.onRpcResponseBytes(message.data);
  await isReady;
  return engine;
}

/** Loads a trace; the result's query(sql) gives rows as objects. */
export async function load(file) {
  const warn = console.warn;
  console.warn = (...args) => {
    if (!/Unexpected QueryResult/.test(String(args[0]))) warn(...args);
  };
  const engine = await start(path.resolve(readersDir(), 'trace-processor'));
  const bytes = new Uint8Array(fs.readFileSync(file));
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    await engine.parse(bytes.subarray(at, at + CHUNK_BYTES));
  await engine.notifyEof();
  return {
    async query(sql) {
      const result = await engine.query(sql);
      const columns = result.columns();
      const rows = [];
      for (const row = result.iter({}); row.valid(); row.next())
        rows.push(Object.fromEntries(columns.map((c) => [c, row.get(c)])));
      return rows;
    },
  };
}
