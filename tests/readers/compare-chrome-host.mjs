// SPDX-License-Identifier: MIT
// compare-chrome-host.mjs TRACE.json REPORT.json HOST.jsonl: the stretches of the
// host in Chrome's JSON.
import { readReport, run, same } from './compare.mjs';
import { checkStretches, readStretches } from './stretches.mjs';
import { load } from './trace-processor.mjs';

await run('compare-chrome-host.mjs TRACE.json REPORT.json HOST.jsonl', async (trace, reportFile, hostFile) => {
  const host = readStretches(hostFile);
  const tp = await load(trace);
  await checkStretches(tp, host, readReport(reportFile), 'args.guesttrace.', (t) => BigInt(t.monotonic_offset_ns));
  const bad = await tp.query("select name, value from stats where severity != 'info' and value > 0");
  same(bad.map((s) => s.name), [], 'complaints of the trace processor');
  return `${host.length} stretches are the same`;
});
