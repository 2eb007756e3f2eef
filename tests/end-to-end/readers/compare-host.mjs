// SPDX-License-Identifier: MIT
// Joins a Perfetto trace with one that a host could have made, and compares what the trace processor reads in both: the
// stretches of the host, machines, and that times of the two are one clock's.
import fs from 'node:fs';
import { check, same, show } from './compare.mjs';
import { checkStretches } from './stretches.mjs';
import { load } from './trace-processor.mjs';

const varint = (value) => {
  const bytes = [];
  for (let v = BigInt(value); ; v >>= 7n) {
    if (v < 128n) return [...bytes, Number(v)];
    bytes.push(Number(v & 127n) | 128);
  }
};
const number = (field, value) => [...varint(BigInt(field) << 3n), ...varint(value)];
const message = (field, bytes) => [...varint(BigInt(field) << 3n | 2n), ...varint(bytes.length), ...bytes];
const text = (field, string) => message(field, [...Buffer.from(string)]);

// As the tracing service of a host writes it: BOOTTIME is the clock of the trace
// (6), events carry MONOTONIC (3), and the packets name no machine.
function hostTrace(boottime, monotonic) {
  const clock = (id, at) => message(1, [...number(1, id), ...number(2, at)]);
  const event = (type, at) => message(1, [...number(8, at), ...number(58, 3), ...number(10, 1),
    ...message(11, [...number(9, type), ...number(11, 77), ...text(23, 'host work')])]);
  return Buffer.from([
    ...message(1, [...number(10, 1), ...message(6, [...clock(6, boottime), ...clock(3, monotonic),
      ...number(2, 6)])]),
    ...message(1, [...number(10, 1), ...message(60, [...number(1, 77), ...text(2, 'host')])]),
    ...event(1, monotonic + 1000n), ...event(2, monotonic + 3000n)]);
}

async function checkTogether(tp, report, boottime) {
  const [work] = await tp.query("select ts, dur from slice where name = 'host work'");
  same([work.ts, work.dur], [boottime + 1000n, 2000n], 'the work of the host');
  // A span of the guest that began in the middle of it.
  const offset = BigInt(report[0].monotonic_offset_ns) - BigInt(report[0].boottime_offset_ns);
  const [span] = await tp.query(`select s.ts from slice s join args a using (arg_set_id)
    where a.key = 'debug.guesttrace_span_id' and a.string_value = '${report[0].spans[0].id}'`);
  same(span.ts, BigInt(report[0].spans[0].start_ns) - offset, 'a span beside it');
  check(span.ts >= work.ts && span.ts < work.ts + work.dur, 'the span does not lie in the work of the host');
}

function labelsOf(run) {
  const texts = [['vm', run.vm], ['vm id', run.vm_id], ['host', run.host_name], ['build id', run.guest_build_id],
    ['backend', run.backend], ['trace', run.trace_id]];
  return texts.filter(([, text]) => text).map(([word, text]) => `${word}: ${text.split('\0')[0]}`);
}

async function checkMachines(tp, report) {
  const machines = await tp.query('select raw_id from machine where raw_id != 0');
  same(new Set(machines.map((m) => String(m.raw_id))).size, report.length, 'different machines');
  const guests = await tp.query(`select p.name, count(distinct p.machine_id) as n from process p
    where p.pid != 0 and p.machine_id != 0 group by p.name`);
  const want = new Map();
  for (const t of report) want.set(t.guest, (want.get(t.guest) ?? 0) + 1);
  same(new Map(guests.map((g) => [g.name, Number(g.n)])).size, want.size, 'names of processes');
  for (const g of guests) same(Number(g.n), want.get(g.name), 'machines with', g.name);
  const labels = new Map();
  for (const l of await tp.query(`select p.upid, a.string_value as label from process p join args a using (arg_set_id)
      where a.key glob 'chrome.process_label*' order by a.key`))
    labels.set(l.upid, [...labels.get(l.upid) ?? [], l.label]);
  same([...labels.values()].map(show).sort(), report.map((t) => show(labelsOf(t))).sort(), 'labels');
  const threads = await tp.query("select count(*) as n from thread where name glob 'vCPU *'");
  check(threads[0].n >= report.length, 'threads of vCPUs');
  const bad = await tp.query("select name, value from stats where severity != 'info' and value > 0");
  same(bad.map((s) => s.name), [], 'complaints of the trace processor');
}

/** Of the report only the time is taken at which the host's work begins. */
export async function readJoined(file, report) {
  const start = BigInt(report[0].spans[0].start_ns) - BigInt(report[0].monotonic_offset_ns) - 2000n;
  const boottime = start + BigInt(report[0].boottime_offset_ns);
  const joined = `${file}.joined`;
  fs.writeFileSync(joined, Buffer.concat([hostTrace(boottime, start), fs.readFileSync(file)]));
  const tp = await load(joined);
  fs.unlinkSync(joined);
  return { tp, boottime };
}

export async function compareJoined({ tp, boottime }, report, host) {
  await checkStretches(tp, host, report, 'debug.guesttrace_',
    (t) => BigInt(t.monotonic_offset_ns) - BigInt(t.boottime_offset_ns));
  await checkTogether(tp, report, boottime);
  await checkMachines(tp, report);
  return `${host.length} stretches are the same, and line up with the host's trace`;
}
