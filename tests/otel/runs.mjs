// SPDX-License-Identifier: MIT
// Captures of real guests, and what the report says of them.
import fs from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { build, check, freshFile, start } from '../end-to-end/otlp/cases.mjs';
import { parseJson, tracesOf } from '../end-to-end/readers/compare.mjs';

export const guesttrace = path.join(build, 'guesttrace');

// Name -> image and arguments. Of each run the status is no matter, but that it ran.
export const GUESTS = {
  kv: ['guests/kv.elf'],
  compress: ['guests/compress.elf'],
  solver: ['guests/solver.elf'],
  crash: ['guests/crash.elf'],
  hello: ['guests/hello.elf'],
  smp: ['guests/smp.elf'],
  caller: ['guests/caller.elf'],
  forger: ['tests/guests/forger.elf'],
  losing: ['tests/guests/losing.elf', '3', '20000'],
  eventful: ['tests/guests/eventful.elf', '700'],
};

/** {capture}, or {why} there is none here. */
export async function record(name, args = GUESTS[name].slice(1), options = []) {
  const capture = freshFile();
  const { stderr } = await start(guesttrace, ['run', '--backend', 'emulated', ...options, '-o', capture,
    path.join(build, GUESTS[name][0]), '--', ...args]).ended;
  if (/not built in/.test(stderr)) return { why: 'the emulated backend is not built in' };
  if (/vCPU/.test(stderr) && !fs.existsSync(capture)) return { why: stderr.trim().split('\n').at(-1) };
  check(fs.existsSync(capture) && fs.statSync(capture).size, `${name} records nothing: ${stderr}`);
  return { capture };
}

async function out(...args) {
  const { status, stdout, stderr } = await start(guesttrace, args).ended;
  check(status === 0, `${args[0]}: ${status} ${stderr}`);
  return stdout;
}

export const report = async (capture) => tracesOf(parseJson(await out('report', '--json', capture)));
/** What the first trace has lost: the beginning of a report that may be longer than a string can be. */
export async function losses(capture) {
  const child = spawn(guesttrace, ['report', '--json', capture], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = new Promise((done) => child.on('close', done));
  let text = '', found;
  for await (const chunk of child.stdout) {
    text += chunk;
    found = /"losses":({[^}]*})/.exec(text);
    if (found) break; // closes the pipe
  }
  child.kill();
  await closed;
  check(found, `no losses: ${text.slice(0, 500)}`);
  return JSON.parse(found[1]);
}

export const decoded = (capture) => out('decode', '--wire', 'native', capture);

/** Sends spans of a capture, or of several, or another signal: {status, stderr}. */
export const send = (url, captures, environment = {}, options = [], format = 'otlp') =>
  start(guesttrace, ['export', '--format', format, '-o', url, ...options, ...[captures].flat()], environment).ended;

export async function sendAll(...what) {
  const { status, stderr } = await send(...what);
  check(status === 0, `export: ${status} ${stderr}`);
}
