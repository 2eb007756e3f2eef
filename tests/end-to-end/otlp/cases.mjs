// SPDX-License-Identifier: MIT
// What the tests of the OTLP transport share: TAP, the producer, comparisons.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';

export const build = process.argv[2];
export const long = process.argv.includes('long');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'otlp-'));
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  fs.rmSync(work, { recursive: true, force: true });
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(1));

// Most of the time a case waits, for a process to start or for a time to pass, so
// some run at once. Those that measure, of the long form, run one by one.
let lanes = long ? 1 : 4;
const waiting = [];
const cases = [];
let count = 0;
let failed = 0;

async function run(name, test) {
  if (lanes) lanes--;
  else await new Promise((done) => { waiting.push(done); });
  let text = '';
  try {
    await test();
  } catch (error) {
    failed = 1;
    text = `\n${error.stack ?? error}`.replaceAll('\n', '\n# ');
  }
  console.log(`${text ? 'not ok' : 'ok'} ${++count} - ${name}${text}`);
  if (waiting.length) waiting.shift()();
  else lanes++;
}

export function holds(name, test) {
  const one = run(name, test);
  cases.push(one);
  return one;
}

export function skipped(name, why) {
  console.log(`ok ${++count} - ${name} # SKIP ${why}`);
}

export async function end() {
  await Promise.all(cases);
  console.log(`1..${count}`);
  process.exit(failed);
}

export function note(text) { console.log(`# ${text}`); }

export function same(got, want, what) {
  if (got !== want) throw new Error(`${what}: ${got}, not ${want}`);
}

export function check(good, what) {
  if (!good) throw new Error(what);
}

let directories = 0;
export function freshDirectory() { return path.join(work, `spool${directories++}`); }
export function freshFile() { return path.join(work, `file${directories++}`); }

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Starts the command; `ended` gives its status and output.
export function start(command, args, environment = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  children.add(child);
  child.on('close', () => children.delete(child));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => { stdout += data; });
  child.stderr.on('data', (data) => { stderr += data; });
  child.ended = new Promise((done) => child.on('close', (status, signal) => done({ status, signal, stdout, stderr })));
  return child;
}

const pairs = (options) => Object.entries(options).filter(([, value]) => value !== undefined)
  .map(([key, value]) => (value === true ? key : `${key}=${value}`));

export const startProducer = (options, environment) => start(path.join(build, 'tests/end-to-end/otlp_producer'), pairs(options), environment);

export async function ended(child) {
  const { status, signal, stdout, stderr } = await child.ended;
  check(status === 0, `the producer ended with ${status ?? signal}: ${stderr}`);
  const stats = JSON.parse(stdout);
  same(stats.acknowledged + stats.rejected + stats.spooled + stats.dropped + stats.queued, stats.spans, 'the sum of what became of the spans');
  same(stats.queued, 0, 'spans queued at the end');
  return stats;
}

export const produce = (options) => ended(startProducer(options));

export const duplicates = (receiver) => [...receiver.ids.values()].reduce((sum, times) => sum + times - 1, 0);

// What a busy machine kept a thread waiting that only naps, twice, is no fault of
// the sink's.
export function checkWithin(stats, ms, limitMs, what) {
  check(ms < limitMs + 2 * stats.stallMs, `${what} took ${ms} ms, and a nap ${stats.stallMs} ms too long`);
}

// Whatever the endpoint did, nobody waited and nobody span in a loop. Sanitizers
// have their part in the CPU time.
export function checkCalm(stats, cpuMs = 700) {
  checkWithin(stats, stats.worstMs, 800, 'a call of the sink');
  check(stats.cpuMs < cpuMs, `${stats.cpuMs} ms of CPU time in ${stats.ms} ms`);
}
