// SPDX-License-Identifier: MIT
// Compares Chrome's JSON with the report: by what the trace processor reads in it,
// and it has to be JSON to JavaScript as well.
import { check, parseJson, readText, same } from './compare.mjs';
import { compareSlices, FLAVOURS, readTrace } from './slices.mjs';
import { checkStretches } from './stretches.mjs';

export async function readChrome(file) {
  const text = readText(file), { traceEvents } = parseJson(text);
  for (const [, us, decimals] of text.matchAll(/"ts":(\d+)\.(\d{3})[,}]/g))
    check(Math.round(Number(`${us}.${decimals}`) * 1000) === Number(us + decimals) && Number.isSafeInteger(Number(us + decimals)),
      'a double cannot tell the time', `${us}.${decimals}`);
  const count = (phase) => traceEvents.filter((e) => e.ph === phase).length;
  check(count('B') === count('E'), 'as many ends as beginnings:', count('E'), count('B'));
  const runs = traceEvents.filter((e) => e.ph === 'M' && e.name === 'process_name').map((e) => e.args);
  return { runs, ...await readTrace(file) };
}

function identityOf(run) {
  const texts = ['trace_id', 'vm', 'vm_id', 'host_name', 'guest_build_id', 'backend']
    .filter((key) => run[key]).map((key) => [`guesttrace.${key}`, run[key]]);
  return { name: run.guest, 'guesttrace.zero_monotonic_ns': String(run.zero), ...Object.fromEntries(texts) };
}

export async function compareChrome(trace, report, host) {
  const line = await compareSlices(trace, report, FLAVOURS.chrome);
  same(trace.runs, report.map(identityOf), 'identities');
  if (host)
    await checkStretches(trace.tp, host, report, 'args.guesttrace.', FLAVOURS.chrome.offset);
  const bad = await trace.tp.query("select name, value from stats where severity != 'info' and value > 0");
  same(bad.map((s) => s.name), [], 'complaints of the trace processor');
  return line;
}
