// SPDX-License-Identifier: MIT
// selftest.mjs DIRECTORY: shows that each comparison can fail. DIRECTORY is what
// tests/end-to-end/export_sample.c writes. Each time one thing is changed, in the report or in
// the file; the comparison has to say so, unless seen.mjs says that it does not see it.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isSeen } from './seen.mjs';
import { changesOf } from './changes.mjs';
import { COMPARISONS } from './comparisons.mjs';
import { check, fail, tracesOf } from './compare.mjs';
import { FILE_CHANGES } from './file-changes.mjs';

const [dir] = process.argv.slice(2);
const read = (name) => fs.readFileSync(path.join(dir, name));
const original = () => ({
  report: JSON.parse(read('report.json')),
  host: read('host.jsonl').toString().split('\n').filter(Boolean).map((l) => JSON.parse(l)),
});

async function isNoticed(compare) {
  try {
    await compare();
    return false;
  } catch (error) {
    check(error instanceof Error, 'thrown:', String(error));
    return true;
  }
}

function judge(format, what, noticed, seen = true) {
  if (noticed !== seen) wrong.push(`${format}: ${what}: is ${noticed ? '' : 'not '}noticed`);
  count++;
}

async function changeReport(format, got, compare) {
  const { report, host } = original();
  await compare(got, tracesOf(report), host);
  for (const [what, change] of changesOf(report.traces, host)) {
    const undo = change();
    judge(format, what, await isNoticed(async () => compare(got, tracesOf(report), host)), isSeen(format, what));
    undo();
  }
}

async function changeFile(format, { file, read: load, compare }, tmp) {
  const { report, host } = original(), traces = tracesOf(report);
  for (const [what, change] of Object.entries(FILE_CHANGES[format] ?? {})) {
    const changed = path.join(tmp, file);
    fs.writeFileSync(changed, change(read(file)));
    judge(format, what, await isNoticed(async () => compare(await load(changed, traces), traces, host)));
  }
}

// All in one process of Python's, which reads each directory once.
function changeCtf(tmp) {
  const jobs = [], { report, host } = original();
  const add = (what, ctf) => jobs.push(JSON.stringify({ what, ctf, report, host }));
  const ctf = path.join(dir, 'ctf');
  add('unchanged', ctf);
  for (const [what, change] of changesOf(report.traces, host)) {
    const undo = change();
    add(what, ctf);
    undo();
  }
  for (const [what, [name, change]] of Object.entries(FILE_CHANGES.ctf)) {
    const copy = path.join(tmp, `ctf-${jobs.length}`), file = path.join(copy, name);
    fs.cpSync(ctf, copy, { recursive: true });
    fs.writeFileSync(file, change(fs.readFileSync(file)));
    add(what, copy);
  }
  const list = path.join(tmp, 'jobs.json');
  fs.writeFileSync(list, `[${jobs}]`);
  const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'compare-ctf.py');
  const lines = execFileSync(program, ['--each', list], { encoding: 'utf8', maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'ignore'] }).trimEnd().split('\n').map((l) => JSON.parse(l));
  check(lines.length === jobs.length, 'CTF: answers:', lines.length);
  const [{ difference }, ...rest] = lines;
  check(difference === null, 'CTF fails unchanged:', difference);
  const files = Object.keys(FILE_CHANGES.ctf);
  for (const { what, difference: found } of rest) judge('ctf', what, found !== null, files.includes(what) || isSeen('ctf', what));
}

let count = 0;
const wrong = [];
const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'readers-'));
try {
  for (const [format, comparison] of Object.entries(COMPARISONS)) {
    const got = await comparison.read(path.join(dir, comparison.file), tracesOf(original().report));
    await changeReport(format, got, comparison.compare);
    await changeFile(format, comparison, tmp);
  }
  changeCtf(tmp);
  if (wrong.length) fail(wrong.join('; '));
  console.log(`${count} changes, each noticed by those who can see it`);
} catch (error) {
  console.log([...wrong, String(error.stack ?? error)].join('\n'));
  process.exitCode = 1;
} finally {
  fs.rmSync(tmp, { recursive: true });
}
process.exit();
