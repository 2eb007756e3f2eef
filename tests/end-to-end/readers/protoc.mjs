// SPDX-License-Identifier: MIT
// A second decoder of OTLP/protobuf beside the official one for JavaScript:
// Google's protoc, with the .proto files of readersDir()/protos. What it prints
// (the text format) becomes plain objects, which both decoders' must equal.
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { check, readersDir } from './compare.mjs';

const REPEATED = new Set(['resourceSpans', 'scopeSpans', 'spans', 'attributes', 'events', 'links']);
const BYTES = new Set(['traceId', 'spanId', 'parentSpanId', 'bytesValue']);
const ENUMS = { SPAN_KIND_INTERNAL: 1, SPAN_KIND_SERVER: 2, SPAN_KIND_CLIENT: 3, SPAN_KIND_PRODUCER: 4, SPAN_KIND_CONSUMER: 5,
  STATUS_CODE_OK: 1, STATUS_CODE_ERROR: 2 };
const NUMBERS = new Set(['kind', 'code', 'flags', 'droppedAttributesCount', 'droppedEventsCount']);
const UNKNOWN = { 6: 'flags', 16: 'flags' }; // of a link, of a span: newer than those files

const ESCAPES = { n: 10, r: 13, t: 9 };

function unescape(text) {
  const bytes = [];
  for (let i = 1; i < text.length - 1; i++) {
    if (text[i] !== '\\') {
      bytes.push(text.charCodeAt(i));
      continue;
    }
    const octal = /^[0-7]{3}/.exec(text.slice(i + 1, i + 4));
    bytes.push(octal ? parseInt(octal[0], 8) : ESCAPES[text[i + 1]] ?? text.charCodeAt(i + 1));
    i += octal ? 3 : 1;
  }
  return Buffer.from(bytes);
}

function scalar(key, text) {
  if (text.startsWith('"')) return BYTES.has(key) ? unescape(text).toString('hex') : unescape(text).toString('utf8');
  if (key === 'boolValue') return text === 'true';
  if (key === 'doubleValue') return String(Number(text.replace('inf', 'Infinity').replace('nan', 'NaN')));
  return NUMBERS.has(key) ? ENUMS[text] ?? Number(text) : text;
}

function parse(text) {
  const stack = [{}];
  for (const line of text.split('\n')) {
    const [, name, rest] = /^ *([a-z_0-9]+)(?:: (.*)| \{)$/.exec(line) ?? [];
    const top = stack[stack.length - 1];
    if (!name) {
      check(/^ *\}?$/.test(line), 'protoc printed', line);
      if (line) stack.pop();
      continue;
    }
    const key = UNKNOWN[name] ?? name.replace(/_([a-z])/g, (_, c) => c.toUpperCase());
    const value = rest === undefined ? {} : scalar(key, rest);
    if (rest === undefined) stack.push(value);
    if (REPEATED.has(key)) (top[key] ??= []).push(value);
    else top[key] = value;
  }
  check(stack.length === 1, 'protoc printed a message without its end');
  return stack[0];
}

/** What protoc sees in a file of ExportTraceServiceRequests. */
export function decodeWithProtoc(file) {
  return parse(execFileSync('protoc', ['-I', path.join(readersDir(), 'protos'),
    '--decode=opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
    'opentelemetry/proto/collector/trace/v1/trace_service.proto'],
  { input: fs.readFileSync(file), encoding: 'latin1', maxBuffer: 1 << 30 }));
}

/** What the other decoder sees, in the same form. */
export function plain(value, key) {
  if (Array.isArray(value)) return value.map((v) => plain(v));
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (key === 'doubleValue') return String(value);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value)
    // protoc does not print what is not there, nor an empty text that need not be.
    .filter(([k, v]) => !(Array.isArray(v) && !v.length) && (v !== '' || k.endsWith('Value')))
    .map(([k, v]) => [k, plain(v, k)]));
}
