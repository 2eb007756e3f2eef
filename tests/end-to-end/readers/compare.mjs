// SPDX-License-Identifier: MIT
// What the comparisons share: the report is the reference, and the first
// difference ends a comparison.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `install` put the readers: $READERS, or build/readers of the tree. */
export function readersDir() {
  const here = path.dirname(fileURLToPath(import.meta.url));
  return process.env.READERS ?? path.join(here, '../../../build/readers');
}

// One line, whatever a guest put into its texts.
const printable = (text) =>
  text.replace(/[^\x20-\x7e]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

/** What a comparison ends with when something is not as the report says. */
export class Difference extends Error {}

export function fail(message) {
  throw new Difference(printable(message));
}

export function check(holds, ...message) {
  if (!holds) fail(message.join(' '));
}

export function same(got, want, ...where) {
  const a = show(got), b = show(want);
  if (a !== b) fail(`${where.join(' ')}: ${a} instead of ${b}`);
}

export function show(value) {
  return JSON.stringify(value, (_, v) => typeof v === 'bigint' ? `${v}n`
    : v && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([x], [y]) => x < y ? -1 : 1)) : v);
}

/** The traces of a report, each with its spans by id. */
export function tracesOf(report) {
  check(Array.isArray(report.traces), 'the report has no traces');
  const began = (t) => BigInt(t.start_ns) - BigInt(t.monotonic_offset_ns);
  for (const trace of report.traces) {
    // Where the times of Chrome's JSON begin: with the first run, or an earlier one of their own.
    trace.zero = began(trace) < began(report.traces[0]) ? began(trace) : began(report.traces[0]);
    trace.byId = new Map(trace.spans.map((s) => [s.id, s]));
    same(trace.byId.size, trace.spans.length, 'different span ids');
    trace.allEvents = [...trace.events, ...trace.spans.flatMap((s) => s.events)];
  }
  return report.traces;
}

export const counted = (n, word) => `${n} ${word}${Number(n) === 1 ? '' : 's'}`;

/** What is missing, of a run or between two moments of it. */
export function lostText(losses, records) {
  const parts = [['records', 'record', ''], ['overwritten_bytes', 'byte', ' overwritten'], ['bad_records', 'piece', ' that did not decode'],
    ['bad_bytes', 'byte', ' skipped'], ['bad_requests', 'doorbell', ' that could not be used'], ['evicted_spans', 'span', ' ended early'],
    ['dropped_events', 'event', ' over a quota'], ['cut_bytes', 'byte', ' cut off the capture'], ['unknown_kinds', 'event', ' of an unknown kind']]
    .filter(([key]) => (losses[key] ?? '0') !== '0');
  return parts.map(([key, noun, behind]) => key === 'records' && records !== undefined
    ? `${losses[key]} of ${BigInt(losses[key]) + BigInt(records)} records` : counted(losses[key], noun) + behind).join(', ');
}

const HOST_KEY = /^$|^(guesttrace|guest|code|host|otel|process|service|telemetry)\./;

/** The key under which a guest's own key is shown beside the host's, and an empty one. */
export function shownKey(key) {
  return HOST_KEY.test(key) ? `guest.${key}` : key;
}

/** Of equal keys the last one's [type, value]. */
export function lastFields(fields) {
  return new Map(fields.map(([key, type, value]) => [key, [type, value]]));
}

/**
 * What JSON.parse() gives, of a text in which no object has a key twice: it would
 * keep the last one alone.
 */
export function parseJson(text) {
  const token = /[{}[\],]|"(?:[^"\\]|\\.)*"(\s*:)?/gs, open = [];
  for (let m; (m = token.exec(text));) {
    if (m[0] === '{' || m[0] === '[') open.push(new Set());
    else if (m[0] === '}' || m[0] === ']') open.pop();
    else if (m[1] !== undefined) {
      const key = JSON.parse(m[0].slice(0, -m[1].length)), keys = open[open.length - 1];
      check(!keys.has(key), 'JSON: the key', JSON.stringify(key), 'is twice in an object');
      keys.add(key);
    }
  }
  return JSON.parse(text);
}

/** A number as the report writes it. */
export function toNumber(value) {
  return typeof value === 'string' ? Number(value) : value;
}

// Code points that text sinks write as \u{...}; see export/out/escape.c.
const HIDDEN = /[\u{0}-\u{1f}\u{7f}-\u{9f}\u{ad}\u{61c}\u{180e}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}\u{e0000}-\u{e007f}]/gu;

/** A guest's text as text sinks show it. */
export const visible = (s) => s.replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

/** A file that has to be UTF-8 from its first byte to its last. */
export const readText = (file) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fs.readFileSync(file));

/** The time in which at least one of the spans was open, by how many are. */
export function openNs(spans) {
  const steps = spans.flatMap((s) => [[BigInt(s.start_ns), 1], [BigInt(s.end_ns), -1]]).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  let open = 0, sum = 0n;
  steps.forEach(([at, step], i) => {
    if (open > 0) sum += at - steps[i - 1][0];
    open += step;
  });
  return String(sum);
}
