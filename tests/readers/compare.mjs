// SPDX-License-Identifier: MIT
// What the comparisons share: the report is the reference, and the first
// difference ends the program with one line and status 1.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `install` put the readers: $READERS, or build/readers of the tree. */
export function readersDir() {
  const here = path.dirname(fileURLToPath(import.meta.url));
  return process.env.READERS ?? path.join(here, '../../build/readers');
}

// One line, whatever a guest put into its texts.
const printable = (text) =>
  text.replace(/[^\x20-\x7e]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

export function fail(message) {
  console.log(printable(message));
  process.exit(1);
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
export function readReport(file) {
  const report = JSON.parse(fs.readFileSync(file, 'utf8'));
  check(Array.isArray(report.traces), file, 'has no traces');
  for (const trace of report.traces) {
    trace.byId = new Map(trace.spans.map((s) => [s.id, s]));
    same(trace.byId.size, trace.spans.length, 'different span ids');
    trace.allEvents = [...trace.events, ...trace.spans.flatMap((s) => s.events)];
  }
  return report.traces;
}

const HOST_KEY = /^(guesttrace|guest|code|host|otel|process|service|telemetry)\./;

/** The key under which a guest's own key is shown beside the host's. */
export function shownKey(key) {
  return HOST_KEY.test(key) ? `guest.${key}` : key;
}

/** Of equal keys the last one's [type, value]. */
export function lastFields(fields) {
  return new Map(fields.map(([key, type, value]) => [key, [type, value]]));
}

/** A number as the report writes it. */
export function toNumber(value) {
  return typeof value === 'string' ? Number(value) : value;
}

/** Runs `main` with as many arguments as `usage` names, those in brackets or not. */
export async function run(usage, main) {
  const args = process.argv.slice(2);
  const names = usage.split(' ').slice(1), needed = names.filter((n) => !n.startsWith('['));
  if (args.length < needed.length || args.length > names.length) {
    console.error(`usage: ${usage}`);
    process.exit(2);
  }
  try {
    console.log(await main(...args));
    process.exit(0);
  } catch (error) {
    fail(String(error?.message ?? error).split('\n')[0].slice(0, 400));
  }
}
