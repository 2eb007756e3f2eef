// SPDX-License-Identifier: MIT
// compare-chrome.mjs TRACE.json REPORT.json: the same for Chrome's JSON, which
// also has to be JSON to JavaScript.
import fs from 'node:fs';
import { check, run } from './compare.mjs';
import { compareSlices, FLAVOURS } from './slices.mjs';

await run('compare-chrome.mjs TRACE.json REPORT.json', (trace, report) => {
  const { traceEvents } = JSON.parse(fs.readFileSync(trace, 'utf8'));
  const count = (phase) => traceEvents.filter((e) => e.ph === phase).length;
  check(count('B') === count('E'), 'as many ends as beginnings:', count('E'), count('B'));
  return compareSlices(trace, report, FLAVOURS.chrome);
});
