// SPDX-License-Identifier: MIT
// Compares what the trace processor read of the host's stretches with what the
// exporter was told: for both of the formats that it reads.
import { check, same } from './compare.mjs';

const REASONS = ['other', 'io', 'mmio', 'halt', 'shutdown', 'exception', 'interrupted', 'timeout', 'error'];

/** In a trace whose arguments begin with `prefix`; `offset` of a run: UTC minus its clock. */
export async function checkStretches(tp, host, report, prefix, offset) {
  const arg = (key, column, none) => `max(iif(a.key = '${prefix}${key}', a.${column}, ${none}))`;
  const rows = await tp.query(`select s.id, s.ts, s.dur, s.name, s.depth, s.parent_id, s.arg_set_id,
    coalesce(t.name, h.name) as track, h.name as thread,
    ${arg('span_id', 'string_value', 'null')} as span,
    ${arg('parent_id', 'string_value', 'null')} as parent,
    ${arg('reason', 'string_value', 'null')} as reason,
    ${arg('port', 'int_value', 'null')} as port,
    ${arg('waiting_ns', 'int_value', 'null')} as waiting,
    ${arg('tracing', 'int_value', '0')} as tracing
    from slice s join track t on s.track_id = t.id left join thread_track tt on tt.id = t.id
    left join thread h using (utid) join args a using (arg_set_id)
    where s.category = 'guesttrace.host' group by s.id`);
  same(rows.length, host.length, 'number of stretches');
  const byId = new Map(rows.map((r) => [r.span, r])), bySlice = new Map(rows.map((r) => [r.id, r]));
  for (const want of host) {
    const trace = report[want.index], got = byId.get(want.id), where = `stretch ${want.id}`;
    check(got, where, 'is missing');
    same([got.ts, got.ts + got.dur], [want.start_ns, want.end_ns].map((ns) => BigInt(ns) - offset(trace)), where, 'times');
    same(got.parent, want.parent_id, where, 'parent');
    same(got.track, `vCPU ${want.vcpu} ${want.kind === 1 ? 'guest runs' : 'exits'}`, where, 'track');
    if (prefix === 'debug.guesttrace_') same(got.thread, `vCPU ${want.vcpu}`, where, 'below the thread');
    const reason = REASONS[want.reason];
    const port = prefix === 'debug.guesttrace_' && want.reason === 1 ? ` 0x${want.port.toString(16)}` : '';
    same(want.name || got.name !== '[No name]' ? got.name ?? '' : '', { 1: 'guest', 2: `exit ${reason}${port}`, 3: want.name.split('\0')[0] }[want.kind], where, 'name');
    if (want.kind !== 3) same(got.reason, reason, where, 'reason');
    if (want.kind === 2 && want.reason === 1) same(String(got.port), String(want.port), where, 'port');
    if (want.kind === 2) same(Boolean(Number(got.tracing)), want.tracing, where, 'tracing');
    same(String(got.waiting), want.waiting_ns, where, 'waiting');
    if (want.kind === 3) same(bySlice.get(got.parent_id)?.span, want.parent_id, where, 'stands in');
    else same(got.parent_id, null, where, 'stands in');
  }
}
